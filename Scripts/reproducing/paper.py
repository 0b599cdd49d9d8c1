"""The paper: its system, its traffic, and what it published."""

import csv

from console import EX_DATAERR, ROOT, Failure

PUBLISHED = ROOT / "Results" / "published"
SYSTEM = ["--model", "qwen3-30b-a3b", "--engine", "paper", "--hardware", "h100-sxm", "--tp", "2"]
POLICIES = ["chunked", "layered"]
LEVEL = 0.9  # of attainment that a system has to hold
PROMPT_TOKENS = 8192
EXPERTS, LAYERS = 128, 48  # of Qwen3-30B-A3B
RATES = {"arxiv": [1.2 + 0.05 * i for i in range(19)], "sharegpt": [3.8 + 0.1 * i for i in range(19)]}
CHUNK_RATES = [1.0 + 0.1 * i for i in range(23)]
LIMITS = {"arxiv": "TTFT within 10 s and every token gap within 125 ms",
          "sharegpt": "TTFT within 5 s and every token gap within 125 ms"}
NAMES = {"arxiv": "arXiv", "sharegpt": "ShareGPT"}
# The plots that are figures of the paper, by its numbers.
FIGURES = {"expert-load": 2, "run-time": 2, **{f"attainment-{trace}-joint": 3 for trace in NAMES},
           **{f"attainment-{trace}-{limit}": 4 for trace in NAMES for limit in ("ttft", "tbt")}}


def published(name):
    """The rows of a published table, and the `# key: value` lines on top of it."""
    path = PUBLISHED / f"{name}.csv"
    lines = path.read_text().splitlines()
    notes = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# ") and ": " in line)
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    if not rows or None in rows[0].values():
        raise Failure(f"{path}: no rows, or a row with fewer fields than the header", EX_DATAERR)
    return rows, notes


def number(text):
    return float(text) if text else None


def rate_text(rate):
    return f"{rate:.2f}".rstrip("0").rstrip(".")


def lowest_rate(trace):
    return min(float(row["request_rate"]) for row in published("attainment")[0] if row["trace"] == trace)
