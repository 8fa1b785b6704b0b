"""Step: the paper's figure 3: natural / man-made transfer, random features, both relative to base networks."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.depths import depth_axis
from workflow_scripts.report.plotting import (
    GROUPS,
    STYLE_OF_HALVES,
    draw_line,
    each_label_once,
    figure_command,
    halves_styles,
    mark_diverged,
    new_figure,
    say_why_empty,
    variants,
)
from workflow_scripts.results.groups import (
    equal_halves,
    halves_label,
    in_families,
    load_results,
    main_variant,
    mean_by_depth,
    undrawn,
)
from workflow_scripts.results.units import read_units
from workflow_scripts.study.columns import SCORE

TO_MANMADE, TO_NATURAL = "#EE7733", "#009988"
RANDOM_COLOUR = GROUPS["random"][1]
GRADED = ("near", "middle", "far")  # equal halves by hierarchy distance
LABELS = {"B": "natural to man-made", "A": "man-made to natural"}


def plot_distance(results: pd.DataFrame, units: pd.DataFrame | None = None) -> Figure:
    """Figure 3 of `results`; the drop is top-1 accuracy minus that of the target's base network.

    The axes have the names of `units` (units.read_units), if they are known.
    """
    frozen = undrawn(results[results["treatment"] == "frozen"])
    frozen = frozen.assign(drop=frozen[SCORE] - frozen["base"])
    transfer = main_variant(frozen[frozen["group"] == "AnB"])
    natman = transfer[in_families(transfer, "natman")]
    untrained = frozen[frozen["group"] == "random"]
    halves = main_variant(equal_halves(frozen))
    pairs = list(transfer[transfer["pair"] != ""].groupby("halves"))
    styles = STYLE_OF_HALVES | halves_styles(pair for pair, _ in pairs)
    figure, axes = new_figure(1, 3, (15, 4.6))
    _draw_natman(axes[0], natman)
    _draw_untrained(axes[1], untrained)
    for rows, kind, label in (
        (halves[halves["group"] == "AnB"], "random halves", halves_label(halves)),
        (natman, "natural / man-made halves", "natural / man-made"),
        *((transfer[in_families(transfer, grade)], f"{grade} halves", f"{grade} halves") for grade in GRADED),
        *((rows, pair, pair) for pair, rows in pairs),
    ):
        draw_line(axes[2], mean_by_depth(rows, "drop"), *styles[kind], label=f"{label}, AnB")
    for style, rows in variants(untrained):
        line = (RANDOM_COLOUR, style.marker or "s", style.line, f"random features{style.suffix}")
        draw_line(axes[2], mean_by_depth(rows, "drop"), *line)
    axes[2].axhline(0, color="black", linestyle=":", linewidth=1)
    axes[2].set(title="drop from the base network, mean", ylabel="top-1 accuracy minus base")
    for panel, rows in zip(axes, (natman, untrained, pd.concat([transfer, untrained])), strict=True):
        if rows.empty or panel is axes[2]:
            say_why_empty(panel, rows, "drop")
    for panel in axes[:2]:
        panel.set_ylim(bottom=0)
    for panel in axes:
        depth_axis(panel, [0, *frozen["depth"]], units)
        panel.legend(*each_label_once(panel), loc="best")
    return figure


def _draw_natman(axes: Axes, rows: pd.DataFrame) -> None:
    axes.set(title="natural / man-made halves, frozen transfer", ylabel="top-1 accuracy on the target")
    for target, colour in (("B", TO_MANMADE), ("A", TO_NATURAL)):
        chosen = rows[rows["target"] == target]
        draw_line(axes, mean_by_depth(chosen), colour, "D", label=LABELS[target])
        if not chosen.empty:
            _draw_base(axes, chosen, colour)
    mark_diverged(axes, rows)


def _draw_untrained(axes: Axes, rows: pd.DataFrame) -> None:
    axes.set(title="random, untrained features on all classes", ylabel="top-1 accuracy")
    for style, variant in variants(rows):
        line = (RANDOM_COLOUR, style.marker or "s", style.line, f"random features{style.suffix}")
        draw_line(axes, mean_by_depth(variant), *line)
    if not rows.empty:
        _draw_base(axes, rows, RANDOM_COLOUR)
    mark_diverged(axes, rows)


def _draw_base(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    base = rows["base"].mean()
    if pd.isna(base):  # it is missing, or it diverged
        return
    axes.axhline(base, color=colour, linestyle=":", linewidth=1)
    axes.plot([0], [base], marker="o", color=colour, markerfacecolor="white", linestyle="none", label="base network")


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(results: str, units: str | None) -> Figure:
        return plot_distance(load_results(results), units and read_units(units))

    figure_command("report.figures.figure3", __doc__, ["results", "units?"], draw)


if __name__ == "__main__":
    cli.run(main)
