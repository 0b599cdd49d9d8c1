"""The page, as HTML and as Markdown."""

from console import written_whole
from reproducing.errors import as_text, summary


def write_page(errors, page, figures, folder, about):
    page.close_grid()
    page.add('<h2 id="table">Published, simulated, error</h2><p class="sub">Shares and changes in percent are compared in '
             "points, all else by its ratio. The span is that of the seeds. <i>Fitted</i>: a parameter was chosen so that "
             "this figure comes out; <i>predicted</i>: nothing was. Close: within 5; fair: within 15; miss: more.</p>")
    import page as pages

    colours = {"close": "good", "fair": "", "miss": "bad"}
    page.add('<div class="card wide">')
    remarks = [f'<br><small class="muted">{pages.text(row["note"])}</small>' if row["note"] else "" for row in errors.rows]
    page.table(["quantity", "setting", "unit", "published", "simulated", "seeds", "error", "verdict", "basis"],
               [[pages.text(row["quantity"]) + remark, pages.text(row["setting"]), pages.text(row["unit"]),
                 *[pages.text(cell) for cell in as_text(row)], (colours[row["verdict"]], row["verdict"]), row["basis"]]
                for row, remark in zip(errors.rows, remarks)], text_columns=3, long=(0,))
    page.add(f"</div><footer>{''.join(f'<p>{pages.text(line)}</p>' for line in about)}</footer>")
    with written_whole(folder / "index.html") as partial:
        partial.write_text(page.html())
    lines = ["# The paper, published and simulated", "", summary(errors), "", *[f"- {line}" for line in about], ""]
    for name, title, subtitle in figures.list:
        lines += [f"## {title}", "", subtitle, "",
                  f'<picture><source media="(prefers-color-scheme: dark)" srcset="{name}-dark.svg">'
                  f'<img alt="{title}" src="{name}-light.svg"></picture>', ""]
    lines += ["## Published, simulated, error", "",
              "| quantity | setting | unit | published | simulated | seeds | error | verdict | basis | note |",
              "|---|---|---|---:|---:|---|---:|---|---|---|"]
    for row in errors.rows:
        lines.append("| " + " | ".join([row["quantity"], row["setting"], row["unit"], *as_text(row), row["verdict"],
                                        row["basis"], row["note"]]) + " |")
    with written_whole(folder / "index.md") as partial:
        partial.write_text("\n".join(lines) + "\n")
