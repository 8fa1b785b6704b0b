"""The lines between networks of two seeds that a study asks for. Light on purpose: the Snakefile calls this."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from workflow_scripts.study.columns import KEY_COLUMNS
from workflow_scripts.study.jobs import BASE, TrainingJob
from workflow_scripts.study.matrix import base_jobs, jobs_of_curve, whole_curves
from workflow_scripts.study.partition_names import plain_partition

# Path of the accuracies on lines below the study's results directory, without suffix.
LINE_STEM = "interpolation/{partition}/seeds{seed}-{other_seed}/{line}"
LINE_KEYS = [*KEY_COLUMNS, *("other_seed", "unit_number", "unit")]
LINE_COLUMNS = ["pair", "lowest_top1", "barrier_points", "drop_points", "val_images"]  # then the ON_LINE
ON_LINE = "top1_at_"  # begins the column of accuracies at a share of the way between two networks
ALL_UNITS = "all units"
STATISTICS_IMAGES = 5000  # training images, or all, from which norm statistics on a line are estimated


@dataclass(frozen=True, order=True)
class SeedLine:
    """The lines from each network of a base job or of a whole curve, `first`, to that of `other_seed`."""

    first: TrainingJob
    other_seed: int

    @property
    def second(self) -> TrainingJob:
        """The job at the other end."""
        return replace(self.first, seed=self.other_seed)

    @property
    def stem(self) -> str:
        """The LINE_STEM of these lines."""
        names = {"partition": self.first.partition, "seed": self.first.seed}
        return LINE_STEM.format(**names, other_seed=self.other_seed, line=self.first.curve)


def seed_lines(config: Mapping) -> list[SeedLine]:
    """The lines of a checked configuration, or of leaves.cost_leaves, sorted: of fine-tuned and staged curves and their
    targets' base networks.

    They are between neighbours in the list of seeds. Curves onto drawn images have none.
    """
    if config.get("figures", {}).get("interpolation_steps") is None or config.get("results_table") is not None:
        return []
    curves = [
        curve
        for curve in whole_curves(config)
        if curve.treatment != "frozen" and plain_partition(curve.partition) == curve.partition
    ]
    targets = {(job.partition, job.target) for job in curves}
    bases = [job for job in base_jobs(config) if job.treatment == BASE and (job.partition, job.target) in targets]
    others = dict(pairwise(config["seeds"]))
    return sorted(SeedLine(job, others[job.seed]) for job in [*bases, *curves] if job.seed in others)


def line_of(config: Mapping, wildcards: Mapping[str, str]) -> SeedLine:
    """The line of a rule's wildcards (those of LINE_STEM). Only lines of its partition and seeds are looked through."""
    stem = LINE_STEM.format(**{name: wildcards[name] for name in ("partition", "seed", "other_seed", "line")})
    matrix = [entry for entry in config["matrix"] if entry["partition"] == wildcards["partition"]]
    seeds = [int(wildcards[name]) for name in ("seed", "other_seed")]
    return next(line for line in seed_lines({**config, "matrix": matrix, "seeds": seeds}) if line.stem == stem)


def line_jobs(config: Mapping, job: TrainingJob) -> list[TrainingJob]:
    """The training jobs that the networks of one end of a line come from."""
    return [job] if job.is_base else jobs_of_curve(config, job)


def share_column(step: int, steps: int) -> str:
    """The name of the column of accuracies at `step` of `steps` of the way, as in top1_at_0.25."""
    return f"{ON_LINE}{round(step / steps, 3):g}"
