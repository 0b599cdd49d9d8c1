"""Figures at a glance, policies side by side, and all runs."""

import charts
import measure
from reporting.words import latency, number, rate_text, text


def tiles(page, comparison):
    """The figures at a glance: capacity of each policy, best first."""
    scenario, cells = comparison.scenario, []
    for policy in comparison.ranked()[:4]:
        colour = charts.colours_of(scenario.policies)[scenario.policies.index(policy)]
        colour = f"var(--{colour[1:]})" if colour.startswith("@") else colour
        runs = scenario.pick(policy, comparison.rate)
        more = []
        if ttft := measure.mean([run.p99_ttft_ms for run in runs]):
            more.append(f"P99 TTFT {latency(ttft)}")
        if tbt := measure.mean([run.p99_itl_ms for run in runs]):
            more.append(f"P99 ITL {latency(tbt)}")
        if energy := measure.mean([run.energy_per_token_mj for run in runs]):
            more.append(f"{number(energy)} mJ per token")
        where = f"At {rate_text(comparison.rate)}: " if comparison.rate else ""
        if capacity := comparison.capacity_text(policy):
            sign, value, low, high = capacity
            seeds = len(comparison.capacities[policy])
            span = f" seeds {low:.2f} to {high:.2f}" if seeds > 1 and high - low > 0.005 else ""
            value = f"{sign}{value:.2f} <small>req/s{span}</small>"
        else:
            attained = measure.mean([run.slo_attainment for run in runs])
            value = f"{number(100 * attained)} <small>% within the objective</small>" if attained is not None else "–"
        cells.append(f'<div class="tile"><div class="label"><span class="swatch" style="background:{colour}"></span>'
                     f'{text(policy)}</div><div class="value">{value}</div><div class="more">{where}{", ".join(more)}'
                     "</div></div>")
    page.add(f'<div class="tiles">{"".join(cells)}</div>')


def difference_table(page, comparison):
    """Each policy at the rate that tells most, and how far it is from the first one, seed by seed."""
    scenario = comparison.scenario
    if comparison.rate is None and len({run.rate for run in scenario.runs}) > 1:
        return
    base = scenario.policies[0]
    fields = [("slo_attainment", "within objective", lambda v: f"{100 * v:.1f} %", 1),
              ("mean_ttft_ms", "mean TTFT", latency, -1), ("p99_ttft_ms", "P99 TTFT", latency, -1),
              ("p99_itl_ms", "P99 ITL", latency, -1), ("mean_e2el_ms", "mean end to end", latency, -1),
              ("energy_per_token_mj", "energy", lambda v: f"{number(v)} mJ/token", -1),
              ("expert_gb_per_token", "expert weights", lambda v: f"{number(1000 * v)} MB/token", -1)]
    fields = [entry for entry in fields
              if any(getattr(run, entry[0]) for run in scenario.pick(rate=comparison.rate))]
    rows = []
    for policy in scenario.policies:
        runs = scenario.pick(policy, comparison.rate)
        if not runs:
            continue
        cells = [text(policy)]
        for field, _, form, sign in fields:
            value = measure.mean([getattr(run, field) for run in runs])
            markup = form(value) if value is not None else "–"
            kind = ""
            if policy != base and value is not None:
                points = field == "slo_attainment"
                mean, half, _ = comparison.difference(policy, base, comparison.at_rate(field), points)
                if mean is not None:
                    sure = half is not None and abs(mean) > half and abs(mean) > 0.05
                    kind = ("good" if mean * sign > 0 else "bad") if sure else ""
                    width = f" ± {number(half, 2)}" if half else ""
                    doubt = "" if sure or half is None else " (noise)"
                    unit = "points" if points else "%"
                    markup += f"<br><small>{mean:+.1f}{width} {unit}{doubt}</small>"
            cells.append((kind, markup))
        cells.append(str(len(runs)))
        rows.append(cells)
    where = f" at {rate_text(comparison.rate)}" if comparison.rate else ""
    page.add(f'<div class="card wide"><h3>Side by side{text(where)}</h3><p class="sub">Means over seeds. Below: difference from '
             f"{text(base)} on the same traffic, with its 95 % interval; coloured where it is surely not chance: better "
             '<span class="good">green</span>, worse <span class="bad">orange</span>.</p>')
    page.table(["policy", *[name for _, name, _, _ in fields], "seeds"], rows)
    page.add("</div>")


def run_table(page, scenarios):
    rows = []
    for scenario in scenarios:
        for run in sorted(scenario.runs, key=lambda run: run.run_id):
            cut = " (cut)" if run.unfinished else ""
            rows.append([str(run.run_id), text(run.policy), text(run.trace), "–" if run.rate is None else f"{run.rate:g}",
                         str(run.seed), f"{run.completed:,}{cut}",
                         "–" if run.slo_attainment is None else f"{100 * run.slo_attainment:.1f} %", latency(run.mean_ttft_ms),
                         latency(run.p99_ttft_ms), latency(run.p99_itl_ms), number(run.energy_per_token_mj),
                         f"{100 * (run.extrapolated_kernel_calls or 0) / max(run.kernel_calls or 1, 1):.1f} %"])
    page.add(f"<details><summary>All {len(rows)} runs</summary><div class=\"card wide\">")
    page.table(["run", "policy", "trace", "req/s", "seed", "completed", "within objective", "mean TTFT", "P99 TTFT", "P99 ITL",
                "mJ/token", "calls not measured"], rows, text_columns=3)
    page.add("</div></details>")


def describe(scenario):
    runs = len(scenario.runs)
    seeds = len({run.seed for run in scenario.runs})
    rates = (f"{min(scenario.rates):g} to {max(scenario.rates):g} req/s" if len(scenario.rates) > 1 else
             f"{scenario.rates[0]:g} req/s" if scenario.rates else
             "all requests at once" if scenario.config.get("arrivals") == "all-at-once" else "the trace's own arrivals")
    parts = [f"{runs} run{'s' * (runs > 1)}", f"{seeds} seed{'s' * (seeds > 1)}", rates]
    shown = [(key.removeprefix("engine.").removeprefix("hardware."), str(value)[:24])
             for key, value in scenario.differences.items()]
    if shown:
        parts.append("differs in " + ", ".join(f"{key} = {value}" for key, value in shown[:6])
                     + (f" and {len(shown) - 6} more" if len(shown) > 6 else ""))
    unfinished = sum(bool(run.unfinished) for run in scenario.runs)
    if unfinished:
        parts.append(f"{unfinished} runs were cut before all requests had finished")
    return " · ".join(parts)
