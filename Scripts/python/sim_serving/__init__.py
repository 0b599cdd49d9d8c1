"""Runs, sweeps, tunings and queries of the serving simulator `sim` as pandas DataFrames."""

from .commands import capacity, plan, query, run, sweep, tune
from .program import SimError, program

__all__ = ["SimError", "capacity", "plan", "program", "query", "run", "sweep", "tune"]
