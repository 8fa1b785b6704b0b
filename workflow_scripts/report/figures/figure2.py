"""Step: the paper's figure 2 on random halves: every network as a point above, the means as lines below."""

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.plotting import OF_HALVES, figure_command
from workflow_scripts.report.transfer import plot_frames
from workflow_scripts.results.groups import equal_halves, halves_label, load_results
from workflow_scripts.results.units import read_units


def plot_transfer(results: pd.DataFrame, units: pd.DataFrame | None = None) -> Figure:
    """Figure 2 of `results` (groups.load_results), with the names of `units` (units.read_units) if they are known."""
    rows = equal_halves(results[results["group"].isin(OF_HALVES)])
    return plot_frames({halves_label(rows): rows}, OF_HALVES, units)


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(results: str, units: str | None) -> Figure:
        return plot_transfer(load_results(results), units and read_units(units))

    figure_command("report.figures.figure2", __doc__, ["results", "units?"], draw)


if __name__ == "__main__":
    cli.run(main)
