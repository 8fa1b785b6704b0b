"""Reads a results table (results.csv, or one from elsewhere) and names what is wrong in it."""

from pathlib import Path

import pandas as pd

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.results.rows import DEFAULTS, check_columns, checked_rows
from workflow_scripts.study.columns import KEY_COLUMNS, RESULT_COLUMNS, SCORE


def read_results(path: str | Path) -> pd.DataFrame:
    """The table at `path`, sorted, with its columns in the order of RESULT_COLUMNS.

    A table without `seed`, `diverged`, `preserve` or `init` (the published one) gets seed 0, False, 0 and "". A network
    without a score keeps NaN. Raises InputError naming the file, the line and the value. Causes are missing or unknown
    columns, duplicates, and impossible values: a fraction outside 0..1, an unknown treatment, a base network at a
    depth.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: it cannot be read as a table ({error}). Save it as UTF-8 CSV.") from None
    check_columns(table, path)
    table = pd.DataFrame(checked_rows(table.to_dict("records"), path), columns=[*table, *(set(DEFAULTS) - set(table))])
    table = table[[name for name in RESULT_COLUMNS if name in table]]
    return table.sort_values(KEY_COLUMNS, ignore_index=True)


def missing_networks(table: pd.DataFrame) -> list[str]:
    """The networks that `table` (read_results) lacks though it has their neighbours, one phrase each.

    These are networks without a score, depths that other curves of the same partition have, and targets' base networks.
    """
    missing = []
    curves = table[table["treatment"] != "base"]
    for (partition, preserve, init), siblings in curves.groupby(["partition", "preserve", "init"]):
        extra = (f", {preserve} preserved" if preserve else "") + (f", {init} init" if init else "")
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
