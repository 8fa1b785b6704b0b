"""What training jobs cost: operations of each job, and how long a number of devices takes for all of them."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflow_scripts.architectures import ARCHITECTURES, layer_costs
from workflow_scripts.matrix import BaseJob, CurveJob, base_jobs, curve_jobs
from workflow_scripts.partition_names import parse_partition
from workflow_scripts.schedules import iterations_of

Job = BaseJob | CurveJob


@dataclass(frozen=True)
class Lengths:
    """Images of a task, and how often its networks see them; what the configuration tells before anything is packed."""

    classes: int
    train_images: int
    val_images: int
    iterations: int
    readings: int


def task_lengths(job: Job, settings: Mapping) -> Lengths:
    """The Lengths of a job's target. `settings` has classes, train_images and val_images of the whole dataset, and
    training.

    Halves are taken for equal, though natural / man-made ones are not quite.
    """
    half = job.half if isinstance(job, BaseJob) else job.target
    share = 1 if half == "whole" else 2
    classes, images = settings["classes"] // share, settings["train_images"] // share
    if (first := parse_partition(job.partition).images_per_class) is not None:
        images = min(images, first * classes)
    training = settings["training"]
    batch = training["batch_size"]
    iterations, every = (iterations_of(training[key], images, batch) for key in ("duration", "validate_every"))
    return Lengths(classes, images, settings["val_images"] // share, iterations, -(-iterations // every))


def job_operations(job: Job, settings: Mapping) -> float:
    """Floating-point operations of a training job.

    2 a multiplication forward; backward as many for the weights' gradients and again for the inputs', but for the first
    layer that learns, whose inputs need none. A frozen prefix is computed once for all of the job's networks, and only
    forward.
    """
    training, lengths = settings["training"], task_lengths(job, settings)
    costs = layer_costs(ARCHITECTURES[training["architecture"]](), training["crop"], lengths.classes)
    forward = [2 * cost.multiplications for cost in costs]
    frozen = isinstance(job, CurveJob) and job.treatment == "frozen"
    prefixes = [depth if frozen else 0 for depth in job.depths]
    shared = sum(forward[: max(prefixes)])
    above = sum(sum(forward[first:]) for first in prefixes)
    learning = 3 * above - sum(forward[first] for first in prefixes)
    seen = lengths.iterations * training["batch_size"]
    return float(seen * (shared + learning) + lengths.readings * lengths.val_images * (shared + above))


def operations_per_image(training: Mapping, classes: int) -> float:
    """Floating-point operations of a base network's training, per image and without validation."""
    one = {**training, "duration": 1, "validate_every": 1, "batch_size": 1}
    whole = {"classes": classes, "train_images": 1, "val_images": 0, "training": one}
    return job_operations(BaseJob("whole", 0, "whole"), whole)


def job_seconds(settings: Mapping, operations_per_second: float) -> dict[str, float]:
    """Seconds of each training job by stem; several GPUs of one job are taken to share its work evenly."""
    speed = operations_per_second * settings["training"]["gpus_per_job"]
    return {stem: job_operations(job, settings) / speed for stem, (job, _) in study_jobs(settings).items()}


def study_jobs(settings: Mapping) -> dict[str, tuple[Job, list[str]]]:
    """A study's training jobs by the stem of their record, each with the stems of those it waits for."""
    jobs: dict[str, tuple[Job, list[str]]] = {job.stem: (job, []) for job in base_jobs(settings)}
    for job in curve_jobs(settings):
        source = [] if job.source == "random" else [BaseJob(job.partition, job.seed, job.source).stem]
        jobs[job.stem] = (job, source)
    return jobs


def networks_of(jobs: Sequence[Job]) -> int:
    """How many networks jobs train."""
    return sum(len(job.depths) for job in jobs)


def wall_seconds(seconds: Mapping[str, float], waits_for: Mapping[str, Sequence[str]], devices: int) -> float:
    """How long `devices` take for jobs of so many `seconds`, each of which waits for others that come before it.

    A free device takes, of the jobs that can start, the one with the longest path of jobs behind it; with as many
    devices as jobs that is the critical path.
    """
    behind = _paths_behind(seconds, waits_for)
    left = {name: len(waits_for[name]) for name in seconds}
    ready = [(-behind[name], name) for name in seconds if not left[name]]
    heapq.heapify(ready)
    followers = _followers(waits_for)
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < devices:
            _, name = heapq.heappop(ready)
            heapq.heappush(running, (now + seconds[name], name))
        now, ended = heapq.heappop(running)
        for name in followers.get(ended, []):
            left[name] -= 1
            if not left[name]:
                heapq.heappush(ready, (-behind[name], name))
    return now


def _followers(waits_for: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    followers: dict[str, list[str]] = {}
    for name, sources in waits_for.items():
        for source in sources:
            followers.setdefault(source, []).append(name)
    return followers


def _paths_behind(seconds: Mapping[str, float], waits_for: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """The longest path of jobs from each job on, itself included."""
    longest = dict(seconds)
    for name in reversed(list(seconds)):
        for source in waits_for[name]:
            longest[source] = max(longest[source], seconds[source] + longest[name])
    return longest
