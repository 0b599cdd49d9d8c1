"""What is read out of several seeds: means, intervals, differences between pairs, and capacity."""

import math
import statistics


def student(freedom, share=0.975):
    """The value below which a share above 1/2 of Student's t distribution lies, by bisection of its closed form.

    M. Abramowitz and I. A. Stegun, "Handbook of mathematical functions" (1964), 26.7.3 and 26.7.4.
    """
    odd = freedom % 2

    def between(t):
        """The share between -t and t."""
        angle = math.atan(t / math.sqrt(freedom))
        term = math.cos(angle) if odd else 1.0
        total = term if freedom > 1 else 0.0
        for k in range(2 + odd, freedom - 1, 2):
            term *= (k - 1) / k * math.cos(angle) ** 2
            total += term
        return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total

    low, high = 0.0, 2.0
    while between(high) < 2 * share - 1:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if between(middle) < 2 * share - 1 else (low, middle)
    return high


def known(values):
    return [value for value in values if value is not None and math.isfinite(value)]


def mean(values):
    values = known(values)
    return statistics.fmean(values) if values else None


def interval(values):
    """Mean and half width of its 95 % confidence interval; the width of a single value is `None`."""
    values = known(values)
    if not values:
        return None, None
    if len(values) == 1:
        return values[0], None
    t = student(len(values) - 1)
    return statistics.fmean(values), t * statistics.stdev(values) / math.sqrt(len(values))


def spread(values):
    """Mean, smallest and largest, as a row of a chart: the band is what the seeds span."""
    values = known(values)
    if not values:
        return {"value": None, "low": None, "high": None}
    return {"value": statistics.fmean(values), "low": min(values), "high": max(values)}


def capacity(points, level):
    """The largest rate up to which attainment stays at `level`, between the measured rates by a straight line.

    `points` are (rate, attainment). Returns the rate and "", or "at least" or "below" if it lies beyond the last rate
    or before the first one.
    """
    points = sorted(points)
    before = None
    for rate, share in points:
        if share < level:
            if before is None:
                return rate, "below"
            return before[0] + (rate - before[0]) * (before[1] - level) / (before[1] - share), ""
        before = (rate, share)
    return points[-1][0], "at least"


def quantile(values, p):
    """Linear between the two closest ranks, as in the database's views."""
    values = sorted(known(values))
    position = (len(values) - 1) * p
    low = math.floor(position)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (position - low)


def distribution(values, points=120):
    """Pairs of value and share of values up to it, for a curve of that many points."""
    values = sorted(known(values))
    if not values:
        return []
    steps = sorted({round(i * (len(values) - 1) / (points - 1)) for i in range(points)})
    return [(values[i], (i + 1) / len(values)) for i in steps]
