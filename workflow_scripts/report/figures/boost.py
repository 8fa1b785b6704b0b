"""Step: the paper's table 1 as bars: the boost of fine-tuned transfer over its controls."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.plotting import GROUPS, figure_command, new_figure, say
from workflow_scripts.results.verdicts import decimal

# column of the table -> (label, colour of the control)
BARS = {
    "over_base_points": ("over base, all networks (the paper's)", GROUPS["base"][1]),
    "over_own_base_points": ("over base of the same target", "#999999"),
    "over_selffer_points": ("over selffer BnB+", GROUPS["BnB+"][1]),
}
WIDTH = 0.26
SMALLEST = 0.05  # points; what rounds to 0.0 needs no finer axis


def plot_boost(table: pd.DataFrame) -> Figure:
    """Grouped bars of `table` (workflow_scripts.results.tables.boost_table), a group per range of depths."""
    figure, axes = new_figure(1, 1, (8, 4.2))
    places = np.arange(len(table))
    for offset, (column, (label, colour)) in zip((-WIDTH, 0, WIDTH), BARS.items(), strict=True):
        bars = axes.bar(places + offset, table[column], WIDTH, color=colour, label=label)
        axes.bar_label(bars, fmt=lambda value: decimal(value, "+.1f"), fontsize=9, padding=2)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(places, [f"n = {layers}" for layers in table["layers"]])
    axes.set(title="boost of fine-tuned transfer AnB+, means over depths", ylabel="points of top-1 accuracy")
    axes.margins(y=0.15)
    if not (values := table[list(BARS)].abs().max(axis=None)) > SMALLEST:  # nothing, or nothing but zeros
        axes.set_ylim(-1, 1)
    if pd.isna(values):
        axes.set_xlim(-0.5, max(1, len(table)) - 0.5)
        controls = "AnB+ has no trained network to be compared with."
        say(axes, controls if table["networks"].any() else "No AnB+ network of equal halves is trained.")
    axes.grid(visible=False, axis="x")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def main() -> None:
    """Command line: see the module's docstring."""
    figure_command("report.figures.boost", __doc__, ["table"], lambda path: plot_boost(pd.read_csv(path)))


if __name__ == "__main__":
    cli.run(main)
