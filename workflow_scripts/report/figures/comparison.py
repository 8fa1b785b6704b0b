"""Step: this study's curves over the published ones, each relative to its own base networks."""

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.depths import depth_axis
from workflow_scripts.report.plotting import (
    GROUPS,
    draw_line,
    each_label_once,
    figure_command,
    new_figure,
    say,
)
from workflow_scripts.results.groups import (
    equal_halves,
    in_families,
    load_results,
    main_variant,
    mean_by_depth,
    undrawn,
)
from workflow_scripts.study.columns import SCORE

PUBLISHED = "#555555"


def relative_curves(results: pd.DataFrame) -> dict[str, pd.Series]:
    """Mean of score over base network's score by depth, for each kind of curve that `results` has."""
    rows = undrawn(main_variant(results))
    rows = rows.assign(relative=rows[SCORE] / rows["base"].where(rows["base"] > 0))
    halves = equal_halves(rows)
    natman = rows[in_families(rows, "natman") & (rows["group"] == "AnB")]
    curves = {f"{group}, equal halves": halves[halves["group"] == group] for group in ("BnB", "BnB+", "AnB", "AnB+")}
    curves |= {"AnB, natural / man-made": natman, "random": rows[rows["group"] == "random"]}
    return {name: mean_by_depth(chosen, "relative") for name, chosen in curves.items()}


def plot_comparison(results: pd.DataFrame, published: pd.DataFrame) -> Figure:
    """A panel for each kind of curve of `results`; `published` are the paper's networks."""
    ours, theirs = relative_curves(results), relative_curves(published)
    shown = [name for name, curve in ours.items() if not curve.empty] or list(ours)[:1]
    columns = min(3, len(shown))
    lines = -(-len(shown) // columns)
    size = (max(8.4, 4.2 * columns), 3.4 * lines + 0.5)
    figure, grid = new_figure(lines, columns, size, sharex=True, squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    for place, (axes, name) in enumerate(zip(grid.flat, shown, strict=False)):
        label, colour, marker = GROUPS[name.split(",")[0]]
        draw_line(axes, theirs[name], PUBLISHED, ".", ":", "published: CaffeNet on ImageNet (Yosinski et al. 2014)")
        draw_line(axes, ours[name], colour, marker, label="this study (each panel in its own colour)")
        axes.axhline(1, color="black", linewidth=0.8)
        if ours[name].empty:
            say(axes, "This study has no trained curve\nwith a trained base network.")
        _, _, halves = name.partition(", ")
        axes.set_title(f"{label}{halves and ', ' + halves}", fontsize=10)
        depth_axis(axes, sorted({*ours[name].index, *theirs[name].index}))
        if place < len(shown) - columns:
            axes.set_xlabel("")
        else:  # nothing is drawn below it
            axes.tick_params(labelbottom=True)
    figure.supylabel("top-1 accuracy relative to base")
    figure.legend(*each_label_once(grid[0, 0]), loc="outside lower center", ncols=2)
    return figure


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(results: str, reference: str) -> Figure:
        return plot_comparison(load_results(results), load_results(reference))

    figure_command("report.figures.comparison", __doc__, ["results", "reference"], draw)


if __name__ == "__main__":
    cli.run(main)
