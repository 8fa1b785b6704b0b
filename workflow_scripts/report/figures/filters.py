"""Step: the first-layer filters of base networks as grids, and how many look like Gabors or colour blobs."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.features.filters import CONTROL_NAME, FILTER_KINDS, Name, load_first_layers
from workflow_scripts.features.first_layer import NOT_A_NUMBER, TOO_SMALL, untrained_filters
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.records import Verified
from workflow_scripts.report.plotting import DIVERGED, figure_command, new_figure, say

SHOWN = 7  # networks drawn, beside the untrained filters
COLOURS = {
    "gabor": "#4477AA",
    "colour blob": "#EE6677",
    "other": "#BBBBBB",
    TOO_SMALL: "#DDDDDD",
    NOT_A_NUMBER: DIVERGED,
}
LABELS = {"gabor": "Gabor-like"}
GRID_COLUMNS = 4
LONGEST_TITLE = 26  # characters above a grid


def plot_filters(layers: dict[Name, np.ndarray], filters: pd.DataFrame, shares: pd.DataFrame) -> Figure:
    """A grid of filters per network, sorted by kind, with untrained ones last; below, the shares of the kinds.

    `layers` are from features.filters.load_first_layers, `filters` and `shares` from the tables of score_filters.
    """
    if not layers:
        figure, axes = new_figure(1, 1, (8, 2.5))
        axes.set_axis_off()
        say(axes, "The network does not begin with a convolution over colours.")
        return figure
    shape = next(iter(layers.values())).shape
    shown = dict(list(layers.items())[:SHOWN]) | {CONTROL_NAME: untrained_filters(shape)[: shape[0]]}
    rows = -(-len(shown) // GRID_COLUMNS)
    figure, grid = new_figure(
        rows + 1,
        GRID_COLUMNS,
        (12, 2.5 * rows + 1.2 + 0.32 * len(shares)),
        squeeze=False,
        height_ratios=[2.5] * rows + [1 + 0.32 * len(shares)],
    )
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, (name, weights) in zip(grid.flat, shown.items(), strict=False):
        _draw_grid(axes, weights, _of_network(filters, name)["kind"].to_numpy()[: len(weights)])
        title = _title(name, bool(_of_network(shares, name)["diverged"].any()))
        axes.set_title(title if len(title) <= LONGEST_TITLE else title.replace(" ", "\n", 1), fontsize=10)
    below = figure.add_subplot(grid[-1, 0].get_gridspec()[-1, :])
    _draw_shares(below, shares)
    more = len(layers) - SHOWN
    figure.suptitle("first-layer filters" + (f", {SHOWN} of {len(layers)} base networks" if more > 0 else ""))
    return figure


def _of_network(table: pd.DataFrame, name: Name) -> pd.DataFrame:
    partition, half, seed = name
    return table[(table["partition"] == partition) & (table["half"] == half) & (table["seed"] == seed)]


def _title(name: Name, diverged: bool = False) -> str:
    partition, half, seed = name
    task = half if partition == half else f"{partition} {half}"
    return "untrained" if name == CONTROL_NAME else f"{task}, seed {seed}{', diverged' * diverged}"


def _draw_grid(axes: Axes, weights: np.ndarray, kind: np.ndarray) -> None:
    """Filters in rows, each over its own range with grey at zero, framed in the colour of its kind."""
    order = np.argsort([FILTER_KINDS.index(one) for one in kind], kind="stable")
    columns = int(np.ceil(np.sqrt(len(weights) * 1.4)))
    height, width = (side + 2 for side in weights.shape[2:])
    rows = -(-len(weights) // columns)
    canvas = np.ones((rows * (height + 1), columns * (width + 1), 3))
    for place, number in enumerate(order):
        top, left = place // columns * (height + 1), place % columns * (width + 1)
        colour = [int(COLOURS[kind[number]][start : start + 2], 16) / 255 for start in (1, 3, 5)]
        canvas[top : top + height, left : left + width] = colour
        one = weights[number].transpose(1, 2, 0).astype(float)
        inside = canvas[top + 1 : top + height - 1, left + 1 : left + width - 1]
        if np.isfinite(one).all():
            inside[:] = 0.5 + one / (2 * np.abs(one).max() or 1)
        else:
            inside[:] = 1
            axes.plot(left + (width - 1) / 2, top + (height - 1) / 2, marker="x", color=DIVERGED)
    axes.imshow(canvas, interpolation="nearest")


def _draw_shares(axes: Axes, shares: pd.DataFrame) -> None:
    named = shares[["partition", "half", "seed", "diverged"]].itertuples(index=False, name=None)
    names = [_title(tuple(name), diverged) for *name, diverged in named]
    left = np.zeros(len(shares))
    for kind in FILTER_KINDS:
        values = shares[f"{kind} percent"].to_numpy()
        if not values.any() and (kind in (TOO_SMALL, NOT_A_NUMBER) or shares[f"{TOO_SMALL} percent"].any()):
            continue
        axes.barh(names, values, left=left, color=COLOURS[kind], label=LABELS.get(kind, kind))
        left += values
    axes.invert_yaxis()
    axes.set(xlabel="percent of filters", xlim=(0, 100))
    axes.grid(visible=False, axis="y")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def main() -> None:
    """Command line: see the module's docstring."""

    def draw(weights: list[Verified], filters: Verified, shares: Verified) -> Figure:
        tables = (pd.read_csv(path, keep_default_na=False) for path in (filters, shares))
        return plot_filters(load_first_layers(weights), *tables)

    figure_command("report.figures.filters", __doc__, ["weights*", "filters", "shares"], draw)


if __name__ == "__main__":
    cli.run(main)
