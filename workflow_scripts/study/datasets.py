"""The datasets of a study, and which of them each half of a partition is of.

A plain partition divides the study's own dataset. A pair takes its halves from two datasets: an entry of the matrix
with `halves`. Light on purpose: the Snakefile calls this at parse time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from workflow_scripts.study.jobs import OTHER_HALF
from workflow_scripts.study.partition_names import parse_partition

WHOLE = "whole"
HALF = re.compile(r"(?P<dataset>[^/]+)(/(?P<partition>[A-Za-z][A-Za-z0-9_]*)\.(?P<half>[AB]))?")


@dataclass(frozen=True)
class HalfOfPair:
    """What a half of a pair is: all classes of a dataset, or a half of one of its partitions."""

    dataset: str
    partition: str = WHOLE
    half: str = WHOLE

    @classmethod
    def named(cls, text: str) -> "HalfOfPair":
        """What `text` names: "cars", or "ilsvrc2012/natman.A". Raises ValueError for anything else."""
        match = HALF.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is neither <dataset> nor <dataset>/<partition>.A or .B")
        return cls(**{name: value for name, value in match.groupdict().items() if value})


def pair_halves(config: Mapping, partition: str) -> dict[str, HalfOfPair]:
    """The halves of a pair by A and B; none for a partition of the study's own dataset."""
    return {half: HalfOfPair.named(text) for half, text in _halves(config, partition).items()}


def pair_label(config: Mapping, partition: str, target: str) -> str:
    """What a pair's transfer onto its half `target` is called: "cars to birds"; "" for any other partition."""
    halves = _halves(config, partition)
    return f"{halves[OTHER_HALF[target]]} to {halves[target]}" if halves else ""


def dataset_of(config: Mapping, partition: str, half: str) -> str:
    """The name of the dataset that a half of a partition is of."""
    halves = pair_halves(config, partition)
    return halves[half].dataset if halves else config["dataset"]["name"]


def is_whole(config: Mapping, partition: str, half: str) -> bool:
    """Whether a half of a partition has all classes of its dataset."""
    halves = pair_halves(config, partition)
    return (halves[half].half if halves else half) == WHOLE


def dataset_sections(config: Mapping) -> dict[str, Mapping]:
    """The sections of all datasets of a configuration by name, the study's own first."""
    return {config["dataset"]["name"]: config["dataset"]} | config["datasets"]


def pair_partitions(config: Mapping) -> set[str]:
    """The partitions of the matrix that take their halves from two datasets."""
    return {entry["partition"] for entry in config["matrix"] if entry.get("halves")}


def study_datasets(config: Mapping) -> dict[str, dict]:
    """For the name of each dataset that the matrix of a checked configuration uses, the configuration with that dataset
    as the study's own. They are in the order of the configuration.
    """
    used = set()
    for entry in config["matrix"]:
        halves = parse_partition(entry["partition"]).halves
        used |= {dataset_of(config, entry["partition"], half) for half in halves}
    sections = dataset_sections(config)
    return {name: {**config, "dataset": section} for name, section in sections.items() if name in used}


def _halves(config: Mapping, partition: str) -> Mapping[str, str]:
    """The texts that name the halves of a pair. Reduced data sets have those of the entry for all images."""
    family = parse_partition(partition).family
    named = (entry["halves"] for entry in config["matrix"] if _is_of(entry, family))
    return next(named, {})


def _is_of(entry: Mapping, family: str) -> bool:
    return bool(entry.get("halves")) and parse_partition(entry["partition"]).family == family
