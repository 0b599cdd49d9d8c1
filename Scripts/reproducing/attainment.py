"""Requests within the objective, and requests in the system, against the rate."""

import measure
from reproducing.errors import worst
from reproducing.figures import READING, beside
from reproducing.paper import LIMITS, NAMES, POLICIES, RATES, number, published, rate_text
from reproducing.runs import capacity_of

PARTS = [("joint", "slo_attainment", "joint_percent"), ("TTFT alone", "slo_attainment_ttft", "ttft_percent"),
         ("TBT alone", "slo_attainment_tbt", "tbt_percent")]


def attainment_figures(runs, errors, figures, seeds, trace):
    import altair
    import charts

    rows = [row for row in published("attainment")[0] if row["trace"] == trace]
    x = charts.axis("rate", "Request rate (req/s)", kind=altair.X,
                    domain=[min(RATES[trace]), max(RATES[trace])])
    y = charts.axis("value", "% of requests", domain=[0, 100])

    def collect(column, factor, field, figure, quantity, unit):
        lines = [{"rate": rate, "series": policy,
                  **measure.spread([factor * value for value in runs.column(column, trace, policy, rate, seeds)])}
                 for policy in POLICIES for rate in RATES[trace]]
        points = []
        for row in rows:
            if (value := number(row[field])) is not None:
                rate, policy = float(row["request_rate"]), row["policy"]
                points.append({"rate": rate, "series": policy, "value": value})
                errors.add(figure, quantity, f"{NAMES[trace]}, {policy}, {row['request_rate']} req/s", unit, value, "value",
                           [factor * value for value in runs.column(column, trace, policy, rate, seeds)])
        return lines, points

    for name, column, field in PARTS:
        figure = f"attainment {trace} {name}"
        lines, points = collect(column, 100, field, figure, f"requests within the objective: {name}", "%")
        tails = [measure.mean([capacity_of(runs, trace, policy, RATES[trace], seed, column) for seed in seeds])
                 for policy in POLICIES]
        known = errors.of(figure)
        typical = measure.mean([abs(row["error"]) for row in known])
        if name == "TBT alone":
            low = min(line["value"] for line in lines)
            title = f"{NAMES[trace]}: no schedule stalls tokens much; at least {low:.0f} % keep every gap within 125 ms"
        else:
            what = "" if name == "joint" else ", by TTFT alone"
            title = (f"{NAMES[trace]}: layered holds {tails[1]:.2f} req/s at 90 %, chunked {tails[0]:.2f}{what}")
        objective = {"joint": LIMITS[trace], "TTFT alone": LIMITS[trace].split(" and ")[0],
                     "TBT alone": "Every token gap within 125 ms"}[name]
        figures.add(f"attainment-{trace}-{name.split()[0].lower()}", title,
                    f"Requests with {objective[0].lower() if objective[0] == 'E' else objective[0]}{objective[1:]}. "
                    f"Mean error {typical:.1f} points, largest {worst(known)}. {READING} Band: seeds.",
                    beside(lines, points, POLICIES, x, y, lines=charts.limit(90, "90 %", start=True)))
    figure = f"in system {trace}"
    lines, points = collect("mean_in_system", 1, "in_system", figure, "requests in the system", "requests")
    top = rate_text(max(float(row["request_rate"]) for row in rows))
    ends = [measure.mean(runs.column("mean_in_system", trace, policy, float(top), seeds)) for policy in POLICIES]
    figures.add(f"in-system-{trace}",
                f"{NAMES[trace]}: at {top} req/s {ends[0]:.0f} requests pile up under chunked, {ends[1]:.0f} under layered",
                f"Mean number of requests in the system as one arrives, queued ones included. Largest error "
                f"{worst(errors.of(figure))}. {READING} Band: seeds.",
                beside(lines, points, POLICIES, x, charts.axis("value", "requests", zero=True)))
