// Ours and llama.cpp on the same file, prompt, and number of threads, a run each in turn.
//
// Beside the time on the clock stands the processor time of each process: on a busy machine the clock says how long each
// had to wait, and llama.cpp's threads spin while they wait for one another.

import { spawn } from "node:child_process";
import { readFileSync, readdirSync, mkdirSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { getLlama } from "node-llama-cpp";

const options = { program: "", model: "", threads: "2", rounds: "7", tokens: "64", out: "" };
for (let n = 2; n < process.argv.length; n += 2) options[process.argv[n].replace(/^--/, "")] = process.argv[n + 1];
const threads = Number(options.threads);
const tokens = Number(options.tokens);
const passage = readFileSync(new URL("../../src/server/src/cli/bench/passage.txt", import.meta.url), "utf8");

class Ours {
    constructor() {
        const command = ["bench", "serve-generator", "--model", options.model, "--threads", options.threads];
        this.process = spawn(options.program, command, { stdio: ["pipe", "pipe", "inherit"] });
        this.process.on("exit", (code) => code && process.exit(code));
        this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    }
    async told() {
        return JSON.parse((await this.lines.next()).value);
    }
    /** Seconds of processor time of all its threads. */
    cpu() {
        const tasks = `/proc/${this.process.pid}/task`;
        const ns = readdirSync(tasks).map((task) => Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]));
        return ns.reduce((a, b) => a + b, 0) / 1e9;
    }
    async run(prompt, count) {
        const before = this.cpu();
        this.process.stdin.write(JSON.stringify({ prompt, tokens: count }) + "\n");
        const found = await this.told();
        return { ...found, cpu_s: this.cpu() - before };
    }
    close() {
        this.process.stdin.end();
    }
}

class Llama {
    async open() {
        this.llama = await getLlama({ gpu: false, build: "never", maxThreads: threads, logLevel: "error" });
        this.model = await this.llama.loadModel({ modelPath: options.model });
        this.context = await this.model.createContext({ contextSize: 1024, threads, batchSize: 512 });
        this.sequence = this.context.getSequence();
    }
    async run(prompt, count) {
        await this.sequence.clearHistory();
        const ids = [this.model.tokens.bos, ...this.model.tokenize(prompt, false)];
        const before = process.cpuUsage();
        const start = performance.now();
        let first, written = 0;
        for await (const _ of this.sequence.evaluate(ids, { temperature: 0 })) {
            first ??= performance.now();
            if (++written >= count) break;
        }
        const end = performance.now();
        const cpu = process.cpuUsage(before);
        return {
            prompt_tokens: ids.length,
            tokens: written,
            first_ms: first - start,
            rest_ms: end - first,
            cpu_s: (cpu.user + cpu.system) / 1e6,
        };
    }
    async close() {
        await this.llama.dispose();
    }
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

const ours = new Ours();
console.log((await ours.told()).name, `${threads} threads`);
const llama = new Llama();
await llama.open();
const people = { ours, "llama.cpp": llama };
const runs = { ours: [], "llama.cpp": [] };
const short = { ours: [], "llama.cpp": [] };
for (let n = 0; n <= Number(options.rounds); n++) {
    for (const [name, who] of Object.entries(people)) {
        // Other first words each time, so that nothing is known; one token alone says what of the processor time is the prompt's.
        const one = await who.run(`${n}; ${passage}`, 1);
        const whole = await who.run(`${n}. ${passage}`, tokens);
        if (n > 0) short[name].push(one), runs[name].push(whole);
    }
}
ours.close();
await llama.close();

const figures = {};
for (const name of Object.keys(people)) {
    const whole = runs[name], one = short[name];
    if (whole.some((run) => run.tokens < tokens)) throw new Error(`${name} ended before ${tokens} tokens`);
    const prompt_cpu = median(one.map((run) => run.cpu_s));
    figures[name] = {
        prompt_tokens: whole[0].prompt_tokens,
        prompt_tokens_per_s: median([...whole, ...one].map((run) => (run.prompt_tokens / run.first_ms) * 1e3)),
        tokens_per_s: median(whole.map((run) => ((run.tokens - 1) / run.rest_ms) * 1e3)),
        prompt_tokens_per_cpu_s: whole[0].prompt_tokens / prompt_cpu,
        tokens_per_cpu_s: (tokens - 1) / (median(whole.map((run) => run.cpu_s)) - prompt_cpu),
    };
    console.log(name, figures[name]);
}
const ratios = {};
for (const key of Object.keys(figures.ours).slice(1)) ratios[key] = figures.ours[key] / figures["llama.cpp"][key];
const report = { threads, rounds: Number(options.rounds), load: loadavg()[0], figures, ours_over_llama_cpp: ratios };
const out = options.out || fileURLToPath(new URL("../out/", import.meta.url));
mkdirSync(out, { recursive: true });
writeFileSync(`${out}/generator.json`, JSON.stringify(report, null, 1) + "\n");
console.log(JSON.stringify(report));
process.exit(0);
