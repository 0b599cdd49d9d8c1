"""Charts of what runs do: kernels, schedules layer by layer, and requests in the system."""

import altair
import charts
import measure
from reporting.rates import legend_columns
from reporting.words import number, rate_text

MOST_TIMELINES = 3
KERNELS = {"experts": ["expert_mlp"], "prefill attention": ["prefill_attention"], "decode attention": ["decode_attention"],
           "dense products": ["qkv_gemm", "o_gemm", "gate_up_gemm", "down_gemm", "mlp", "router_gemm", "lm_head"],
           "all-reduce": ["all_reduce"], "other kernels": [], "host": []}


def kernel_chart(page, comparison, connection):
    scenario, rows = comparison.scenario, []
    totals = {}
    for policy in scenario.policies:
        runs = scenario.pick(policy, comparison.rate)
        sums = dict.fromkeys(KERNELS, 0.0)
        completed = sum(run.completed for run in runs)
        for run in runs:
            spent = 0.0
            for kernel, seconds in connection.execute("SELECT kernel, kernel_s FROM kernels WHERE run_id = ?",
                                                      (run.run_id,)):
                group = next((group for group, kernels in KERNELS.items() if kernel in kernels), "other kernels")
                sums[group] += seconds
                spent += seconds
            if spent and run.iterations and run.mean_iteration_ms:
                sums["host"] += max(0.0, run.iterations * run.mean_iteration_ms / 1000 - spent)
        if not completed or not sum(sums.values()):
            continue
        totals[policy] = 1000 * sum(sums.values()) / completed
        for order, (group, seconds) in enumerate(sums.items()):
            rows.append({"policy": policy, "group": group, "order": order, "value": 1000 * seconds / completed,
                         "share": seconds / sum(sums.values())})
    if not rows:
        return
    groups = list(KERNELS)
    scale = altair.Scale(domain=groups, range=["@c2", "@c4", "@c3", "@c6", "@c5", "@c7", "@axis"])
    base = altair.Chart(charts.data(rows))
    bars = base.mark_bar(stroke="@surface", strokeWidth=1).encode(
        y=altair.Y(field="policy", type="nominal", sort=scenario.policies,
                   scale=altair.Scale(paddingInner=0.35, paddingOuter=0.2),
                   axis=altair.Axis(title=None, labelColor="@ink", labelLimit=150)),
        x=altair.X(field="value", type="quantitative", aggregate="sum", stack="zero",
                   axis=altair.Axis(title="ms of one GPU for each request", format=".6~g", tickCount=6)),
        order=altair.Order(field="order", type="quantitative"),
        color=altair.Color(field="group", type="nominal", scale=scale, legend=altair.Legend()),
        tooltip=[altair.Tooltip("policy:N"), altair.Tooltip("group:N", title="kernels"),
                 altair.Tooltip("value:Q", title="ms per request", format=".4~g"),
                 altair.Tooltip("share:Q", title="share", format=".1%")])
    ends = ", ".join(f"{policy} {number(totals[policy])} ms" for policy in comparison.ranked()[:2] if policy in totals)
    where = f" at {rate_text(comparison.rate)}" if comparison.rate else ""
    page.chart(f"Where the time goes{where}: {ends} a request",
               "Busy time of a run by kernel, divided by its requests. Host: iterations less their kernels.",
               charts.figure([bars], 70 + 44 * len(totals)), wide=True)


def timeline_charts(page, comparison, connection, chosen):
    """The schedules of a few runs, layer by layer over two seconds."""
    scenario, rate = comparison.scenario, comparison.rate
    runs = []
    for policy in ([None] if chosen else comparison.ranked()[:MOST_TIMELINES]):
        candidates = chosen or sorted(scenario.pick(policy), key=lambda run: (abs((run.rate or 0) - (rate or 0)), run.seed))
        for run in candidates:
            if connection.execute("SELECT 1 FROM iterations WHERE run_id = ? LIMIT 1", (run.run_id,)).fetchone():
                runs.append(run)
                break
    if not runs:
        page.add('<div class="card wide"><h3>Schedules</h3><p class="sub">No run of this scenario keeps its iterations; '
                 "<code>--log iterations</code> does, and the schedule is drawn here.</p></div>")
        return
    runs.sort(key=lambda run: scenario.policies.index(run.label))
    window = 2.0
    start = timeline_start(connection, runs[0], window)
    layers_of = max(connection.execute("SELECT max(layer_end) FROM iterations WHERE run_id = ?", (run.run_id,)).fetchone()[0]
                    or 1 for run in runs)
    for run in runs:
        rows = [{"from": max(row["t_start"], start) - start, "to": min(row["t_end"], start + window) - start,
                 "top": row["layer_begin"], "bottom": row["layer_end"], "all": layers_of,
                 "prefill": row["num_prefill_tokens"], "decode": row["num_decode_tokens"], "iter": row["iter"]}
                for row in connection.execute(
                    "SELECT * FROM iteration_lanes WHERE run_id = ? AND instance = 0 AND t_end > ? AND t_start < ? "
                    "ORDER BY first_iter, lane LIMIT 2000", (run.run_id, start, start + window))]
        if not rows:
            continue
        x = altair.X(field="from", type="quantitative", scale=altair.Scale(domain=[0, window], nice=False),
                     axis=altair.Axis(title=f"s after {start:.1f} s", format=".6~g"))
        y = altair.Y(field="top", type="quantitative", scale=altair.Scale(domain=[layers_of, 0], nice=False),
                     axis=altair.Axis(title="layer", grid=False, values=[0, layers_of // 2, layers_of]))
        tooltip = [altair.Tooltip("iter:Q", title="iteration"), altair.Tooltip("decode:Q", title="sequences that decode"),
                   altair.Tooltip("prefill:Q", title="prompt tokens"), altair.Tooltip("top:Q", title="first layer"),
                   altair.Tooltip("bottom:Q", title="up to layer")]
        colour = charts.colours_of(scenario.policies)[scenario.policies.index(run.label)]
        decode = altair.Chart(charts.data([{**row, "top": 0} for row in rows if row["decode"]])).mark_rect(
            color="@decode", stroke="@surface", strokeWidth=0.5).encode(
                x=x, x2=altair.X2(field="to"), y=y, y2=altair.Y2(field="all"), tooltip=tooltip)
        prefill = altair.Chart(charts.data([row for row in rows if row["bottom"] > row["top"]])).mark_rect(
            color=colour, stroke="@surface", strokeWidth=0.5).encode(
                x=x, x2=altair.X2(field="to"), y=y, y2=altair.Y2(field="bottom"), tooltip=tooltip)
        busy = [row for row in rows if row["bottom"] > row["top"]]
        depth = measure.mean([row["bottom"] - row["top"] for row in busy])
        what = (f"prefill passes {number(depth, 2)} of {layers_of} layers an iteration" if busy
                else "no prefill in this stretch")
        page.chart(f"{run.label}: {what}",
                   f"Run {run.run_id}, seed {run.seed}{', ' + rate_text(run.rate) if run.rate else ''}. Columns: iterations, "
                   f"as wide as they take. Coloured: layers that carry prefill and decode; grey: decode alone.",
                   charts.figure([decode, prefill], 170), wide=True)


def timeline_start(connection, run, window):
    """A moment of normal work after the start: where a prompt is admitted, and prefill fills most of what follows."""
    rows = connection.execute(
        "SELECT t_start, t_end, num_prefill_tokens FROM iteration_lanes WHERE run_id = ? AND instance = 0 AND t_start >= ? "
        "ORDER BY first_iter, lane LIMIT 4000", (run.run_id, 0.2 * run.duration)).fetchall()
    best, before = None, None
    for i, row in enumerate(rows):
        if row["num_prefill_tokens"] and before is not None and not before["num_prefill_tokens"]:
            share = sum(after["t_end"] - after["t_start"] for after in rows[i:i + 200]
                        if after["num_prefill_tokens"] and after["t_end"] <= row["t_start"] + window)
            closeness = abs(share / window - 0.75)
            if best is None or closeness < best[0]:
                best = (closeness, row["t_start"])
        before = row
    start = best[1] - 0.1 * window if best else rows[0]["t_start"] if rows else 0.0
    return max(start, 0.0)


def load_chart(page, comparison, connection):
    """Requests in the system over the time of a run, one run for each policy."""
    scenario, rate = comparison.scenario, comparison.rate
    rows, peaks = [], []
    for policy in scenario.policies:
        runs = sorted(scenario.pick(policy, rate), key=lambda run: run.seed)
        if not runs:
            continue
        events = connection.execute(
            "SELECT arrived_at, completed_at FROM requests WHERE run_id = ? AND status != 'rejected'",
            (runs[0].run_id,)).fetchall()
        changes = sorted([(row[0], 1) for row in events] + [(row[1], -1) for row in events if row[1] is not None])
        if not changes:
            continue
        bins, count, at = 240, 0, 0
        end = changes[-1][0]
        peak = 0
        for i in range(bins + 1):
            time = end * i / bins
            while at < len(changes) and changes[at][0] <= time:
                count += changes[at][1]
                at += 1
            peak = max(peak, count)
            rows.append({"time": time, "value": count, "series": policy})
        peaks.append((policy, peak))
    if not rows:
        return
    x = charts.axis("time", "Simulated time (s)", kind=altair.X, domain=[0, max(row["time"] for row in rows)])
    y = charts.axis("value", "requests", zero=True)
    peaks.sort(key=lambda entry: comparison.ranked().index(entry[0]))
    where = f" at {rate_text(rate)}" if rate else ""
    page.chart(f"Most requests in the system{where}: " + ", ".join(f"{policy} {peak}" for policy, peak in peaks[:3]),
               "Requests that have arrived and are not complete, over one run of each policy with the same traffic.",
               charts.figure(charts.curve(rows, scenario.policies, x, y, points=False), 300,
                             legend_columns(scenario)))
