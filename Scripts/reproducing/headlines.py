"""The changes that the paper names in its text."""

import measure
from console import EX_DATAERR, Failure
from reproducing.errors import PREDICTED
from reproducing.figures import READING, beside
from reproducing.paper import CHUNK_RATES, LEVEL, NAMES, POLICIES, PUBLISHED, RATES, lowest_rate, published, rate_text
from reproducing.runs import capacity_of, change


def headline_values(runs, seeds):
    """A value for each seed, and a note, for each row of the published headlines."""
    values = {}

    def column(name, policy, rate, *more, trace="arxiv"):
        return runs.column(name, trace, policy, rate, seeds, *more)

    for trace in RATES:
        rate = lowest_rate(trace)
        few = [column("expert_bytes", policy, rate, "--num-prompts", "100", trace=trace) for policy in POLICIES]
        values[f"expert_traffic_{trace}"] = (change(*few), f"100 requests at {rate_text(rate)} req/s; the paper's rate is "
                                             "not given")
        for policy in POLICIES:
            values[f"capacity_{trace}_{policy}"] = (
                [capacity_of(runs, trace, policy, RATES[trace], seed) for seed in seeds],
                "interpolated between rates; the published figure is the last rate of a grid")
    held = [rate for rate in RATES["arxiv"] if rate >= 1.3 - 1e-9
            and measure.mean(column("slo_attainment", "chunked", rate)) >= LEVEL]
    for name, field in [("ttft", "mean_ttft_ms"), ("e2e", "mean_e2el_ms")]:
        by_rate = {rate: change(*[column(field, policy, rate) for policy in POLICIES]) for rate in held or [1.3]}
        best = min(by_rate, key=lambda rate: measure.mean(by_rate[rate]))
        beyond = measure.mean(change(*[column(field, policy, 1.8) for policy in POLICIES]))
        values[name] = (by_rate[best], f"mean, at {rate_text(best)} req/s, where chunked still holds its objective; "
                        f"{beyond:+.0f} % at 1.8 req/s, where it does not; the paper's rate is not given")
    energy = "energy_per_token_mj"
    values["energy_chunked"] = column(energy, "chunked", 1.3), "energy coefficients are estimates"
    values["energy_layered"] = column(energy, "layered", 1.6), "energy coefficients are estimates"
    values["energy_equal_rate"] = change(column(energy, "chunked", 1.3), column(energy, "layered", 1.3)), "at 1.3 req/s"
    values["energy_maximal_rate"] = change(column(energy, "chunked", 1.3), column(energy, "layered", 1.6)), ""
    for policy, rate in [("chunked", 1.4), ("layered", 1.7)]:
        values[f"iteration_{policy}"] = (column("mean_iteration_ms", policy, rate), f"mean at {rate_text(rate)} req/s; the "
                                         "published figure is worked out, not printed")
    both = ["chunked", "chunked[budget=2048]"]
    for name, field in [("chunk_expert_load", "expert_bytes"), ("chunk_energy", energy)]:
        per = {name: [value / row for value, row in zip(column(field, policy, rate), column(
            "num_prompts" if field == "expert_bytes" else "tensor_parallel_size", policy, rate))]
            for name, policy, rate in [("512", both[0], 1.3), ("2048", both[1], 1.3), ("own", both[1], 2.6)]}
        same = measure.mean(change(per["512"], per["2048"]))
        values[name] = (change(per["512"], per["own"]), "at each one's sustainable rate, 1.3 and 2.6 req/s, the reading that "
                        f"fits: the paper's rates are not given; both at 1.3 req/s: {same:+.1f} %")
    for name, policy in zip(["512", "2048"], both):
        rate = 1.3 if name == "512" else 2.6
        slow = measure.mean(column("p99_itl_ms", policy, 1.3))
        values[f"chunk_tbt_{name}"] = (column("p99_itl_ms", policy, rate), f"at {rate} req/s; the paper's rate is not given"
                                       + (f"; at 1.3 req/s: {slow:.1f} ms" if rate > 1.3 else ""))
        rates = CHUNK_RATES if name == "2048" else [1.0, 1.1, *RATES["arxiv"]]
        values[f"chunk_rate_{name}"] = (
            [capacity_of(runs, "arxiv", policy, rates, seed, "slo_attainment_ttft") for seed in seeds],
            "90 % of TTFTs within 10 s; the paper's criterion is not given")
    return values


def headline_figures(runs, errors, figures, seeds):
    import altair
    import charts

    values = headline_values(runs, seeds)
    changes = []
    rows, _ = published("headline")
    if missing := {row["id"] for row in rows} ^ set(values):
        raise Failure(f"{PUBLISHED / 'headline.csv'}: unknown or missing: {', '.join(sorted(missing))}", EX_DATAERR)
    labels = {"expert_traffic_arxiv": "expert weights, arXiv", "expert_traffic_sharegpt": "expert weights, ShareGPT",
              "ttft": "TTFT", "e2e": "end-to-end latency", "energy_equal_rate": "energy per token, same rate",
              "energy_maximal_rate": "energy per token, each at its rate"}
    for row in rows:
        simulated, remark = values[row["id"]]
        setting = NAMES[row["trace"]]
        remark = "; ".join(part for part in [row["provenance"], remark] if part)
        errors.add("headline", row["quantity"], setting, row["unit"], float(row["value"]), row["kind"], simulated,
                   PREDICTED, remark)
        if row["id"] in labels:
            spread = measure.spread(simulated)
            changes.append({"what": labels[row["id"]], "published": float(row["value"]), **spread,
                            "sort": len(changes)})
    names = ["simulated", "published"]
    long = [{"what": c["what"], "series": series, "value": value, "sort": c["sort"],
             "low": c["low"] if series == "simulated" else None, "high": c["high"] if series == "simulated" else None}
            for c in changes for series, value in [("simulated", c["value"]), ("published", c["published"])]]
    order = [c["what"] for c in changes]
    base = altair.Chart(charts.data(long))
    y = altair.Y(field="what", type="nominal", sort=order, axis=altair.Axis(
        title=None, grid=False, labelLimit=220, labelColor="@ink"))
    x = charts.axis("value", "Change from chunked to layered (%)", kind=altair.X, zero=True)
    colour = altair.Color(field="series", type="nominal", scale=altair.Scale(domain=names, range=["@c1", "@c0"]),
                          legend=altair.Legend())
    shape = altair.Shape(field="series", type="nominal", legend=altair.Legend(),
                         scale=altair.Scale(domain=names, range=["circle", "diamond"]))
    layers = [altair.Chart(charts.data(changes)).mark_rule(strokeWidth=2, color="@grid").encode(
                  y=y, x=altair.X(field="value", type="quantitative"), x2=altair.X2(field="published")),
              base.mark_rule(strokeWidth=7, opacity=0.3).encode(
                  y=y, x=altair.X(field="low", type="quantitative"), x2=altair.X2(field="high"), color=colour),
              base.mark_point(filled=True, size=110, opacity=1).encode(y=y, x=x, color=colour, shape=shape, tooltip=[
                  altair.Tooltip("what:N"), altair.Tooltip("series:N"), altair.Tooltip("value:Q", format=".1f")])]
    simulated = {c["what"]: c["value"] for c in changes}
    figures.add("headlines",
                f"Layered reads {-simulated['expert weights, arXiv']:.0f} % less expert weights on arXiv, and "
                f"{-simulated['expert weights, ShareGPT']:.0f} % less on ShareGPT",
                "Headline changes from chunked to layered prefill, Qwen3-30B-A3B. Published ones for latency are the "
                "largest of several, at rates that are not given. Bar: seeds.", layers, wide=True)

    lines = [{"rate": rate, "series": policy,
              **measure.spread(runs.column("energy_per_token_mj", "arxiv", policy, rate, seeds))}
             for policy in POLICIES for rate in RATES["arxiv"]]
    points = [{"rate": 1.3, "series": "chunked", "value": 56.6}, {"rate": 1.6, "series": "layered", "value": 44.2}]
    for point, row in zip(points, [r for r in rows if r["id"] in ("energy_chunked", "energy_layered")]):
        point["value"] = float(row["value"])
    same = measure.mean(values["energy_equal_rate"][0])
    most = measure.mean(values["energy_maximal_rate"][0])
    x = charts.axis("rate", "Request rate (req/s)", kind=altair.X, domain=[1.2, 2.1])
    figures.add("energy", f"Layered takes {-same:.0f} % less energy at the same rate, {-most:.0f} % less at its own",
                f"Energy of both GPUs for each token, prompt and output, arXiv. Published: -8.5 % and -22 %. {READING} Band: "
                "seeds. Coefficients are estimates.",
                beside(lines, points, POLICIES, x, charts.axis("value", "mJ per token", zero=True)))

    budgets = {"chunk 512": "chunked", "chunk 2048": "chunked[budget=2048]"}
    lines = [{"rate": rate, "series": name, **measure.spread(
                  [100 * v for v in runs.column("slo_attainment_ttft", "arxiv", policy, rate, seeds)])}
             for name, policy in budgets.items()
             for rate in ([1.0, 1.1, *RATES["arxiv"]] if policy == "chunked" else CHUNK_RATES)]
    points = [{"rate": float(row["value"]), "series": name, "value": 90.0} for name, row in
              zip(budgets, [r for r in rows if r["id"] in ("chunk_rate_512", "chunk_rate_2048")])]
    rates = [measure.mean(values[f"chunk_rate_{n}"][0]) for n in ("512", "2048")]
    x = charts.axis("rate", "Request rate (req/s)", kind=altair.X, domain=[1.0, 3.2])
    figures.add("chunk-rate", f"Chunks of 2,048 hold {rates[1]:.1f} req/s where chunks of 512 hold {rates[0]:.1f}",
                f"Requests with TTFT within 10 s, arXiv. Published: sustainable rates, criterion not given. {READING} Band: "
                "seeds.", beside(lines, points, list(budgets), x, charts.axis("value", "% of requests", domain=[0, 100]),
                                 lines=charts.limit(90, "90 %", start=True)))
