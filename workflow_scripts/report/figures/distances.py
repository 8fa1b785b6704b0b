"""Step: how far training has moved each copied unit that learns, beside its control and base networks."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.depths import depth_axis, thinned
from workflow_scripts.report.plotting import GROUPS, each_label_once, figure_command, new_figure, say
from workflow_scripts.results.effects import TASK
from workflow_scripts.results.groups import curves_of, load_results, undrawn
from workflow_scripts.results.table import read_readings
from workflow_scripts.results.units import read_units
from workflow_scripts.study.columns import KEY_COLUMNS

CURVE = ["halves", "group", "variant"]
NEITHER = "No such network trained, or none has\ndistances: an earlier version trained it."


def of_groups(distances: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """The rows of distances.csv whose networks are in `results` (groups.load_results), with their columns CURVE.

    Networks on drawn images are left out.
    """
    named = undrawn(results)[[*KEY_COLUMNS, *CURVE]]
    kinds = named.dtypes[KEY_COLUMNS].to_dict() | {"distance": float}  # a table without rows has none
    return distances.astype(kinds).merge(named, on=KEY_COLUMNS)


def plot_distances(distances: pd.DataFrame, results: pd.DataFrame, units: pd.DataFrame | None = None) -> Figure:
    """A line of panels for each kind of halves, a panel for each group and variant: distance by unit, a line a depth.

    `distances` is distances.csv, `results` are from groups.load_results. Distances are means over targets and seeds.
    The axes have the names of `units` (units.read_units), if they are known.
    """
    rows = of_groups(distances, results)
    curves = curves_of(rows)
    kinds = sorted(curves["halves"].unique())
    columns = sorted(curves[["group", "variant"]].drop_duplicates().itertuples(index=False, name=None), key=_order)
    size = (max(6.5, 5 * len(columns) + 1), 4.3 * max(1, len(kinds)))
    figure, grid = new_figure(max(1, len(kinds)), max(1, len(columns)), size, sharex=True, sharey=True, squeeze=False)
    shades = ScalarMappable(Normalize(curves["depth"].min(), curves["depth"].max()), "viridis_r")
    for line, halves in zip(grid, kinds, strict=False):
        of_kind = rows[rows["halves"] == halves]
        for axes, (group, variant) in zip(line, columns, strict=True):
            _draw_panel(axes, of_kind, group, variant, shades)
            label = ", ".join([GROUPS[group][0], *([variant] if variant else [])])
            axes.set_title(f"{halves}:\n{label}", fontsize=10)
            axes.label_outer()
        line[0].set_ylabel("distance moved / length of the start")
    if not kinds:
        say(grid[0, 0], NEITHER)
        return figure
    _finish(figure, grid, rows, units)
    figure.colorbar(shades, ax=grid, label="depth n", ticks=thinned(sorted(curves["depth"].unique())), aspect=30)
    return figure


def _order(column: tuple[str, str]) -> tuple[int, str]:
    """The place of a panel: as GROUPS has the groups, plain curves before variants."""
    return [*GROUPS].index(column[0]), column[1]


def _draw_panel(axes: Axes, rows: pd.DataFrame, group: str, variant: str, shades: ScalarMappable) -> None:
    """The lines of a group and variant, of base networks and, where it is no selffer, of its control."""
    chosen = rows[(rows["group"] == group) & (rows["variant"] == variant)]
    if chosen.empty:
        say(axes, "This study has no such networks.")
    for depth, of_depth in chosen.groupby("depth"):
        means = of_depth.groupby("unit_number")["distance"].mean()
        axes.plot(means.index, means, "-", marker=".", color=shades.to_rgba(depth))
    targets = rows[_tasks(rows).isin(_tasks(chosen))]
    others = {"base, from its random weights": ("base", "", ":", "#222222")}
    if not group.startswith("B"):
        others["control BnB of the same kind, mean over n"] = (f"B{group[1:]}", variant, "--", GROUPS["BnB"][1])
    for label, (name, of_variant, style, colour) in others.items():
        same = targets[(targets["group"] == name) & (targets["variant"] == of_variant)]
        means = same.groupby("unit_number")["distance"].mean()
        if len(means):
            means = means.reindex(range(means.index[0], means.index[-1] + 1))  # no line across units without a distance
            axes.plot(means.index, means, style, marker=".", color=colour, linewidth=2, label=label)


def _tasks(rows: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(rows[TASK])


def _finish(figure: Figure, grid: np.ndarray, rows: pd.DataFrame, units: pd.DataFrame | None) -> None:
    for axes in grid.flat:
        axes.set_ylim(bottom=0)
    for axes in grid[-1]:
        depth_axis(axes, rows["unit_number"], units)
        axes.set_xlabel("unit")
    handles, labels = each_label_once(*grid.flat)
    if labels:
        figure.legend(handles, labels, loc="outside lower center", ncols=2)


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(distances: str, results: str, units: str | None) -> Figure:
        return plot_distances(read_readings(distances), load_results(results), units and read_units(units))

    figure_command("report.figures.distances", __doc__, ["distances", "results", "units?"], draw)


if __name__ == "__main__":
    cli.run(main)
