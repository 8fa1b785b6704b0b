"""Step: what preserving layers above the frozen ones gives: they are copied too, but learn."""

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.plotting import (
    GROUPS,
    LINE_STYLES,
    depth_axis,
    draw_line,
    figure_command,
    new_figure,
    say_why_empty,
)
from workflow_scripts.results.groups import halves_of, load_results, mean_by_depth
from workflow_scripts.study.columns import SCORE

MARKERS = ("o", "^", "v", "s")


def plot_preserved(results: pd.DataFrame) -> Figure:
    """A panel for frozen selffers and one for frozen transfer, for each kind of halves that has preserved layers.

    Each line is a number of preserved layers: the score minus the base network's, means over targets and seeds.
    """
    frozen = results[results["group"].isin(["BnB", "AnB"])]
    frozen = frozen.assign(halves=frozen["partition"].map(halves_of), change=100 * (frozen[SCORE] - frozen["base"]))
    kinds = sorted(frozen[frozen["preserve"] > 0]["halves"].unique())
    lines = max(1, len(kinds))
    figure, grid = new_figure(lines, 2, (10, 3.8 * lines), sharex=True, sharey=True, squeeze=False)
    if not kinds:
        say_why_empty(grid[0, 0], frozen[frozen["preserve"] > 0])
    for line, halves in zip(grid, kinds, strict=False):
        for axes, group in zip(line, ("BnB", "AnB"), strict=True):
            rows = frozen[(frozen["halves"] == halves) & (frozen["group"] == group)]
            label, colour, _ = GROUPS[group]
            for preserve, variant in rows.groupby("preserve"):
                style, marker = LINE_STYLES[preserve % len(LINE_STYLES)], MARKERS[preserve % len(MARKERS)]
                name = f"{preserve} preserved" if preserve else "none preserved"
                draw_line(axes, mean_by_depth(variant, "change"), colour, marker, style, name)
            axes.axhline(0, color="black", linestyle=":", linewidth=1)
            axes.set_title(f"{halves}: {label}")
            say_why_empty(axes, rows, "change")
            if axes.get_legend_handles_labels()[0]:
                axes.legend(loc="best", title="units above n")
        line[0].set_ylabel("points from the base network")
    for axes in grid[-1]:
        depth_axis(axes, frozen["depth"])
    return figure


def main() -> None:
    """Command line: see the module's docstring."""
    figure_command("report.figures.preserved", __doc__, ["results"], lambda path: plot_preserved(load_results(path)))


if __name__ == "__main__":
    cli.run(main)
