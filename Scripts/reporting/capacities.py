"""What 'sim capacity' and 'sim tune' found: the largest rates against a limit, and all of them in a table."""

import json
import math

import altair
import charts
from reporting.words import number, text

NAMES = {"ttft_s": "TTFT", "tbt_s": "TBT", "tpot_s": "TPOT", "e2el_s": "E2E"}


class Capacity:
    """A row of `capacities`; what it was searched for is the latest of its kind."""

    def __init__(self, row):
        self.__dict__.update(dict(row))
        config = json.loads(self.config or "{}")
        self.limits = {key: value for key, value in (config.get("objective") or {}).items() if value is not None}
        self.family = self.policy.partition("[")[0]
        pool = (config.get("cluster", {}).get("pools") or [{}])[0]
        system = {key: value for key, value in pool.get("system", {}).items() if not isinstance(value, dict)}
        self.setting = json.dumps([self.trace, self.model, self.hardware, self.engine, self.tensor_parallel_size,
                                   self.attainment_target, self.max_watts, self.max_energy_per_token_mj, system], sort_keys=True)
        self.title = f"{self.trace} · {self.model} on {self.tensor_parallel_size} × {self.hardware} · engine {self.engine}"

    @property
    def objective(self):
        return ", ".join(f"{NAMES.get(key, key)} {value * 1000:g} ms" for key, value in self.limits.items()) or "statistics"


def settings(connection):
    """All that was searched for, by setting; of the same search done twice the latest."""
    latest = {}
    for row in connection.execute("SELECT * FROM capacities ORDER BY capacity_id"):
        one = Capacity(row)
        latest[one.setting, json.dumps(one.limits, sort_keys=True), one.family if len(one.limits) else one.policy] = one
    groups = {}
    for one in latest.values():
        groups.setdefault(one.setting, []).append(one)
    return list(groups.values())


def winners(group):
    """Of each objective: its text, and its capacities, the largest first."""
    objectives = {}
    for one in group:
        objectives.setdefault(one.objective, []).append(one)
    return [(objective, sorted(found, key=lambda one: -(one.request_rate or 0))) for objective, found in objectives.items()]


def varying_limit(group):
    """The limit of which there are several, if there is just one such."""
    values = {key: {one.limits[key] for one in group if key in one.limits} for key in NAMES}
    several = [key for key, found in values.items() if len(found) > 1]
    return several[0] if len(several) == 1 else None


def capacity_chart(page, group):
    """The largest rate of each policy against the limit that varies: one line for each."""
    key = varying_limit(group)
    held = [one for one in group if one.request_rate and key in one.limits] if key else []
    if not held:
        return
    families = sorted({one.family for one in held})
    rows = [{"limit": 1000 * one.limits[key], "value": one.request_rate, "series": one.family, "policy": one.policy,
             "low": one.request_rate_low or one.request_rate, "high": one.request_rate_high or one.request_rate}
            for one in sorted(held, key=lambda one: one.limits[key])]
    span = [min(row["limit"] for row in rows), max(row["limit"] for row in rows)]
    x = charts.axis("limit", f"Limit on {NAMES[key]} (ms), log scale", kind=altair.X, log=True, span=span)
    y = charts.axis("value", "requests/s", zero=True)
    tooltip = [{"field": "policy", "type": "nominal"}, {"field": "limit", "type": "quantitative", "title": "limit, ms"},
               {"field": "value", "type": "quantitative", "title": "requests/s", "format": ".3f"}]
    first = min(winners(group), key=lambda entry: entry[1][0].limits.get(key, math.inf))[1]
    lead = f"{first[0].family} holds {number(first[0].request_rate)} req/s at {1000 * first[0].limits[key]:g} ms"
    if len(first) > 1 and first[1].request_rate:
        lead += f", {first[1].family} {number(first[1].request_rate)}"
    page.chart(lead, f"Each policy at its best: the largest rate at which {100 * group[0].attainment_target:g} % of requests meet "
                     f"the objective, against the limit on {NAMES[key]}. Band: 95 % interval.",
               charts.figure(charts.curve(rows, families, x, y, tooltip=tooltip), 320), wide=True)


def capacity_table(page, group):
    rows = []
    for objective, found in winners(group):
        for place, one in enumerate(found):
            rate = "–" if one.request_rate is None else f"{one.request_rate:.3g}"
            low, high = one.request_rate_low, one.request_rate_high
            good = "good" if place == 0 and len(found) > 1 and one.request_rate else ""
            rows.append([text(objective) if place == 0 else "", text(one.policy), (good, rate),
                         "–" if low is None or high is None else f"{low:.3g} to {high:.3g}", text(one.limited_by or "–"),
                         number(one.mean_watts), number(one.energy_per_token_mj), str(one.runs)])
    page.table(["objective", "policy", "requests/s", "95 % interval", "limited by", "W", "mJ/token", "runs"], rows, text_columns=2)


def capacity_section(page, connection):
    """All searches of the database; whether there were any."""
    groups = settings(connection)
    for group in groups:
        page.add(f"<h2>{text(group[0].title)}: largest rates</h2>")
        page.open_grid()
        capacity_chart(page, group)
        page.add('<div class="card wide"><h3>What was found</h3>')
        capacity_table(page, group)
        page.add("</div>")
        page.close_grid()
    return bool(groups)
