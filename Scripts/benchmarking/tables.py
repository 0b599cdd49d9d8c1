"""The table of rows, and the ratios below it."""


def text(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(rows, changes):
    header = ["", "wall s", "CPU s", "requests/s", "iterations/s", "peak MiB", "instructions/iteration", "to baseline"]
    lines = []
    for name, metrics in rows.items():
        if not metrics:
            continue
        counted = text(metrics.get("instructions_per_iteration"))
        if "instructions" in metrics:
            counted = f"{metrics['instructions'] / 1e6:.1f} M in all"
        change = "{:+.1%} {}".format(*changes[name]).strip() if name in changes else ""
        lines.append([name, *(text(metrics.get(metric)) for metric in
                              ["wall", "cpu", "requests_per_s", "iterations_per_s", "peak_memory"]), counted, change])
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    for line in [header, rule, *lines]:
        first, *rest = line
        print("| " + " | ".join([first.ljust(widths[0]), *(x.rjust(w) for x, w in zip(rest, widths[1:]))]) + " |")


def ratios(rows):
    """How an iteration's instructions grow with the batch, and how they compare with the C loop's."""
    def of(name):
        return rows.get(name, {}).get("instructions_per_iteration")

    for label, names in [("decode batch 250 / 10", ("decode batch 250", "decode batch 10")),
                         ("decode batch 250 / 10, --exact-steps",
                          ("decode batch 250 --exact-steps", "decode batch 10 --exact-steps")),
                         ("C loop, batch 250 / 10", ("C loop, batch 250", "C loop, batch 10")),
                         ("simulator / C loop, batch 50", ("decode batch 50", "C loop, batch 50")),
                         ("simulator --exact-steps / C loop, batch 50",
                          ("decode batch 50 --exact-steps", "C loop, batch 50"))]:
        values = [of(name) for name in names]
        if all(values):
            print(f"instructions, {label}: {values[0] / values[1]:.2f}")
    one, two = (rows.get(f"sweep of 40 points, {x}", {}).get("wall") for x in ("1 thread", "2 threads"))
    if one and two:
        print(f"speed-up of the sweep by the second thread: {one / two:.2f}")
