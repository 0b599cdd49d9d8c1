"""The baseline, the database of measurements, and what has become slower."""

import csv
import os
import platform
import sqlite3
import subprocess

from console import EX_DATAERR, ROOT, Failure, written_whole

BASELINE = ROOT / "Results" / "benchmarks" / "baseline.csv"
DATABASE = ROOT / "Results" / "benchmarks" / "benchmarks.sqlite"
TOLERANCE = 0.02  # of instructions, before a row counts as slower
UNITS = {"wall": "s", "cpu": "s", "requests_per_s": "1/s", "iterations_per_s": "1/s", "peak_memory": "MiB",
         "instructions_per_iteration": "1", "instructions": "1", "points_per_s": "1/s"}
INSTRUCTIONS = ["instructions_per_iteration", "instructions"]


def git(*arguments):
    result = subprocess.run(["git", "-C", ROOT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return result.stdout.strip() if result.returncode == 0 else ""


def commit():
    changed = git("status", "--porcelain", "--", "Sources", "Package.swift", "Scripts/yardstick")
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + ("+changes" if changed else "")


def read_baseline(path):
    """{(name, metric): row}; nothing if there is no baseline yet."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return {(row["name"], row["metric"]): {**row, "value": float(row["value"])} for row in rows}
    except (KeyError, TypeError, ValueError):
        raise Failure(f"{path}: a row lacks a name, a metric or a number; --save-baseline writes a new one",
                      EX_DATAERR) from None


def save_baseline(path, rows, baseline, version, date):
    """Puts the rows in their place in the baseline; rows that were not measured this time stay."""
    merged = dict(baseline)
    for name, metrics in rows.items():
        for metric, value in metrics.items():
            merged[name, metric] = {"name": name, "metric": metric, "value": value, "unit": UNITS[metric],
                                    "commit": version, "date": date}
    with written_whole(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["name", "metric", "value", "unit", "commit", "date"], lineterminator="\n")
        writer.writeheader()
        for row in merged.values():
            writer.writerow({**row, "value": f"{row['value']:.6g}"})


def store(path, rows, version, date, compiler):
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as database:
        database.executescript("""
            CREATE TABLE IF NOT EXISTS benchmarks (
              benchmark_id INTEGER PRIMARY KEY, date TEXT NOT NULL, git_commit TEXT NOT NULL, compiler TEXT NOT NULL,
              machine TEXT NOT NULL, cores INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS measurements (
              benchmark_id INTEGER NOT NULL REFERENCES benchmarks, name TEXT NOT NULL, metric TEXT NOT NULL,
              value REAL NOT NULL, unit TEXT NOT NULL, PRIMARY KEY (benchmark_id, name, metric)) WITHOUT ROWID;""")
        identity = database.execute(
            "INSERT INTO benchmarks (date, git_commit, compiler, machine, cores) VALUES (?, ?, ?, ?, ?)",
            (date, version, compiler, f"{platform.system()} {platform.machine()}",
             len(os.sched_getaffinity(0)))).lastrowid
        database.executemany("INSERT INTO measurements VALUES (?, ?, ?, ?, ?)",
                             [(identity, name, metric, value, UNITS[metric])
                              for name, metrics in rows.items() for metric, value in metrics.items()])


def compare(rows, baseline):
    """{name: (change of instructions, its mark)}"""
    changes = {}
    for name, metrics in rows.items():
        for metric in INSTRUCTIONS:
            old = baseline.get((name, metric))
            if metric in metrics and old and old["value"]:
                change = metrics[metric] / old["value"] - 1
                changes[name] = change, "SLOWER" if change > TOLERANCE else "faster" if change < -TOLERANCE else ""
    return changes
