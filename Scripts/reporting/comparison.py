"""What a scenario says about its policies: capacities, ranks, differences, and the verdict."""

import math

import measure
from reporting.words import latency, number, rate_text


class Comparison:
    """What a scenario says about its policies."""

    def __init__(self, scenario, level):
        self.scenario, self.level = scenario, level
        self.capacities = {policy: self.capacities_of(policy) for policy in scenario.policies} if scenario.rates else {}
        self.rate = scenario.decision_rate(level)

    def capacities_of(self, policy):
        """The capacity of each seed that ran at all rates of the policy, and whether it lies beyond them."""
        runs = [run for run in self.scenario.pick(policy) if run.rate is not None and run.slo_attainment is not None]
        rates = {run.rate for run in runs}
        found = {}
        for seed in {run.seed for run in runs}:
            points = [(run.rate, run.slo_attainment) for run in runs if run.seed == seed]
            if len(points) == len(rates) and len(points) > 1:
                found[seed] = measure.capacity(points, self.level)
        return found

    def capacity_text(self, policy):
        found = self.capacities.get(policy)
        if not found:
            return None
        values = [value for value, _ in found.values()]
        beyond = {kind for _, kind in found.values() if kind}
        sign = "≥ " if "at least" in beyond else "< " if "below" in beyond else ""
        return sign, measure.mean(values), min(values), max(values)

    def ranked(self):
        """Policies, best first: by capacity if there is one, else by attainment and mean latency at the one rate."""
        def key(policy):
            capacity = self.capacity_text(policy)
            runs = self.scenario.pick(policy, self.rate)
            attainment = measure.mean([run.slo_attainment for run in runs]) or 0
            latency = measure.mean([run.mean_e2el_ms for run in runs]) or math.inf
            return (-(capacity[1] if capacity else 0), -round(attainment, 3), latency)
        return sorted(self.scenario.policies, key=key)

    def difference(self, one, other, value, points=False):
        """Mean and half width of `value(one) / value(other) - 1` in %, over the seeds that both have; or, for shares, of
        their difference in points."""
        a, b = value(one), value(other)
        if points:
            gaps = [100 * (a[seed] - b[seed]) for seed in a.keys() & b.keys() if None not in (a[seed], b[seed])]
            return (*measure.interval(gaps), len(gaps))
        ratios = [100 * (a[seed] / b[seed] - 1) for seed in a.keys() & b.keys() if a[seed] is not None and b[seed]]
        return (*measure.interval(ratios), len(ratios))

    def at_rate(self, field):
        def value(policy):
            return {seed: getattr(run, field) for seed, run in self.scenario.seeds(policy, self.rate).items()}
        return value

    def verdict(self):
        """Which policy wins, and whether the difference is real, in a sentence or two."""
        ranked = self.ranked()
        best = ranked[0]
        capacity = self.capacity_text(best)
        limits = self.scenario.limit_text
        share = f"{100 * self.level:g} %"
        if len(ranked) == 1:
            if not capacity:
                runs = self.scenario.pick(best, self.rate)
                attained = measure.mean([run.slo_attainment for run in runs])
                return f"Under {best} {number(100 * (attained or 0))} % of requests have {limits}."
            sign, value, _, _ = capacity
            return f"{best} holds {sign}{value:.2f} req/s when {share} of requests are to have {limits}."
        second = ranked[1]
        if capacity and self.capacity_text(second):
            mean, half, count = self.difference(
                best, second, lambda policy: {seed: value for seed, (value, _) in self.capacities[policy].items()})
            sign, value, _, _ = capacity
            other = self.capacity_text(second)
            head = f"{best} holds {sign}{value:.2f} req/s when {share} of requests are to have {limits}"
            if abs((mean or 0)) < 1e-9:
                return f"{head}; {second} holds as much, as far as the rates go."
            head += f"; {second} holds {other[0]}{other[1]:.2f}, so {best} takes {mean:.0f} % more traffic."
            edge = f" Larger rates would show how far {best} really goes." if sign.startswith("≥") else ""
            return f"{head} {certainty(mean, half, count)}{edge}"
        for field, what in [("slo_attainment", "requests that meet the objective"), ("mean_e2el_ms", "end-to-end latency")]:
            points = field == "slo_attainment"
            mean, half, count = self.difference(best, second, self.at_rate(field), points)
            if mean is not None and abs(mean) > 0.05:
                unit = "points" if points else "%"
                return f"{best} wins over {second}: {what} {mean:+.1f} {unit}. {certainty(mean, half, count, unit)}"
        return f"{best} and {second} do equally well at this load."


def certainty(mean, half, count, unit="%"):
    if half is None:
        return "One seed only: run more (--seed 0:4) to know whether the difference is real."
    span = f"95 % interval {mean - half:+.0f} to {mean + half:+.0f} {unit} over {count} seeds"
    if abs(mean) > half:
        return f"The difference is real ({span})."
    return f"The difference is within the noise ({span})."


def at_rate_text(comparison, field, form):
    parts = []
    for policy in comparison.ranked()[:2]:
        value = measure.mean([getattr(run, field) for run in comparison.scenario.pick(policy, comparison.rate)])
        if value is not None:
            parts.append(f"{policy} {form(value)}")
    return f" at {rate_text(comparison.rate)}: {', '.join(parts)}" if parts and comparison.rate else ""
