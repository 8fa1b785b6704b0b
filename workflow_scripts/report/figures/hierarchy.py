"""Step: the drop of frozen transfer against how far apart the halves are in the hierarchy of classes."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.records import Verified, read_record
from workflow_scripts.report.plotting import figure_command, halves_styles, new_figure, say, say_why_empty
from workflow_scripts.results.groups import halves_of, load_results, main_variant, not_diverged
from workflow_scripts.study.columns import SCORE


def distances(paths: list[Path]) -> dict[str, float]:
    """The mean hierarchy distance between each partition's halves, from its record, if the record has one."""
    records = {path.stem: read_record(path).get("distance") for path in paths}
    return {name: record["mean"] for name, record in records.items() if record}


def plot_hierarchy(results: pd.DataFrame, distance: dict[str, float]) -> Figure:
    """Drop from base of AnB against `distance` by partition, a colour per depth, a marker per kind of halves."""
    transfer = main_variant(results[results["group"] == "AnB"])
    rows = not_diverged(transfer)
    rows = rows.assign(drop=100 * (rows["base"] - rows[SCORE]), distance=rows["partition"].map(distance))
    rows = rows.dropna(subset=["distance", "drop"])
    means = rows.groupby(["depth", "partition", "distance"])["drop"].mean().reset_index()
    depths = sorted(means["depth"].unique())
    colours = dict(zip(depths, colormaps["viridis"](np.linspace(0, 0.9, max(1, len(depths)))), strict=False))
    styles = halves_styles(means["partition"].map(halves_of).unique())
    figure, axes = new_figure(1, 1, (8, 5))
    for depth, at_depth in means.groupby("depth"):
        line = at_depth.sort_values("distance")
        axes.plot(line["distance"], line["drop"], color=colours[depth], linewidth=1, alpha=0.6, label=f"n = {depth}")
    for (depth, kind), points in means.groupby(["depth", means["partition"].map(halves_of)]):
        style = {"color": colours[depth], "marker": styles[kind][1], "linestyle": "none"}
        axes.plot(points["distance"], points["drop"], **style)
    for kind, (_, marker) in styles.items():
        axes.plot([], [], marker=marker, color="#555555", linestyle="none", label=kind)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xlabel="mean distance of the halves' classes in the hierarchy (edges)")
    axes.set(ylabel="points lost, base - AnB", title="frozen transfer, mean over targets")
    if len(means):
        figure.legend(loc="outside right upper", ncols=1 + len(depths) // 16)
    elif not_diverged(transfer)["base"].isna().all():
        say_why_empty(axes, transfer, "base")
    else:
        say(axes, "No partition of these networks has a distance between its halves.")
    return figure


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(results: Verified, partitions: list[Verified]) -> Figure:
        return plot_hierarchy(load_results(results), distances([file.path for file in partitions]))

    figure_command("report.figures.hierarchy", __doc__, ["results", "partitions*"], draw)


if __name__ == "__main__":
    cli.run(main)
