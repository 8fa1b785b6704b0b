"""Step: transfer from a pretrained network in the frame of figure 2, with its controls and norm statistics."""

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.report.plotting import OF_PRETRAINED, figure_command
from workflow_scripts.report.transfer import plot_frames
from workflow_scripts.results.groups import load_results, of_pretrained, undrawn
from workflow_scripts.results.units import read_units


def plot_pretrained(results: pd.DataFrame, units: pd.DataFrame | None = None) -> Figure:
    """A column of panels for each kind of halves that a pretrained network was copied to; see plot_frames."""
    rows = undrawn(of_pretrained(results))
    frames = dict(list(rows.groupby("halves"))) or {"pretrained source": rows}
    return plot_frames(frames, OF_PRETRAINED, units)


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(results: str, units: str | None) -> Figure:
        return plot_pretrained(load_results(results), units and read_units(units))

    figure_command("report.figures.pretrained", __doc__, ["results", "units?"], draw)


if __name__ == "__main__":
    cli.run(main)
