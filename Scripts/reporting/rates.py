"""Charts against the request rate: attainment, latencies, energy and expert weights."""

import csv

import altair
import charts
import measure
import results
from console import ROOT
from reporting.comparison import at_rate_text
from reporting.words import latency, number


def legend_columns(scenario):
    """Columns that the legend needs so as not to run out of a chart of half the page's width."""
    return 2 if sum(len(policy) + 4 for policy in scenario.policies) > 60 else None


def spread_rows(scenario, value, *, policies=None):
    """A row for each policy and rate: mean over seeds, and what they span."""
    rows = []
    for policy in policies or scenario.policies:
        for rate in scenario.rates:
            if runs := scenario.pick(policy, rate):
                values = measure.spread([value(run) for run in runs])
                if values["value"] is not None:
                    rows.append({"rate": rate, "series": policy, "seeds": len(runs), **values})
    return rows


def rate_chart(scenario, rows, unit, *, factor=1, log=False, domain=None, zero=False, lines=(), height=260, more=()):
    for row in rows:
        for key in ("value", "low", "high"):
            row[key] *= factor
    x = charts.axis("rate", "Request rate (req/s)", kind=altair.X, domain=[min(scenario.rates), max(scenario.rates)])
    span = [min(row["low"] for row in rows), max(row["high"] for row in rows)]
    y = charts.axis("value", unit, log=log, domain=domain, zero=zero, span=span)
    tooltip = [{"field": "series", "type": "nominal", "title": "policy"},
               {"field": "rate", "type": "quantitative", "title": "req/s", "format": ".4~g"},
               {"field": "value", "type": "quantitative", "title": unit, "format": ".4~g"},
               {"field": "low", "type": "quantitative", "title": "least of the seeds", "format": ".4~g"},
               {"field": "high", "type": "quantitative", "title": "most of the seeds", "format": ".4~g"}]
    return charts.figure([*lines, *charts.curve(rows, scenario.policies, x, y, tooltip=tooltip), *more], height,
                         legend_columns(scenario))


def published_points(scenario):
    """The paper's attainment, if the scenario is the paper's system: a row for each point, by policy's label."""
    config, path = scenario.config, ROOT / "Results" / "published" / "attainment.csv"
    system = (config.get("model"), config.get("hardware"), config.get("tensor_parallel_size"), config.get("slo_tbt_ms"),
              config.get("slo_ttft_ms"))
    if not path.exists() or system not in [("qwen3-30b-a3b", "h100-sxm", 2, 125.0, ttft) for ttft in (5000.0, 10000.0)]:
        return []
    labels = {}
    for policy, label in scenario.labels.items():
        family, parameters = results.parse_policy(policy)
        if (family, parameters.get("budget", parameters.get("cohort"))) in [("chunked", "512"), ("layered", "8192")] and \
                parameters.get("stages", "16") == "16":
            labels[family] = label
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return [{"rate": float(row["request_rate"]), "series": labels[row["policy"]], "value": float(row["joint_percent"])}
            for row in csv.DictReader(lines)
            if row["trace"] == config.get("trace") and row["policy"] in labels
            and min(scenario.rates) <= float(row["request_rate"]) <= max(scenario.rates)]


def attainment_chart(page, comparison):
    scenario = comparison.scenario
    rows = spread_rows(scenario, lambda run: run.slo_attainment)
    if not rows:
        return
    points = published_points(scenario)
    more, remark = [], ""
    if points:
        colour, shape = charts.series_scales(scenario.policies)
        more = [altair.Chart(charts.data(points)).mark_point(
            filled=False, size=130, strokeWidth=2, opacity=1).encode(
                x=altair.X(field="rate", type="quantitative"), y=altair.Y(field="value", type="quantitative"),
                color=altair.Color(field="series", type="nominal", scale=colour),
                shape=altair.Shape(field="series", type="nominal", scale=shape), tooltip=[
                    altair.Tooltip("series:N", title="published"), altair.Tooltip("value:Q", title="% of requests")])]
        means = {(row["series"], round(row["rate"], 6)): 100 * row["value"] for row in rows}
        errors = [abs(means[key] - point["value"]) for point in points
                  if (key := (point["series"], round(point["rate"], 6))) in means]
        if errors:
            remark = (f" Hollow marks: published (arXiv 2510.08055); mean error {measure.mean(errors):.1f} points over "
                      f"{len(errors)}.")
    parts = []
    for policy in comparison.ranked()[:3]:
        if capacity := comparison.capacity_text(policy):
            sign, value, _, _ = capacity
            parts.append(f"{policy} {sign}{value:.2f}")
    title = f"At {100 * comparison.level:g} % attainment: {', '.join(parts)} req/s" if parts else "Attainment against rate"
    page.chart(title, f"Requests with {scenario.limit_text}, against request rate. Band: what the seeds span.{remark}",
               rate_chart(scenario, rows, "% of requests", factor=100, domain=[0, 100], height=320,
                          lines=charts.limit(100 * comparison.level, f"{100 * comparison.level:g} %", start=True), more=more), wide=True)


def latency_charts(page, comparison):
    scenario = comparison.scenario
    for name, field, unit, what in [
            ("TTFT", "p99_ttft_ms", "s, log scale", "99 % of requests have their first token sooner"),
            ("ITL", "p99_itl_ms", "ms", "99 % of gaps between two tokens are shorter")]:
        rows = spread_rows(scenario, lambda run: getattr(run, field))
        if not rows:
            continue
        factor = 0.001 if name == "TTFT" else 1
        bound = scenario.limits["ttft" if name == "TTFT" else "tbt"]
        shown = max(row["high"] for row in rows) * factor
        lines = charts.limit(bound * factor, f"objective {results.seconds(bound)}") if bound and bound * factor < 3 * shown \
            else []
        ends = at_rate_text(comparison, field, latency)
        page.chart(f"P99 of {name}{ends}", f"{what}. Band: what the seeds span.",
                   rate_chart(scenario, rows, unit, factor=factor, log=name == "TTFT", zero=name != "TTFT", lines=lines))


def cost_charts(page, comparison):
    scenario = comparison.scenario
    for field, unit, title, remark, form in [
            ("energy_per_token_mj", "mJ per token", "Energy per token", energy_remark(scenario), "mJ"),
            ("expert_gb_per_token", "GB per token", "Expert weights read per token", "", "GB")]:
        rows = spread_rows(scenario, lambda run: getattr(run, field) or None)
        if rows and len(scenario.rates) > 1:
            ends = at_rate_text(comparison, field, lambda value: f"{number(value)} {form}")
            page.chart(f"{title}{ends}", f"All GPUs together, prompt and output tokens. Band: what the seeds span.{remark}",
                       rate_chart(scenario, rows, unit, zero=True))


def energy_remark(scenario):
    quality = scenario.runs[0].energy_quality
    return f" The coefficients of energy are of quality “{quality}”." if quality and quality != "measured" else ""
