"""The table of lines between networks of two seeds: how far accuracy falls on each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts.results.table import read_readings
from workflow_scripts.study.columns import KEY_COLUMNS
from workflow_scripts.study.datasets import pair_label
from workflow_scripts.study.lines import LINE_COLUMNS, LINE_KEYS, ON_LINE


def line_table(tables: Sequence[pd.DataFrame], study: Mapping) -> pd.DataFrame:
    """The tables of features.interpolate put together and sorted, with the columns LINE_COLUMNS added.

    `barrier_points` is the mean accuracy of a line's ends less the lowest on it. It is never negative. `drop_points` is
    the accuracy of the first end less the lowest. The `study` (its matrix leaves) names the datasets of a `pair`.
    """
    table = pd.concat(tables, ignore_index=True)
    on_line = table[shares_of(table).values()].astype(float)
    lowest = on_line.min(axis=1)
    table["pair"] = [pair_label(study, row.partition, row.target) for row in table.itertuples()]
    table["lowest_top1"] = lowest
    table["barrier_points"] = 100 * (on_line.iloc[:, [0, -1]].mean(axis=1) - lowest)
    table["drop_points"] = 100 * (on_line.iloc[:, 0] - lowest)
    order = [*LINE_KEYS, *LINE_COLUMNS, *shares_of(table).values()]
    return table[order].sort_values(LINE_KEYS, ignore_index=True)


def shares_of(table: pd.DataFrame) -> dict[float, str]:
    """The shares of the way from the first end to the second, in order, and the columns with the accuracy there."""
    return {float(name.removeprefix(ON_LINE)): name for name in table if name.startswith(ON_LINE)}


def read_lines(path: str | Path, results: pd.DataFrame) -> pd.DataFrame:
    """interpolation.csv with the `halves`, `group` and `variant` that its networks have in `results` (load_results)."""
    table = read_readings(path)
    named = results[[*KEY_COLUMNS, "halves", "group", "variant"]]
    return table.astype(named.dtypes[KEY_COLUMNS].to_dict()).merge(named, on=KEY_COLUMNS)


def noise_points(lines: pd.DataFrame, column: str = "barrier_points") -> pd.Series:
    """The standard error in points that the choice of validation images alone gives each line's `barrier_points` or
    `drop_points`.

    Right answers at the ends and at the lowest point count as independent, which is too much for like networks. Two
    right and two wrong ones are added (Agresti and Caffo 2000), so that it is never 0.
    """
    shares, images = [*shares_of(lines).values()], lines["val_images"]
    first, last, lowest = (
        (right := (share * images + 2) / (images + 4)) * (1 - right) / images
        for share in (lines[shares[0]], lines[shares[-1]], lines["lowest_top1"])
    )
    ends = (first + last) / 4 if column == "barrier_points" else first
    return 100 * np.sqrt(ends + lowest)
