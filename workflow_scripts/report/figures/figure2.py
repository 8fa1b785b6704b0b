"""Step: the paper's figure 2 on random halves: every network as a point above, the means as lines below."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.plotting import (
    GROUPS,
    SIDEWAYS,
    depth_axis,
    draw_line,
    each_label_once,
    figure_command,
    mark_diverged,
    new_figure,
    say_why_empty,
    variants,
)
from workflow_scripts.results.groups import (
    equal_halves,
    halves_label,
    load_results,
    main_variant,
    mean_by_depth,
    not_diverged,
)
from workflow_scripts.study.columns import SCORE

READINGS = {
    "base": "base, the network that was never cut",
    "BnB": "BnB: where it is below base (shaded), lost co-adaptation",
    "BnB+": "BnB+: at base, if fine-tuning restores co-adaptation",
    "AnB": "AnB: where it is below BnB (shaded), specialisation",
    "AnB+": "AnB+: above base and BnB+, if transferred features help",
}
# group -> what its reading compares it with; without that, only the group is named
BESIDE = {"base": [], "BnB": ["base"], "BnB+": ["base"], "AnB": ["BnB"], "AnB+": ["base", "BnB+"]}


def plot_transfer(results: pd.DataFrame) -> Figure:
    """Figure 2 of `results` (workflow_scripts.results.groups.load_results)."""
    rows = equal_halves(results[results["group"].isin(SIDEWAYS)])
    figure, (points, lines) = new_figure(2, 1, (8, 9), sharex=True, sharey=True)
    for group in SIDEWAYS:
        chosen = rows[rows["group"] == group]
        for suffix, style, variant in variants(chosen):
            _draw_points(points, variant, group, suffix)
            _draw_line(lines, variant, group, style)
        mark_diverged(points, chosen, SIDEWAYS[group])
    _annotate(lines, rows)
    halves, seeds = len(rows[["partition", "target"]].drop_duplicates()), rows["seed"].nunique()
    count = f"{halves} target {'task' if halves == 1 else 'tasks'}, {seeds} {'seed' if seeds == 1 else 'seeds'}"
    points.set_title(f"each network ({halves_label(rows)}, {count})" if halves else "each network")
    if rows.empty:
        say_why_empty(points, rows)
    say_why_empty(lines, rows)
    lines.set_title("mean over target tasks and seeds")
    for axes in (points, lines):
        axes.set_ylabel("top-1 accuracy on B")
    depth_axis(lines, rows["depth"])
    figure.legend(*each_label_once(points), loc="outside lower center", ncols=3)
    return figure


def _annotate(axes: Axes, rows: pd.DataFrame) -> None:
    """The paper's five interpretations (section 4.1): a number at the end of each line, its two troubles shaded."""
    means = {group: mean_by_depth(main_variant(rows[rows["group"] == group])) for group in SIDEWAYS}
    if means["base"].size and means["BnB"].size:
        means["base"] = pd.Series(means["base"].iloc[0], index=means["BnB"].index)
        _shade(axes, means["base"], means["BnB"], GROUPS["BnB"][1])
    _shade(axes, means["BnB"], means["AnB"], GROUPS["AnB"][1])
    lowest, highest = axes.get_ylim()
    taken = lowest
    ends = {group: line.dropna().iloc[-1] for group, line in means.items() if line.notna().any()}
    for group in sorted(ends, key=ends.get):
        taken = max(ends[group], taken + 0.035 * (highest - lowest))  # numbers of close lines stand apart
        where = (means[group].index[-1] + 0.12, taken) if group != "base" else (0.12, ends[group])
        axes.text(*where, list(READINGS).index(group) + 1, fontsize=9, va="center" if group != "base" else "bottom")
    key = [
        f"{place}  {reading if set(BESIDE[group]) <= set(ends) else GROUPS[group][0]}"
        for place, (group, reading) in enumerate(READINGS.items(), 1)
        if group in ends
    ]
    axes.text(0.01, 0.02, "\n".join(key), transform=axes.transAxes, fontsize=9, linespacing=1.4)


def _shade(axes: Axes, upper: pd.Series, lower: pd.Series, colour: str) -> None:
    """Shade where `lower` lies below `upper`."""
    upper, lower = upper.align(lower, join="inner")
    axes.fill_between(upper.index, upper, lower, where=lower < upper, interpolate=True, color=colour, alpha=0.12, lw=0)


def _draw_points(axes: Axes, rows: pd.DataFrame, group: str, suffix: str) -> None:
    label, colour, marker = GROUPS[group]
    rows = not_diverged(rows)
    if rows.empty:
        return
    hollow = group == "base" or suffix
    axes.scatter(
        rows["depth"] + SIDEWAYS[group],
        rows[SCORE],
        marker=marker,
        s=32,
        edgecolors=colour,
        facecolors="white" if hollow else colour,
        label=label + suffix,
    )


def _draw_line(axes: Axes, rows: pd.DataFrame, group: str, style: str) -> None:
    _, colour, marker = GROUPS[group]
    means = mean_by_depth(rows)
    if group != "base":
        draw_line(axes, means, colour, marker, style)
    elif not means.empty:
        axes.axhline(means.iloc[0], color=colour, linestyle=":", linewidth=1)
        axes.plot([0], means.iloc[:1], marker=marker, color=colour, markerfacecolor="white")


def main() -> None:
    """Command line: see the module's docstring."""
    figure_command("report.figures.figure2", __doc__, ["results"], lambda path: plot_transfer(load_results(path)))


if __name__ == "__main__":
    cli.run(main)
