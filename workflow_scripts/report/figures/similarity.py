"""Step: how alike source and target networks are by unit, and whether that goes with the cost of specialisation."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.features.limits import FEWEST_IMAGES
from workflow_scripts.plumbing import cli
from workflow_scripts.report.depths import depth_axis
from workflow_scripts.report.plotting import (
    GROUPS,
    draw_line,
    figure_command,
    halves_styles,
    new_figure,
    say,
    say_why_empty,
)
from workflow_scripts.results.groups import halves_of, load_results, main_variant, not_diverged
from workflow_scripts.results.units import read_units
from workflow_scripts.results.verdicts import decimal
from workflow_scripts.study.columns import SCORE

NETWORK = ["partition", "target", "seed", "depth"]


def transfer_cost(results: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """What frozen transfer costs in points (columns NETWORK and `cost`), and the name of this cost.

    It is specialisation, BnB - AnB. Where no target has both groups, it is the drop, base - AnB.
    """
    rows = not_diverged(main_variant(results))
    wide = rows[rows["group"].isin(["BnB", "AnB"])].pivot_table(SCORE, NETWORK, "group")
    if {"BnB", "AnB"} <= set(wide) and len(paired := wide.dropna()):
        return (100 * (paired["BnB"] - paired["AnB"])).rename("cost").reset_index(), "specialisation, BnB - AnB"
    transfer = rows[rows["group"] == "AnB"]
    return transfer.assign(cost=100 * (transfer["base"] - transfer[SCORE]))[[*NETWORK, "cost"]], "drop, base - AnB"


def plot_similarity(results: pd.DataFrame, similarity: pd.DataFrame, units: pd.DataFrame | None = None) -> Figure:
    """CKA by depth for each kind of halves, with the untrained control, and the cost of transfer against it.

    `results` are from groups.load_results, `similarity` is the tables of compare_bases put together.
    The axis of depths has the names of `units` (units.read_units), if they are known.
    """
    figure, (by_depth, against) = new_figure(1, 2, (12, 4.8))
    pairs = results.groupby(["partition", "target"])["pair"].first().to_dict()
    tasks = zip(similarity["partition"], similarity["target"], strict=True)
    similarity = similarity.assign(halves=[halves_of(task[0], pairs.get(task, "")) for task in tasks])
    styles = halves_styles(sorted(similarity["halves"].unique()))
    for halves, rows in similarity.groupby("halves"):
        draw_line(by_depth, _known(rows, "cka"), *styles[halves], label=halves)
    control = _known(similarity, "cka_untrained")
    draw_line(by_depth, control, GROUPS["random"][1], "s", "--", "untrained network and target")
    by_depth.set(
        title="source and target networks, mean over targets and seeds", ylabel="linear CKA of the unit's outputs"
    )
    by_depth.set_ylim(min(0, *(np.nanmin(line.get_ydata()) for line in by_depth.get_lines()), 0), 1)
    if by_depth.get_lines():
        by_depth.legend(loc="best")
    if similarity["cka"].isna().all():
        say(by_depth, _why_not_computed(similarity))
    depth_axis(by_depth, similarity["depth"], units)
    _draw_costs(against, *transfer_cost(results), similarity)
    if not against.lines[:-1]:
        say_why_empty(against, results[results["group"] == "AnB"], "base")
        if not against.texts:
            say(against, _why_not_computed(similarity))
    return figure


def _known(similarity: pd.DataFrame, column: str) -> pd.Series:
    """The means by depth, empty where there is none: a diverged network has no likeness."""
    means = similarity.groupby("depth")[column].mean()
    return means if means.notna().any() else means.dropna()


def _why_not_computed(similarity: pd.DataFrame) -> str:
    images = int(similarity["images"].max())
    if images < FEWEST_IMAGES:
        return f"Not computed: CKA needs {FEWEST_IMAGES} validation images\nof a target, and there are {images}."
    return "Not computed: the base networks diverged,\nor their outputs are the same for every image."


def _draw_costs(axes: Axes, costs: pd.DataFrame, name: str, similarity: pd.DataFrame) -> None:
    points = costs.merge(similarity, on=NETWORK).dropna(subset=["cost", "cka"])
    depths = sorted(points["depth"].unique())
    colours = dict(zip(depths, colormaps["viridis"](np.linspace(0, 0.9, max(1, len(depths)))), strict=False))
    styles = halves_styles(sorted(similarity["halves"].unique()))
    for (depth, halves), chosen in points.groupby(["depth", "halves"]):
        style = {"color": colours[depth], "marker": styles[halves][1], "linestyle": "none"}
        axes.plot(chosen["cka"], chosen["cost"], **style, label=f"n = {depth}")
    axes.axhline(0, color="black", linewidth=0.8)
    varied = len(points) > 2 and min(points["cka"].nunique(), points["cost"].nunique()) > 1
    rank = points["cka"].corr(points["cost"], method="spearman") if varied else 0.0
    told = f"rank correlation {decimal(rank, '.2f')}, " if varied else ""
    axes.set_title(f"{told}{len(points)} networks, not independent" if len(points) else "no networks to compare")
    axes.set(xlabel="linear CKA of source and target at depth n", ylabel=f"{name}, points")
    if len(points):
        handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.legend(handles.values(), handles, fontsize=9, ncols=1 + len(handles) // 11)


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(results: str, tables: Sequence[str], units: str | None) -> Figure:
        return plot_similarity(load_results(results), pd.concat(map(pd.read_csv, tables)), units and read_units(units))

    figure_command("report.figures.similarity", __doc__, ["results", "similarity*", "units?"], draw)


if __name__ == "__main__":
    cli.run(main)
