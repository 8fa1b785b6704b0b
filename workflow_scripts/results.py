"""Reading results.csv and picking the paper's groups of networks out of it."""

from pathlib import Path

import pandas as pd

from workflow_scripts.cli import InputError
from workflow_scripts.partition_names import NEEDS_HIERARCHY, parse_partition

SCORE = "top1_best10_mean"
NEEDED = ["partition", "source", "target", "depth", "treatment", SCORE]


def load_results(path: str | Path) -> pd.DataFrame:
    """The results table with columns added: `group` (base, BnB, BnB+, AnB, AnB+ or random; the target is always called
    B, as in the paper) and `base` (the score of the target's base network of the same seed, NaN if there is none).

    A table without `seed` (the published one) gets seed 0. Raises InputError for a missing column.
    """
    table = pd.read_csv(path)
    if missing := [name for name in NEEDED if name not in table]:
        raise InputError(f"{path} has no column {missing[0]}")
    table = table.assign(seed=table.get("seed", 0))
    table["group"] = [_group(row.source, row.target, row.treatment) for row in table.itertuples()]
    bases = table[table["treatment"] == "base"].set_index(["partition", "target", "seed"])[SCORE]
    return table.join(bases.rename("base"), on=["partition", "target", "seed"])


def _group(source: str, target: str, treatment: str) -> str:
    if treatment == "base":
        return "base"
    if source == "random":
        return "random"
    return ("BnB" if source == target else "AnB") + ("+" if treatment == "finetuned" else "")


def in_families(results: pd.DataFrame, *families: str) -> pd.Series:
    """Which rows belong to partitions of `families` (see partition_names) with all their training images."""
    names = results["partition"].map(parse_partition)
    return names.map(lambda name: name.family in families and name.images_per_class is None).astype(bool)


def equal_halves(results: pd.DataFrame) -> pd.DataFrame:
    """The rows of all partitions into halves but natural / man-made and graded ones: random, or read from a CSV."""
    families = {parse_partition(name).family for name in results["partition"].unique()}
    return results[in_families(results, *families - {"whole", *NEEDS_HIERARCHY})]


def halves_label(rows: pd.DataFrame) -> str:
    """What to call the partitions of `rows` (equal_halves) in a figure: "random halves", or their names."""
    names = rows["partition"].unique()
    return "random halves" if all(name.startswith("random") for name in names) else ", ".join(sorted(names))


def mean_by_depth(rows: pd.DataFrame, column: str = SCORE) -> pd.Series:
    """The mean of `column` over targets and seeds at each depth."""
    return rows.groupby("depth")[column].mean()
