"""Reads a results table (results.csv, or one from elsewhere) as a data frame, and names the networks that it lacks."""

from pathlib import Path

import pandas as pd

from workflow_scripts.results.given_tables import FRACTIONS, TYPED, WHOLE, read_networks
from workflow_scripts.study.columns import KEY_COLUMNS, RATE, RESULT_COLUMNS, SCORE, VARIANT_COLUMNS

# of a table without rows, which says nothing of its columns
KINDS = dict.fromkeys(WHOLE, int) | dict.fromkeys(FRACTIONS, float) | {"diverged": bool}


def read_results(path: str | Path) -> pd.DataFrame:
    """The table at `path`, sorted, with its columns in the order of RESULT_COLUMNS.

    What a table lacks is filled, and what is wrong in it is refused, as given_tables.read_networks says. A table
    without rows is one of no networks: a study may have probes alone.
    """
    networks = read_networks(path, may_be_empty=True)
    table = pd.DataFrame(networks) if networks else pd.DataFrame(columns=RESULT_COLUMNS).astype(KINDS)
    numbers = {name: pd.to_numeric(table[name], errors="coerce") for name in table if name not in TYPED}
    table = table.assign(**numbers)[[name for name in RESULT_COLUMNS if name in table]]
    return table.sort_values(KEY_COLUMNS, ignore_index=True)


def read_readings(path: str | Path) -> pd.DataFrame:
    """learning_curves.csv or distances.csv as aggregate made it: variants without an own choice have "", not NaN."""
    text = ("init", "norm_statistics", RATE)
    return pd.read_csv(path, dtype=dict.fromkeys(text, str)).fillna(dict.fromkeys(text, ""))


def missing_networks(table: pd.DataFrame) -> list[str]:
    """The networks that `table` (read_results) lacks though it has their neighbours, one phrase each.

    These are networks without a score, depths that other curves of the same partition have, and targets' base networks.
    """
    missing = []
    curves = table[table["depth"] > 0]
    for (partition, preserve, init, statistics), siblings in curves.groupby(["partition", *VARIANT_COLUMNS]):
        extra = (f", {preserve} preserved" if preserve else "") + (f", {init} init" if init else "")
        extra += f", {statistics} statistics" if statistics else ""
        for (source, target, treatment, seed), rows in siblings.groupby(["source", "target", "treatment", "seed"]):
            present = rows.dropna(subset=SCORE)["depth"]
            if absent := sorted(set(siblings["depth"]) - set(present)):
                depths = ", ".join(map(str, absent))
                missing.append(f"{partition}: {source} to {target}, {treatment}, seed {seed}{extra}: n = {depths}")
    tasks = ["partition", "target", "seed"]
    bases = table[table["treatment"] == "base"].dropna(subset=SCORE)
    absent = set(table[tasks].itertuples(index=False, name=None)) - set(bases[tasks].itertuples(index=False, name=None))
    missing += [f"{partition}: base network of {target}, seed {seed}" for partition, target, seed in sorted(absent)]
    return missing
