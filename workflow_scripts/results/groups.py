"""Reading results.csv and picking the paper's groups of networks out of it."""

import re
from pathlib import Path

import pandas as pd

from workflow_scripts.results.rates import chosen_rates
from workflow_scripts.results.table import read_results
from workflow_scripts.results.variants import variants_of
from workflow_scripts.study.columns import SCORE, VARIANT_COLUMNS
from workflow_scripts.study.jobs import BASE, BASE_TWICE, PRETRAINED, RANDOM, STAGED
from workflow_scripts.study.partition_names import NEEDS_HIERARCHY, parse_partition, plain_partition

CURVES = ["partition", *VARIANT_COLUMNS]  # curves that have these in common should have the same depths
DRAWN = re.compile(r", (\d+) drawn images? a class")  # in a kind of halves whose target has so many
# Begins a kind of halves that has no name of a user's: of a partition from a CSV, or of datasets of a pair.
OWN_WORDS = re.compile(r"((random|natural / man-made|near|middle|far) halves|all classes)\b")
TWICE = "base twice"  # the group of base networks that trained twice as long
BASES = ("base", TWICE)  # groups that stand beside every depth
PRETRAINED_SOURCE = ", pretrained source"  # ends a kind of halves in effects where P takes the place of A


def load_results(path: str | Path) -> pd.DataFrame:
    """The networks of a results table that have a score (table.read_results), with columns added.

    Where several learning rates were tried, only networks of the chosen ones are there (rates.chosen_rates).

    `group` is base, base twice, BnB, BnB+, BnB then + (staged), the same with A or P, or random. As in the paper, the
    target is always called B. P is a pretrained network. `halves` is the kind of halves in words (halves_of). `variant`
    is what sets a network apart from the study's plain ones of its group, or "". `base`
    is the score of the target's base network of the same seed, NaN if there is none or it diverged. `depths` are those
    that any curve of its partition and variant has.
    """
    table = chosen_rates(read_results(path))
    measured = table.groupby(CURVES)["depth"].agg(frozenset).rename("depths")
    table = table.join(measured, on=CURVES).dropna(subset=SCORE)
    table["halves"] = list(map(halves_of, table["partition"], table["pair"]))
    table["group"] = [group_of(row.source, row.target, row.treatment) for row in table.itertuples()]
    table["variant"] = variants_of(table)
    table = table.astype(dict.fromkeys(("halves", "group", "variant"), object))  # of no rows they would be numbers
    bases = not_diverged(table[table["treatment"] == BASE]).set_index(["partition", "target", "seed"])[SCORE]
    return table.join(bases.rename("base"), on=["partition", "target", "seed"])


def transfer_group(halves: str) -> str:
    """The name of frozen transfer in effects of this kind of halves (effects.by_source): "AnB", or "PnB"."""
    return "PnB" if halves.endswith(PRETRAINED_SOURCE) else "AnB"


def named_source(text: str, halves: str) -> str:
    """`text` on the groups AnB and AnB+ with the names that they have in effects of this kind of halves."""
    return text.replace("AnB", transfer_group(halves))


def not_diverged(results: pd.DataFrame) -> pd.DataFrame:
    """The rows of networks that did not diverge. Only these are in means."""
    return results[~results["diverged"].astype(bool)]


def main_variant(results: pd.DataFrame) -> pd.DataFrame:
    """The rows of the study's plain networks: no units preserved, its own initial weights and norm statistics."""
    return results[results["variant"] == ""]


def group_of(source: str, target: str, treatment: str) -> str:
    """The group of a network (load_results) by its names."""
    if treatment in (BASE, BASE_TWICE):
        return TWICE if treatment == BASE_TWICE else BASE
    if source == RANDOM:
        return RANDOM
    letter = "P" if source == PRETRAINED else "B" if source == target else "A"
    return f"{letter}nB" + {"finetuned": "+", STAGED: " then +"}.get(treatment, "")


def of_pretrained(results: pd.DataFrame) -> pd.DataFrame:
    """The networks that stand beside transfer from a pretrained network: of its partitions, without the other half."""
    chosen = results["partition"].isin(results[results["group"].str.startswith("PnB")]["partition"])
    return results[chosen & ~results["group"].str.startswith("AnB")]


def in_families(results: pd.DataFrame, *families: str) -> pd.Series:
    """Which rows belong to partitions of `families` (see partition_names) with all their training images."""
    names = results["partition"].map(parse_partition)
    return names.map(lambda name: name.family in families and name.images_per_class is None).astype(bool)


def equal_halves(results: pd.DataFrame) -> pd.DataFrame:
    """The rows of partitions into random halves or halves from a CSV: not natural / man-made, graded ones or pairs."""
    families = {parse_partition(name).family for name in results["partition"].unique()}
    return results[in_families(results, *families - {"whole", *NEEDS_HIERARCHY}) & (results["pair"] == "")]


def halves_label(rows: pd.DataFrame) -> str:
    """What to call the partitions of `rows` (equal_halves) in a figure: "random halves", or their names."""
    names = rows["partition"].unique()
    return "random halves" if all(name.startswith("random") for name in names) else ", ".join(sorted(names))


def halves_of(partition: str, pair: str = "") -> str:
    """What kind of halves a partition has, in words: "random halves", "natural / man-made halves", "all classes"...

    For a pair it is `pair`, its source and target: "cars to birds".
    """
    name = parse_partition(partition)
    kinds = {"natman": "natural / man-made halves", "whole": "all classes"}
    kind = pair or kinds.get(name.family, f"{name.family} halves")
    if name.images_per_class is None:
        return kind
    images = "image" if name.drawn and name.images_per_class == 1 else "images"
    return f"{kind}, {name.images_per_class}{' drawn' * name.drawn} {images} a class"


def target_name(halves: str) -> str:
    """A kind of halves without the source of a pair: "birds" for "cars to birds". Others stay as they are."""
    return halves.split(" to ", 1)[-1]


def drawn_images(halves: str) -> int | None:
    """How many drawn images of each class targets of a kind of halves (halves_of) have. None if none are drawn."""
    match = DRAWN.search(halves)
    return int(match[1]) if match else None


def curves_of(results: pd.DataFrame) -> pd.DataFrame:
    """The rows of networks that copy units: of all but base networks."""
    return results[results["depth"] > 0]


def undrawn(results: pd.DataFrame) -> pd.DataFrame:
    """The rows of partitions of which no images are drawn."""
    return results[results["partition"].map(plain_partition) == results["partition"]]


def mean_by_depth(rows: pd.DataFrame, column: str = SCORE) -> pd.Series:
    """The mean of `column` over targets and seeds at each depth, of the networks of `rows` that did not diverge.

    It is NaN where a depth between the first and the last has no network, but other curves of the same partitions have
    one. A line drawn through the means has a gap there.
    """
    means = not_diverged(rows).groupby("depth")[column].mean().dropna()
    if means.empty:
        return means
    between = {depth for depth in set().union(*rows["depths"]) if means.index[0] < depth < means.index[-1]}
    return means.reindex(sorted(between.union(means.index)))
