"""Starts the worker and watches it: a GPU's context that hangs or is lost cannot be mended in its own process.

The worker says on a pipe which step begins and how long it may take. One that overruns, or that dies, is ended, and another
one does what is left into the same files.
"""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import output

GRACE_SECONDS = 40  # over a step's share before it counts as hung: a row may be under way, a kernel be compiling
START_SECONDS = 150  # for importing PyTorch from a cold disk and making the context
LEAST_SECONDS = 25  # left, for another worker to be worth its start
WRONG, HUNG, LOST = 1, 3, 4


def main(options, until):
    """Measures until that time of the monotonic clock; returns the exit status."""
    Path(options.out).mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    steps, status, append = options.steps, 0, False
    try:
        while True:
            code, begun = _work(options, steps, until, append)
            if code in (0, WRONG):
                return max(status, code)
            if code == 69 or begun is None and code not in (HUNG, LOST):
                return code if 0 < code < 128 else 70  # it could not start at all: another one could not either
            status = HUNG if code == HUNG else LOST
            # What comes after the step that went wrong; the step itself would go wrong again.
            steps = steps[steps.index(begun) + 1:] if begun else []
            left = until - time.monotonic()
            _say(options, f"* step {begun} ended with status {code}; {left:.0f} s left for {','.join(steps) or 'nothing'}")
            if not steps or left < LEAST_SECONDS:
                return status
            append = True
    except KeyboardInterrupt:
        return 130
    finally:
        print(summary(options.out), flush=True)


def _say(options, text):
    print(text, flush=True)
    with open(Path(options.out, "log.txt"), "a") as log:
        log.write(text + "\n")


def _work(options, steps, until, append):
    """One worker: its status (HUNG if it had to be ended) and the step that began last, if any."""
    reader, writer = os.pipe()
    entry = Path(__file__).resolve().parent.parent / "measure-gpu"
    command = [sys.executable, str(entry), "--worker", "--out", options.out, "--minutes", str(options.minutes), "--only", ",".join(steps),
               "--until", repr(until), "--status", str(writer)]
    command += ["--append"] * append + ["--dry"] * options.dry
    worker = subprocess.Popen(command, pass_fds=[writer])
    os.close(writer)
    begun, limit, text = None, time.monotonic() + START_SECONDS, b""
    try:
        while True:
            wait = min(limit, until + GRACE_SECONDS) - time.monotonic()
            ready = select.select([reader], [], [], max(0, wait))[0]
            if not ready:
                worker.kill()
                worker.wait()
                return HUNG, begun
            piece = os.read(reader, 4096)
            if not piece:
                # The pipe is closed, so the process ends; unless the driver holds it.
                try:
                    code = worker.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    worker.kill()
                    code = worker.wait()
                return code, begun
            *lines, text = (text + piece).split(b"\n")
            for line in lines:
                begun, share = line.decode().split()
                limit = time.monotonic() + float(share) + GRACE_SECONDS
    finally:
        os.close(reader)
        if worker.poll() is None:
            worker.kill()
            worker.wait()


def summary(folder, most=11000):
    """What the log marked as worth reading, with the number of rows of each table, within that many characters."""
    folder = Path(folder)
    kept = []
    if (folder / "log.txt").exists():
        with open(folder / "log.txt", errors="replace") as log:
            kept = [line[2:].rstrip("\n") for line in log if line.startswith("* ")]
    rows = []
    for name in output.FILES:
        if name.endswith(".csv") and (folder / name).exists():
            with open(folder / name, errors="replace") as table:
                rows.append(f"{name} {max(0, sum(not line.startswith('#') for line in table) - 1)}")
    text = "\n".join(["", "==== summary", *kept, "rows: " + (", ".join(rows) or "none")])
    return text if len(text) <= most else text[:3000] + "\n...\n" + text[3100 - most:]
