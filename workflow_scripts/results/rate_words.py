"""Which learning rates were chosen, in sentences."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.rates import curves_tried
from workflow_scripts.results.verdicts import Part, depths_in_words
from workflow_scripts.study.columns import HELD_OUT, RATE
from workflow_scripts.study.jobs import BASE

BASIS = (
    "Rates are chosen by the mean accuracy over seeds on training images that no network of the study trains on."
    " Validation images choose nothing."
)

SOURCES = (
    "Several rates were tried for base networks. Copied units come from those of the first rate. If a different one was"
    " chosen, base - BnB has that difference in it too."
)
HELD_OUT_IMAGES = (
    "Some of the images of each class are held out to choose learning rates. Networks train on the others."
)


def of_base_networks(table: pd.DataFrame | None) -> str:
    """What a comparison of BnB with base has to say of the rates of a rate_table, or ""."""
    return SOURCES if table is not None and (table["treatment"] == BASE).any() else ""


def of_drawn_images(results: pd.DataFrame) -> str:
    """What findings on few images have to say of the images that chose a rate in `results`, or ""."""
    return HELD_OUT_IMAGES if HELD_OUT in results and results[HELD_OUT].notna().any() else ""


def chosen_in_words(table: pd.DataFrame) -> Iterator[Part]:
    """Which rate each group of networks of a rate_table has, a line for each of rates.curves_tried."""
    for partition, name, rows in curves_tried(table[table["chosen"].astype(bool)]):
        places = rows.groupby(RATE)["depth"].unique()
        said = [_at(rate, depths) for rate, depths in sorted(places.items(), key=lambda item: float(item[0]))]
        yield partition, f"{partition}, {name}: {', '.join(said)}.", BASIS


def _at(rate: str, depths: list[int]) -> str:
    return rate if list(depths) == [0] else f"{rate} at {depths_in_words(depths)}"
