"""What one prompt costs by its chunks, and which experts a batch reads."""

import measure
from reproducing.errors import FITTED, PREDICTED, worst
from reproducing.figures import READING, beside
from reproducing.paper import EXPERTS, LAYERS, published
from reproducing.runs import kernel_groups


def chunk_figures(runs, errors, figures):
    import altair
    import charts

    rows, _ = published("chunk_size")
    load, points, time, measured = [], [], [], []
    groups = {"total_ms": "whole run", "moe_ms": "expert kernels", "attention_ms": "attention", "other_ms": "other kernels"}
    for row in rows:
        key, chunk = ("prompt", row["chunk"]), int(row["chunk"])
        gigabytes = runs.query("SELECT sum(expert_bytes) / 1e9 FROM iterations WHERE run_id = ?", key)[0][0]
        simulated = {**kernel_groups(runs, key), "total_ms": 1000 * runs[key]["duration"]}
        load.append({"chunk": chunk, "value": gigabytes, "series": "expert weights"})
        points.append({"chunk": chunk, "value": float(row["expert_load_gb"]), "series": "expert weights"})
        errors.add("expert load", "expert weights read for one prompt", f"chunk {chunk}", "GB", points[-1]["value"],
                   "value", [gigabytes], FITTED, "the routing law is fitted to the coverage behind these")
        for column, name in groups.items():
            time.append({"chunk": chunk, "value": simulated[column], "series": name})
            if row[column]:
                measured.append({"chunk": chunk, "value": float(row[column]), "series": name})
                errors.add("run time", f"time of one prompt: {name}", f"chunk {chunk}", "ms", float(row[column]),
                           "value", [simulated[column]], FITTED, "the engine preset is fitted to these")
    sizes = [int(row["chunk"]) for row in rows]
    x = altair.X(field="chunk", type="quantitative", scale=altair.Scale(type="log", base=2, nice=False),
                 axis=altair.Axis(title="Chunk size (tokens)", values=sizes, format=",d"))
    first, last = load[0]["value"], load[-1]["value"]
    figures.add("expert-load", f"Chunks of 512 read {first / last:.0f} times the expert weights of a whole prompt",
                f"Expert weights read for one prompt of 8,192 tokens. Fitted; largest error "
                f"{worst(errors.of('expert load'))}. {READING}",
                beside(load, points, ["expert weights"], x, charts.axis("value", "GB read", zero=True)))
    names = list(groups.values())
    figures.add("run-time", "Small chunks cost time as well, most of it in the experts",
                f"Time to prefill one prompt of 8,192 tokens. Fitted; largest error of a whole run "
                f"{worst([r for r in errors.of('run time') if 'whole' in r['quantity']])}. {READING}",
                beside(time, measured, names, x, charts.axis("value", "ms", zero=True)))


def coverage_figure(runs, errors, figures, seeds):
    import altair
    import charts

    lines, points = [], []
    for row in published("coverage")[0]:
        requests, value = int(row["requests"]), float(row["coverage_percent"])
        shares = []
        for seed in seeds:
            mean = runs.query("SELECT avg(experts_touched) FROM (SELECT experts_touched FROM iterations WHERE run_id = ? "
                              "AND num_prefill_tokens = 0 AND num_decode_tokens = "
                              f"{requests} ORDER BY iter LIMIT 8)", ("batch", row["requests"], seed))[0][0]
            shares.append(None if mean is None else 100 * mean / (EXPERTS * LAYERS))
        fitted = FITTED if requests in (32, 128) else PREDICTED
        errors.add("coverage", "experts that a decode batch reads", f"{requests} requests", "%", value, row["kind"], shares,
                   fitted, "the routing law is fitted to this point" if fitted == FITTED else "an upper bound")
        lines.append({"requests": requests, "series": "correlated routing (simulated)", **measure.spread(shares)})
        lines.append({"requests": requests, "series": "uniform routing", "low": None, "high": None,
                      "value": 100 * (1 - (1 - 8 / EXPERTS) ** requests)})
        points.append({"requests": requests, "value": value, "series": "correlated routing (simulated)",
                       "mark": "upper bound" if row["kind"] == "below" else ""})
    names = ["uniform routing", "correlated routing (simulated)"]
    x = altair.X(field="requests", type="quantitative", scale=altair.Scale(type="log", base=2, nice=False),
                 axis=altair.Axis(title="Requests that decode together", values=[16, 32, 64, 128]))
    y = charts.axis("value", "% of a layer's experts", domain=[0, 100])
    bound = altair.Chart(charts.data([p for p in points if p["mark"]])).mark_text(
        dy=-13, fontSize=11, color="@muted").encode(x=x, y=y, text="mark:N")
    simulated = [line["value"] for line in lines if line["series"] == names[1]]
    figures.add("coverage", f"128 requests read {simulated[-1]:.0f} % of the experts, not the "
                            f"{lines[-1]['value']:.0f} % of uniform routing",
                f"Distinct experts of a layer that one token of each request reads, ShareGPT. {READING}",
                [*beside(lines, points, names, x, y), bound])
