"""The table of published, simulated and error."""

import csv

import measure
from console import Failure, written_whole

FITTED, PREDICTED = "fitted to it", "predicted"


class Errors:
    """The table of published, simulated and error."""

    COLUMNS = ["figure", "quantity", "setting", "unit", "published", "precision", "simulated", "low", "high", "error",
               "error_unit", "basis", "verdict", "note"]

    def __init__(self):
        self.rows = []

    def add(self, figure, quantity, setting, unit, value, precision, simulated, basis=PREDICTED, note=""):
        """`simulated` is a value for each seed. Shares and changes are compared in points, all else by its ratio."""
        values = measure.spread(simulated)
        if values["value"] is None:
            raise Failure(f"nothing was simulated for {quantity}, {setting}")
        points = unit == "%"
        error = values["value"] - value if points else 100 * (values["value"] / value - 1)
        if precision == "below":  # A bound: only what lies above it is an error.
            error = max(error, 0)
        elif precision == "up to" and not note:
            note = "the largest of several"
        verdict = "close" if abs(error) <= 5 else "fair" if abs(error) <= 15 else "miss"
        self.rows.append({"figure": figure, "quantity": quantity, "setting": setting, "unit": unit, "published": value,
                          "precision": precision, "simulated": values["value"], "low": values["low"],
                          "high": values["high"], "error": error, "error_unit": "points" if points else "%",
                          "basis": basis, "verdict": verdict, "note": note})

    def of(self, figure):
        return [row for row in self.rows if row["figure"] == figure]

    def write(self, path):
        with written_whole(path) as partial, open(partial, "w", newline="") as file:
            writer = csv.DictWriter(file, self.COLUMNS, lineterminator="\n")
            writer.writeheader()
            for row in self.rows:
                writer.writerow({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()})


def digits(value, unit):
    if unit == "%":
        return f"{value:.1f}"
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def as_text(row):
    """A row of the table as cells: published, simulated, the span of the seeds, error."""
    mark = {"below": "< ", "about": "~ ", "up to": "up to "}.get(row["precision"], "")
    span = ""
    if row["high"] - row["low"] > 1e-9 * abs(row["high"]):
        span = f"{digits(row['low'], row['unit'])} to {digits(row['high'], row['unit'])}"
    sign = "points" if row["error_unit"] == "points" else "%"
    return (f"{mark}{digits(row['published'], row['unit'])}", digits(row["simulated"], row["unit"]), span,
            f"{row['error']:+.1f} {sign}")


def worst(rows):
    """The largest error in words."""
    row = max(rows, key=lambda row: abs(row["error"]))
    return f"{row['error']:+.1f} {row['error_unit']}".replace(" %", " %")


def summary(errors):
    counts = {verdict: sum(row["verdict"] == verdict for row in errors.rows) for verdict in ("close", "fair", "miss")}
    predicted = [row for row in errors.rows if row["basis"] == PREDICTED]
    misses = sum(row["verdict"] == "miss" for row in predicted)
    return (f"{len(errors.rows)} published figures: {counts['close']} within 5 % or 5 points, {counts['fair']} within 15, "
            f"{counts['miss']} missed by more. {len(predicted)} of them were predicted rather than fitted to, with {misses} of "
            "the misses.")


def print_table(errors):
    cells = [("figure", "quantity", "setting", "unit", "published", "simulated", "seeds", "error", "verdict", "basis")]
    for row in errors.rows:
        value, simulated, span, error = as_text(row)
        cells.append((row["figure"], row["quantity"], row["setting"], row["unit"], value, simulated, span, error,
                      row["verdict"], row["basis"]))
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    for line in cells:
        print("  ".join(cell.rjust(width) if 4 <= i <= 7 else cell.ljust(width)
                        for i, (cell, width) in enumerate(zip(line, widths))).rstrip())
