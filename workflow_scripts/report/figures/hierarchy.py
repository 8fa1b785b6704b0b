"""Step: the drop of frozen transfer against how far apart the halves are in the hierarchy of classes.

Halves without such a distance, as those of two datasets, stand beside the others by name.
"""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.records import Verified, read_record
from workflow_scripts.report.plotting import (
    each_label_once,
    figure_command,
    halves_styles,
    new_figure,
    say_why_empty,
)
from workflow_scripts.results.groups import load_results, main_variant, not_diverged, undrawn
from workflow_scripts.study.columns import SCORE


def distances(paths: list[Path]) -> dict[str, float]:
    """The mean hierarchy distance between each partition's halves, from its record, if the record has one."""
    records = {path.stem: read_record(path).get("distance") for path in paths}
    return {name: record["mean"] for name, record in records.items() if record}


def plot_hierarchy(results: pd.DataFrame, distance: dict[str, float]) -> Figure:
    """Drop from base of AnB against `distance` by partition, a colour per depth, a marker per kind of halves.

    A second panel has the kinds of halves without a distance, by name.
    """
    transfer = undrawn(main_variant(results[results["group"] == "AnB"]))
    rows = not_diverged(transfer)
    rows = rows.assign(drop=100 * (rows["base"] - rows[SCORE]), distance=rows["partition"].map(distance))
    rows = rows.dropna(subset="drop")
    near, named = rows.dropna(subset="distance"), rows[rows["distance"].isna()]
    depths = sorted(rows["depth"].unique())
    colours = dict(zip(depths, colormaps["viridis"](np.linspace(0, 0.9, max(1, len(depths)))), strict=False))
    widths = [5.5 * (len(near) > 0 or named.empty), named["halves"].nunique() * 1.2]  # inches
    shown = [width for width in widths if width]
    figure, grid = new_figure(1, len(shown), (2.5 + sum(shown), 5), sharey=True, squeeze=False, width_ratios=shown)
    panels = list(grid[0])
    if widths[0]:
        _draw_distances(panels[0], near, colours)
    if widths[1]:
        _draw_names(panels[-1], named, colours)
    for axes in panels:
        axes.axhline(0, color="black", linewidth=0.8)
    panels[0].set(ylabel="points lost, base - AnB", title="frozen transfer, mean over targets")
    if len(rows):
        figure.legend(*each_label_once(*panels), loc="outside right upper", ncols=1 + len(depths) // 16)
    else:
        say_why_empty(panels[0], transfer, "base")
    return figure


def _draw_distances(axes: Axes, rows: pd.DataFrame, colours: Mapping[int, object]) -> None:
    means = rows.groupby(["depth", "halves", "partition", "distance"])["drop"].mean().reset_index()
    for depth, at_depth in means.groupby("depth"):
        line = at_depth.sort_values("distance")
        axes.plot(line["distance"], line["drop"], color=colours[depth], linewidth=1, alpha=0.6, label=f"n = {depth}")
    styles = halves_styles(means["halves"].unique())
    for (depth, kind), points in means.groupby(["depth", "halves"]):
        style = {"color": colours[depth], "marker": styles[kind][1], "linestyle": "none"}
        axes.plot(points["distance"], points["drop"], **style)
    for kind, (_, marker) in styles.items():
        axes.plot([], [], marker=marker, color="#555555", linestyle="none", label=kind)
    axes.set(xlabel="mean distance of the halves' classes in the hierarchy (edges)")


def _draw_names(axes: Axes, rows: pd.DataFrame, colours: Mapping[int, object]) -> None:
    """A column of points for each kind of halves, from the least loss at the greatest depth to the most."""
    means = rows.groupby(["depth", "halves"])["drop"].mean()
    kinds = list(means[means.index[-1][0]].sort_values().index)
    kinds += sorted(set(rows["halves"]) - set(kinds))
    for depth, drops in means.groupby("depth"):
        places = [kinds.index(kind) for _, kind in drops.index]
        axes.plot(places, drops, marker="P", color=colours[depth], linestyle="none", label=f"n = {depth}")
    labels = [textwrap.fill(kind.replace(" to ", " to\n").replace("/", "/ "), 15) for kind in kinds]
    axes.set_xticks(range(len(kinds)), labels, fontsize=8)
    axes.set_xlim(-0.5, len(kinds) - 0.5)
    axes.set(xlabel="halves without a distance")


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(results: Verified, partitions: list[Verified]) -> Figure:
        return plot_hierarchy(load_results(results), distances([file.path for file in partitions]))

    figure_command("report.figures.hierarchy", __doc__, ["results", "partitions*"], draw)


if __name__ == "__main__":
    cli.run(main)
