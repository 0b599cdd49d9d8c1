"""Reading result databases: runs, and the scenarios that they belong to."""

import json
import math
import re
import sqlite3
from pathlib import Path

import measure
from console import EX_DATAERR, EX_NOINPUT, Failure

SCHEMA = 8
APPLICATION = 0x4C53494D
# What may differ between the runs that a scenario compares.
FREE = {"policy", "seed", "request_rate", "num_prompts"}
# Said in a scenario's title already, or of no meaning to a reader.
TOLD = {"trace", "model", "hardware", "engine", "tensor_parallel_size", "trace_sha256"}


def connect(path):
    """Opens a database for reading; one that is none, or of another schema, is an error."""
    path = Path(path)
    if not path.exists():
        raise Failure(f"{path}: no such file; 'sim sweep --db {path}' would make one", EX_NOINPUT)
    if not path.is_file():
        raise Failure(f"{path}: not a file", EX_NOINPUT)
    try:
        try:
            return connect_as_it_is(path)
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", None) != "SQLITE_READONLY_ROLLBACK":
                raise
        # A process was killed while it stored a run. One that may write the file undoes what is there of it by reading it.
        sqlite3.connect(path, timeout=60).execute("PRAGMA user_version").fetchone()
        return connect_as_it_is(path)
    except sqlite3.Error as error:
        raise unreadable(path, error) from None


def connect_as_it_is(path):
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=60)
    connection.row_factory = sqlite3.Row
    check_schema(connection, path)
    return connection


def check_schema(connection, path):
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise Failure(f"{path}: not a result database of this project", EX_DATAERR)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version < SCHEMA:
        raise Failure(f"{path}: schema version {version}, this script knows {SCHEMA}; the next run that 'sim' logs to it "
                      "brings it up to date", EX_DATAERR)
    if version > SCHEMA:
        raise Failure(f"{path}: schema version {version}, this script knows {SCHEMA}", EX_DATAERR)


def unreadable(path, error):
    return Failure(f"{path}: cannot be read as a result database: {error}", EX_DATAERR)


class Run:
    """A run: the columns of `runs` as attributes, and its configuration."""

    def __init__(self, row):
        self.__dict__.update(dict(row))
        self.config = flat(json.loads(self.config or "{}"))
        self.config |= {key: getattr(self, key) for key in ("profile_sha256", "trace_sha256", "results_revision")}
        self.extra = json.loads(self.extra or "{}")
        rate = self.request_rate
        self.rate = rate if rate is not None and math.isfinite(rate) else None

    @property
    def scenario(self):
        return json.dumps({key: value for key, value in self.config.items() if key not in FREE}, sort_keys=True)

    @property
    def expert_gb_per_token(self):
        tokens = (self.total_input_tokens or 0) + (self.total_output_tokens or 0)
        return self.expert_bytes / tokens / 1e9 if tokens and self.expert_bytes is not None else None


def flat(config):
    """The settings of an experiment by the names of options, and limits as slo_ttft_ms; the policy is a column of `runs`."""
    pool = (config.get("cluster", {}).get("pools") or [{}])[0]
    system = pool.get("system", {})
    settings = {key: value for key, value in system.items() if not isinstance(value, dict)}
    for kind in ("engine", "hardware"):
        settings |= {f"{kind}.{path}": value for path, value in system.get(f"{kind}_settings", {}).items()}
    limits = {f"slo_{key.removesuffix('_s')}_ms": 1000 * value
              for key, value in (config.get("objective") or {}).items() if value is not None}
    every = {**config.get("workload", {}), **settings, "instances": pool.get("instances", 1), **limits,
             **config.get("limits", {})}
    return {key: value for key, value in every.items() if value is not None}


class Scenario:
    """The runs that differ in policy, rate and seed only."""

    def __init__(self, runs, others):
        self.runs = runs
        first = runs[0]
        self.config = first.config
        self.title = (f"{first.trace} · {first.model} on {first.tensor_parallel_size} × {first.hardware} · "
                      f"engine {first.engine}")
        self.differences = {key: value for key, value in first.config.items()
                            if key not in FREE | TOLD and any(other.get(key) != value for other in others)}
        self.labels = short_names(sorted({run.policy for run in runs}))
        self.policies = sorted(self.labels.values(), key=lambda name: (not name.startswith("chunked"), natural(name)))
        for run in runs:
            run.label = self.labels[run.policy]
        self.rates = sorted({run.rate for run in runs if run.rate is not None})
        self.limits = {name: self.config.get(f"slo_{name}_ms") for name in ("ttft", "tbt", "tpot", "e2el")}

    def pick(self, policy=None, rate=...):
        return [run for run in self.runs
                if (policy is None or run.label == policy) and (rate is ... or run.rate == rate)]

    def seeds(self, policy, rate):
        """The run of each seed."""
        return {run.seed: run for run in self.pick(policy, rate)}

    @property
    def limit_text(self):
        names = {"ttft": "TTFT", "tbt": "every token gap", "tpot": "TPOT", "e2el": "end to end"}
        parts = [f"{names[name]} within {seconds(value)}" for name, value in self.limits.items() if value is not None]
        return " and ".join(parts)

    def decision_rate(self, level):
        """The rate that tells most: the largest that every policy ran at and one of them still holds."""
        common = [rate for rate in self.rates if all(self.pick(policy, rate) for policy in self.policies)]
        if not common:
            common = sorted(self.rates, key=lambda rate: len({run.label for run in self.pick(rate=rate)}))[-1:]
        held = [rate for rate in common
                if any((measure.mean([run.slo_attainment for run in self.pick(policy, rate)]) or 0) >= level
                       for policy in self.policies)]
        return max(held) if held else min(common) if common else None


def natural(name):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def seconds(milliseconds):
    return f"{milliseconds / 1000:g} s" if milliseconds >= 1000 else f"{milliseconds:g} ms"


def short_names(policies):
    """Names without the parameters that all policies of the same family share."""
    parsed = {policy: parse_policy(policy) for policy in policies}
    names = {}
    for policy, (family, parameters) in parsed.items():
        alike = [other for kind, other in parsed.values() if kind == family]
        kept = [f"{key} {value}" for key, value in parameters.items() if any(o.get(key) != value for o in alike)]
        names[policy] = f"{family} {', '.join(kept)}".strip()
    return names


def parse_policy(policy):
    family, _, rest = policy.partition("[")
    return family, dict(part.partition("=")[::2] for part in rest.rstrip("]").split(",") if part)


def scenarios(connection, path, may_be_none=False):
    """All scenarios of a database, those with most runs first; of several runs of a configuration the latest counts."""
    try:
        rows = connection.execute("SELECT * FROM runs WHERE completed > 0 ORDER BY run_id").fetchall()
        runs = {row["config_hash"] or row["run_id"]: Run(row) for row in rows}
    except (sqlite3.Error, ValueError) as error:
        raise unreadable(path, error) from None
    if not runs and not may_be_none:
        raise Failure(f"{path}: holds no run in which a request completed", EX_DATAERR)
    groups = {}
    for run in runs.values():
        groups.setdefault(run.scenario, []).append(run)
    groups = sorted(groups.values(), key=lambda group: (-len(group), group[0].run_id))
    configs = [group[0].config for group in groups]
    return [Scenario(group, configs) for group in groups]
