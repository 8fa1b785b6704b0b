"""Step: what the norm statistics of frozen units change, and what a study would report with each of them."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.depths import depth_axis
from workflow_scripts.report.plotting import GROUPS, LINE_STYLES, each_label_once, figure_command, panel_grid, say
from workflow_scripts.results.effects import kinds_of_halves
from workflow_scripts.results.groups import named_source
from workflow_scripts.results.norm_statistics import FROZEN, of_quantity, read_statistics
from workflow_scripts.results.units import read_units

BESIDE = 0.1  # depths between the lines of two statistics


def plot_statistics(table: pd.DataFrame, units: pd.DataFrame | None = None) -> Figure:
    """A panel for each kind of halves and frozen group of `table` (norm_statistics.statistics_table).

    A line is a choice of statistics: scores less those with the study's own. The axes have the names of `units`
    (units.read_units), if they are known.
    """
    known = table.dropna(subset="points")
    panels = [
        (halves, group)
        for halves in kinds_of_halves(known)
        for group in (named_source(name, halves) for name in FROZEN)
        if ((known["halves"] == halves) & (known["quantity"] == group)).any()
    ]
    figure, grid = panel_grid(len(panels), (4.6, 4.4), least=6)
    for axes, (halves, group) in zip(grid.flat, panels, strict=False):
        _draw_panel(axes, known, halves, group)
        axes.set_title(f"{halves}:\n{GROUPS[group][0]}", fontsize=10)
        depth_axis(axes, [int(layers) for layers in known["layers"] if layers.isdigit()], units)
    for axes in grid[:, 0]:
        axes.set_ylabel("points from the study's own statistics")
    for statistics, style in _styles(known).items():
        grey = {"color": "#555555", "marker": "o", "markerfacecolor": "white"}
        grid[0, 0].plot([], [], style, label=f"{statistics} statistics", **grey)
    if not panels:
        say(grid[0, 0], "No target task has a network with other norm statistics\nand its plain one.")
    else:  # colours are the groups'
        figure.legend(*each_label_once(grid[0, 0]), loc="outside lower center", ncols=3)
    return figure


def _styles(table: pd.DataFrame) -> dict[str, str]:
    """The line style of each choice of statistics."""
    return dict(zip(sorted(table["statistics"].unique()), LINE_STYLES[1:], strict=False))


def _draw_panel(axes: Axes, table: pd.DataFrame, halves: str, group: str) -> None:
    """A line per choice of statistics, whiskers where there is an interval."""
    _, colour, marker = GROUPS[group]
    for number, (statistics, style) in enumerate(_styles(table).items()):
        rows = of_quantity(table, halves, statistics, group)
        places = rows.index + BESIDE * number
        axes.plot(places, rows["points"], style, color=colour, marker=marker, markerfacecolor="white")
        if rows["low"].notna().any():
            axes.vlines(places, rows["low"], rows["high"], color=colour, linewidth=2, alpha=0.5)
    axes.axhline(0, color="black", linewidth=0.8)


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(table: str, units: str | None) -> Figure:
        return plot_statistics(read_statistics(table), units and read_units(units))

    figure_command("report.figures.norm_statistics", __doc__, ["table", "units?"], draw)


if __name__ == "__main__":
    cli.run(main)
