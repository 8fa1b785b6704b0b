"""Step: base networks on the first k images of each class, the paper's reduced data sets."""

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts import cli
from workflow_scripts.partition_names import parse_partition
from workflow_scripts.plotting import figure_command, mark_diverged, new_figure
from workflow_scripts.results import SCORE, load_results, trained

COLOURS = ("#000000", "#4477AA", "#AA3377", "#228833", "#CCBB44")


def reduced_curve(results: pd.DataFrame) -> pd.DataFrame:
    """Base networks on reduced data: columns `task` (partition without its number, and target), `images_per_class`,
    the score and `diverged`.
    """
    bases = results[results["group"] == "base"]
    names = bases["partition"].map(parse_partition)
    images = names.map(lambda name: name.images_per_class)
    whole = bases["partition"].str.replace(r"_first_\d+_per_class$", "", regex=True)
    bases = bases.assign(images_per_class=images, task=whole + ", " + bases["target"])
    return bases.dropna(subset="images_per_class").astype({"images_per_class": int})


def plot_reduced(results: pd.DataFrame) -> Figure:
    """Score of base networks against the training images of each class, a line through the means per task."""
    bases = reduced_curve(results)
    figure, axes = new_figure(1, 1, (8, 4.6))
    for number, (task, rows) in enumerate(bases.groupby("task")):
        colour = COLOURS[number % len(COLOURS)]
        means = trained(rows).groupby("images_per_class")[SCORE].mean()
        axes.plot(means.index, means, color=colour, marker="o", label=task)
        if rows["seed"].nunique() > 1:
            axes.scatter(rows["images_per_class"], rows[SCORE], s=12, color=colour, alpha=0.5)
    mark_diverged(axes, bases.assign(depth=bases["images_per_class"]))
    axes.set_xscale("log")
    ticks = sorted(bases["images_per_class"].unique())
    axes.set_xticks(ticks, [str(tick) for tick in ticks], rotation=45)
    axes.set_xticks([], minor=True)
    axes.set(xlabel="training images of each class", ylabel="top-1 accuracy", title="base networks on reduced data")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")
    return figure


def main() -> None:
    """Command line: see the module's docstring."""
    figure_command("plot_reduced", __doc__, ["results"], lambda path: plot_reduced(load_results(path)))


if __name__ == "__main__":
    cli.run(main)
