"""The settings of one training job: its configuration leaves, with lengths in iterations for its number of images."""

from collections.abc import Mapping
from dataclasses import dataclass

from workflow_scripts.study.schedules import SCHEDULE_LENGTHS, iterations_of, learning_rate_factor


def rate_label(learning_rate: float, staged_learning_rate: float | None = None) -> str:
    """A network's rate as paths and results tables have it: of a staged one that of its second stage.

    It has every digit that tells the rate from any other.
    """
    return repr(float(staged_learning_rate or learning_rate)).removesuffix(".0")


@dataclass(frozen=True)
class TrainingSettings:
    """The configuration leaves that decide a training (schemas/config.schema.yaml), lengths in iterations."""

    architecture: str
    init: str
    crop: int
    input: str
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
    optimizer: str = "sgd"
    norm_statistics: str = "source"
    frozen_dropout: bool = True
    held_out_share: float = 0.0  # of each class's training images, on which readings are taken too
    staged_learning_rate: float | None = None  # of a second stage of `iterations`, in which all units learn
    # Of input mean_image:
    input_scale: float = 1.0
    mean_image: str = "target"
    # Of input channels: `mean` and `std` of red, green and blue, for pixels between 0 and 1.
    channels: dict | None = None

    @property
    def stages(self) -> int:
        """How many times `iterations` a network trains: 2 for staged ones, else 1."""
        return 1 if self.staged_learning_rate is None else 2

    @property
    def last_iteration(self) -> int:
        """The iterations of all stages together."""
        return self.stages * self.iterations

    def rate(self, iteration: int) -> float:
        """The learning rate at `iteration` (from 0). Each stage runs through the schedule."""
        stage, within = divmod(iteration, self.iterations)
        initial = self.staged_learning_rate if stage else self.learning_rate
        return initial * learning_rate_factor(self.schedule, within, self.iterations)


def training_settings(leaves: Mapping, images: int) -> TrainingSettings:
    """The settings that a training's `leaves` (leaves.job_leaves) mean for a task of `images` training images.

    All lengths of a training that is `stretched` are so many times as many iterations. It has as many readings as a
    usual one, and rates of the same course.
    """

    def length(value: int | str) -> int:
        return leaves.get("stretched", 1) * iterations_of(value, images, leaves["batch_size"])

    schedule = leaves["schedule"]
    lengths = {
        "iterations": length(leaves["duration"]),
        "validate_every": length(leaves["validate_every"]),
        "stuck_after": length(leaves["stuck_after"]),
        "schedule": schedule | {key: length(schedule[key]) for key in set(SCHEDULE_LENGTHS) & set(schedule)},
    }
    others = {key: value for key, value in leaves.items() if key not in ("duration", "stretched")}
    return TrainingSettings(**others | lengths)
