"""Step: transfer between two datasets in the frame of figure 2, each way beside its controls."""

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.plotting import OF_HALVES, figure_command
from workflow_scripts.report.transfer import plot_frames
from workflow_scripts.results.groups import load_results, undrawn
from workflow_scripts.results.units import read_units


def plot_pairs(results: pd.DataFrame, units: pd.DataFrame | None = None) -> Figure:
    """A column of panels for each pair of datasets and each of its targets; see plot_frames."""
    rows = undrawn(results[(results["pair"] != "") & results["group"].isin(OF_HALVES)])
    return plot_frames(dict(list(rows.groupby("halves"))) or {"pairs": rows}, OF_HALVES, units)


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(results: str, units: str | None) -> Figure:
        return plot_pairs(load_results(results), units and read_units(units))

    figure_command("report.figures.pairs", __doc__, ["results", "units?"], draw)


if __name__ == "__main__":
    cli.run(main)
