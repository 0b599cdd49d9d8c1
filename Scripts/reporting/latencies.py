"""Charts of latencies at one rate: TTFT against ITL, and distributions."""

import altair
import charts
import measure
import results
from reporting.rates import legend_columns
from reporting.words import latency, rate_text


def pareto_chart(page, comparison):
    """TTFT against ITL: each policy's way through the rates, and the front at one of them."""
    scenario, rate = comparison.scenario, comparison.rate
    rows = []
    for policy in scenario.policies:
        for each in scenario.rates or [None]:
            runs = scenario.pick(policy, each)
            point = [measure.mean([getattr(run, f) for run in runs]) for f in ("p99_itl_ms", "p99_ttft_ms")]
            if None not in point and min(point) > 0:
                rows.append({"tbt": point[0], "value": point[1] / 1000, "series": policy, "rate": each})
    here = [row for row in rows if row["rate"] == rate]
    if not here:
        return
    front = [row for row in here
             if not any(o["tbt"] <= row["tbt"] and o["value"] <= row["value"] and o is not row for o in here)]
    front.sort(key=lambda row: row["tbt"])
    steps = []
    for row, after in zip(front, front[1:] + [None]):
        steps.append({"tbt": row["tbt"], "value": row["value"]})
        if after:
            steps.append({"tbt": after["tbt"], "value": row["value"]})
    x = charts.axis("tbt", "P99 of ITL (ms)", kind=altair.X)
    y = charts.axis("value", "P99 of TTFT (s), log scale", log=True,
                    span=[min(row["value"] for row in rows), max(row["value"] for row in rows)])
    colour, shape = charts.series_scales(scenario.policies)
    colours = altair.Color(field="series", type="nominal", scale=colour, legend=altair.Legend())
    shapes = altair.Shape(field="series", type="nominal", scale=shape, legend=altair.Legend())
    base, chosen = altair.Chart(charts.data(rows)), altair.Chart(charts.data(front))
    tooltip = [altair.Tooltip("series:N", title="policy"), altair.Tooltip("rate:Q", title="req/s"),
               altair.Tooltip("tbt:Q", title="P99 ITL, ms", format=".4~g"),
               altair.Tooltip("value:Q", title="P99 TTFT, s", format=".4~g")]
    lines = []
    for name, along, factor in [("tbt", "x", 1), ("ttft", "y", 0.001)]:
        bound = scenario.limits[name]
        values = [row["tbt" if name == "tbt" else "value"] for row in rows]
        if bound and bound * factor < 2 * max(values):
            lines += charts.limit(bound * factor, f"objective {results.seconds(bound)}", along=along)
    layers = [*lines,
              base.mark_line(strokeWidth=1.25, opacity=0.5).encode(
                  x=x, y=y, color=colours, order=altair.Order(field="rate", type="quantitative")),
              base.mark_point(filled=True, size=28, opacity=0.55).encode(x=x, y=y, color=colours, shape=shapes,
                                                                        tooltip=tooltip),
              altair.Chart(charts.data(steps)).mark_line(color="@ink", strokeWidth=1.5).encode(
                  x=x, y=y, order=altair.Order(field="tbt", type="quantitative")),
              altair.Chart(charts.data(here)).mark_point(filled=True, size=110, opacity=1).encode(
                  x=x, y=y, color=colours, shape=shapes, tooltip=tooltip),
              chosen.mark_point(filled=False, size=300, strokeWidth=1.75, shape="circle", color="@ink", opacity=1).encode(
                  x=x, y=y, tooltip=tooltip)]
    names = [row["series"] for row in front]
    where = f" at {rate_text(rate)}" if rate else ""
    title = (f"{names[0]} is best in both TTFT and ITL{where}" if len(front) == 1 else
             f"Pareto front{where}: {', '.join(names[:4])}{' …' if len(names) > 4 else ''}")
    trails = " Small marks: the other rates, joined in their order." if len(scenario.rates) > 1 else ""
    page.chart(title, f"Lower left is better. Large marks: each policy{where}; ringed: those that none beats in "
                      f"both.{trails}", charts.figure(layers, 300, legend_columns(scenario)))


def distribution_charts(page, comparison, connection):
    scenario, rate = comparison.scenario, comparison.rate
    columns = [("ttft", "ttft_ms", "Time to first token", "s", 0.001), ("tbt", "itl_max_ms", "Longest token gap of a request",
               "ms", 1), ("tpot", "tpot_ms", "Time per output token", "ms", 1), ("e2el", "e2e_ms", "End to end", "s", 0.001)]
    values = {}
    for policy in scenario.policies:
        ids = [run.run_id for run in scenario.pick(policy, rate)]
        marks = ",".join("?" * len(ids))
        rows = connection.execute(
            f"SELECT ttft_ms, itl_max_ms, tpot_ms, e2e_ms FROM requests WHERE run_id IN ({marks}) AND status = 'completed'",
            ids).fetchall()
        values[policy] = list(zip(*rows)) if rows else [[], [], [], []]
    for i, (name, _, title, unit, factor) in enumerate(columns):
        rows = [{"x": max(value * factor, 1e-3), "value": 100 * share, "series": policy}
                for policy in scenario.policies for value, share in measure.distribution(values[policy][i])]
        if not rows:
            continue
        bound = scenario.limits[name]
        span = [max(min(row["x"] for row in rows), max(row["x"] for row in rows) / 1e4), max(row["x"] for row in rows)]
        log = span[1] / span[0] > 20
        rows = [row for row in rows if row["x"] >= span[0]]
        if bound:
            span[1] = max(span[1], bound * factor * 1.02) if bound * factor < 4 * span[1] else span[1]
        x = charts.axis("x", f"{unit}{', log scale' if log else ''}", kind=altair.X, log=log,
                        domain=span, span=span, tickCount=5)
        y = charts.axis("value", "% of requests", domain=[0, 100])
        lines = charts.limit(bound * factor, f"objective {results.seconds(bound)}", along="x") if bound and \
            bound * factor <= span[1] else []
        medians = [f"{policy} {latency(measure.quantile(values[policy][i], 0.5))}" for policy in comparison.ranked()[:2]
                   if measure.known(values[policy][i])]
        layers = [*lines, *charts.curve(rows, scenario.policies, x, y, points=False)]
        where = f" at {rate_text(rate)}" if rate else ""
        page.chart(f"{title}: median {', '.join(medians)}", f"Share of requests below a value{where}, all seeds together.",
                   charts.figure(layers, 220, legend_columns(scenario)))
