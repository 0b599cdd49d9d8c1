"""Runs a case under limits, and says what is wrong with what came of it."""

import json
import math
import os
import re
import resource
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass

SECONDS, BYTES = 20, 2 << 30
STATUSES = {0, *range(64, 79)}
TRACES = re.compile(r"Fatal error|Current stack trace|Stack dump|stack smashing|\*\*\* Program crashed|Traceback|Swift/[A-Z]\w+\.swift:")
# A rate may be asked for as infinite, and a class of requests be called so.
ODD = re.compile(r"(?<!request-rate )(?<![\w.\[=/-])[-+]?(?:nan|inf(?:inity)?)(?![\w.\]:])", re.IGNORECASE)
# Signed by what they are, or a share of something that may be left out.
SIGNED = re.compile(r"error|bias|difference|change|parent|delta|low|high|head.?room|saved")
# Beyond what any server does: milliseconds of a latency (a month), tokens a second, joules a token.
MOST = [(re.compile(r"_(ttft|tpot|itl|e2el|iteration)_ms$"), 3e9), (re.compile(r"throughput$|_per_s$"), 1e10),
        (re.compile(r"energy_per\w*_mj$"), 1e9), (re.compile(r"^duration$"), 1e12)]


@dataclass
class Outcome:
    """What a run of the program came to."""
    status: int
    output: str
    errors: str
    seconds: float
    memory: int

    def describe(self):
        return f"status {self.status}, {self.seconds:.1f} s, {self.memory >> 20} MiB"


@dataclass
class Finding:
    """What is wrong: its kind, and a line of detail."""
    kind: str
    detail: str

    def __str__(self):
        return f"{self.kind}: {self.detail}"


def limit():
    """No child writes much or computes for long, whatever it is asked."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (2 * SECONDS, 2 * SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(command, folder):
    """The outcome of a command; what runs too long is ended."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begin = time.monotonic()
        child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, preexec_fn=limit,
                                 env={**os.environ, "TERM": "dumb"})
        pause = 0.002
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            # Processor time counts, lest a busy machine hang everything; waiting without computing hangs, too.
            if time.monotonic() - begin > 6 * SECONDS or processor_seconds(child.pid) > SECONDS:
                os.killpg(child.pid, signal.SIGKILL)
            time.sleep(pause)
            pause = min(0.1, pause * 1.3)
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read(8 << 20).decode("utf-8", "replace"))
        return Outcome(child.returncode, *texts, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10)


def processor_seconds(pid):
    try:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0


def judge(case, outcome):
    """What is wrong with an outcome, a finding each."""
    if outcome.memory > BYTES:
        yield Finding("memory", outcome.describe())
    if outcome.status == -signal.SIGKILL or outcome.seconds > SECONDS:
        yield Finding("hang", outcome.describe())
    elif outcome.status not in STATUSES and not (outcome.status == 1 and case.command[1] == "validate"):
        yield Finding("crash" if outcome.status < 0 else "status", f"{outcome.describe()}: {outcome.errors[-300:]!r}")
    elif found := TRACES.search(outcome.errors + outcome.output):
        yield Finding("stack trace", found.group())
    elif outcome.status:
        lines = [line for line in outcome.errors.splitlines() if line.strip()]
        reasons = [line for line in lines if not re.search(r"warning|left out|note", line)]
        if not lines and outcome.status != 1:  # 1: what was measured differs, as the output says.
            yield Finding("no reason", outcome.describe())
        if len(outcome.errors) > 3000 or any(len(line) > 1500 for line in lines):
            yield Finding("long reason", f"{len(outcome.errors)} characters: {lines[-1][:200]!r}")
        if len(reasons) > 3:
            yield Finding("many reasons", f"{len(reasons)} lines: {reasons[0][:150]!r}")
    else:
        yield from nonsense(case, outcome)
    if any(not (letter.isprintable() or letter in "\n\t\r") for letter in outcome.errors):
        yield Finding("control characters", repr(outcome.errors[:200]))


def nonsense(case, outcome):
    """Output with status 0 that cannot be."""
    if "--json" in case.command and "--dry-run" not in case.command and case.command[1] in ("run", "-"):
        try:
            yield from odd_members(json.loads(outcome.output), "")
        except ValueError as error:
            yield Finding("no JSON", str(error))
    elif case.command[1] not in ("query", "list") and (found := ODD.search(outcome.output)):
        place = max(0, found.start() - 60)
        yield Finding("not a number", repr(outcome.output[place:found.end() + 20]))


def odd_members(value, key):
    if isinstance(value, dict):
        for name, child in value.items():
            yield from odd_members(child, name)
    elif isinstance(value, list):
        for child in value:
            yield from odd_members(child, key)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            yield Finding("not a number", f"{key} = {value}")
        elif value < 0 and not SIGNED.search(key):
            yield Finding("negative", f"{key} = {value}")
        for pattern, most in MOST:
            if pattern.search(key) and value > most:
                yield Finding("beyond belief", f"{key} = {value:.4g}")
