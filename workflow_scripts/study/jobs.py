"""A training job: its names, its paths, its seeds.

Light on purpose: the Snakefile calls this at parse time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from workflow_scripts.study.partition_names import plain_partition
from workflow_scripts.study.seeds import derive_seed
from workflow_scripts.study.settings import rate_label

# Paths of jobs' records below the study's results directory, without suffix; the rules have the same wildcards.
BASE_NAME = "{base}{variant}-{target}"
BASE_STEM = "networks/{partition}/seed{seed}/" + BASE_NAME
CURVE = "{source}-{target}-{treatment}{variant}"
CURVE_FOLDER = "{partition}/seed{seed}/" + CURVE  # below curves/
CURVE_STEM = "curves/" + CURVE_FOLDER + "/depths-{depths}"
PROBE_STEM = "probes/{partition}/seed{seed}/{source}-{target}"
FEATURES_STEM = "features/{partition}/{of_seed}{source}-{target}"
TASK_STEM = "tasks/{partition}-{target}"
DRAWN_TASK_STEM = "tasks/{partition}/seed{seed}-{target}"
VARIANT = r"(?:-preserve([12]))?(?:-(caffe|he))?(?:-(source|target|batch)_statistics)?(?:-rate([0-9.]+(?:e-?[0-9]+)?))?"
OTHER_HALF = {"A": "B", "B": "A"}
BASE = "base"  # the treatment of base networks
BASE_TWICE = "base_twice"  # of base networks trained twice as long, the control at equal total training
BASES = (BASE, BASE_TWICE)
STAGED = "staged"  # frozen for the whole duration, then all units learn for as long
PROBE = "probe"
LEARNS_AS = {BASE_TWICE: BASE, STAGED: "frozen"}  # whose seeds and learning rate a treatment begins with
RANDOM, PRETRAINED = "random", "pretrained"  # sources that are no half: untrained; weights from elsewhere


@dataclass(frozen=True, order=True)
class TrainingJob:
    """What one process trains: a base network (treatment "base" or "base_twice", depth 0), or a curve, or part of a
    curve's depths.

    Or the probes of all of a source's depths (treatment "probe").

    `preserve` is how many units above the copied frozen ones are copied too, but learn. `init` names the initial
    weights, and `norm_statistics` the statistics of frozen norms, where they are not the study's; else they are "".
    `rate` is a learning rate after the first of those that the study tries for the treatment, or 0 for the first.
    """

    partition: str
    seed: int
    source: str
    target: str
    treatment: str
    preserve: int = 0
    init: str = ""
    norm_statistics: str = ""
    rate: float = 0.0
    depths: tuple[int, ...] = (0,)

    @classmethod
    def base(cls, partition: str, seed: int, half: str) -> "TrainingJob":
        """The job of the base network of a half."""
        return cls(partition, seed, half, half, BASE)

    @classmethod
    def from_wildcards(cls, wildcards: Mapping[str, str]) -> "TrainingJob":
        """The job of a rule's wildcards (those of a stem). Features that are the same for all seeds are of seed 0."""
        seed = int(wildcards.get("seed") or wildcards.get("of_seed", "").strip("sed/") or 0)
        partition, target = wildcards["partition"], wildcards["target"]
        if wildcards.get("source") is not None and wildcards.get("treatment") is None:
            return cls(partition, seed, wildcards["source"], target, PROBE)
        preserve, init, statistics, rate = re.fullmatch(VARIANT, wildcards.get("variant", "")).groups()
        variant = (int(preserve or 0), init or "", statistics or "", float(rate or 0))
        if wildcards.get("source") is None:
            return cls(partition, seed, target, target, wildcards.get("base", BASE), *variant)
        depths = tuple(map(int, wildcards["depths"].split("-")))
        return cls(partition, seed, wildcards["source"], target, wildcards["treatment"], *variant, depths)

    @property
    def is_base(self) -> bool:
        """Whether the job trains a base network, of the usual length or twice as long."""
        return self.treatment in BASES

    @property
    def learns_as(self) -> str:
        """The treatment whose seeds and learning rate the job's networks begin with."""
        return LEARNS_AS.get(self.treatment, self.treatment)

    @property
    def durations(self) -> int:
        """How many times training.duration the job's networks train."""
        return 2 if self.treatment in LEARNS_AS else 1

    @property
    def trainings(self) -> int:
        """How many trainings of training.duration the job's networks are together."""
        return self.durations * len(self.depths)

    @property
    def kind(self) -> str:
        """One of "base", "selffer", "transfer", "random" and "pretrained"."""
        if self.is_base:
            return BASE
        if self.source in (RANDOM, PRETRAINED):
            return self.source
        return "selffer" if self.source == self.target else "transfer"

    @property
    def variant(self) -> str:
        """The part of the job's paths that names its variant, empty for a plain curve. VARIANT matches it."""
        preserve = f"-preserve{self.preserve}" if self.preserve else ""
        init = f"-{self.init}" if self.init else ""
        statistics = f"-{self.norm_statistics}_statistics" if self.norm_statistics else ""
        return preserve + init + statistics + (f"-rate{rate_label(self.rate)}" if self.rate else "")

    @property
    def stem(self) -> str:
        """Path of the job's record below the study's results directory, without suffix."""
        return self._named(BASE_STEM if self.is_base else PROBE_STEM if self.treatment == PROBE else CURVE_STEM)

    @property
    def of_features(self) -> "TrainingJob":
        """The job with the task on whose images a probe's features are computed: all images, of which some are drawn.

        A source of drawn images has features of these alone.
        """
        return self if self.kind == "selffer" else replace(self, partition=plain_partition(self.partition))

    @property
    def features(self) -> str:
        """Path of a probe's features below the study's results directory, without suffix.

        Those of a pretrained source are the same for all seeds.
        """
        of_seed = "" if self.source == PRETRAINED else f"seed{self.seed}/"
        names = {"source": self.source, "target": self.target, "of_seed": of_seed}
        return FEATURES_STEM.format(partition=self.of_features.partition, **names)

    @property
    def task(self) -> str:
        """Path of the target's task below the study's results directory, without suffix."""
        return self._named(DRAWN_TASK_STEM if self._drawn else TASK_STEM)

    @property
    def task_names(self) -> dict:
        """The names of the target's task, as in its record."""
        return {"partition": self.partition, "half": self.target} | ({"seed": self.seed} if self._drawn else {})

    @property
    def _drawn(self) -> bool:
        return plain_partition(self.partition) != self.partition

    @property
    def curve(self) -> str:
        """The folder of a curve's records, or the file of a base network's."""
        return self._named(BASE_NAME if self.kind == BASE else CURVE)

    @property
    def folder(self) -> str:
        """The folder of a curve's records below curves/."""
        return self._named(CURVE_FOLDER)

    def _named(self, pattern: str) -> str:
        names = {
            name: getattr(self, name) for name in ("partition", "seed", "source", "target", "treatment", "variant")
        }
        return pattern.format(**names, base=self.treatment, depths="-".join(map(str, self.depths)))

    @property
    def source_job(self) -> "TrainingJob | None":
        """The job of the base network that the first units are copied from; None where there is none.

        The source of transfer onto drawn images was trained on all of its own. A selffer's has seen what its target
        sees.
        """
        if self.kind not in ("selffer", "transfer"):
            return None
        partition = self.partition if self.kind == "selffer" else plain_partition(self.partition)
        return TrainingJob.base(partition, self.seed, self.source)

    @property
    def networks(self) -> list[dict]:
        """The names of each of the job's networks, as in their records."""
        return [self.network(depth) for depth in self.depths]

    def network(self, depth: int) -> dict:
        """The names of the network of `depth`, as in its record."""
        names = ("partition", "seed", "source", "target", "treatment", "preserve", "norm_statistics")
        return {name: getattr(self, name) for name in names} | {"depth": depth}

    def network_seed(self, depth: int, use: str) -> int:
        """The seed of one network's `use` ("init" or "dropout").

        `preserve`, `norm_statistics`, `rate` and the number of drawn images do not count, so that networks which differ
        in them alone share their fresh weights. So do a staged network and the frozen one, and base networks of both
        lengths.
        """
        names = (plain_partition(self.partition), self.source, self.target, self.learns_as, depth)
        return derive_seed(self.seed, *names, use)

    def random_source_seed(self) -> int:
        """The seed of the untrained network whose first units are source "random", one for all depths."""
        return derive_seed(self.seed, plain_partition(self.partition), RANDOM, "init")

    def prefix_seed(self) -> int:
        """The seed of dropout in the frozen units, which the curve's networks share."""
        names = (plain_partition(self.partition), self.source, self.target, self.learns_as)
        return derive_seed(self.seed, *names, "prefix")

    def order_seed(self) -> int:
        """The seed of the batch stream, the same for every network on this target."""
        return derive_seed(self.seed, plain_partition(self.partition), self.target, "batches")

    def draw_seed(self) -> int:
        """The seed of the images drawn for the target: not of their number, so that more of them hold the fewer."""
        return derive_seed(self.seed, plain_partition(self.partition), self.target, "images")

    def held_out_seed(self) -> int:
        """The seed by which training images are held out, the same for all sources."""
        return derive_seed(self.seed, plain_partition(self.partition), self.target, "held out")

    def frozen_units(self, depth: int) -> int:
        """How many leading units of the network of `depth` are frozen, at first or always."""
        return depth if self.learns_as == "frozen" else 0
