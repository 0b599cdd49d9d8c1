"""The steps, in order of value, and what each is expected to take."""

from dataclasses import dataclass

#: Seconds that starting Python, PyTorch and the CUDA context take before the first step.
START_SECONDS = 10
#: Minutes that a run may take: the seconds below were taken on an H200 with a cold cache of Triton's kernels, and a slower
#: machine has as much again.
MINUTES = 6
#: No run may be planned to take longer, in minutes.
MOST_MINUTES = 9


@dataclass(frozen=True)
class Step:
    """A step: its letter, the seconds that it is expected to take, and what it measures."""

    letter: str
    seconds: int
    what: str


STEPS = [
    Step("i", 2, "identification: clocks, power limit, steps of the energy counter, one product, one copy"),
    Step("a", 15, "self-check of every kernel against a double-precision reference (most of it is compiling)"),
    Step("b", 24, "bursts of 5-1000 ms of a dense product after idle and after copies; on and off in turn"),
    Step("c", 22, "attention: chunks of 128-2048 behind prefixes of 0-32k, whole prompts, decode steps"),
    Step("d", 24, "watts: idle, busy without memory, copies, products, experts, attention, dequantising"),
    Step("e", 14, "element-wise kernels, fused and unfused, 1-8192 rows"),
    Step("f", 18, "experts in BF16 at real coverage, 1-8192 tokens"),
    Step("g", 45, "whole iterations of Qwen3-30B-A3B: decode, chunked, layered; time and energy"),
    Step("h", 10, "dense products, spot checks"),
]
#: The steps that other steps rest on, and that run again in a process that takes over.
ALWAYS = "i"


def letters():
    """All letters, in order."""
    return [step.letter for step in STEPS]


def step(letter):
    """The step of that letter."""
    return next(step for step in STEPS if step.letter == letter)


def total_seconds(chosen=None):
    """What a run of these letters (all without them) is expected to take, its start included."""
    return START_SECONDS + sum(step.seconds for step in STEPS if chosen is None or step.letter in chosen)


def table():
    """The plan as text: seconds of each step, and when it ends."""
    lines = ["step  seconds  ends at  what", f"      {START_SECONDS:7d}  {START_SECONDS:7d}  start of Python, PyTorch and the GPU's context"]
    end = START_SECONDS
    for step in STEPS:
        end += step.seconds
        lines.append(f"{step.letter:4s}  {step.seconds:7d}  {end:7d}  {step.what}")
    lines.append(f"total {end:7d}  seconds, {end / 60:.1f} minutes; a run with --minutes M ends after M minutes and some seconds")
    return "\n".join(lines)
