"""Step: accuracy against depth, a line for each number of training images of each class of the target."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.depths import depth_axis
from workflow_scripts.report.plotting import GROUPS, amount_colours, figure_command, panel_grid, say
from workflow_scripts.results.target_images import amounts_in, read_target_images
from workflow_scripts.results.units import read_units

ORDER = ("AnB", "AnB+", "AnB then +", "PnB", "PnB+", "PnB then +", "BnB", "BnB+", "BnB then +", "random")
APART = 0.045  # of an axis' height between the numbers at the ends of lines
BESIDE = 0.08  # of a depth between the intervals of two lines


def plot_target_images(table: pd.DataFrame, units: pd.DataFrame | None = None) -> Figure:
    """A panel for each kind of halves and group of `table` (results.target_images.target_images_table).

    The axes have the names of `units` (units.read_units), if they are known.
    """
    panels = [
        (halves, group)
        for halves in sorted(table["halves"].unique())
        for group in ORDER
        if ((table["halves"] == halves) & (table["group"] == group)).any()
    ]
    figure, grid = panel_grid(len(panels), (4.8, 4.4), least=6.4, below=0.4)
    colours = amount_colours(amounts_in(table))
    for axes, (halves, group) in zip(grid.flat, panels, strict=False):
        of_halves = table[table["halves"] == halves]
        _draw_panel(axes, of_halves, group, colours)
        axes.set_title(f"{halves}: {GROUPS[group][0]}", fontsize=10)
        depth_axis(axes, table["depth"][table["depth"] > 0], units)
    for axes in grid.flat[: len(panels)]:
        _label_ends(axes)
    for axes in grid[:, 0]:
        axes.set_ylabel("top-1 accuracy on the target, percent")
    if not panels:
        say(grid[0, 0], "No network with copied units was trained\non drawn images of its target.")
        return figure
    grey = {"color": "#555555"}
    grid[0, 0].plot([], [], marker="o", **grey, label="the first n units copied")
    grid[0, 0].plot([], [], linestyle="--", **grey, label="from scratch on the same images")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    title = "Numbers and colours: training images of each class of the target"
    figure.legend(handles, labels, loc="outside lower center", ncols=2, title=title)
    return figure


def _draw_panel(axes: Axes, table: pd.DataFrame, group: str, colours: dict[str, tuple]) -> None:
    """A line for each number of images, whiskers where there is an interval, and dashed the base network."""
    shown = table[table["group"] == group]
    amounts = [amount for amount in colours if (shown["images_per_class"] == amount).any()]
    for place, amount in enumerate(amounts):
        own = table[table["images_per_class"] == amount]
        rows = own[own["group"] == group].sort_values("depth")
        depths = rows["depth"] + BESIDE * (place - (len(amounts) - 1) / 2)
        axes.plot(depths, rows["points"], color=colours[amount], marker="o", markersize=5, gid=amount)
        axes.vlines(depths, rows["low"], rows["high"], color=colours[amount], linewidth=2, alpha=0.6)
        for points in own.loc[own["group"] == "base", "points"]:
            axes.axhline(points, color=colours[amount], linestyle="--", linewidth=1.2)


def _label_ends(axes: Axes) -> None:
    """The number of images at the end of each line; numbers of close lines stand apart."""
    lines = [line for line in axes.lines if line.get_gid()]
    low, high = axes.get_ylim()
    taken = -np.inf
    for line in sorted(lines, key=lambda line: line.get_ydata()[-1]):
        taken = max(float(line.get_ydata()[-1]), taken + APART * (high - low))
        where = (1.01, taken)
        style = {"color": line.get_color(), "fontsize": 9, "va": "center", "fontweight": "bold"}
        axes.text(*where, line.get_gid(), transform=axes.get_yaxis_transform(), **style)


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(table: str, units: str | None) -> Figure:
        return plot_target_images(read_target_images(table), units and read_units(units))

    figure_command("report.figures.target_images", __doc__, ["table", "units?"], draw)


if __name__ == "__main__":
    cli.run(main)
