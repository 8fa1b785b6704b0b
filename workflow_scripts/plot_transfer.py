"""Step: the paper's figure 2 on random halves: every network as a point above, the means as lines below."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts import cli
from workflow_scripts.plotting import GROUPS, depth_axis, figure_command, new_figure
from workflow_scripts.results import SCORE, equal_halves, halves_label, load_results, mean_by_depth

SIDEWAYS = {"base": 0.0, "BnB": -0.18, "BnB+": -0.06, "AnB": 0.06, "AnB+": 0.18}


def plot_transfer(results: pd.DataFrame) -> Figure:
    """Figure 2 of `results` (workflow_scripts.results.load_results)."""
    rows = equal_halves(results)
    figure, (points, lines) = new_figure(2, 1, (8, 9), sharex=True, sharey=True)
    for group in SIDEWAYS:
        chosen = rows[rows["group"] == group]
        if not chosen.empty:
            _draw_points(points, chosen, group)
            _draw_line(lines, chosen, group)
    halves = rows[["partition", "target"]].drop_duplicates()
    seeds = rows["seed"].nunique()
    count = f"{len(halves)} target tasks, {seeds} {'seed' if seeds == 1 else 'seeds'}"
    points.set_title(f"each network ({halves_label(rows)}, {count})")
    lines.set_title("mean over target tasks and seeds")
    for axes in (points, lines):
        axes.set_ylabel("top-1 accuracy on B")
    depth_axis(lines, rows["depth"])
    handles, labels = points.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _draw_points(axes: Axes, rows: pd.DataFrame, group: str) -> None:
    label, colour, marker = GROUPS[group]
    filled = {"facecolors": "white"} if group == "base" else {"facecolors": colour}
    axes.scatter(
        rows["depth"] + SIDEWAYS[group], rows[SCORE], marker=marker, s=32, edgecolors=colour, label=label, **filled
    )


def _draw_line(axes: Axes, rows: pd.DataFrame, group: str) -> None:
    _, colour, marker = GROUPS[group]
    means = mean_by_depth(rows)
    if group == "base":
        axes.axhline(means.iloc[0], color=colour, linestyle=":", linewidth=1)
        axes.plot([0], means.iloc[:1], marker=marker, color=colour, markerfacecolor="white")
    else:
        axes.plot(means.index, means, marker=marker, color=colour)


def main() -> None:
    """Command line: see the module's docstring."""
    figure_command("plot_transfer", __doc__, "--results", lambda path: plot_transfer(load_results(path)))


if __name__ == "__main__":
    cli.run(main)
