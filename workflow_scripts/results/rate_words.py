"""Which learning rates were chosen, in sentences."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.rates import curves_tried
from workflow_scripts.results.verdicts import Part, depths_in_words
from workflow_scripts.study.columns import RATE

BASIS = (
    "Rates are chosen by the mean accuracy over seeds on training images that no network of the study trains on."
    " Validation images choose nothing."
)


def chosen_in_words(table: pd.DataFrame) -> Iterator[Part]:
    """Which rate each group of networks of a rate_table has, a line for each of rates.curves_tried."""
    for partition, name, rows in curves_tried(table[table["chosen"].astype(bool)]):
        places = rows.groupby(RATE)["depth"].unique()
        said = [_at(rate, depths) for rate, depths in sorted(places.items(), key=lambda item: float(item[0]))]
        yield partition, f"{partition}, {name}: {', '.join(said)}.", BASIS


def _at(rate: str, depths: list[int]) -> str:
    return rate if list(depths) == [0] else f"{rate} at {depths_in_words(depths)}"
