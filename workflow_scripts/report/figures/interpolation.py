"""Step: accuracy on the straight lines between networks of two seeds, how far it falls by depth, and by unit."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.depths import depth_axis
from workflow_scripts.report.plotting import (
    GROUPS,
    VARIANT_MARKERS,
    draw_line,
    each_label_once,
    figure_command,
    new_figure,
    say,
)
from workflow_scripts.results.groups import load_results
from workflow_scripts.results.interpolation import read_lines, shares_of
from workflow_scripts.results.units import read_units

SHARED = ", from one source"
OWN = ", each from its own source"


def plot_interpolation(lines: pd.DataFrame, units: pd.DataFrame | None = None) -> Figure:
    """Three panels for each kind of halves: along the line at the deepest n, the barrier by depth, the drop by unit.

    `lines` are from interpolation.read_lines. Thick lines are means over targets and pairs of seeds, points are the
    pairs. The axes have the names of `units` (units.read_units), if they are known.
    """
    kinds = sorted(lines[lines["group"] != "base"]["halves"].unique())
    rows = max(1, len(kinds))
    figure, grid = new_figure(rows, 3, (15, 4.2 * rows + 0.6), squeeze=False)
    for panels, halves in zip(grid, kinds, strict=False):
        of_kind = lines[lines["halves"] == halves]
        _draw_kind(panels, of_kind, units)
        panels[0].set_ylabel("top-1 accuracy, %")
        panels[0].set_title(f"{halves}: along the line, deepest n", fontsize=10)
        panels[1].set_title("all units: barrier", fontsize=10)
        panels[2].set_title("one unit at a time, deepest n: drop from the first end", fontsize=10)
    if not kinds:
        say(grid[0, 0], "No pair of fine-tuned networks trained.")
    else:
        figure.legend(*each_label_once(*grid.flat), loc="outside lower center", ncols=3)
    return figure


def _draw_kind(panels: tuple[Axes, Axes, Axes], lines: pd.DataFrame, units: pd.DataFrame | None) -> None:
    along, by_depth, by_unit = panels
    depths = sorted(lines[lines["group"] != "base"]["depth"].unique())
    variants = sorted(set(lines["variant"]) - {""})
    for (group, variant), rows in lines.groupby(["group", "variant"]):
        name, colour, marker = GROUPS[group]
        source = "" if group == "base" else SHARED if group.startswith("P") else OWN
        style = "--" if group == "base" or variant else "-"
        marker = VARIANT_MARKERS[variants.index(variant) % len(VARIANT_MARKERS)] if variant else marker
        label = f"{name}{', ' + variant if variant else ''}{source}"
        whole, deepest = rows[rows["unit_number"] == 0], rows[rows["depth"] == rows["depth"].max()]
        shares = shares_of(lines)
        path = 100 * deepest[deepest["unit_number"] == 0][[*shares.values()]].rename(
            columns=dict(zip(shares.values(), shares, strict=True))
        )
        along.plot(path.columns, path.T, color=colour, linewidth=0.6, alpha=0.5)
        draw_line(along, path.mean(), colour, marker, style, label)
        barrier = whole.groupby("depth")["barrier_points"].mean()
        if group == "base":
            by_depth.axhline(barrier.mean(), color=colour, linestyle="--", label=label)
        else:
            by_depth.plot(whole["depth"], whole["barrier_points"], ".", color=colour, alpha=0.5)
            draw_line(by_depth, barrier, colour, marker, style, label)
        single = deepest[deepest["unit_number"] > 0]
        draw_line(by_unit, single.groupby("unit_number")["drop_points"].mean(), colour, marker, style, label)
    along.set_xlabel("share of the way to the other seed's network")
    by_depth.set_ylabel("points of accuracy")
    for axes in (by_depth, by_unit):
        axes.set_ylim(bottom=0)
    depth_axis(by_depth, depths, units)
    _unit_axis(by_unit, lines, units)


def _unit_axis(axes: Axes, lines: pd.DataFrame, units: pd.DataFrame | None) -> None:
    """The numbers of units with their names, the head's too, which no depth copies."""
    numbers = lines[lines["unit_number"] > 0].drop_duplicates("unit_number").set_index("unit_number")[["unit"]]
    depth_axis(axes, numbers.index, None if units is None else numbers.sort_index())
    axes.set_xlabel("unit")


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(table: str, results: str, units: str | None) -> Figure:
        return plot_interpolation(read_lines(table, load_results(results)), units and read_units(units))

    figure_command("report.figures.interpolation", __doc__, ["table", "results", "units?"], draw)


if __name__ == "__main__":
    cli.run(main)
