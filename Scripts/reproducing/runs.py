"""The runs that the figures need, and what is read out of them."""

import sqlite3

import measure
import simulator
from reproducing.paper import CHUNK_RATES, LEVEL, POLICIES, RATES, SYSTEM, lowest_rate, published, rate_text


class Runs:
    """The runs of the paper's system, each known by what was asked for."""

    def __init__(self, program, database, folder):
        self.program, self.database, self.folder, self.wanted = program, database, folder, {}

    def want(self, key, *arguments, log="requests"):
        self.wanted[key] = ["--log", log, *arguments, *SYSTEM, "--db", str(self.database)]

    def want_trace(self, trace, policy, rate, seed, *more):
        self.want((trace, policy, rate_text(rate), seed, *more), "--trace", trace, "--policy", policy, "--request-rate",
                  rate_text(rate), "--seed", str(seed), *more)

    def simulate(self, jobs):
        simulator.simulate_all(self.program, list(self.wanted.values()), jobs)
        self.connection = sqlite3.connect(self.database)
        self.connection.row_factory = sqlite3.Row
        rows = {row["argv"]: row for row in self.connection.execute("SELECT * FROM runs")}
        self.rows = {key: rows["run " + " ".join(arguments)] for key, arguments in self.wanted.items()}

    def __getitem__(self, key):
        return self.rows[key]

    def column(self, name, trace, policy, rate, seeds, *more):
        """A column of `runs`, a value for each seed."""
        return [self[trace, policy, rate_text(rate), seed, *more][name] for seed in seeds]

    def query(self, sql, key):
        return self.connection.execute(sql, (self[key]["run_id"],)).fetchall()


def plan(runs, seeds, prompt_trace):
    """Every run that the figures need."""
    for row in published("chunk_size")[0]:
        runs.want(("prompt", row["chunk"]), "--trace", str(prompt_trace), "--policy", f"chunked[budget={row['chunk']}]",
                  log="iterations")
    for row in published("coverage")[0]:
        for seed in seeds:
            runs.want(("batch", row["requests"], seed), "--trace", "sharegpt", "--policy",
                      f"static[batch={row['requests']}]", "--num-prompts", row["requests"], "--request-rate", "inf",
                      "--seed", str(seed), "--draw-routing", log="iterations")
    for trace, rates in RATES.items():
        for seed in seeds:
            for policy in POLICIES:
                for rate in rates:
                    runs.want_trace(trace, policy, rate, seed)
                runs.want_trace(trace, policy, lowest_rate(trace), seed, "--num-prompts", "100")
    for seed in seeds:
        for rate in CHUNK_RATES:
            runs.want_trace("arxiv", "chunked[budget=2048]", rate, seed)
        runs.want_trace("arxiv", "chunked", 1.0, seed)
        runs.want_trace("arxiv", "chunked", 1.1, seed)


def kernel_groups(runs, key):
    """Milliseconds of the expert, attention and other kernels of a run."""
    groups = {"moe_ms": 0.0, "attention_ms": 0.0, "other_ms": 0.0}
    for kernel, seconds in runs.query("SELECT kernel, kernel_s FROM kernels WHERE run_id = ?", key):
        group = "moe_ms" if kernel == "expert_mlp" else "attention_ms" if "attention" in kernel else "other_ms"
        groups[group] += 1000 * seconds
    return groups


def capacity_of(runs, trace, policy, rates, seed, column="slo_attainment"):
    points = [(rate, runs[trace, policy, rate_text(rate), seed][column]) for rate in rates]
    return measure.capacity(points, LEVEL)[0]


def change(before, after):
    """Changes in %, seed by seed."""
    return [100 * (b / a - 1) for a, b in zip(before, after)]
