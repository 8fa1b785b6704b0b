"""Findings on unequal classes and unequal halves in sentences: what a score does not say there."""

import math
from collections.abc import Iterator

import pandas as pd

from workflow_scripts.plumbing.names import some_of
from workflow_scripts.results.groups import curves_of, not_diverged
from workflow_scripts.results.verdicts import Part
from workflow_scripts.study.columns import PER_CLASS, SCORE
from workflow_scripts.study.partition_names import parse_partition, plain_partition

UNEQUAL = 1.2  # times the share that each of equal classes would have
TASK = ["partition", "target"]
MAJORITY_BASIS = "A network that always answers with the largest class scores that class's share."
HALVES_BASIS = "More classes are harder to tell apart. Differences within one target are comparable."


def majority(results: pd.DataFrame) -> Iterator[Part]:
    """For each target whose largest class explains the score of its base networks: what it is averaged over classes.

    `results` are from groups.load_results. Targets of which the share of the largest class is not known are left out.
    So are those with so many training images of each class: there, no class is favoured.
    """
    if not {"majority_share", "classes"} <= set(results):
        return
    whole = results["partition"].map(lambda name: parse_partition(name).images_per_class is None).astype(bool)
    bases = not_diverged(results[whole & (results["treatment"] == "base")])
    bases = bases.dropna(subset=["majority_share", "classes"])
    for (partition, half), rows in bases.groupby(TASK):
        share, score = rows["majority_share"].iloc[0], rows[SCORE].mean()
        images = rows["val_images"].iloc[0] if "val_images" in rows else math.nan
        if share * rows["classes"].iloc[0] > UNEQUAL and explained(score, share, images):
            named = partition if partition == half else f"{partition} {half}"
            lead = f"{named}: {100 * share:.1f} % of the validation images are of one class."
            yield named, f"{lead} {_beside(rows)}", MAJORITY_BASIS


def explained(score: float, share: float, images: float) -> bool:
    """Whether the `share` of the largest class explains this `score` on so many `images` (NaN: not known).

    It does if the score is less than twice the share, and less than half of the way from it to all right. It also does
    if the score is not above the share by more than two standard errors.
    """
    noise = 0.0 if math.isnan(images) else math.sqrt(share * (1 - share) / images)
    return score < min(2 * share, (1 + share) / 2) or score - share <= 2 * noise


def _beside(rows: pd.DataFrame) -> str:
    """The score of the base networks `rows` beside its mean over classes, and what to read in its place."""
    of = "The base network's" if len(rows) == 1 else "The base networks' mean"
    score = f"{100 * rows[SCORE].mean():.1f} %"
    if PER_CLASS not in rows or rows[PER_CLASS].isna().any():
        return f"{of} top-1 is {score}. Its mean over classes is not known, and may be much lower."
    means = f"{100 * rows[PER_CLASS].mean():.1f} % averaged over classes"
    return f"{of} top-1 of {score} is {means}. Compare this target's networks by {PER_CLASS} in results.csv."


def unequal_halves(results: pd.DataFrame) -> Iterator[Part]:
    """The partitions whose halves A and B, both targets of curves, have different numbers of classes."""
    if "classes" not in results:
        return
    curves = curves_of(results).dropna(subset="classes")
    classes = curves.groupby(TASK)["classes"].first().unstack().reindex(columns=["A", "B"]).dropna()
    for (of_a, of_b), partitions in classes[classes["A"] != classes["B"]].groupby(["A", "B"]):
        named = some_of(dict.fromkeys(map(plain_partition, partitions.index)))
        text = f"{named}: A has {of_a:.0f} classes and B has {of_b:.0f}. Accuracies of A and B are not comparable."
        yield named, text, HALVES_BASIS
