"""Numbers, rates and times as people write them."""

import html
import math


def text(value):
    return html.escape(str(value))


def number(value, digits=3):
    """A number as people write it."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    return f"{value:,.{max(0, digits - 1 - size)}f}"


def latency(milliseconds):
    if milliseconds is None:
        return "–"
    if milliseconds >= 1000:
        return f"{number(milliseconds / 1000)} s"
    return f"{number(milliseconds)} ms"


def rate_text(rate):
    return f"{rate:.6g} req/s"
