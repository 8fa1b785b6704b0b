"""Step: base networks on the first k images of each class, the paper's reduced data sets."""

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.plotting import each_label_once, figure_command, mark_diverged, new_figure, say_why_empty
from workflow_scripts.results.groups import load_results, not_diverged
from workflow_scripts.results.tables import reduced_curve
from workflow_scripts.study.columns import SCORE

COLOURS = ("#000000", "#4477AA", "#AA3377", "#228833", "#CCBB44")


def plot_reduced(results: pd.DataFrame) -> Figure:
    """Score of base networks against the training images of each class, a line through the means per task."""
    bases = reduced_curve(results)
    figure, axes = new_figure(1, 1, (8, 4.6))
    for number, (task, rows) in enumerate(bases.groupby("task")):
        colour = COLOURS[number % len(COLOURS)]
        means = not_diverged(rows).groupby("images_per_class")[SCORE].mean()
        if means.empty:
            continue
        axes.plot(means.index, means, color=colour, marker="o", label=task)
        if rows["seed"].nunique() > 1:
            trained = not_diverged(rows)
            axes.scatter(trained["images_per_class"], trained[SCORE], s=12, color=colour, alpha=0.5)
    mark_diverged(axes, bases.assign(depth=bases["images_per_class"]))
    say_why_empty(axes, bases)
    axes.set_xscale("log")
    ticks = sorted(bases["images_per_class"].unique())
    axes.set_xticks(ticks, [str(tick) for tick in ticks], rotation=45)
    axes.set_xticks([], minor=True)
    axes.set(xlabel="training images of each class", ylabel="top-1 accuracy", title="base networks on reduced data")
    axes.set_ylim(bottom=0)
    axes.legend(*each_label_once(axes), loc="upper left")
    return figure


def main() -> None:
    """Command line: see the module's docstring."""
    figure_command("report.figures.reduced", __doc__, ["results"], lambda path: plot_reduced(load_results(path)))


if __name__ == "__main__":
    cli.run(main)
