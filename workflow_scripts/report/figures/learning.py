"""Step: learning curves, validation accuracy against iterations, one panel per curve."""

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
from workflow_scripts.results.groups import variant_label
from workflow_scripts.results.table import read_readings
from workflow_scripts.study.columns import RATE, VARIANT_COLUMNS

CURVE = ["partition", "source", "target", "treatment", *VARIANT_COLUMNS, RATE]
LOSSES = ["loss", "train_loss"]
PANEL_COLUMNS = 4
LONGEST_TITLE = 42  # characters above a panel


def plot_learning(readings: pd.DataFrame) -> Figure:
    """One panel for each curve, a line per depth and seed, the base networks of its target in black."""
    bases = readings[readings["depth"] == 0]
    inits, several = set(bases["init"]), readings.groupby(CURVE[:4])[RATE].nunique().to_dict()
    curves = list(readings[readings["depth"] > 0].groupby(CURVE)) or list(bases.groupby(CURVE))
    columns = min(PANEL_COLUMNS, len(curves))
    rows = math.ceil(len(curves) / columns)
    figure, grid = new_figure(rows, columns, (3.4 * columns + 1, 2.7 * rows), sharex=True, sharey=True, squeeze=False)
    deepest = max(2, readings["depth"].max())
    colours = ListedColormap(colormaps["plasma"](np.linspace(0, 0.85, deepest)))
    for axes in grid.flat[len(curves) :]:
        axes.set_axis_off()
    for axes, ((partition, source, target, treatment, *variant), of_curve) in zip(grid.flat, curves, strict=False):
        for (depth, _), line in of_curve.groupby(["depth", "seed"]):
            axes.plot(line["iteration"], line["top1"], color=colours(depth - 1), linewidth=1.2)
            _mark_end(axes, line)
        _draw_bases(axes, bases[(bases["partition"] == partition) & (bases["target"] == target)])
        *variant, rate = variant
        tried = several.get((partition, source, target, treatment), 1) > 1
        label = ", ".join(filter(None, [variant_label(*variant, inits), f"rate {rate}" * tried]))
        lines = [f"{partition}: {source} to {target}, {treatment}", *([label] if label else [])]
        if len(lines[0]) > LONGEST_TITLE:
            lines[:1] = lines[0].split(" ", 1)
        axes.set_title("\n".join(lines), fontsize=10)
    figure.supxlabel("iteration")
    figure.supylabel("validation top-1 accuracy")
    norm = BoundaryNorm([depth + 0.5 for depth in range(deepest + 1)], deepest)
    bar = figure.colorbar(ScalarMappable(norm, colours), ax=grid, ticks=thinned(range(1, deepest + 1)), fraction=0.03)
    crosses = ", red cross: loss not a number" if readings[LOSSES].isna().any(axis=None) else ""
    bar.set_label(f"depth n (black dots: base network{crosses})")
    return figure


def _draw_bases(axes: Axes, bases: pd.DataFrame) -> None:
    for _, line in bases.groupby(["treatment", "seed"]):
        axes.plot(line["iteration"], line["top1"], color="black", linestyle=":", linewidth=1.2)
        _mark_end(axes, line)


def _mark_end(axes: Axes, line: pd.DataFrame) -> None:
    """A cross at the first reading of a network whose loss was not a number. It learned nothing from then on."""
    lost = line[line[LOSSES].isna().any(axis=1)].head(1)
    if len(lost):
        axes.plot(lost["iteration"], lost["top1"], marker="x", color=DIVERGED, linestyle="none", zorder=3)


def main() -> None:
    """Command line: see the module's docstring."""
    figure_command("report.figures.learning", __doc__, ["readings"], lambda path: plot_learning(read_readings(path)))


if __name__ == "__main__":
    cli.run(main)
