"""Step: what each of the two troubles of transfer costs by depth, and what fine-tuning gives back, with intervals."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.depths import depth_axis
from workflow_scripts.report.plotting import EFFECT_PANELS, each_label_once, figure_command, new_figure, say
from workflow_scripts.results.effects import kinds_of_halves, of_all_images, per_depth, read_effects
from workflow_scripts.results.groups import named_source
from workflow_scripts.results.units import read_units

BESIDE = (-0.12, 0.0, 0.12, 0.24, -0.24)


def plot_effects(effects: pd.DataFrame, units: pd.DataFrame | None = None) -> Figure:
    """A row of two panels per kind of halves of `effects` (workflow_scripts.results.effects.effect_table).

    Targets of drawn images are left out. The axes have the names of `units` (units.read_units), if they are known.
    """
    effects = of_all_images(effects)
    measured = [name for panel in EFFECT_PANELS.values() for name in panel]
    paired = effects[effects["effect"].isin(measured)].dropna(subset="points")
    kinds = list(kinds_of_halves(paired))
    rows = max(1, len(kinds))
    figure, grid = new_figure(rows, 2, (11, 3.6 * rows + (0.4 if units is None else 1.0)), sharex=True, squeeze=False)
    for line, halves in zip(grid, kinds, strict=False):
        for axes, (title, panel) in zip(line, EFFECT_PANELS.items(), strict=True):
            _draw_panel(axes, paired, halves, panel)
            axes.set_title(f"{halves}: {title}\n{_certainty(paired, halves, panel)}", fontsize=10)
        line[0].set_ylabel("points of top-1 accuracy, paired")
    for axes in grid.flat:
        if axes.lines:
            axes.axhline(0, color="black", linewidth=0.8)
        else:
            axes.set_title("")
            axes.set_axis_off()
    for column in grid.T:
        lowest = [axes for axes in column if axes.lines][-1:]
        for axes in lowest:
            depth_axis(axes, [int(layers) for layers in paired["layers"] if layers.isdigit()], units)
            axes.tick_params(labelbottom=True)
    if not kinds:
        say(grid[0, 0], "No target task has two trained networks to be compared.")
    labelled = {label: handle for axes in grid.flat for handle, label in zip(*each_label_once(axes), strict=True)}
    figure.legend(labelled.values(), labelled, loc="outside lower center", ncols=2)
    return figure


def _certainty(effects: pd.DataFrame, halves: str, panel: dict) -> str:
    """What the bars of a panel are, or that there are none."""
    shown = effects[(effects["halves"] == halves) & effects["effect"].isin(panel)]
    kinds = shown.loc[shown["low"].notna(), "interval"].unique()
    return f"95 % intervals {' and '.join(kinds)}" if len(kinds) else "no intervals, too few runs"


def _draw_panel(axes: Axes, effects: pd.DataFrame, halves: str, panel: dict) -> None:
    """A line per effect, whiskers where there is an interval."""
    for (effect, (label, colour, marker)), sideways in zip(panel.items(), BESIDE, strict=False):
        rows = per_depth(effects, effect, halves)
        if rows.empty:
            continue
        places = rows.index + sideways
        axes.plot(places, rows["points"], color=colour, marker=marker, markersize=5, label=named_source(label, halves))
        if rows["low"].notna().any():
            axes.vlines(places, rows["low"], rows["high"], color=colour, linewidth=2, alpha=0.6)


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(effects: str, units: str | None) -> Figure:
        return plot_effects(read_effects(effects), units and read_units(units))

    figure_command("report.figures.effects", __doc__, ["effects", "units?"], draw)


if __name__ == "__main__":
    cli.run(main)
