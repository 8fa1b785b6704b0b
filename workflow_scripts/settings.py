"""What one training job trains, and how: the curve and its settings, all that decides its bits but the code."""

from collections.abc import Mapping
from dataclasses import dataclass

from workflow_scripts.schedules import iterations_of
from workflow_scripts.seeds import derive_seed

SCHEDULE_LENGTHS = {"step", "warmup"}
SCHEDULE_LEAVES = {"step": ("kind", "step", "gamma"), "cosine": ("kind", "warmup")}
# Leaves of `training` that decide no network's bits: how the work is divided, what is kept, and threads, which count on
# a CPU only and are held by the rules themselves.
ELSEWHERE = {
    "threads",
    "depths_per_job",
    "keep_curve_weights",
    "tensorboard",
    "retries",
    "gpus_per_job",
    "jobs_per_gpu",
}


@dataclass(frozen=True)
class Curve:
    """The networks of one job: DESIGN's curve, or part of its depths. A base network has treatment "base", depth 0.

    `preserve` is how many layers above the copied frozen ones are copied too, but learn.
    """

    partition: str
    source: str
    target: str
    treatment: str
    seed: int
    depths: tuple[int, ...]
    preserve: int = 0

    def network_seed(self, depth: int, use: str) -> int:
        """The seed of one network's `use` ("init" or "dropout"); `preserve` is left out, so that networks which
        differ in it alone share their fresh weights.
        """
        names = (self.partition, self.source, self.target, self.treatment, depth)
        return derive_seed(self.seed, *names, use)

    def random_source_seed(self) -> int:
        """The seed of the untrained network whose first layers are source "random", one for all depths."""
        return derive_seed(self.seed, self.partition, "random", "init")

    def prefix_seed(self) -> int:
        """The seed of dropout in the frozen layers, which the curve's networks share."""
        return derive_seed(self.seed, self.partition, self.source, self.target, self.treatment, "prefix")

    def order_seed(self) -> int:
        """The seed of the batch stream, the same for every network on this target."""
        return derive_seed(self.seed, self.partition, self.target, "batches")

    def frozen_layers(self, depth: int) -> int:
        """How many leading layers of the network of `depth` never change."""
        return depth if self.treatment == "frozen" else 0


@dataclass(frozen=True)
class TrainingSettings:
    """The configuration leaves that decide a training (schemas/config.schema.yaml), lengths in iterations."""

    architecture: str
    init: str
    crop: int
    input_scale: float
    mean_image: str
    batch_size: int
    iterations: int
    validate_every: int
    stuck_after: int
    learning_rate: float
    schedule: dict
    momentum: float
    weight_decay: float
    device: str
    precision: str
    compile: bool


def deciding_leaves(training: Mapping) -> dict:
    """The leaves of the configuration's section `training` that decide what a study's networks are."""
    leaves = {key: value for key, value in training.items() if key not in ELSEWHERE}
    used = SCHEDULE_LEAVES[training["schedule"]["kind"]]
    return leaves | {"schedule": {key: training["schedule"][key] for key in used}}


def training_leaves(training: Mapping, treatment: str, init: str | None = None, other_source: bool = False) -> dict:
    """Of deciding_leaves those of one training: the learning rate of its treatment, and `init` in place of
    training.init. mean_image counts only where the source is another half; elsewhere both choices are the same.
    """
    return deciding_leaves(training) | {
        "init": init or training["init"],
        "learning_rate": training["learning_rate"][treatment],
        "mean_image": training["mean_image"] if other_source else "target",
    }


def training_settings(leaves: dict, images: int) -> TrainingSettings:
    """The settings that the configuration's `leaves` mean for a task of `images` training images."""

    def length(value: int | str) -> int:
        return iterations_of(value, images, leaves["batch_size"])

    schedule = leaves["schedule"]
    lengths = {
        "iterations": length(leaves["duration"]),
        "validate_every": length(leaves["validate_every"]),
        "stuck_after": length(leaves["stuck_after"]),
        "schedule": schedule | {key: length(schedule[key]) for key in SCHEDULE_LENGTHS & set(schedule)},
    }
    return TrainingSettings(**{key: value for key, value in leaves.items() if key != "duration"} | lengths)
