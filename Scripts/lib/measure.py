"""What is read out of several seeds: means, intervals, differences between pairs, and capacity."""

import math
import statistics

# 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom.
T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
     2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042]


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
    t = T[min(len(values) - 1, len(T)) - 1]
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
