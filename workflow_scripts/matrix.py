"""The study's matrix spelled out: which base networks and curves a configuration asks for, and their jobs.

Light on purpose: the Snakefile calls this at parse time.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from workflow_scripts.partition_names import parse_partition

VARIANT = r"(?:-preserve([12]))?(?:-(caffe|he))?"
OTHER_HALF = {"A": "B", "B": "A"}


@dataclass(frozen=True, order=True)
class CurveJob:
    """One training job: a curve, or as many of its depths as `depths_per_job` puts together.

    `variant` is "" or what sets the curve apart from the study's others, see variant_name.
    """

    partition: str
    seed: int
    source: str
    target: str
    treatment: str
    depths: tuple[int, ...]
    variant: str = ""

    @property
    def stem(self) -> str:
        """Path of the job's record below the study's results directory, without suffix."""
        curve = f"{self.source}-{self.target}-{self.treatment}{self.variant}"
        return f"curves/{self.partition}/seed{self.seed}/{curve}/depths-{'-'.join(map(str, self.depths))}"


@dataclass(frozen=True, order=True)
class BaseJob:
    """One base network."""

    partition: str
    seed: int
    half: str
    depths: ClassVar = (0,)  # as in the results table

    @property
    def stem(self) -> str:
        """Path of the network's record below the study's results directory, without suffix."""
        return f"networks/{self.partition}/seed{self.seed}/base-{self.half}"


def curve_jobs(config: dict) -> list[CurveJob]:
    """All curve jobs of a checked configuration, each once, sorted."""
    depths_of: dict[tuple, set[int]] = {}
    for entry in config["matrix"]:
        for seed in config["seeds"]:
            for source, target, treatment in _entry_curves(entry):
                key = (entry["partition"], seed, source, target, treatment, variant_name(entry, config))
                depths_of.setdefault(key, set()).update(entry.get("depths", config["depths"]))
    size = config["training"]["depths_per_job"]
    return [
        CurveJob(*key, tuple(sorted(depths)[start : start + size]), variant)
        for (*key, variant), depths in sorted(depths_of.items())
        for start in range(0, len(depths), size)
    ]


def variant_name(entry: dict, config: dict) -> str:
    """What an entry's curves are called beyond DESIGN's words: "-preserve<k>" and "-<init>" where not the study's."""
    preserve, init = entry.get("preserve", 0), entry.get("init", config["training"]["init"])
    named_init = "" if init == config["training"]["init"] else f"-{init}"
    return (f"-preserve{preserve}" if preserve else "") + named_init


def parse_variant(variant: str) -> tuple[int, str | None]:
    """How many layers a curve of this variant_name preserves, and its initialisation if not the study's."""
    preserve, init = re.fullmatch(VARIANT, variant).groups()
    return int(preserve or 0), init


def base_jobs(config: dict) -> list[BaseJob]:
    """The base networks: every target's, for comparison, and every source's but `random`; sorted."""
    jobs = {
        BaseJob(entry["partition"], seed, half)
        for entry in config["matrix"]
        for seed in config["seeds"]
        for half in _entry_targets(entry)
    }
    jobs.update(BaseJob(job.partition, job.seed, job.source) for job in curve_jobs(config) if job.source != "random")
    return sorted(jobs)


def _entry_targets(entry: dict) -> list[str]:
    return entry.get("targets", list(parse_partition(entry["partition"]).halves))


def _entry_curves(entry: dict) -> list[tuple[str, str, str]]:
    curves = []
    for target in _entry_targets(entry):
        curves += [(target, target, treatment) for treatment in entry.get("selffer", [])]
        curves += [(OTHER_HALF[target], target, treatment) for treatment in entry.get("transfer", [])]
        curves += [("random", target, treatment) for treatment in entry.get("random", [])]
    return curves
