"""The simulator, as a program that is built once and then run many times at once."""

import concurrent.futures
import os
import subprocess

from console import EX_UNAVAILABLE, Failure, ROOT, note


def build(*options):
    """Builds the simulator if need be, with those options of `swift build`, and returns the path of the program."""
    if program := os.environ.get("SIM"):
        if not os.access(program, os.X_OK):
            raise Failure(f"SIM={program} is not a program", EX_UNAVAILABLE)
        return os.path.abspath(program)
    note("building the simulator")
    setup = subprocess.run([ROOT / "Scripts" / "setup"], stderr=subprocess.PIPE, text=True)
    if setup.returncode:
        raise Failure(setup.stderr.strip().splitlines()[-1], setup.returncode)
    swift = ["swift", "build", "--package-path", ROOT, *options]
    built = subprocess.run([*swift, "--product", "sim"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if built.returncode:
        lines = [line for line in built.stdout.splitlines() if line.strip()]
        raise Failure("swift build failed: " + next((line for line in lines if "error:" in line), lines[-1]))
    return subprocess.run([*swift, "--show-bin-path"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip() + "/sim"


def simulate(program, arguments):
    """One run; its one line of error becomes a `Failure` with the same status."""
    result = subprocess.run([program, "run", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    if result.returncode:
        lines = result.stderr.strip().splitlines() or [f"sim ended with status {result.returncode}"]
        raise Failure(f"sim run {' '.join(map(str, arguments))}: {lines[0]}", max(result.returncode, 1))
    return result.stdout


def simulate_all(program, runs, jobs=None):
    """All runs, as many at once as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(jobs or len(os.sched_getaffinity(0))) as pool:
        futures = [pool.submit(simulate, program, arguments) for arguments in runs]
        try:
            for done, future in enumerate(concurrent.futures.as_completed(futures), 1):
                future.result()
                if done % 50 == 0 or done == len(futures):
                    note(f"{done} of {len(futures)} runs")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
