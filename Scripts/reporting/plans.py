"""What 'sim plan' found: the GPUs that serve a rate, or what they cost, and all systems in a table."""

import json

import altair
import charts
from reporting.capacities import NAMES
from reporting.words import number, text


class Plan:
    """A row of `plans`; what it was planned for is the latest of its kind."""

    def __init__(self, row):
        self.__dict__.update(dict(row))
        limits = json.loads(self.config or "{}").get("objective") or {}
        self.limits = {key: value for key, value in limits.items() if value is not None}
        stages = f"{self.pipeline_parallel_size} × " if (self.pipeline_parallel_size or 1) > 1 else ""
        self.system = f"{self.model} on {stages}{self.tensor_parallel_size} × {self.hardware}"
        self.family = self.policy.partition("[")[0]
        self.name = f"{self.system}, {self.family}"
        # What does not fit has no objective of its own: it stands with those that it was planned with.
        self.study = (self.created_at, self.argv)

    @property
    def objective(self):
        return ", ".join(f"{NAMES.get(key, key)} {value * 1000:g} ms" for key, value in self.limits.items()) or "statistics"

    @property
    def rank(self):
        """As 'sim plan' sorts: by price if there is one, else by GPUs; then by energy; what serves no rate last."""
        if self.gpus is None:
            return (1, 0, 0)
        return (0, self.gpus if self.cost_per_hour is None else self.cost_per_hour, self.energy_per_token_mj or 0)


def studies(connection):
    """All plans, by what was asked for: rate, traffic, objective; of a system planned twice the latest. Best first."""
    commands = {}
    for row in connection.execute("SELECT * FROM plans ORDER BY plan_id"):
        one = Plan(row)
        commands.setdefault(one.study, []).append(one)
    groups = {}
    for plans in commands.values():
        asked = next((one for one in plans if one.attainment_target is not None), plans[0])
        key = (asked.trace, asked.engine, asked.request_rate, json.dumps(asked.limits, sort_keys=True), asked.attainment_target)
        group = groups.setdefault(key, {})
        for one in plans:
            group[one.system, one.policy] = one
    return [sorted(group.values(), key=lambda one: one.rank) for group in groups.values()]


def asked_for(group):
    """What was asked for, of the first plan that knows."""
    return next((one for one in group if one.attainment_target is not None), group[0])


def plan_chart(page, group):
    """A bar for each system that serves the rate: its price, or its GPUs where there is none."""
    held = [one for one in group if one.gpus is not None]
    if not held:
        return
    priced = all(one.cost_per_hour is not None for one in held)
    names = []
    rows = []
    for one in held:
        # Parameters tell policies of one family apart.
        name = one.name if sum(other.name == one.name for other in held) == 1 else f"{one.system}, {one.policy}"
        names.append(name)
        rows.append({"name": name, "value": one.cost_per_hour if priced else one.gpus, "gpus": one.gpus,
                     "policy": one.policy, "limited": one.limited_by or ""})
    what = "cost of an hour" if priced else "GPUs"
    tooltip = [altair.Tooltip("policy:N"), altair.Tooltip("gpus:Q", title="GPUs"), altair.Tooltip("value:Q", title=what),
               altair.Tooltip("limited:N", title="limited by")]
    y = altair.Y(field="name", type="nominal", sort=names, axis=altair.Axis(title=None, grid=False, labelLimit=320,
                                                                            labelColor="@ink"))
    x = charts.axis("value", what[0].upper() + what[1:], kind=altair.X, zero=True)
    base = altair.Chart(charts.data(rows))
    layers = [base.mark_bar(color="@c1", height={"band": 0.6}).encode(y=y, x=x, tooltip=tooltip),
              base.mark_text(align="left", dx=5, color="@ink", fontSize=11).encode(
                  y=y, x=x, text=altair.Text(field="value", type="quantitative", format=".4~g"))]
    best, asked = held[0], asked_for(group)
    lead = f"{best.gpus} {best.hardware} serve {asked.request_rate:g} requests/s of {best.model} under {best.family}"
    if priced:
        lead += f" for {best.cost_per_hour:.4g} an hour"
    page.chart(lead, f"{what[0].upper() + what[1:]} of each system that serves the rate, so that "
                     f"{100 * asked.attainment_target:g} % of requests meet {asked.objective}.",
               charts.figure(layers, max(120, 34 * len(rows))), wide=True)


def plan_table(page, group):
    priced = any(one.cost_per_hour is not None for one in group)
    rows = []
    for place, one in enumerate(group):
        best = place == 0 and one.gpus is not None and len(group) > 1

        def cell(value, shown=number):
            return "–" if value is None else shown(value)

        row = [text(one.system), text(one.policy), cell(one.instances, str), ("good" if best else "", cell(one.gpus, str)),
               cell(one.capacity), cell(one.headroom, lambda share: f"{100 * share:.0f} %"),
               cell(one.utilisation, lambda share: f"{100 * share:.0f} %"), text(one.limited_by or "–"), cell(one.kwh_per_day),
               cell(one.energy_per_token_mj)]
        if priced:
            row += [cell(one.cost_per_hour), cell(one.cost_per_million_tokens, lambda cost: f"{cost:.3g}")]
        rows.append(row)
    page.table(["system", "policy", "replicas", "GPUs", "requests/s of one", "head-room", "busy", "limited by", "kWh a day",
                "mJ/token"] + (["cost an hour", "of a million tokens"] if priced else []), rows, text_columns=2)


def plan_section(page, connection):
    """All plans of the database; whether there were any."""
    groups = studies(connection)
    for group in groups:
        asked = asked_for(group)
        page.add(f"<h2>{text(asked.trace)} · {asked.request_rate:g} requests/s · engine {text(asked.engine)}: plans</h2>")
        page.open_grid()
        plan_chart(page, group)
        page.add('<div class="card wide"><h3>What was planned</h3>')
        plan_table(page, group)
        page.add("</div>")
        page.close_grid()
    return bool(groups)
