"""What is measured: whole runs, decoding, the loop in C, a sweep and the start-up."""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess

from benchmarking.processes import Measured, count
from console import ROOT, Failure, note

YARDSTICK = ROOT / "Scripts" / "yardstick" / "loop.c"
RATES = {"arxiv": "1.5", "sharegpt": "4"}
POLICIES = {"chunked": "chunked[budget=512]", "layered": "layered"}
LEVELS = ["requests", "iterations", "kernels"]
SIZES = {1_000: "1k", 10_000: "10k", 100_000: "100k", 1_000_000: "1M"}
COUNTED = {"requests": (100, 300), "iterations": (100, 300), "kernels": (10, 30)}  # requests of the two runs
BATCHES = [10, 50, 250]
OUTPUTS = 1000, 3000  # tokens of each sequence of a batch; the KV memory holds 250 of the longer ones
WAVES = 10, 60  # batches one after the other, of the longer sequences, in the two runs that are timed
C_ITERATIONS = 100_000, 300_000
C_TIMED = 5_000_000
REPLICATED = 200_000  # requests of a run of 100 replicas


class Benchmark:
    def __init__(self, program, folder, options):
        self.program, self.folder, self.options = program, folder, options
        self.rows = {}  # name: {metric: value}, in the order of the table
        self.counts = []  # what is to be counted: (row, metric, two commands, iterations of each)
        self.notes = []

    def wanted(self, name):
        only = self.options.only
        if only and not any(text in name for text in only):
            return False
        self.rows.setdefault(name, {})
        return True

    def database(self, name):
        """A new database for a run."""
        path = self.folder / (re.sub(r"\W+", "-", name) + ".sqlite")
        path.unlink(missing_ok=True)
        return path

    def least(self, name, command, database=None, output=None):
        """Runs it up to so many times or seconds, and keeps the least time and memory."""
        row, spent, times = self.rows[name], 0.0, 0
        while times == 0 or (times < self.options.repeat and spent < self.options.seconds):
            if database:
                database.unlink(missing_ok=True)
            run = Measured(command)
            spent, times = spent + run.wall, times + 1
            for metric, value in ("wall", run.wall), ("cpu", run.cpu), ("peak_memory", run.peak):
                row[metric] = min(value, row.get(metric, value))
        return run.output if output is None else output(run.output)

    # MARK: whole runs

    def run_command(self, trace, policy, level, requests, database):
        return [self.program, "run", "--trace", trace, "--policy", POLICIES[policy], "--request-rate",
                RATES[trace], "--num-prompts", requests, "--log", level, "--db", database, "--json"]

    def runs(self):
        sizes = list(SIZES) if self.options.full else [1_000, 10_000]
        for trace in RATES:
            for policy in POLICIES:
                for level in LEVELS:
                    before = None  # seconds and bytes at the size before
                    for size in sizes:
                        name = f"{trace} {policy}, {SIZES[size]}, log {level}"
                        if not self.wanted(name):
                            continue
                        if not self.affordable(name, before):
                            del self.rows[name]
                            before = (10 * before[0], 10 * before[1])
                            continue
                        note(name)
                        database = self.database(name)
                        report = json.loads(self.least(
                            name, self.run_command(trace, policy, level, size, database), database))
                        row = self.rows[name]
                        row["requests_per_s"] = size / row["wall"]
                        row["iterations_per_s"] = report["iterations"] / row["wall"]
                        before = row["wall"], database.stat().st_size
                        database.unlink()
                        if size == sizes[0]:
                            self.count_run(name, trace, policy, level)

    def affordable(self, name, before):
        """Whether ten times the run before fits the time and the disk; says so if it does not."""
        if before is None:
            return True
        seconds, size = 10 * before[0], 10 * before[1]
        patience = self.options.patience
        if seconds > patience:
            self.notes.append(f"not run: {name}: it would take about {seconds:,.0f} s (--patience {patience:g})")
        elif size > shutil.disk_usage(self.folder).free / 2:
            self.notes.append(f"not run: {name}: its database of about {size / 1e9:.0f} GB fills the disk")
        else:
            return True
        return False

    def count_run(self, name, trace, policy, level):
        commands = [self.run_command(trace, policy, level, n, self.database(f"{name} count {n}"))
                    for n in COUNTED[level]]
        self.counts.append((name, commands, None))

    # MARK: decoding

    def decode_command(self, batch, tokens, waves, *extra):
        """Runs `waves` batches of sequences of `tokens` tokens, one after the other."""
        path = self.folder / f"batch-{batch}-{tokens}-{waves}.csv"
        path.write_text("arrived_at,num_prefill_tokens,num_decode_tokens\n" + f"0.0,16,{tokens}\n" * batch * waves)
        return [self.program, "run", "--trace", path, "--arrivals", "all-at-once", "--max-num-seqs", batch, "--no-db",
                "--json", *extra]

    def decodes(self):
        for exact in [], ["--exact-steps"]:
            for batch in BATCHES:
                name = " ".join([f"decode batch {batch}", *exact])
                if not self.wanted(name):
                    continue
                note(name)
                commands = [self.decode_command(batch, tokens, 1, *exact) for tokens in OUTPUTS]
                self.counts.append((name, commands, None))
                self.difference(name, batch, [self.decode_command(batch, OUTPUTS[1], n, *exact) for n in WAVES])

    def difference(self, name, batch, commands):
        """Iterations/s without the start-up, from the simulator's own clock."""
        best = []
        for command in commands:
            reports = [json.loads(Measured(command).output) for _ in range(self.options.repeat)]
            best.append((min(report["wall_s"] for report in reports), reports[0]))
        (short, first), (long, last) = best
        if last["preemptions"] or last["mean_decode_batch"] < 0.95 * batch:
            self.notes.append(f"{name}: the batch was {last['mean_decode_batch']:.1f} on average, with "
                              f"{last['preemptions']} preemptions")
        if long > short:
            self.rows[name]["iterations_per_s"] = (last["iterations"] - first["iterations"]) / (long - short)

    def yardstick(self):
        names = [(batch, f"C loop, batch {batch}") for batch in BATCHES]
        names = [(batch, name) for batch, name in names if self.wanted(name)]
        if not names:
            return
        compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("clang")
        if not compiler:
            self.notes.append("not run: the C loop: there is no C compiler (CC names one)")
            return
        loop = self.folder / "loop"
        built = subprocess.run([compiler, "-std=gnu11", "-O2", "-Wall", "-o", loop, YARDSTICK],
                               stderr=subprocess.PIPE, text=True)
        if built.returncode:
            lines = built.stderr.splitlines()
            raise Failure(f"{compiler}: {next((line for line in lines if 'error' in line), built.stderr.strip())}")
        for batch, name in names:
            note(name)
            nanoseconds = min(float(Measured([loop, batch, C_TIMED]).output.split()[0]) for _ in range(5))
            self.rows[name]["iterations_per_s"] = 1e9 / nanoseconds
            self.counts.append((name, [[loop, batch, n] for n in C_ITERATIONS], C_ITERATIONS))

    # MARK: sweep and start-up

    def sweeps(self):
        for threads in 1, 2:
            name = f"sweep of 40 points, {threads} thread{'s' * (threads > 1)}"
            if not self.wanted(name):
                continue
            note(name)
            database = self.database(name)
            self.least(name, [self.program, "sweep", "--policy", ",".join(POLICIES.values()), "--request-rate", "1.0:1.4:0.1",
                              "--seed", "0:3", "--num-prompts", 10_000, "--jobs", threads, "--db", database, "--json"],
                       database)
            self.rows[name]["points_per_s"] = 40 / self.rows[name]["wall"]
            self.rows[name]["requests_per_s"] = 400_000 / self.rows[name]["wall"]

    def clusters(self):
        for threads in 1, 2:
            name = f"100 replicas, {threads} thread{'s' * (threads > 1)}"
            if not self.wanted(name):
                continue
            note(name)
            database = self.database(name)
            self.least(name, [self.program, "run", "--trace", "sharegpt", "--engine", "vllm", "--replicas", 100, "--request-rate",
                              500, "--num-prompts", REPLICATED, "--jobs", threads, "--log", "requests", "--db", database,
                              "--json"], database)
            self.rows[name]["requests_per_s"] = REPLICATED / self.rows[name]["wall"]

    def startup(self):
        for name, arguments in ("start-up, --version", ["--version"]), (
                "start-up, run of one request",
                ["run", "--trace", "arxiv", "--request-rate", "1.5", "--num-prompts", 1, "--no-db", "--json"]):
            if not self.wanted(name):
                continue
            note(name)
            for _ in range(4):
                self.least(name, [self.program, *arguments])
            self.counts.append((name, [[self.program, *arguments]], None))

    # MARK: instructions

    def count_all(self):
        if not self.counts:
            return
        if not shutil.which("valgrind"):
            self.notes.append("instructions were not counted: valgrind is not installed")
            return
        note("counting instructions")
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            work = [(name, [pool.submit(count, c) for c in commands], iterations)
                    for name, commands, iterations in self.counts]
            for name, futures, iterations in work:
                results = [future.result() for future in futures]
                if len(results) == 1:
                    self.rows[name]["instructions"] = results[0][0]
                    continue
                (short, first), (long, last) = results
                begin, end = iterations or (json.loads(first)["iterations"], json.loads(last)["iterations"])
                self.rows[name]["instructions_per_iteration"] = (long - short) / (end - begin)
