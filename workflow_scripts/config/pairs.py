"""Checking pairs: partitions whose halves are of two datasets.

Light on purpose: the Snakefile calls this at parse time.
"""

import difflib
from collections.abc import Mapping

from workflow_scripts.dataset.dataset import has_hierarchy
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.study.datasets import HalfOfPair, dataset_sections
from workflow_scripts.study.partition_names import NEEDS_HIERARCHY, parse_partition


def check_pair(key: str, entry: Mapping, config: Mapping) -> None:
    """Raise InputError naming what is below `key`, matrix[i], unless the entry's halves are those of a pair."""
    name, family = entry["partition"], parse_partition(entry["partition"])
    if family.seed is not None or family.family in ("natman", "whole") or entry.get("csv"):
        what = "a CSV" if entry.get("csv") else "its name"
        raise InputError(
            f"configuration: {key}.halves: partition {name} has its halves from {what}. Choose a different name for a "
            "pair, without csv."
        )
    for half, text in entry["halves"].items():
        _check_half(f"{key}.halves.{half}", HalfOfPair.named(text), config)
    if entry["halves"]["A"] == entry["halves"]["B"]:
        raise InputError(f"configuration: {key}.halves: both are {entry['halves']['A']}. Name two different tasks.")


def check_same_halves(key: str, entry: Mapping, config: Mapping) -> None:
    """Raise InputError unless all entries of the partition, those of reduced data too, have the same `halves`."""
    family = parse_partition(entry["partition"]).family
    for other in config["matrix"]:
        if other.get("halves") != entry.get("halves") and parse_partition(other["partition"]).family == family:
            raise InputError(
                f"configuration: {key}.halves: a different entry of partition {entry['partition']} has other halves. "
                "Give both the same."
            )


def _check_half(key: str, half: HalfOfPair, config: Mapping) -> None:
    sections = dataset_sections(config)
    if half.dataset not in sections:
        close = difflib.get_close_matches(half.dataset, sections, n=1)
        raise InputError(
            f"configuration: {key}: no dataset is called {half.dataset}. Choose {' or '.join(close or sections)}, or "
            "add it to datasets."
        )
    name = parse_partition(half.partition)
    if name.images_per_class is not None:
        raise InputError(
            f"configuration: {key}: {half.partition} is of a part of the images. Give the pair itself the suffix "
            f"_first_{name.images_per_class}_per_class."
        )
    if name.family in NEEDS_HIERARCHY and not has_hierarchy(sections[half.dataset]):
        raise InputError(
            f"configuration: {key}: {half.partition} needs a hierarchy of classes, which {half.dataset} does not have. "
            "Choose a different half."
        )
    if half.half != "whole" and name.seed is None and name.family != "natman":
        raise InputError(
            f"configuration: {key}: {half.partition} is not random<seed>, near<seed>, middle<seed>, far<seed> or "
            "natman. Correct it."
        )
