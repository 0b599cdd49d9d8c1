"""Processes that are timed, and whose instructions are counted."""

import os
import re
import subprocess
import tempfile
import time

from console import EX_DATAERR, Failure


class Measured:
    """A finished process: seconds on the wall and of the processor, peak memory in MiB, standard output."""

    def __init__(self, command):
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            begin = time.monotonic()
            process = subprocess.Popen([str(x) for x in command], stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)
            self.wall = time.monotonic() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            errors.seek(0)
            self.output, message = output.read().decode(), errors.read().decode().strip().splitlines()
        if process.returncode:
            raise Failure(f"{' '.join(map(str, command))}: {(message or ['no message'])[0]}", EX_DATAERR)
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss / 1024


def count(command):
    """Instructions that the program takes, and its standard output."""
    # Hashes with a random seed would make the count another one each time.
    environment = {**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1", "OPENBLAS_NUM_THREADS": "1"}
    result = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *map(str, command)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment)
    found = re.search(r"Collected : (\d+)", result.stderr)
    if result.returncode or not found:
        lines = result.stderr.strip().splitlines() or ["no message"]
        raise Failure(f"valgrind {' '.join(map(str, command))}: {lines[-1]}", EX_DATAERR)
    return int(found[1]), result.stdout
