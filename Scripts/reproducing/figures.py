"""What all plots share."""

from console import written_whole
from reproducing.paper import FIGURES

READING = "Line: simulated; points: published."


class Figures:
    """The plots: each has a title that says what it shows, and goes to the page and to files of its own."""

    def __init__(self, page, folder):
        self.page, self.folder, self.list = page, folder, []

    def add(self, name, title, subtitle, layers, *, wide=False):
        import charts

        if name in FIGURES:
            subtitle = f"The paper's Fig. {FIGURES[name]}. {subtitle}"
        specification = charts.figure(layers, height=280)
        self.page.chart(title, subtitle, specification, wide=wide)
        for theme in charts.PALETTES:
            with written_whole(self.folder / f"{name}-{theme}.svg") as partial:
                partial.write_text(charts.picture(specification, title, subtitle, theme, "svg"))
        with written_whole(self.folder / f"{name}.png") as partial:
            partial.write_bytes(charts.picture(specification, title, subtitle, "light", "png"))
        self.list.append((name, title, subtitle))


def beside(rows, points, names, x, y, *, form=".4~g", lines=()):
    """Simulated curves with the span of the seeds, and published points; the first key of a row is where it lies on x."""
    import altair
    import charts

    tooltip = [{"field": "series", "type": "nominal", "title": "what"},
               {"field": next(iter(rows[0])), "type": "quantitative", "title": "at", "format": ".4~g"},
               {"field": "value", "type": "quantitative", "title": "simulated", "format": form}]
    layers = charts.curve(rows, names, x, y, points=False, strokes=False)
    colour, shape = charts.series_scales(names)
    more = {**tooltip[2], "title": "published"}
    layers.append(altair.Chart(charts.data(points)).mark_point(
        filled=True, size=90, opacity=1, stroke="@surface", strokeWidth=1.5).encode(
            x=x, y=y, color=altair.Color(field="series", type="nominal", scale=colour),
            shape=altair.Shape(field="series", type="nominal", scale=shape),
            tooltip=[altair.Tooltip(**entry) for entry in [*tooltip[:2], more]]))
    return [*lines, *layers]
