"""How charts look: one theme in light and dark, and the marks that several charts share.

Colours in specifications are names such as "@ink", which a page replaces as it draws, by the reader's preference.
Policies differ in colour and in the shape of their points; the colours are told apart with all common colour blindness.
"""

import altair
import vl_convert

VEGA_LITE = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"

SERIES = 8
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left"]
RAMP = ["#8a4fc9", "#4a78d6", "#1f9e9e", "#55a83c", "#c9a013", "#d9622b"]
PALETTES = {  # The series are those of Okabe and Ito, brightened where the ground is dark.
    "light": {"surface": "#ffffff", "ink": "#16181d", "muted": "#5b6270", "grid": "#e7e9ee", "axis": "#aab0bc",
              "limit": "#3d434f", "good": "#e4f4ec", "decode": "#dfe4ec",
              "c0": "#d55e00", "c1": "#0072b2", "c2": "#009e73", "c3": "#b0508d", "c4": "#c98a00", "c5": "#3b9fd6",
              "c6": "#6b5bb5", "c7": "#7a7f8a"},
    "dark": {"surface": "#171a21", "ink": "#eceff4", "muted": "#a3abba", "grid": "#2a2f3a", "axis": "#596273",
             "limit": "#c6ccd8", "good": "#173428", "decode": "#323947",
             "c0": "#ff8c42", "c1": "#58b4f0", "c2": "#3ecf9f", "c3": "#e694c9", "c4": "#f0c244", "c5": "#9bd7f5",
             "c6": "#a99bf0", "c7": "#a3a8b4"},
}

CONFIG = {
    "background": "@surface", "font": FONT, "padding": 4,
    "view": {"stroke": None}, "autosize": {"type": "fit-x", "contains": "padding"},
    "axis": {"labelColor": "@muted", "titleColor": "@muted", "gridColor": "@grid", "domainColor": "@axis",
             "tickColor": "@axis", "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
             "titlePadding": 8, "labelPadding": 4, "labelFlush": False, "domain": False, "ticks": True, "tickSize": 4, "labelOverlap": "greedy"},
    "axisX": {"grid": False, "domain": True},
    "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "start", "titleY": -12, "titleX": 0,
              "titleBaseline": "bottom", "tickCount": 5},
    "legend": {"orient": "bottom", "direction": "horizontal", "title": None, "labelColor": "@ink", "labelFontSize": 12,
               "symbolSize": 80, "symbolOpacity": 1, "symbolStrokeWidth": 2, "labelLimit": 320, "columnPadding": 16, "offset": 8},
    "title": {"color": "@ink", "subtitleColor": "@muted", "anchor": "start", "fontSize": 15, "fontWeight": 600,
              "subtitleFontSize": 12, "offset": 12, "subtitlePadding": 6, "frame": "group"},
    "text": {"color": "@ink", "fontSize": 12}, "line": {"strokeWidth": 2.25}, "rule": {"color": "@limit"},
    "point": {"filled": True, "size": 60},
}


def with_colours(specification, theme):
    """The specification with its colour names replaced by those of `light` or `dark`."""
    if isinstance(specification, dict):
        return {key: with_colours(value, theme) for key, value in specification.items()}
    if isinstance(specification, list):
        return [with_colours(value, theme) for value in specification]
    if isinstance(specification, str) and specification.startswith("@"):
        return PALETTES[theme].get(specification[1:], specification)
    return specification


def data(rows):
    return altair.Data(values=list(rows))


def colours_of(names):
    """A colour for each series; more than a few are steps of a ramp that is legible on light and dark ground."""
    if len(names) <= SERIES - 1:
        return [f"@c{i}" for i in range(len(names))]
    colours = []
    for i in range(len(names)):
        place = i * (len(RAMP) - 1) / (len(names) - 1)
        step = min(int(place), len(RAMP) - 2)
        pair = [[int(colour[k:k + 2], 16) for k in (1, 3, 5)] for colour in RAMP[step:step + 2]]
        colours.append("#" + "".join(f"{round(a + (b - a) * (place - step)):02x}" for a, b in zip(*pair)))
    return colours


def series_scales(names):
    """Colour and shape of each series, the same in every chart of a page."""
    colours = colours_of(names)
    shapes = [SHAPES[i % len(SHAPES)] for i in range(len(names))]
    return altair.Scale(domain=names, range=colours), altair.Scale(domain=names, range=shapes)


def axis(field, title, *, log=False, zero=False, domain=None, form=None, span=None, **more):
    """A quantitative axis; a logarithmic one has ticks at 1, 2 and 5 times powers of ten within `span`."""
    scale = {"type": "log" if log else "linear", "nice": domain is None}
    if not log:
        scale["zero"] = zero
    elif domain is None:
        scale["nice"] = False
        scale["padding"] = 8
    if domain is not None:
        scale["domain"] = domain
    kind = more.pop("kind", altair.Y)
    options = {"title": title, "format": form or ".6~g", **more}
    if kind is altair.X:
        options.setdefault("tickCount", 6)
    if log and span:
        options["values"] = [tick for power in range(-6, 10) for tick in (10**power, 2 * 10**power, 5 * 10**power)
                             if span[0] <= tick <= span[1]]
    return kind(field=field, type="quantitative", scale=altair.Scale(**scale), axis=altair.Axis(**options))


def curve(rows, names, x, y, *, tooltip=(), points=True, strokes=True):
    """Lines with a band from `low` to `high` where the rows have them, coloured by `series`; `strokes` is how the legend
    shows them if they have no points."""
    colour, shape = series_scales(names)
    guide = altair.Legend(symbolType="stroke") if strokes and not points else altair.Legend()
    base = altair.Chart(data(rows))
    colours = altair.Color(field="series", type="nominal", scale=colour, legend=guide)
    layers = []
    if any(row.get("high") is not None for row in rows):
        layers.append(base.mark_area(opacity=0.2).encode(
            x=x, y=altair.Y(field="low", type="quantitative"), y2=altair.Y2(field="high"), color=colours))
    layers.append(base.mark_line().encode(x=x, y=y, color=colours))
    if points:
        shapes = altair.Shape(field="series", type="nominal", scale=shape, legend=guide)
        layers.append(base.mark_point(filled=True, opacity=1).encode(
            x=x, y=y, color=colours, shape=shapes,
            tooltip=[altair.Tooltip(**entry) for entry in tooltip] if tooltip else altair.Undefined))
    return layers


def limit(value, label, *, along="y", start=False):
    """A dashed line at a limit, with its name at the far end, or at the near one, or at the foot of an upright line."""
    channel = altair.Y if along == "y" else altair.X
    base = altair.Chart(data([{"value": value, "label": label}]))
    encoding = {along: channel(field="value", type="quantitative")}
    if along == "x":
        offset = {"dx": -5, "y": "height", "dy": -8, "align": "right"}
    elif start:
        offset = {"dy": -7, "x": 0, "align": "left"}
    else:
        offset = {"dy": -7, "x": "width", "align": "right"}
    return [base.mark_rule(strokeDash=[4, 4], strokeWidth=1.25, opacity=0.75).encode(**encoding),
            base.mark_text(color="@surface", stroke="@surface", strokeWidth=4, strokeJoin="round", fontSize=11,
                           **offset).encode(**encoding, text="label:N"),
            base.mark_text(color="@muted", fontSize=11, **offset).encode(**encoding, text="label:N")]


def figure(layers, height=260, columns=None):
    """The specification of a chart out of its layers, with colour names still in it; `columns` are those of the legend."""
    chart = altair.layer(*layers).properties(width="container", height=height)
    specification = chart.to_dict()
    specification["config"] = {**CONFIG, "legend": {**CONFIG["legend"], **({"columns": columns} if columns else {})}}
    return specification


def picture(specification, title, subtitle, theme, form, width=640):
    """The chart as SVG text or PNG bytes, with its title in the picture."""
    whole = {**with_colours(specification, theme), "width": width, "autosize": {"type": "pad"},
             "title": {"text": wrapped(title, 78), "subtitle": wrapped(subtitle, 100)}, "padding": 16}
    whole["config"] = {**whole["config"], "font": "Liberation Sans, DejaVu Sans, Arial, sans-serif"}
    whole["config"].pop("autosize")
    if form == "svg":
        return vl_convert.vegalite_to_svg(whole, vl_version=VEGA_LITE)
    return vl_convert.vegalite_to_png(whole, vl_version=VEGA_LITE, scale=2)


def shrunk(specification):
    """The specification with marks for a small picture: labels of 7 points, and points of less than half the size."""
    if isinstance(specification, list):
        return [shrunk(value) for value in specification]
    if not isinstance(specification, dict):
        return specification
    small = {key: shrunk(value) for key, value in specification.items()}
    if small.get("type") == "text":
        small["fontSize"] = 7
    elif small.get("type") == "point" and "size" in small:
        small["size"] = max(16, 0.4 * small["size"])
        small["strokeWidth"] = min(1, small.get("strokeWidth", 1))
    return small


def paper_picture(specification, form, width):
    """The chart for a paper: `width` points wide, 8 point type, no title; SVG text, PDF or PNG bytes."""
    small = {"labelFontSize": 7, "titleFontSize": 8}
    whole = {**shrunk(with_colours(specification, "light")), "width": width, "autosize": {"type": "fit-x", "contains": "padding"},
             "height": min(specification.get("height", 260), round(0.7 * width)), "padding": 1}
    config = {**whole["config"], "font": "Liberation Sans, DejaVu Sans, Arial, sans-serif", "background": "#ffffff"}
    config["axis"] = {**config["axis"], **small, "labelColor": "#000000", "titleColor": "#000000", "ticks": True, "tickSize": 3,
                      "domain": True, "gridColor": "#e5e5e5"}
    config["axisY"] = {**config["axisY"], "titleY": -6}
    config["legend"] = {**config["legend"], "labelFontSize": 7, "symbolSize": 30, "symbolStrokeWidth": 1.25, "columnPadding": 8,
                        "offset": 4, "columns": config["legend"].get("columns", 3), "labelLimit": width / 2}
    config["text"] = {**config["text"], "fontSize": 7}
    config["line"], config["point"] = {"strokeWidth": 1.25}, {"filled": True, "size": 22}
    whole["config"] = config
    if form == "svg":
        return vl_convert.vegalite_to_svg(whole, vl_version=VEGA_LITE)
    if form == "pdf":
        return vl_convert.vegalite_to_pdf(whole, vl_version=VEGA_LITE)
    return vl_convert.vegalite_to_png(whole, vl_version=VEGA_LITE, scale=4)


def wrapped(text, width):
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]
