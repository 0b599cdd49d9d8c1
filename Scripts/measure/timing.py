"""Times launches: graphs of them over sets of buffers, events around their replays, and windows of the energy counter."""

import collections
import math
import statistics
import time

import torch

from .run import ContextLost, TimeUp

#: A graph lasts this long or more, in microseconds: its own start, a few of them, must not count.
LEAST_GRAPH_US = 1000
#: A graph of short launches has at least and at most so many of them.
LEAST_LAUNCHES, MOST_LAUNCHES = 64, 2048


class _HostEvent:
    """Stands in for an event where there is no GPU."""

    def record(self):
        self.at = time.perf_counter()

    def query(self):
        return True

    def synchronize(self):
        pass

    def elapsed_time(self, other):
        return max(1e-3, (other.at - self.at) * 1e3)


class _Plain:
    """Calls a function where a graph would be replayed."""

    def __init__(self, function):
        self.replay = function


def event(run):
    return _HostEvent() if run.dry else torch.cuda.Event(enable_timing=True)


def capture(run, function):
    """A graph of what the function launches on the current stream; it has run on this stream before.

    What it allocates comes from the graph's own pool, and returns to it as the function's results are dropped.
    """
    if run.dry:
        return _Plain(function)
    torch.cuda.synchronize()
    free, total = torch.cuda.mem_get_info()
    if free < total // 6:  # the allocator cannot give back what it has cached while a graph is recorded
        torch.cuda.empty_cache()
    graph = torch.cuda.CUDAGraph()
    graph.capture_begin(capture_error_mode="thread_local")  # NVML may be read in another thread meanwhile
    try:
        function()
    finally:
        graph.capture_end()
    torch.cuda.synchronize()
    return graph


def quartile_distance(times):
    if len(times) < 4:
        return max(times) - min(times)
    low, _, high = statistics.quantiles(times, n=4)
    return high - low


def measure(run, calls, energy=False, eager=False, ms=20.0, window=0.4):
    """Times a round of calls, each on another set of buffers. All times are microseconds of one call.

    burst_us and spread_us: median, and distance of the quartiles, of 5-20 replays that together last about `ms`.
    With `eager`: host_us, what the host takes to launch a call, and eager_us, its time on the GPU without a graph.
    With `energy`: also what `energy_window` measures.
    """
    out = {}
    for call in calls[:3]:
        call()
    run.sync()
    begin, end = event(run), event(run)
    begin.record()
    for call in calls:
        call()
    end.record()
    run.sync()
    rough = max(0.5, begin.elapsed_time(end) * 1e3 / len(calls))
    rounds = max(1, math.ceil(LEAST_GRAPH_US / (rough * len(calls))), math.ceil(LEAST_LAUNCHES / len(calls)) if rough < 40 else 1)
    rounds = 1 if run.dry else min(rounds, max(1, MOST_LAUNCHES // len(calls)))
    launches = rounds * len(calls)

    def whole():
        for _ in range(rounds):
            for call in calls:
                call()

    if eager:
        n = 1 if run.dry or rough > 1000 else max(1, 200 // len(calls))
        run.sync()
        begin, end = event(run), event(run)
        t = time.perf_counter()
        begin.record()
        for _ in range(n):
            for call in calls:
                call()
        end.record()
        out["host_us"] = (time.perf_counter() - t) * 1e6 / (n * len(calls))
        run.sync()
        out["eager_us"] = begin.elapsed_time(end) * 1e3 / (n * len(calls))
    try:
        graph = capture(run, whole)
    except (TimeUp, ContextLost):
        raise
    except Exception as error:
        run.fail("graph capture", error)
        graph, out["note"] = _Plain(whole), "no graph"
    for _ in range(0 if run.dry else 2):
        graph.replay()
    run.sync()
    replays = 1 if run.dry else max(5, min(20, int(ms * 1000 / (rough * launches))))
    marks = [(event(run), event(run)) for _ in range(replays)]
    for begin, end in marks:
        begin.record()
        graph.replay()
        end.record()
    run.sync()
    us = [begin.elapsed_time(end) * 1e3 / launches for begin, end in marks]
    out["burst_us"], out["spread_us"] = statistics.median(us), quartile_distance(us)
    if energy:
        found = energy_window(run, graph.replay, out["burst_us"] * launches, launches, window)
        found["note"] = "; ".join(x for x in (out.get("note"), found.get("note")) if x)
        out.update(found)
    run.sync()  # before the graph and its memory go
    return out


def energy_window(run, replay, replay_us, launches, window=0.4, ramp=0.12):
    """Power under a steady load that never runs dry, from a step of the energy counter to a later one.

    The window lasts at least `window` seconds and three replays, and begins `ramp` seconds after the load. Returns
    sustained_us (of a launch), watts, joules (of a launch), sm_mhz (mean) and throttle (reasons, or-ed). Without a
    counter the watts are a mean of the instant power, and a note says so; without any instrument there are none.
    """
    if run.dry:
        window, ramp = 0.004, 0.001
    else:
        window = max(window, min(1.2, 3e-6 * replay_us))
    board = run.board
    chunk = max(1, round(4000 / max(1.0, replay_us)))  # replays between two events, about 4 ms
    depth = 1 if run.dry else 2 if replay_us > 8000 else 5
    queue, done, head = collections.deque(), 0, None  # events; launches that have ended; the last event that has
    first = final = None  # (time, millijoules, event, launches)
    mhz, power, reasons, looked = [], [], 0, 0.0
    start, last = time.perf_counter(), board.millijoules()
    latest = start + ramp + 2.5 * window + 0.3
    while final is None:
        while len(queue) < depth:
            for _ in range(chunk):
                replay()
            mark = event(run)
            mark.record()
            queue.append(mark)
        while queue and queue[0].query():
            head = queue.popleft()
            done += chunk * launches
        now, counter = time.perf_counter(), board.millijoules()
        stepped = counter is not None and last is not None and counter != last
        if counter is None:  # no counter: the window's edges are where they may be
            stepped = True
        last = counter
        settled = now - start > ramp and head is not None
        if settled and now - looked > 0.02:
            looked = now
            mhz.append(board.sm_mhz())
            power.append(board.watts())
            reasons |= board.reasons()
        if settled and stepped:
            if first is None:
                first = (now, counter, head, done)
            elif now - first[0] >= window and done > first[3]:
                final = (now, counter, head, done)
        if now > latest and (first is None or done > first[3]):
            break
        if queue:
            time.sleep(0.0005)
    run.sync()
    if final is None:
        return {"note": "the energy counter did not step"}
    sustained = first[2].elapsed_time(final[2]) * 1e3 / (final[3] - first[3])
    out = {"sustained_us": sustained, "sm_mhz": round(statistics.mean(mhz)) if mhz else 0, "throttle": reasons}
    if first[1] is not None and final[1] is not None:
        out["watts"] = (final[1] - first[1]) / 1e3 / (final[0] - first[0])
    elif power and min(power) > 0:
        out["watts"], out["note"] = statistics.mean(power), "watts are of the instant power"
    else:
        return {"note": "no instrument for power"}
    out["joules"] = out["watts"] * sustained * 1e-6
    return out
