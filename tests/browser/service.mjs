// The real program on a free port with a data folder of its own: started, killed, started again.

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What was fetched and learned before. */
export const cache = resolve(root, process.env.BORGERLINJE_CACHE || 'cache');
/** A cache that was never filled takes the model's download, the encoding and the training. */
const START_MS = 600_000;

function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
  const at = [process.env.BORGERLINJE_BIN, join(target, 'release/borgerlinje'), join(target, 'debug/borgerlinje')];
  const found = at.find((path) => path && existsSync(path));
  if (!found) throw new Error('no program to test: run `cargo build`, or set BORGERLINJE_BIN');
  return found;
}

export async function freePort() {
  const server = createServer();
  await new Promise((ok) => server.listen(0, '127.0.0.1', ok));
  const { port } = server.address();
  await new Promise((ok) => server.close(ok));
  return port;
}

export class Service {
  #child;
  #exited;
  /** Everything it wrote to standard output and error. */
  said = '';

  /** `env` on top of ours, for instance to be open at all hours; a function is given the service's address. */
  static async start(env = {}) {
    const service = new Service();
    service.data = await mkdtemp(join(tmpdir(), 'borgerlinje-browser-'));
    service.address = `127.0.0.1:${await freePort()}`;
    service.url = `http://${service.address}`;
    service.env = typeof env === 'function' ? env(service.url) : env;
    await service.up();
    return service;
  }

  #env() {
    const own = this.data ? { BORGERLINJE_LISTEN: this.address, BORGERLINJE_DATA: this.data } : {};
    return { ...process.env, ...this.env, ...own };
  }

  /** A command that needs no service. Resolves with what it said. */
  static command(args, env) {
    const service = new Service();
    service.env = env;
    return service.command(args);
  }

  /** Another of the program's commands on the same data; `input` is its standard input. Resolves with what it said. */
  command(args, input = '') {
    return new Promise((ok, bad) => {
      const child = execFile(binary(), args, { cwd: root, env: this.#env() }, (error, out, err) => (error ? bad(new Error(`${error.message}\n${err}`)) : ok(out)));
      child.stdin.end(input);
    });
  }

  /** Resolves when it says that it listens. */
  async up() {
    const child = spawn(binary(), ['serve'], {
      cwd: root,
      env: this.#env(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#exited = new Promise((ok) => child.once('exit', (code, signal) => ok(signal ?? code)));
    let out = '';
    const listening = new Promise((ok) => child.stdout.on('data', (bytes) => {
      out += bytes;
      this.said += bytes;
      if (out.includes(`Borgerlinje is listening on ${this.url}`)) ok(true);
    }));
    child.stderr.on('data', (bytes) => (this.said += bytes));
    let timer;
    const late = new Promise((ok) => (timer = setTimeout(ok, START_MS, 'nothing, for too long')));
    const first = await Promise.race([listening, this.#exited, late]);
    clearTimeout(timer);
    if (first !== true) throw new Error(`the program did not come up (${first}):\n${this.said}`);
  }

  /** As a power cut: nothing can be tidied up. */
  async kill() {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async stop() {
    this.#child.kill('SIGTERM');
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#exited;
    clearTimeout(hard);
    // What it took for a fault of its own: the reason, should a test have failed.
    for (const line of this.said.split('\n')) if (/\bERROR\b/.test(line)) console.log(line);
    await rm(this.data, { recursive: true, force: true });
  }

  /** Every byte of the data folder, as Latin-1, to look for what must not be there. */
  async stored() {
    const names = await readdir(this.data, { recursive: true, withFileTypes: true });
    const files = names.filter((f) => f.isFile()).map((f) => readFile(join(f.parentPath ?? f.path, f.name), 'latin1'));
    return (await Promise.all(files)).join('\n');
  }
}
