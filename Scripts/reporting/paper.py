"""Charts as files for a paper: a column wide, small type, no titles; SVG, PDF, PNG, and the numbers as CSV."""

import csv
import io
import re

import charts

POINTS_PER_INCH = 72


def rows_of(specification):
    """The numbers that a chart draws: of its layers' tables that with series, or else the longest one."""
    tables = [layer["data"]["values"] for layer in specification.get("layer", [specification])
              if layer.get("data", {}).get("values")]
    with_series = [rows for rows in tables if "series" in rows[0]]
    return max(with_series or tables, key=len, default=[])


def csv_text(specification):
    rows = rows_of(specification)
    text = io.StringIO()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def file_name(number, title):
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return f"{number:02}-{words[:48].rstrip('-')}"


def write(page, folder, inches):
    """Writes all charts of a page into a folder; returns how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, specification) in enumerate(page.charts.items(), 1):
        stem = folder / file_name(number, page.titles[name])
        for form in ("svg", "pdf", "png"):
            picture = charts.paper_picture(specification, form, inches * POINTS_PER_INCH)
            path = stem.with_suffix(f".{form}")
            path.write_text(picture) if isinstance(picture, str) else path.write_bytes(picture)
        stem.with_suffix(".csv").write_text(csv_text(specification))
    return len(page.charts)
