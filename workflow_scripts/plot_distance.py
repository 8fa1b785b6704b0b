"""Step: the paper's figure 3: natural / man-made transfer, random features, both relative to base networks."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts import cli
from workflow_scripts.plotting import GROUPS, depth_axis, figure_command, new_figure
from workflow_scripts.results import SCORE, equal_halves, halves_label, in_families, load_results, mean_by_depth

TO_MANMADE, TO_NATURAL = "#EE7733", "#009988"
HALVES, UNTRAINED = GROUPS["AnB"][1], GROUPS["random"][1]
GRADED = (("near", "#88CCEE"), ("middle", "#4477AA"), ("far", "#222255"))  # equal halves by hierarchy distance
LABELS = {"B": "natural to man-made", "A": "man-made to natural"}


def plot_distance(results: pd.DataFrame) -> Figure:
    """Figure 3 of `results`; the drop is top-1 accuracy minus that of the target's base network."""
    frozen = results[results["treatment"] == "frozen"]
    frozen = frozen.assign(drop=frozen[SCORE] - frozen["base"])
    transfer = frozen[frozen["group"] == "AnB"]
    natman = transfer[in_families(transfer, "natman")]
    untrained = frozen[frozen["group"] == "random"]
    halves = equal_halves(frozen)
    figure, axes = new_figure(1, 3, (15, 4.6))
    _draw_natman(axes[0], natman)
    _draw_untrained(axes[1], untrained)
    for rows, colour, marker, label in (
        (halves[halves["group"] == "AnB"], HALVES, "D", f"{halves_label(halves)}, AnB"),
        (natman, TO_MANMADE, "D", "natural / man-made, AnB"),
        *((transfer[in_families(transfer, grade)], colour, "^", f"{grade} halves, AnB") for grade, colour in GRADED),
        (untrained, UNTRAINED, "s", "random features"),
    ):
        _draw_line(axes[2], mean_by_depth(rows, "drop"), colour, marker, label)
    axes[2].axhline(0, color="black", linestyle=":", linewidth=1)
    axes[2].set(title="drop from the base network, mean", ylabel="top-1 accuracy minus base")
    for panel in axes[:2]:
        panel.set_ylim(bottom=0)
    for panel in axes:
        depth_axis(panel, [0, *frozen["depth"]])
        labelled = dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))  # each label once
        panel.legend(labelled.values(), labelled.keys(), loc="best")
    return figure


def _draw_natman(axes: Axes, rows: pd.DataFrame) -> None:
    axes.set(title="natural / man-made halves, frozen transfer", ylabel="top-1 accuracy on the target")
    for target, colour in (("B", TO_MANMADE), ("A", TO_NATURAL)):
        chosen = rows[rows["target"] == target]
        _draw_line(axes, mean_by_depth(chosen), colour, "D", LABELS[target])
        if not chosen.empty:
            _draw_base(axes, chosen, colour)


def _draw_untrained(axes: Axes, rows: pd.DataFrame) -> None:
    axes.set(title="random, untrained features on all classes", ylabel="top-1 accuracy")
    _draw_line(axes, mean_by_depth(rows), UNTRAINED, "s", "random features")
    if not rows.empty:
        _draw_base(axes, rows, UNTRAINED)


def _draw_base(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    base = rows["base"].mean()
    axes.axhline(base, color=colour, linestyle=":", linewidth=1)
    axes.plot([0], [base], marker="o", color=colour, markerfacecolor="white", linestyle="none", label="base network")


def _draw_line(axes: Axes, means: pd.Series, colour: str, marker: str, label: str) -> None:
    if not means.empty:
        axes.plot(means.index, means, color=colour, marker=marker, label=label)


def main() -> None:
    """Command line: see the module's docstring."""
    figure_command("plot_distance", __doc__, "--results", lambda path: plot_distance(load_results(path)))


if __name__ == "__main__":
    cli.run(main)
