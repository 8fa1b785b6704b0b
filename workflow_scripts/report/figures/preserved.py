"""Step: what preserving units above the frozen ones gives: they are copied too, but learn."""

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.depths import depth_axis
from workflow_scripts.report.plotting import (
    GROUPS,
    LINE_STYLES,
    draw_line,
    figure_command,
    new_figure,
    say_why_empty,
)
from workflow_scripts.results.effects import by_source
from workflow_scripts.results.groups import load_results, mean_by_depth, named_source
from workflow_scripts.results.units import read_units
from workflow_scripts.study.columns import SCORE

MARKERS = ("o", "^", "v", "s")


def plot_preserved(results: pd.DataFrame, units: pd.DataFrame | None = None) -> Figure:
    """A panel for frozen selffers and one for frozen transfer, for each kind of halves that has preserved units.

    Each line is a number of preserved units: the score minus the base network's, means over targets and seeds. The axes
    have the names of `units` (units.read_units), if they are known.
    """
    rows = results[results["norm_statistics"] == ""]
    frozen = pd.concat(of_source.assign(halves=halves) for halves, of_source in by_source(rows))
    frozen = frozen[frozen["group"].isin(["BnB", "AnB"])]
    frozen = frozen.assign(change=100 * (frozen[SCORE] - frozen["base"]))
    kinds = sorted(frozen[frozen["preserve"] > 0]["halves"].unique())
    lines = max(1, len(kinds))
    figure, grid = new_figure(lines, 2, (10, 3.8 * lines), sharex=True, sharey=True, squeeze=False)
    if not kinds:
        say_why_empty(grid[0, 0], frozen[frozen["preserve"] > 0])
    for line, halves in zip(grid, kinds, strict=False):
        for axes, group in zip(line, ("BnB", "AnB"), strict=True):
            rows = frozen[(frozen["halves"] == halves) & (frozen["group"] == group)]
            label, colour, _ = GROUPS[named_source(group, halves)]
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
        depth_axis(axes, frozen["depth"], units)
    return figure


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(results: str, units: str | None) -> Figure:
        return plot_preserved(load_results(results), units and read_units(units))

    figure_command("report.figures.preserved", __doc__, ["results", "units?"], draw)


if __name__ == "__main__":
    cli.run(main)
