"""Step: accuracy of linear classifiers on the features of the first n units, and the cut chosen by held-out images."""

import math
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.depths import depth_axis, draw_shares
from workflow_scripts.report.plotting import (
    GROUPS,
    amount_colours,
    draw_line,
    each_label_once,
    figure_command,
    new_figure,
    say,
)
from workflow_scripts.results.groups import load_results, main_variant, mean_by_depth
from workflow_scripts.results.probe_words import with_images
from workflow_scripts.results.probes import (
    OVER_IMAGES,
    TOGETHER,
    ProbeSet,
    best_cut,
    depth_table,
    of_trained,
    probe_sets,
    read_probes,
    with_most_images,
)

STYLES = {  # group -> (label, colour, marker) of its probes; PnB and AnB may share a panel here
    "PnB": ("linear classifier, pretrained network", *GROUPS["PnB"][1:]),
    "AnB": ("linear classifier, base network of the other task (AnB)", "#228833", "v"),
    "BnB": ("linear classifier, own base network (BnB)", *GROUPS["BnB"][1:]),
    "random": ("linear classifier, untrained network", *GROUPS["random"][1:]),
}
CUT = "cut chosen on held-out training images"
COLUMNS = 2  # panels side by side
BESIDE = 1.3  # depths from the deepest to the probe on all units
DASH = 0.3  # of a depth: half the dash of that probe
APART = 0.1  # of a depth between the intervals of two sources there
RING = {"facecolors": "none", "edgecolors": "black", "linewidths": 1.3}
FROZEN = "units above trained (frozen {})"


@dataclass(frozen=True)
class Line:
    """A set of probes as a line: its label, colour and marker. With `of_amount`, its panel has a line an amount."""

    probes: ProbeSet
    label: str
    colour: str | tuple
    marker: str
    of_amount: bool = False


def plot_probes(probes: pd.DataFrame, results: pd.DataFrame) -> Figure:
    """A panel for each kind of halves of `probes` (probes.read_probes) with a line a source, on the most images.

    Where there are several amounts of target images, a source has a panel of its own with a line an amount. Frozen
    curves of `results` (groups.load_results) on the same targets are dashed. Below are the shares of the network.
    """
    panels = _panels(probes)
    columns = min(COLUMNS, len(panels))
    lines = -(-len(panels) // columns)
    depths = sorted(probes.loc[probes["depth"] != TOGETHER, "depth"].astype(int).unique())
    size = (max(8.5, 6.6 * columns), 4.8 * lines + 2.6)
    heights = [4.5] * lines + [1.3]
    figure, grid = new_figure(lines + 1, columns, size, sharex="col", squeeze=False, height_ratios=heights)
    for axes in grid[:lines].flat[len(panels) :]:
        axes.set_axis_off()
    for axes, (title, chosen) in zip(grid[:lines].flat, panels.items(), strict=False):
        _draw_panel(axes, chosen, results)
        axes.set_title(title, fontsize=10)
    for axes in grid[:lines, 0]:
        axes.set_ylabel("top-1 accuracy on the target, percent")
    for axes in grid[-1]:
        _draw_network(axes, depth_table(probes), depths)
    of_sources = [axes for axes in grid[:lines].flat if axes.get_legend() is None]
    figure.legend(*each_label_once(*of_sources), loc="outside lower center", ncols=2)
    return figure


def _panels(probes: pd.DataFrame) -> dict[str, list[Line]]:
    """The lines of each panel by its title."""
    panels: dict[str, list[Line]] = {}
    for one in with_most_images(probes):
        title = one.halves + ("" if math.isinf(one.amount) else f", {_images(one.amount)}")
        panels.setdefault(title, []).append(Line(one, *STYLES[one.group]))
    colours = amount_colours(sorted(probes["amount"].unique()))
    every = [*probe_sets(probes)]
    for most in of_trained(with_most_images(probes)):
        same = [one for one in reversed(every) if (one.halves, one.group) == (most.halves, most.group)]
        if len(same) > 1:
            chosen = [Line(one, _of_amount(one), colours[one.amount], "o", True) for one in same]
            panels[f"{most.halves}: {STYLES[most.group][0]}"] = chosen
    return panels


def _images(amount: float) -> str:
    return f"{amount:.0f} drawn image{'' if amount == 1 else 's'} a class"


def _of_amount(one: ProbeSet) -> str:
    """As in: 5 images of each class, 86.0 % at n = 17."""
    table = depth_table(one.rows)
    best = best_cut(table)
    at = "" if best is None else f", {table.loc[best, 'points']:.1f} % at n = {best}"
    return with_images(one.amount).removeprefix("With ") + at


def _draw_panel(axes: Axes, lines: list[Line], results: pd.DataFrame) -> None:
    """The lines of a panel, the frozen curves beside them, and what answering with the largest class would score."""
    tables = [depth_table(line.probes.rows) for line in lines]
    cuts = [math.nan if (best := best_cut(table)) is None else table.loc[best, "points"] for table in tables]
    highest = max((cut for cut in cuts if cut == cut), default=math.nan)
    for number, (line, table, cut) in enumerate(zip(lines, tables, cuts, strict=True)):
        _draw_probes(axes, line, table, APART * (number - (len(lines) - 1) / 2))
        if cut == cut:
            _mark_cut(axes, best_cut(table), cut, line, cut == highest)
    for line in lines:
        _draw_frozen(axes, line, results)
    shares = [line.probes.rows["majority_share"].mean() for line in lines]
    if cuts:
        axes.scatter([], [], s=80, label=CUT, **RING)
    axes.axhline(100 * max(shares), color="#999999", linestyle=":", linewidth=1.2, label="share of the largest class")
    if not any(drawn.get_gid() for drawn in axes.lines):
        say(axes, "No probe has finite features.")
    elif lines[0].of_amount:
        handles, labels = axes.get_legend_handles_labels()
        amounts = dict(zip(labels, handles, strict=True))
        shown = [line.label for line in reversed(lines) if line.label in amounts]
        box = {"frameon": True, "facecolor": "white", "edgecolor": "none", "framealpha": 0.9}
        axes.legend([amounts[label] for label in shown], shown, loc="lower right", fontsize=8, **box)


def _draw_probes(axes: Axes, line: Line, table: pd.DataFrame, sideways: float) -> None:
    """A line over depths with its intervals, a dash for all units together, and a ring around the chosen cut."""
    single = table[table.index != TOGETHER]
    if single["points"].notna().any():
        style = {"color": line.colour, "marker": line.marker, "markersize": 5, "label": line.label}
        axes.plot(single.index, single["points"], gid=line.label, **style)
        _draw_intervals(axes, single, line.colour)
    place = single.index.max() + BESIDE
    for _, row in table[table.index == TOGETHER].dropna(subset="points").iterrows():
        axes.hlines(row["points"], place - DASH, place + DASH, color=line.colour, linewidth=2.5)
        axes.vlines(place + sideways, row["low"], row["high"], color=line.colour, linewidth=2, alpha=0.4)


def _mark_cut(axes: Axes, depth: int, percent: float, line: Line, above: bool) -> None:
    """A ring around the chosen cut, with its accuracy above or below it unless the line's label says that."""
    axes.scatter(depth, percent, s=110, zorder=4, **RING)
    if line.of_amount:
        return
    text = {"xytext": (0, 9 if above else -20), "textcoords": "offset points", "ha": "center", "fontsize": 9}
    paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5}
    axes.annotate(
        f"{percent:.1f} %", (depth, percent), color=line.colour, fontweight="bold", zorder=5, bbox=paper, **text
    )


def _draw_intervals(axes: Axes, single: pd.DataFrame, colour: str | tuple) -> None:
    """Shaded intervals over validation images; bars for those over runs."""
    shaded = single["interval"].isin([OVER_IMAGES, ""])
    axes.fill_between(single.index, single["low"], single["high"], where=shaded, color=colour, alpha=0.15, linewidth=0)
    bars = single[~shaded]
    axes.vlines(bars.index, bars["low"], bars["high"], color=colour, linewidth=2, alpha=0.5)


def _draw_frozen(axes: Axes, line: Line, results: pd.DataFrame) -> None:
    """Frozen networks of the same source and targets, dashed."""
    group = line.probes.group
    same = results["partition"].isin(line.probes.rows["partition"].unique()) & (results["group"] == group)
    means = 100 * mean_by_depth(rows) if len(rows := main_variant(results[same])) else pd.Series(dtype=float)
    draw_line(axes, means, line.colour, line.marker, "--", FROZEN.format(group))


def _draw_network(axes: Axes, table: pd.DataFrame, depths: list[int]) -> None:
    """The names of the units and the probe on all of them below the last axes, and the shares of the network."""
    units = table[table.index != TOGETHER]
    if units["parameters_share"].notna().any():
        draw_shares(axes, units, depths)
        axes.set(ylabel="percent")
    depth_axis(axes, depths, units)
    if TOGETHER in table.index:
        labels = [label.get_text() for label in axes.get_xticklabels()]
        axes.set_xticks([*axes.get_xticks(), max(depths) + BESIDE], [*labels, "all"])
    axes.set_xlabel("depth n, and the last of the n units; all: every depth together")


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(probes: str, results: str) -> Figure:
        return plot_probes(read_probes(probes), load_results(results))

    figure_command("report.figures.probes", __doc__, ["probes", "results"], draw)


if __name__ == "__main__":
    cli.run(main)
