"""Short and long bursts of a dense product: time of each launch, and the board's clocks and power, against elapsed time.

From them follow the window over which the power limit averages, and how the clock gives way. `t_ms` of both tables counts
from the first launch of the burst; for `duty` (on and off in turn) from the first launch of all.
"""

import statistics
import time

from . import products
from .board import Sampler
from .timing import event, measure

LENGTHS_MS = (5, 20, 80, 320, 1000)
DUTY_MS, DUTY_SECONDS = (20, 80, 320), 1.3


def _marks(run, ms, us):
    """Events for a burst; made beforehand, so that nothing idles before it."""
    count = max(3, int(ms * 1e3 / us))
    return [event(run) for _ in range((min(count, 20) if run.dry else count) + 1)]


def _burst(run, calls, marks):
    """The host's time at the first launch, and the time of each launch in microseconds."""
    count = len(marks) - 1
    begun = time.perf_counter()
    marks[0].record()
    for i in range(count):
        calls[i % len(calls)]()
        marks[i + 1].record()
    run.sync()
    return begun, [a.elapsed_time(b) * 1e3 for a, b in zip(marks, marks[1:])]


def _write(run, label, shape, before, ms, begun, times, samples, offset=0.0):
    """Rows of launches, one each in the first 20 ms and means over 2 and 5 ms later, and of the board."""
    base = dict(gpu=run.gpu, label=label, m=shape[0], n=shape[1], k=shape[2], before=before, burst_ms=ms)
    t, i = 0.0, 0
    while i < len(times):
        j, total = i + 1, times[i]
        while j < len(times) and t > 20e3 and total < (2e3 if t < 200e3 else 5e3):
            total += times[j]
            j += 1
        run.out.bursts.add({**base, "launch": i, "launches": j - i, "t_ms": offset + (t + total / 2) / 1e3, "us": total / (j - i)})
        t, i = t + total, j
    for at, sm, memory, mean, watts, energy, celsius, reasons in samples:
        run.out.board.add({**base, "t_ms": (at - begun) * 1e3 + offset, "sm_mhz": sm, "mem_mhz": memory, "power_w": mean, "instant_w": watts,
                           "energy_mj": energy, "temp_c": celsius, "throttle": reasons})


def _story(shape, times, begun, samples):
    """TFLOP/s in the parts of a long burst, and the range of the clock."""
    rate = 2e-6 * shape[0] * shape[1] * shape[2]
    total, k, parts = 0.0, 0, []
    for edge in (2, 10, 30, 60, 120, 250, 500, 1000):
        part = []
        while k < len(times) and total < edge * 1e3:
            total += times[k]
            part.append(times[k])
            k += 1
        if part:
            parts.append(f"<{edge}ms {rate / statistics.mean(part):.0f}")
    mhz = [x[1] for x in samples if x[0] > begun] or [0]
    return f"TFLOP/s {' '.join(parts)}; SM MHz {max(mhz)}..{min(mhz)}; instant W at most {max([x[4] for x in samples] or [0]):.0f}"


def step(run):
    shapes = [(8, 128, 64)] if run.dry else [(1024, 14336, 4096), (8192, 8192, 8192)]
    n = 1 << (14 if run.dry else 28)
    source, target = run.random(n), run.empty(n)
    pause = 0.02 if run.dry else 0.5

    def prepare(before, sampler):
        """Idles or copies; the instruments are read in the last part of it, so that reading does not keep an idle board awake."""
        end = time.perf_counter() + pause
        if before == "idle":
            time.sleep(0.8 * pause)
        sampler.start()
        while before == "copy" and time.perf_counter() < end:
            for _ in range(1 if run.dry else 20):
                target.copy_(source)
            run.sync()
        time.sleep(max(0.0, end - time.perf_counter()))

    for shape in shapes:
        with run.attempt(f"bursts of {shape}"):
            calls = products.calls(run, *shape)
            us = measure(run, calls)["burst_us"]
            for before in ("idle", "copy"):
                for ms in LENGTHS_MS:
                    run.tick(0 if run.dry else 0.6 + ms / 1e3)
                    sampler, marks = Sampler(run.board), _marks(run, ms, us)
                    try:
                        prepare(before, sampler)
                        begun, times = _burst(run, calls, marks)
                        time.sleep(0.03)
                    finally:
                        samples = sampler.stop()
                    label = f"{shape[0]}x{shape[1]}x{shape[2]} after {before} {ms} ms"
                    near = [x for x in samples if x[0] > begun - 0.1]
                    _write(run, label, shape, before, ms, begun, times, near)
                    if ms == LENGTHS_MS[-1]:
                        run.log(f"{label}: {_story(shape, times, begun, near)}", keep=True)
            if shape is shapes[0]:
                _duty(run, shape, calls, us, prepare)


def _duty(run, shape, calls, us, prepare):
    """On and off in turn: on which average the limit acts."""
    rate = 2e-6 * shape[0] * shape[1] * shape[2]
    for ms in DUTY_MS:
        run.tick(0 if run.dry else 2.0)
        sampler, bursts = Sampler(run.board), []
        seconds = 0.03 if run.dry else DUTY_SECONDS
        marks = [_marks(run, ms, us) for _ in range(2 + int(seconds * 1e3 / (2 * ms)))]
        try:
            prepare("idle", sampler)
            end = time.perf_counter() + seconds
            while marks and (not bursts or time.perf_counter() < end):
                bursts.append(_burst(run, calls, marks.pop()))
                time.sleep(0.005 if run.dry else ms / 1e3)
        finally:
            samples = sampler.stop()
        origin = bursts[0][0]
        for i, (begun, times) in enumerate(bursts):
            until = bursts[i + 1][0] if i + 1 < len(bursts) else float("inf")
            mine = [x for x in samples if begun <= x[0] < until]
            _write(run, f"duty {ms}/{ms} ms", shape, "duty", ms, begun, times, mine, (begun - origin) * 1e3)
        first, last = (rate / statistics.mean(times) for times in (bursts[0][1], bursts[-1][1]))
        run.log(f"duty {ms}/{ms} ms: TFLOP/s first {first:.0f} last {last:.0f}", keep=True)
