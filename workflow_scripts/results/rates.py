"""Learning rates that a study tries: the accuracy of each on held-out training images, and which one is reported."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from workflow_scripts.results.variants import curve_name, variants_of
from workflow_scripts.study.columns import HELD_OUT, NETWORK_COLUMNS, RATE, SCORE, VARIANT_COLUMNS

NETWORK = [name for name in [*NETWORK_COLUMNS, *VARIANT_COLUMNS] if name != "seed"]  # a network of any seed and rate
COLUMNS = [*NETWORK, "variant", RATE, "held_out", "top1", "networks", "diverged", "chosen"]


def rate_table(results: pd.DataFrame) -> pd.DataFrame:
    """One row for each learning rate of each network for which `results` (table.read_results) have several in a seed.

    `held_out` is the mean over seeds of the top-1 accuracy on held-out training images, and `top1` that on validation
    images, both in percent. The rate with the highest `held_out` is `chosen`: of equal ones the lowest. A diverged
    network counts as one that is always wrong, and so does one without an accuracy on held-out images. `variant` is
    from variants.variants_of.
    """
    if HELD_OUT not in results:  # a table without it has one rate a network (given_tables.read_networks)
        return pd.DataFrame(columns=COLUMNS)
    results = results.assign(variant=variants_of(results))  # which needs base networks of one rate too
    several = results.groupby([*NETWORK, "seed"])[RATE].transform("nunique") > 1
    results = results[several.groupby([results[name] for name in NETWORK]).transform("any")]
    diverged = results["diverged"].astype(bool)
    rows = results.assign(
        held_out=(100 * results[HELD_OUT]).where(~diverged, 0.0).fillna(0.0),
        top1=(100 * results[SCORE]).where(~diverged),
        diverged=diverged,
    )
    keys = rows.groupby([*NETWORK, "variant", RATE])
    table = keys.agg(
        held_out=("held_out", "mean"), top1=("top1", "mean"), networks=("top1", "size"), diverged=("diverged", "sum")
    ).reset_index()
    table = table.assign(rate=table[RATE].astype(float))
    best = table.sort_values(["held_out", "rate"], ascending=[False, True]).groupby(NETWORK).head(1).index
    table = table.assign(chosen=table.index.isin(best))
    return table.sort_values([*NETWORK, "rate"], ignore_index=True)[COLUMNS]


def chosen_rates(results: pd.DataFrame) -> pd.DataFrame:
    """The rows of `results` without networks of rates that are not chosen (rate_table)."""
    table = rate_table(results)
    if table.empty:
        return results
    keys = [*NETWORK, RATE]
    others = pd.MultiIndex.from_frame(table.loc[~table["chosen"], keys])
    return results[~pd.MultiIndex.from_frame(results[keys]).isin(others)].reset_index(drop=True)


def read_rates(path: str | Path) -> pd.DataFrame:
    """rates.csv as rate_table returned it."""
    text = ("init", "norm_statistics", "variant", RATE)
    return pd.read_csv(path, dtype=dict.fromkeys(text, str)).fillna(dict.fromkeys(text, ""))


def curves_tried(table: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """The base networks of each target and the curves of a rate_table: their partition, their name, and their rows.

    They are sorted by partition and target, base networks first and plain curves before their variants.
    """
    keys = ["partition", "target", table["depth"].gt(0), "source", "treatment", "variant", *VARIANT_COLUMNS]
    for (partition, target, _, source, treatment, variant, *_), rows in table.groupby(keys):
        yield partition, ", ".join(filter(None, [curve_name(source, target, treatment), variant])), rows
