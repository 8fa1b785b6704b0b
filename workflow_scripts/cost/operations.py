"""Floating-point operations of training jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from workflow_scripts.network.catalogue import UnitCost, study_costs
from workflow_scripts.study.datasets import dataset_of, is_whole
from workflow_scripts.study.jobs import STAGED, TrainingJob
from workflow_scripts.study.leaves import tries_rates
from workflow_scripts.study.lines import STATISTICS_IMAGES
from workflow_scripts.study.partition_names import parse_partition
from workflow_scripts.study.schedules import iterations_of


@dataclass(frozen=True)
class Lengths:
    """The numbers of a task and its training, as far as the configuration gives them before anything is packed."""

    classes: int
    train_images: int  # without those held out
    held_out_images: int
    val_images: int
    iterations: int
    readings: int


def task_lengths(job: TrainingJob, settings: Mapping) -> Lengths:
    """The Lengths of a job's target.

    `settings` are leaves.cost_leaves with `counts`: the numbers of classes, train_images and val_images of each whole
    dataset. Halves are taken for equal, though natural / man-made ones are not quite.
    """
    counts = settings["counts"][dataset_of(settings, job.partition, job.target)]
    share = 1 if is_whole(settings, job.partition, job.target) else 2
    classes, images = counts["classes"] // share, counts["train_images"] // share
    if (first := parse_partition(job.partition).images_per_class) is not None:
        images = min(images, first * classes)
    training = settings["training"]
    batch = training["batch_size"]
    held_out = _held_out(training, classes, images)
    images -= held_out
    iterations, every = (iterations_of(training[key], images, batch) for key in ("duration", "validate_every"))
    readings = -(-iterations // every)  # of a stage, or of a training that is stretched
    return Lengths(classes, images, held_out, counts["val_images"] // share, job.durations * iterations, readings)


def _held_out(training: Mapping, classes: int, images: int) -> int:
    """How many training images a task holds out (partition.task.Task.without), of classes of the same size."""
    if not tries_rates(training):
        return 0
    of_class = max(1, round(training["held_out_share"] * images / classes))
    return min(classes * of_class, max(0, images - classes))


def job_operations(job: TrainingJob, settings: Mapping) -> float:
    """Floating-point operations of a training job.

    A multiplication counts 2 forward. Backward it counts 2 for the weights' gradients and 2 for the inputs'. The first
    layer that learns needs no gradients of its inputs. A frozen prefix is computed once for all of the job's networks,
    and only forward. A staged curve costs what a frozen and a fine-tuned one do.
    """
    if job.treatment == STAGED:
        return sum(job_operations(replace(job, treatment=stage), settings) for stage in ("frozen", "finetuned"))
    training, lengths = settings["training"], task_lengths(job, settings)
    costs = study_costs(settings, lengths.classes)
    forward = [2 * cost.multiplications for cost in costs]
    prefixes = [job.frozen_units(depth) for depth in job.depths]
    shared = sum(forward[: max(prefixes)])
    above = sum(sum(forward[first:]) for first in prefixes)
    learning = 3 * above - sum(forward[first] for first in prefixes)
    seen = lengths.iterations * training["batch_size"]
    read = lengths.readings * (lengths.val_images + lengths.held_out_images)
    return float(seen * (shared + learning) + read * (shared + above))


def line_operations(costs: Sequence[UnitCost], networks: int, steps: int, train_images: int, val_images: int) -> int:
    """Floating-point operations of measuring the lines of `steps` from each of so many networks of these units.

    Each point of a line, of which a network has one more than units, takes all validation images and STATISTICS_IMAGES.
    """
    points = networks * (steps * (len(costs) + 1) + 1)
    images = points * (val_images + min(STATISTICS_IMAGES, train_images))
    return 2 * images * sum(cost.multiplications for cost in costs)


def operations_per_image(training: Mapping, classes: int) -> float:
    """Floating-point operations of a base network's training, per image and without readings.

    `training` may be the configuration's section, or what the settings of one training hold.
    """
    one = {**training, "duration": 1, "validate_every": 1, "batch_size": 1, "learning_rate": {}}  # none to choose
    counts = {"": {"classes": classes, "train_images": 1, "val_images": 0}}
    whole = {"counts": counts, "dataset": {"name": ""}, "matrix": [], "training": one}
    return job_operations(TrainingJob.base("whole", 0, "whole"), whole)
