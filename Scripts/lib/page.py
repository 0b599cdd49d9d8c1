"""One self-contained HTML page of charts: no file beside it, no network, light and dark, down to a phone's width."""

import base64
import html
import json

import charts
import vl_convert

VARIABLES = {theme: " ".join(f"--{name}: {value};" for name, value in palette.items() if name[0] == "c" and name[1:].isdigit())
             for theme, palette in charts.PALETTES.items()}
STYLE = f"""
:root {{ {VARIABLES["light"]} }}
@media (prefers-color-scheme: dark) {{ :root {{ {VARIABLES["dark"]} }} }}
""" + """
:root { color-scheme: light dark; --surface: #ffffff; --ground: #f4f5f8; --ink: #16181d; --muted: #5b6270; --line: #e1e4ea;
  --accent: #0072b2; --good: #00744f; --bad: #b3400a; }
@media (prefers-color-scheme: dark) { :root { --surface: #171a21; --ground: #0e1015; --ink: #eceff4; --muted: #a3abba;
  --line: #2a2f3a; --accent: #58b4f0; --good: #3ecf9f; --bad: #ff9d66; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 FONT; -webkit-text-size-adjust: 100%; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 56px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 20px; line-height: 1.3; margin: 44px 0 4px; letter-spacing: -0.005em; }
h3 { font-size: 16px; line-height: 1.35; margin: 0 0 2px; }
p { margin: 0 0 10px; max-width: 85ch; }
.muted, .sub { color: var(--muted); }
.sub { font-size: 13px; margin-bottom: 12px; }
.grid { display: flex; flex-wrap: wrap; gap: 16px; margin: 16px 0; }
.grid > .card { flex: 1 1 calc(50% - 16px); }
.grid > .wide { flex-basis: 100%; }
.card { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; padding: 18px 18px 12px; margin: 0;
  min-width: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 16px; margin: 16px 0; }
.tile { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px; min-width: 0; }
.tile .label { color: var(--muted); font-size: 13px; }
.tile .value { font-size: 26px; font-weight: 650; line-height: 1.25; letter-spacing: -0.01em; }
.tile .value small { font-size: 15px; font-weight: 500; color: var(--muted); letter-spacing: 0; }
.tile .more { font-size: 13px; color: var(--muted); }
.verdict { font-size: 18px; line-height: 1.45; max-width: 75ch; margin: 10px 0 0; }
.chart { width: 100%; min-height: 200px; }
.chart svg { display: block; max-width: 100%; }
.downloads { margin: 8px 0 0; font-size: 12px; text-align: right; }
.downloads a { color: var(--muted); margin-left: 10px; text-decoration: none; } .downloads a:hover { color: var(--accent); }
.good { color: var(--good); } .bad { color: var(--bad); }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; }
.scroll { overflow-x: auto; margin: 0 -18px; padding: 0 18px; }
table { border-collapse: collapse; font-size: 13.5px; width: 100%; font-variant-numeric: tabular-nums; }
th { color: var(--muted); font-weight: 500; text-align: right; vertical-align: bottom; }
th, td { padding: 6px 10px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; }
th.text, td.text { text-align: left; }
td.long { white-space: normal; min-width: 260px; }
tr:last-child td { border-bottom: 0; }
details { margin: 16px 0; } summary { cursor: pointer; color: var(--accent); }
code { font: 0.92em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
footer { margin-top: 44px; color: var(--muted); font-size: 13px; }
#vg-tooltip-element.vg-tooltip { font-family: inherit; background: var(--surface); color: var(--ink);
  border: 1px solid var(--line); border-radius: 8px; }
#vg-tooltip-element.vg-tooltip td.key { color: var(--muted); }
@media (max-width: 760px) { main { padding: 20px 12px 40px; } .grid { gap: 12px; }
  .grid > .card { flex-basis: 100%; }
  .card { padding: 14px 12px 10px; } .scroll { margin: 0 -12px; padding: 0 12px; } h1 { font-size: 22px; }
  h2 { font-size: 18px; margin-top: 32px; } .verdict { font-size: 16px; } .tiles { gap: 12px; } }
@media print { .downloads { display: none; } body { background: none; } .card, .tile { break-inside: avoid; } }
"""

SCRIPT = """
const dark = matchMedia("(prefers-color-scheme: dark)"), narrow = matchMedia("(max-width: 760px)");
function coloured(value, palette) {
  if (Array.isArray(value)) return value.map(entry => coloured(entry, palette));
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, coloured(entry, palette)]));
  return typeof value === "string" && value[0] === "@" && palette[value.slice(1)] || value;
}
const views = {};
async function draw() {
  const palette = page.palettes[dark.matches ? "dark" : "light"];
  document.body.dataset.drawn = "0";
  for (const [id, specification] of Object.entries(page.charts)) {
    const spec = coloured(specification, palette);
    if (narrow.matches) { spec.config.legend = {...spec.config.legend, columns: 2, labelLimit: 140}; }
    views[id]?.finalize();
    views[id] = (await vegaEmbed("#" + id, spec, {actions: false, renderer: "svg", tooltip: {theme: "custom"}})).view;
  }
  document.body.dataset.drawn = String(Object.keys(page.charts).length);
}
let drawing = Promise.resolve();
function redraw() {
  drawing = drawing.then(draw).catch(error => { document.body.dataset.error = String(error); console.error(error); });
}
function csv(chart) {
  const tables = (chart.layer ?? [chart]).map(layer => layer.data?.values ?? []).filter(rows => rows.length);
  const named = tables.filter(rows => "series" in rows[0]);
  const rows = (named.length ? named : tables).reduce((a, b) => b.length > a.length ? b : a, []);
  const columns = [...new Set(rows.flatMap(row => Object.keys(row)))];
  const cell = value => value == null ? "" : /[",\\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value);
  return [columns, ...rows.map(row => columns.map(column => row[column]))].map(row => row.map(cell).join(",")).join("\\n") + "\\n";
}
async function download(id, form) {
  const link = document.createElement("a");
  link.download = `${id}.${form}`;
  if (form === "png") link.href = await views[id].toImageURL("png", 3);
  else if (form === "pdf") link.href = "data:application/pdf;base64," + page.pdfs[id];
  else link.href = URL.createObjectURL(new Blob([form === "svg" ? await views[id].toSVG() : csv(page.charts[id])],
                                                {type: form === "svg" ? "image/svg+xml" : "text/csv"}));
  link.click();
}
document.addEventListener("click", event => {
  const {chart, form} = event.target.dataset ?? {};
  if (chart && form) { event.preventDefault(); drawing.then(() => download(chart, form)); }
});
dark.addEventListener("change", redraw);
narrow.addEventListener("change", redraw);
redraw();
"""


def text(value):
    return html.escape(str(value))


class Page:
    """A page that grows from top to bottom."""

    def __init__(self, title):
        self.title, self.parts, self.charts, self.titles = title, [], {}, {}

    def add(self, markup):
        self.parts.append(markup)

    def open_grid(self):
        self.add('<div class="grid">')

    def close_grid(self):
        self.add("</div>")

    def chart(self, title, subtitle, specification, *, wide=False):
        name = f"chart-{len(self.charts) + 1}"
        self.charts[name], self.titles[name] = specification, title
        links = "".join(f'<a href="#" data-chart="{name}" data-form="{form.lower()}">{form}</a>'
                        for form in ("SVG", "PDF", "PNG", "CSV"))
        self.add(f'<figure class="card{" wide" if wide else ""}"><h3>{text(title)}</h3>'
                 f'<p class="sub">{text(subtitle)}</p>'
                 f'<div class="chart" id="{name}" role="img" aria-label="{text(title)}"></div>'
                 f'<p class="downloads">{links}</p></figure>')

    def table(self, columns, rows, *, text_columns=1, long=()):
        """A table that scrolls by itself where it is too wide; cells are markup, and may begin with a class: `(cls, markup)`."""
        cells = []
        for row in rows:
            cells.append("<tr>")
            for i, cell in enumerate(row):
                kind, markup = cell if isinstance(cell, tuple) else ("", cell)
                kind += " text" if i < text_columns or i in long else ""
                kind += " long" if i in long else ""
                cells.append(f'<td class="{kind.strip()}">{markup}</td>')
            cells.append("</tr>")
        head = "".join(f'<th class="{"text" if i < text_columns or i in long else ""}">{text(column)}</th>'
                       for i, column in enumerate(columns))
        self.add(f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(cells)}</tbody></table></div>')

    def html(self):
        # Nothing in a script element may look like the end of it.
        pdfs = {name: base64.b64encode(charts.paper_picture(chart, "pdf", 480)).decode() for name, chart in self.charts.items()}
        state = json.dumps({"palettes": charts.PALETTES, "charts": self.charts, "pdfs": pdfs}, separators=(",", ":"),
                           allow_nan=False).replace("<", "\\u003c")
        library = vl_convert.javascript_bundle(vl_version=charts.VEGA_LITE).replace("</script", "<\\/script")
        return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{text(self.title)}</title>'
                '<meta name="viewport" content="width=device-width, initial-scale=1">'
                '<link rel="icon" href="data:,">'
                f"<style>{STYLE.replace('FONT', charts.FONT)}</style></head>\n<body><main>\n"
                + "\n".join(self.parts)
                + f"\n</main>\n<script>{library}</script>\n"
                f"<script type=\"module\">\nconst page = {state};\n{SCRIPT}</script></body></html>\n")
