"""The command line of Scripts/measure-gpu."""

import argparse
import importlib.util
import os
import sys
import time

from . import output, plan, supervisor

#: Exit status where PyTorch or Triton is not there.
NO_TORCH = 77
#: Exit status where a table would be written over, as in sysexits.h.
EXISTS = 73


def parser():
    p = argparse.ArgumentParser(
        prog="Scripts/measure-gpu", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures one NVIDIA Hopper GPU in minutes: kernels, watts, bursts and whole iterations.\n"
        "Needs PyTorch, Triton and nvidia-ml-py. Profiles/harness/README.md says what the tables mean.",
        epilog="Every row is flushed at once, so that a run that is cut keeps what it has. Exit status: 0 done;\n"
        "1 a kernel was wrong (its rows are not to be used); 3 a call hung; 4 the GPU's context was lost;\n"
        "64 a bad option; 69 no GPU; 73 the folder has tables already; 77 no PyTorch or no Triton.")
    p.add_argument("--out", default=os.environ.get("OUT", "measured"), metavar="DIR", help="folder for the tables (default: $OUT, or measured)")
    p.add_argument("--minutes", type=float, default=plan.MINUTES, help=f"time for all of it (default {plan.MINUTES})")
    p.add_argument("--only", default="", metavar="b,c", help="these steps alone; the letters are those of --plan")
    p.add_argument("--plan", action="store_true", help="print what is measured and how long it takes, and stop")
    p.add_argument("--dry", action="store_true", help="run every line on the CPU with small shapes; its times mean nothing")
    # How the supervisor starts its worker.
    p.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    p.add_argument("--until", type=float, help=argparse.SUPPRESS)
    p.add_argument("--append", action="store_true", help=argparse.SUPPRESS)
    p.add_argument("--status", type=int, help=argparse.SUPPRESS)
    return p


def main(arguments=None):
    """Runs the command; returns its exit status."""
    p = parser()
    try:
        options = p.parse_args(arguments)
    except SystemExit as stop:
        return 64 if stop.code else 0
    if options.plan:
        print(plan.table())
        return 0
    chosen = [x.strip() for x in options.only.split(",") if x.strip()] or plan.letters()
    unknown = [x for x in chosen if x not in plan.letters()]
    if unknown:
        print(f"measure-gpu: no step '{unknown[0]}' (steps: {', '.join(plan.letters())})", file=sys.stderr)
        return 64
    if not 0 < options.minutes <= 60:
        print(f"measure-gpu: --minutes {options.minutes:g}: expected more than 0, at most 60", file=sys.stderr)
        return 64
    options.steps = [x for x in plan.letters() if x in chosen or x in plan.ALWAYS]
    missing = [name for name in ("torch", "triton") if importlib.util.find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        print(f"measure-gpu: {names} cannot be imported by {sys.executable} (pip install torch triton, or: PYTHON Scripts/measure-gpu ...)", file=sys.stderr)
        return NO_TORCH
    if options.worker:
        if options.dry:  # before Triton is imported
            os.environ["TRITON_INTERPRET"] = "1"
        else:
            os.environ.pop("TRITON_INTERPRET", None)
        from . import worker

        return worker.main(options)
    taken = [name for name in output.FILES if os.path.exists(os.path.join(options.out, name))]
    if taken:
        print(f"measure-gpu: {options.out} has {taken[0]} of an earlier run; name another folder", file=sys.stderr)
        return EXISTS
    return supervisor.main(options, time.monotonic() + options.minutes * 60)
