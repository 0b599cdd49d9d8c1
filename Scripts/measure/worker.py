"""Runs the steps in order, each within its share of the time; what one leaves goes to the later ones."""

import ctypes
import gc
import os
import signal
import sys
import time
import traceback

import torch

from . import attention, bursts, checks, elementwise, experts, identify, iterations, plan, products, watts
from .run import ContextLost, Run, TimeUp

WRONG, LOST, NO_GPU = 1, 4, 69
STEPS = {"i": identify.step, "a": checks.step, "b": bursts.step, "c": attention.step, "d": watts.step, "e": elementwise.step, "f": experts.step,
         "g": iterations.step, "h": products.step}
END_SECONDS = 4  # kept for what ends a run


def main(options):
    _die_with_parent()
    if not options.dry and not torch.cuda.is_available():
        print("measure-gpu: no GPU that PyTorch can use (--dry runs on the CPU)", file=sys.stderr)
        return NO_GPU
    gc.disable()  # nothing may be freed while a graph is recorded
    run = Run(options)
    try:
        for i, letter in enumerate(options.steps):
            rest = options.steps[i:]
            left = options.until - time.monotonic() - END_SECONDS
            share = left * plan.step(letter).seconds / sum(plan.step(x).seconds for x in rest)
            if options.dry:  # all steps count
                share = left
            if share < 0.2:
                run.log(f"step {letter} and later ones: no time is left", keep=True)
                break
            if options.status is not None:
                os.write(options.status, f"{letter} {share:.1f}\n".encode())
            _step(run, letter, share)
    except ContextLost as lost:
        run.log(str(lost), keep=True)
        _leave(LOST)
    failures = ", ".join(f"{what} x{n}" for what, n in run.failed.items()) or "none"
    run.log(f"failures: {failures}; wrong: {', '.join(sorted(run.wrong)) or 'none'}", keep=True)
    _leave(WRONG if run.wrong else 0)


def _step(run, letter, share):
    run.log(f"---- step {letter}, {share:.0f} s")
    run.begin(share)
    begun, state = time.monotonic(), "complete"
    try:
        STEPS[letter](run)
    except TimeUp:
        state = "cut by its time"
    except ContextLost:
        raise
    except Exception as error:
        state = "broken off"
        for line in traceback.format_exc().splitlines():
            run.log(line)
        run.fail(f"step {letter}", error)
    run.log(f"step {letter} {state}: {run.rows} rows in {time.monotonic() - begun:.1f} of {share:.0f} s", keep=True)
    gc.collect()
    if not run.dry:
        try:
            torch.cuda.synchronize()
            torch.cuda.empty_cache()
        except Exception as error:
            raise ContextLost(f"the GPU's context is lost after step {letter}: {error}") from None


def _leave(code):
    """Without the libraries' own endings, which can hang where a context is lost; all files are flushed."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _die_with_parent():
    """Ends this process with its supervisor, also where that one is killed outright (Linux)."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    except (OSError, AttributeError):
        pass
