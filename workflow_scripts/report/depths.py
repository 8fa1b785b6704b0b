"""The axis of depths, for any number of units: their numbers and names, and what share of the network they are."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes

from workflow_scripts.results.units import unit_names

WITH_NAMES = "depth n: leading units copied, and the last of them"
MOST_TICKS = 20
LONGEST_NAME = 16  # characters of a unit's name on an axis
CHARACTER = 0.085  # inches of a character of a label
# column of units.csv -> (label, colour, line style)
SHARES = {
    "parameters_share": ("parameters", "#332288", "-"),
    "multiplications_share": ("multiplications", "#999933", "--"),
}


def depth_axis(axes: Axes, depths: Iterable[int], units: pd.DataFrame | None = None) -> None:
    """Label the x axis with the depths n and, where `units` (units.read_units) are known, the last unit copied.

    A single depth stands in the middle. Of many depths only some have labels, the deepest among them.
    """
    ticks = sorted(set(depths))
    if len(ticks) == 1:
        axes.set_xlim(ticks[0] - 1, ticks[0] + 1)
    shown = thinned(ticks)
    names = {depth: short_name(name) for depth, name in unit_names(units).items() if depth in shown}
    upright = _too_wide(axes, ticks, names)
    below = [f"{depth}\n{names[depth]}" if depth in names else str(depth) for depth in shown]
    if upright:
        below = [f"{names[depth]}  {depth}" if depth in names else str(depth) for depth in shown]
    axes.set_xticks(shown, below)
    axes.tick_params(axis="x", rotation=90 if upright else 0)
    axes.set_xlabel("depth n: number of leading units copied" if not names else WITH_NAMES)


def thinned(depths: Iterable[int]) -> list[int]:
    """At most MOST_TICKS of the sorted `depths`, evenly chosen from the deepest up."""
    depths = list(depths)
    return depths[:: -max(1, -(-len(depths) // MOST_TICKS))][::-1]


def short_name(name: str) -> str:
    """As many of the last parts of a unit's name as an axis has room for."""
    while len(name) > LONGEST_NAME and "." in name:
        name = name.partition(".")[2]
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}\u2026"


def draw_shares(axes: Axes, units: pd.DataFrame, depths: Sequence[int]) -> None:
    """Lines of the share of parameters and of multiplications below the head that depth n copies, up to the deepest."""
    rows = units[units.index <= max(depths, default=0)]
    for column, (label, colour, style) in SHARES.items():
        axes.plot(rows.index, 100 * rows[column], style, color=colour, marker=".", label=label)
    axes.set(ylim=(0, 105), yticks=(0, 50, 100), ylabel="% copied")
    axes.set_title("share of the network below its head that the first n units are", fontsize=10)
    axes.legend(loc="upper left", ncols=2)


def _too_wide(axes: Axes, ticks: Sequence[int], names: Mapping[int, str]) -> bool:
    """Whether the names of depths would run into each other below an axis over `ticks`."""
    longest = max(map(len, names.values()), default=0)
    spots = axes.get_subplotspec()
    width = 0.85 * axes.figure.get_figwidth() / (spots.get_gridspec().ncols if spots else 1)
    step = min((after - before for before, after in pairwise(sorted(names))), default=1)
    across = max(ticks, default=1) - min(ticks, default=0) + 1
    return longest * CHARACTER > step * width / across
