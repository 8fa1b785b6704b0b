"""Estimates of what a study's training jobs cost, from the operations of each and a speed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from workflow_scripts.cost.operations import job_operations, line_operations, operations_per_image, task_lengths
from workflow_scripts.network.catalogue import study_costs
from workflow_scripts.plumbing.records import read_record
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.lines import SeedLine, seed_lines
from workflow_scripts.study.matrix import probe_jobs, study_jobs


def job_seconds(settings: Mapping, operations_per_second: float) -> dict[TrainingJob, float]:
    """Seconds of each training job of a study, sources first.

    Several GPUs of one job are taken to share its work evenly. `settings` are leaves.cost_leaves with the numbers of
    classes and images.
    """
    speed = operations_per_second * settings["running"]["gpus_per_job"]
    jobs = study_jobs(settings)
    operations = {job: job_operations(job, settings) for job in {replace(job, seed=0) for job in jobs}}
    return {job: operations[replace(job, seed=0)] / speed for job in jobs}


def features_seconds(settings: Mapping, operations_per_second: float) -> dict[str, float]:
    """Seconds of computing the features of each source of probes, by the stem of their file: one pass over a task."""
    seconds = {}
    for job in probe_jobs(settings):
        lengths = task_lengths(job.of_features, settings)
        forward = 2 * sum(cost.multiplications for cost in study_costs(settings, lengths.classes)[:-1])
        images = lengths.train_images + lengths.held_out_images + lengths.val_images
        seconds[job.features] = forward * images / operations_per_second
    return seconds


def line_seconds(settings: Mapping, operations_per_second: float) -> dict[SeedLine, float]:
    """Seconds of measuring the lines between networks of two seeds, those of each base job or whole curve together."""
    seconds = {}
    for line in seed_lines(settings):
        lengths = task_lengths(line.first, settings)
        images = lengths.train_images + lengths.held_out_images, lengths.val_images
        costs, steps = study_costs(settings, lengths.classes), settings["figures"]["interpolation_steps"]
        operations = line_operations(costs, len(line.first.depths), steps, *images)
        seconds[line] = operations / operations_per_second
    return seconds


def networks_of(jobs: Sequence[TrainingJob]) -> int:
    """How many networks `jobs` train."""
    return sum(len(job.depths) for job in jobs)


def stage_of(job: TrainingJob) -> str:
    """The stage of the plan that a job belongs to."""
    return {"base": "base networks", "random": f"random features, {job.treatment}"}.get(
        job.kind, f"{job.kind}, {job.treatment}"
    )


def surveyed(settings: Mapping, surveys: Sequence[Path]) -> dict:
    """`settings` with the numbers of classes and images that the `surveys` of its datasets found, where there is one.

    There is one path for each dataset, in the order of their names.
    """
    counts = dict(settings["counts"])
    for name, survey in zip(sorted(counts), surveys, strict=True):
        if Path(survey).exists():
            found = read_record(survey)
            images = {f"{split}_images": found["images"][split] for split in ("train", "val")}
            counts[name] = images | {"classes": found["classes"]}
    return {**settings, "counts": counts}


def total(settings: Mapping, count: str) -> int:
    """The sum of a `count` (classes, train_images or val_images) over a study's datasets."""
    return sum(one[count] for one in settings["counts"].values())


def speed(settings: Mapping, calibration: list[Path]) -> tuple[float, str]:
    """Operations a second and where they are from: the calibration's record or, without one, the rate in `settings`."""
    if calibration:
        found = read_record(calibration[0])
        rate = found["images_per_second"]
        return found["operations_per_second"], f"{rate:,.0f} images/s of a base network measured on {found['device']}"
    rate = settings["images_per_second"]
    operations = operations_per_image(settings["training"], total(settings, "classes"))
    return rate * operations, f"{rate:,.0f} images/s of a base network, as given"
