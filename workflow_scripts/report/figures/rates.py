"""Step: accuracy on held-out training images against depth, a line for each learning rate that a study tries."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.depths import depth_axis
from workflow_scripts.report.plotting import DIVERGED, each_label_once, figure_command, panel_grid, say
from workflow_scripts.results.rates import curves_tried, read_rates
from workflow_scripts.results.units import read_units
from workflow_scripts.study.columns import RATE

UPRIGHT = 5  # more rates than these have upright labels


def plot_rates(table: pd.DataFrame, units: pd.DataFrame | None = None) -> Figure:
    """A panel for each curve of `table` (results.rates.rate_table) and, against the rate, one for each target's base
    networks of each length. Each variant is a curve of its own.

    The chosen rate of each depth is a filled point. The axes have the names of `units` (units.read_units), if they are
    known.
    """
    panels = list(curves_tried(table))
    figure, grid = panel_grid(len(panels), (4.6, 4.2), least=6, below=0.4)
    colours = _name_rates(grid[0, 0], sorted(table[RATE].unique(), key=float))
    for axes, (partition, name, rows) in zip(grid.flat, panels, strict=False):
        axes.set_title(f"{partition}:\n{name}", fontsize=10)
        if rows["depth"].eq(0).all():
            _draw_bases(axes, rows, colours)
        else:
            _draw_curves(axes, rows, colours)
            depth_axis(axes, rows["depth"], units)
        _mark_diverged(axes, rows)
    for axes in grid[:, 0]:
        axes.set_ylabel("held-out top-1 accuracy, percent")
    if not panels:
        say(grid[0, 0], "No curve was trained at several learning rates.")
    else:
        figure.legend(*each_label_once(*grid.flat), loc="outside lower center", ncols=4)
    return figure


def _name_rates(axes: Axes, rates: list[str]) -> dict[str, np.ndarray]:
    """The colour of each rate, as the legend names it."""
    colours = dict(zip(rates, colormaps["viridis"](np.linspace(0, 0.85, max(2, len(rates)))), strict=False))
    for rate, colour in colours.items():
        axes.plot([], [], "o-", color=colour, markerfacecolor="white", label=f"rate {rate}")
    axes.plot([], [], "o", color="#555555", label="chosen")
    return colours


def _draw_bases(axes: Axes, rows: pd.DataFrame, colours: dict[str, np.ndarray]) -> None:
    """A point for each rate."""
    for rate, held_out, chosen in zip(rows[RATE], rows["held_out"], rows["chosen"], strict=True):
        colour = colours[rate]
        axes.plot(float(rate), held_out, "o", color=colour, markerfacecolor=colour if chosen else "white")
    axes.set_xscale("log")
    axes.set_xticks([float(rate) for rate in rows[RATE]], rows[RATE], rotation=90 if len(rows) > UPRIGHT else 0)
    axes.minorticks_off()
    axes.set_xlabel("learning rate")


def _draw_curves(axes: Axes, rows: pd.DataFrame, colours: dict[str, np.ndarray]) -> None:
    """A line for each rate."""
    for rate, of_rate in rows.groupby(RATE):
        line = of_rate.sort_values("depth")
        style = {"color": colours[rate], "marker": "o", "markerfacecolor": "white"}
        axes.plot(line["depth"], line["held_out"], **style)
        chosen = line[line["chosen"]]
        axes.plot(chosen["depth"], chosen["held_out"], "o", color=colours[rate], zorder=3)


def _mark_diverged(axes: Axes, rows: pd.DataFrame) -> None:
    """A cross where the mean has networks that diverged, each of which counts as one that is always wrong."""
    bad = rows[rows["diverged"] > 0]
    if len(bad):
        places = bad["depth"].where(bad["depth"] > 0, bad[RATE].astype(float))
        label = "has diverged networks, which count as 0 %"
        axes.plot(places, bad["held_out"], "x", color=DIVERGED, markersize=9, zorder=4, label=label)


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(table: str, units: str | None) -> Figure:
        return plot_rates(read_rates(table), units and read_units(units))

    figure_command("report.figures.rates", __doc__, ["table", "units?"], draw)


if __name__ == "__main__":
    cli.run(main)
