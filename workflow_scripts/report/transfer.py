"""The frame of the paper's figure 2: every network as a point above, the means as lines below, with their readings."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.report.depths import depth_axis, draw_shares
from workflow_scripts.report.plotting import (
    GROUPS,
    LEVELS,
    SIDEWAYS,
    Style,
    draw_line,
    each_label_once,
    mark_diverged,
    new_figure,
    say_why_empty,
    variant_styles,
)
from workflow_scripts.results.groups import TWICE, main_variant, mean_by_depth, not_diverged
from workflow_scripts.study.columns import SCORE

READINGS = {
    "base": "base, the network that was never cut",
    "base twice": "base twice: above base, if longer training helps by itself",
    "BnB then +": "BnB then +: above BnB+, if staged or longer training helps",
    "AnB then +": "AnB then +: above AnB+, if staged or longer training helps",
    "PnB then +": "PnB then +: above PnB+, if staged or longer training helps",
    "BnB": "BnB: where it is below base (shaded), lost co-adaptation",
    "BnB+": "BnB+: at base, if fine-tuning restores co-adaptation",
    "AnB": "AnB: where it is below BnB (shaded), specialisation",
    "AnB+": "AnB+: above base and BnB+, if transferred features help",
    "PnB": "PnB: where it is below BnB (shaded), specialisation",
    "PnB+": "PnB+: above base and BnB+, if pretrained features help",
    "random": "random: below base by what untrained features lose",
}
# group -> what its reading compares it with; without that, only the group is named
BESIDE = {"base": [], "BnB": ["base"], "BnB+": ["base"], "AnB": ["BnB"], "AnB+": ["base", "BnB+"]}
BESIDE |= {"base twice": ["base"], "BnB then +": ["BnB+"], "AnB then +": ["AnB+"], "PnB then +": ["PnB+"]}
BESIDE |= {"PnB": ["BnB"], "PnB+": ["base", "BnB+"], "random": ["base"]}


def plot_frames(frames: dict[str, pd.DataFrame], groups: Sequence[str], units: pd.DataFrame | None) -> Figure:
    """A column of panels for each of `frames`, the rows of networks by a name for them.

    Above is each network of the `groups`, below are the means. Where `units` (units.read_units) are known, the share of
    the network that depth n copies comes last.
    """
    heights = [4, 4] + ([1.3] if units is not None else [])
    size = (8 * len(frames), 9 + (1.8 if units is not None else 0))
    options = {"sharex": True, "squeeze": False, "height_ratios": heights}
    figure, grid = new_figure(len(heights), len(frames), size, **options)
    handles = {}
    for column, (name, rows) in zip(grid.T, frames.items(), strict=True):
        points, lines = column[:2]
        if not rows["diverged"].astype(bool).any():  # which would leave the means little room
            lines.sharey(points)
        _draw_frame(points, lines, rows, groups)
        points.set_title(f"each network ({name}, {_count(rows)})" if len(rows) else "each network")
        lines.set_title("mean over target tasks and seeds")
        for axes in (points, lines):
            axes.set_ylabel("top-1 accuracy on B")
        if units is not None:
            draw_shares(column[-1], units, rows["depth"])
        depth_axis(column[-1], pd.concat(frames.values())["depth"], units)
        for axes in (lines, points):
            handles |= {label: handle for handle, label in zip(*each_label_once(axes), strict=True)}
    narrow = len(frames) == 1 and len(handles) > 6  # labels of variants are long
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=2 if narrow else 3)
    return figure


def _count(rows: pd.DataFrame) -> str:
    targets, seeds = len(rows[["partition", "target"]].drop_duplicates()), rows["seed"].nunique()
    return f"{targets} target {'task' if targets == 1 else 'tasks'}, {seeds} {'seed' if seeds == 1 else 'seeds'}"


def _draw_frame(points: Axes, lines: Axes, rows: pd.DataFrame, groups: Sequence[str]) -> None:
    rows = rows[rows["group"].isin(groups)]
    styles = variant_styles(rows)
    for group in groups:
        chosen = rows[rows["group"] == group]
        for variant, of_variant in chosen.groupby("variant"):
            _draw_points(points, of_variant, group, styles[variant])
            _draw_means(lines, of_variant, group, styles[variant])
        mark_diverged(points, chosen, SIDEWAYS[group])
    _annotate(lines, rows, groups)
    if rows.empty:
        say_why_empty(points, rows)
    say_why_empty(lines, rows)


def _annotate(axes: Axes, rows: pd.DataFrame, groups: Sequence[str]) -> None:
    """The paper's interpretations (section 4.1): a number at the end of each line, its two troubles shaded."""
    means = {group: mean_by_depth(main_variant(rows[rows["group"] == group])) for group in groups}
    if means["base"].size and means["BnB"].size:
        means["base"] = pd.Series(means["base"].iloc[0], index=means["BnB"].index)
        _shade(axes, means["base"], means["BnB"], GROUPS["BnB"][1])
    for group in {"AnB", "PnB"} & set(groups):
        _shade(axes, means["BnB"], means[group], GROUPS[group][1])
    lowest, highest = axes.get_ylim()
    taken = lowest
    ends = {group: line.dropna().iloc[-1] for group, line in means.items() if line.notna().any()}
    for group in sorted(ends, key=ends.get):
        taken = max(ends[group], taken + 0.035 * (highest - lowest))  # numbers of close lines stand apart
        level = (0.27 if group == TWICE else 0.12, ends[group])
        where = level if group in LEVELS else (means[group].index[-1] + 0.12, taken)
        axes.text(*where, list(groups).index(group) + 1, fontsize=9, va="bottom" if group in LEVELS else "center")
    key = [
        f"{place}  {READINGS[group] if set(BESIDE[group]) <= set(ends) else GROUPS[group][0]}"
        for place, group in enumerate(groups, 1)
        if group in ends
    ]
    paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1}
    left = pd.concat([line.dropna().iloc[:3] for line in means.values()]) if ends else pd.Series(dtype=float)
    below = left.mean() < (lowest + highest) / 2  # lines that rise leave room above their beginnings
    corner = (0.01, 0.98, "top") if below else (0.01, 0.02, "bottom")
    style = {"fontsize": 9, "linespacing": 1.4, "va": corner[2], "bbox": paper}
    axes.text(*corner[:2], "\n".join(key), transform=axes.transAxes, **style)


def _shade(axes: Axes, upper: pd.Series, lower: pd.Series, colour: str) -> None:
    """Shade where `lower` lies below `upper`."""
    upper, lower = upper.align(lower, join="inner")
    axes.fill_between(upper.index, upper, lower, where=lower < upper, interpolate=True, color=colour, alpha=0.12, lw=0)


def _draw_points(axes: Axes, rows: pd.DataFrame, group: str, style: Style) -> None:
    _, colour, marker = GROUPS[group]
    rows = not_diverged(rows)
    if rows.empty:
        return
    hollow = group in LEVELS or not style.plain
    axes.scatter(
        rows["depth"] + SIDEWAYS[group],
        rows[SCORE],
        marker=style.marker or marker,
        s=32,
        edgecolors=colour,
        facecolors="white" if hollow else colour,
    )


def _draw_means(axes: Axes, rows: pd.DataFrame, group: str, style: Style) -> None:
    label, colour, marker = GROUPS[group]
    means = mean_by_depth(rows)
    if group not in LEVELS:
        draw_line(axes, means, colour, style.marker or marker, style.line, label + style.suffix)
    elif not means.empty:
        axes.axhline(means.iloc[0], color=colour, linestyle=LEVELS[group], linewidth=1)
        axes.plot([0], means.iloc[:1], LEVELS[group], marker=marker, color=colour, markerfacecolor="white", label=label)
