"""Step: learning curves, validation accuracy against iterations, one panel per curve and rate."""

import math

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.depths import thinned
from workflow_scripts.report.plotting import DIVERGED, figure_command, new_figure
from workflow_scripts.results.rates import chosen_rates
from workflow_scripts.results.table import read_readings, read_results
from workflow_scripts.results.variants import curve_name, variant_label
from workflow_scripts.study.columns import KEY_COLUMNS, RATE, VARIANT_COLUMNS
from workflow_scripts.study.jobs import BASE, BASE_TWICE

CURVE = ["partition", "source", "target", "treatment", *VARIANT_COLUMNS, RATE]
BASE_STYLES = {BASE: ":", BASE_TWICE: "--"}
PALE = 0.3  # of networks of rates that were not chosen
LOSSES = ["loss", "train_loss"]
PANEL_COLUMNS = 4
LONGEST_TITLE = 42  # characters above a panel


def plot_learning(readings: pd.DataFrame, chosen: pd.DataFrame) -> Figure:
    """One panel for each curve and rate, a line per depth and seed, the base networks of its target in black.

    Lines of networks that are not among the `chosen` (rates.chosen_rates) are pale. Base networks that are not have no
    line. A study of base networks alone has a panel for each length and rate of a target's.
    """
    readings = readings.assign(chosen=_are_of(readings, chosen))
    bases, inits = readings[readings["depth"] == 0], set(readings.loc[readings["depth"] == 0, "init"])
    curves, several = _curves(readings, inits), readings.groupby(CURVE[:4])[RATE].nunique().to_dict()
    figure, grid = _panels(len(curves))
    colours = _colours(readings)
    for axes, (key, of_curve) in zip(grid.flat, curves, strict=False):
        if readings["depth"].any():
            _draw_depths(axes, of_curve, colours)
            of_curve = bases[(bases["partition"] == key[0]) & (bases["target"] == key[2]) & bases["chosen"]]
        _draw_bases(axes, of_curve)
        axes.set_title(_title(key, inits, several[key[:4]] > 1), fontsize=10)
    figure.supxlabel("iteration")
    figure.supylabel("validation top-1 accuracy")
    if readings["depth"].any():
        _draw_bar(figure, grid, readings, colours)
    return figure


def _curves(readings: pd.DataFrame, inits: set[str]) -> list[tuple[tuple, pd.DataFrame]]:
    """The readings of each curve, or of base networks where there are no others: plain ones first, then by rate."""

    def place(curve: tuple[tuple, pd.DataFrame]) -> tuple:
        *names, preserve, init, statistics, rate = curve[0]
        return *names, preserve, init not in inits, init, statistics, float(rate or 0)

    return sorted((readings[readings["depth"] > 0] if readings["depth"].any() else readings).groupby(CURVE), key=place)


def _panels(count: int) -> tuple[Figure, np.ndarray]:
    """A figure of `count` panels and their axes, of which those left over are empty."""
    columns = min(PANEL_COLUMNS, count)
    rows = math.ceil(count / columns)
    figure, grid = new_figure(rows, columns, (3.4 * columns + 1, 2.7 * rows), sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[count - columns : count]:
        axes.tick_params(labelbottom=True)  # nothing may be below
    for axes in grid.flat[count:]:
        axes.set_axis_off()
    return figure, grid


def _title(key: tuple, inits: set[str], tried: bool) -> str:
    """The partition and the curve, and what sets it apart: its variant and, where several are `tried`, its rate."""
    partition, source, target, treatment, *variant, rate = key
    labels = filter(None, [variant_label(*variant, inits), f"rate {rate}" * tried])
    lines = [f"{partition}: {curve_name(source, target, treatment)}", *labels]
    if len(lines[0]) > LONGEST_TITLE:
        lines[:1] = lines[0].split(" ", 1)
    return "\n".join(lines)


def _colours(readings: pd.DataFrame) -> ListedColormap:
    """A colour for each depth from 1 to the deepest."""
    return ListedColormap(colormaps["plasma"](np.linspace(0, 0.85, max(2, readings["depth"].max()))))


def _are_of(readings: pd.DataFrame, chosen: pd.DataFrame) -> np.ndarray:
    """Which readings are of `chosen` networks."""
    of_readings, of_chosen = (pd.MultiIndex.from_frame(table[KEY_COLUMNS]) for table in (readings, chosen))
    return of_readings.isin(of_chosen)


def _draw_depths(axes: Axes, of_curve: pd.DataFrame, colours: ListedColormap) -> None:
    for (depth, _), line in of_curve.groupby(["depth", "seed"]):
        _draw_line(axes, line, colours(depth - 1), "-")


def _draw_bases(axes: Axes, bases: pd.DataFrame) -> None:
    for (treatment, *_), line in bases.groupby(["treatment", "seed", *VARIANT_COLUMNS, RATE]):
        _draw_line(axes, line, "black", BASE_STYLES[treatment])


def _draw_line(axes: Axes, line: pd.DataFrame, colour: str | tuple, style: str) -> None:
    """One network's readings, pale if it is not chosen."""
    alpha = 1 if line["chosen"].all() else PALE
    axes.plot(line["iteration"], line["top1"], color=colour, linestyle=style, linewidth=1.2, alpha=alpha)
    _mark_end(axes, line)


def _draw_bar(figure: Figure, grid: np.ndarray, readings: pd.DataFrame, colours: ListedColormap) -> None:
    """The colours of depths, and what black lines and crosses are."""
    norm = BoundaryNorm([depth + 0.5 for depth in range(colours.N + 1)], colours.N)
    ticks = thinned(range(1, colours.N + 1))
    bar = figure.colorbar(ScalarMappable(norm, colours), ax=grid, ticks=ticks, fraction=0.03)
    twice = ", dashes: twice as long" if (readings["treatment"] == BASE_TWICE).any() else ""
    crosses = ", red cross: loss not a number" if readings[LOSSES].isna().any(axis=None) else ""
    bar.set_label(f"depth n (black dots: base network{twice}{crosses})")


def _mark_end(axes: Axes, line: pd.DataFrame) -> None:
    """A cross at the first reading of a network whose loss was not a number. It learned nothing from then on."""
    lost = line[line[LOSSES].isna().any(axis=1)].head(1)
    if len(lost):
        axes.plot(lost["iteration"], lost["top1"], marker="x", color=DIVERGED, linestyle="none", zorder=3)


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(readings: str, results: str) -> Figure:
        return plot_learning(read_readings(readings), chosen_rates(read_results(results)))

    figure_command("report.figures.learning", __doc__, ["readings", "results"], draw)


if __name__ == "__main__":
    cli.run(main)
