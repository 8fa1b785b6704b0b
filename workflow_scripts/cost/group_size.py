"""Which number of depths a job ends a study first on a number of devices.

Light on purpose: the Snakefile calls this at parse time.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from workflow_scripts.cost.estimate import job_seconds
from workflow_scripts.cost.schedule import wall_seconds
from workflow_scripts.study.groups import made_groups, with_groups
from workflow_scripts.study.jobs import TrainingJob


def sizes(settings: Mapping) -> range:
    """The numbers of depths a job that make a difference: up to the most depths that a curve may have."""
    depths = {depth for entry in settings["matrix"] for depth in entry.get("depths", settings["depths"])}
    return range(1, len(depths | set(settings["depths"])) + 1)


def open_seconds(seconds: Mapping[TrainingJob, float], done: Collection[TrainingJob], places: int) -> float:
    """Seconds until all of the jobs but those `done` have ended, with `places` for jobs at once."""
    left = {job: seconds[job] for job in seconds if job not in done}
    waits = {job: [job.source_job] if job.source_job in left else [] for job in left}
    return wall_seconds(left, waits, max(1, places))


def walls_by_size(settings: Mapping, speed: float, devices: Collection[int], results: Path | None) -> dict:
    """Seconds of what is left of a study by the number of devices and, within, of depths a job.

    `settings` are as of estimate.job_seconds, `speed` is a device's operations a second. Jobs whose records are in
    `results` are done and stay as they are.
    """
    made = made_groups(results) if results else {}
    walls: dict[int, dict[int, float]] = {count: {} for count in devices}
    for size in sizes(settings):
        seconds = job_seconds(with_groups(settings, size, made), speed)
        done = {job for job in seconds if results and (results / f"{job.stem}.json").exists()}
        for count in devices:
            walls[count][size] = open_seconds(seconds, done, count // settings["running"]["gpus_per_job"])
    return walls


def first_to_end(walls: Mapping[int, float]) -> int:
    """The size with the least seconds; of equal ones the largest, which shares most work."""
    return min(walls, key=lambda size: (walls[size], -size))


def best_size(settings: Mapping, devices: int) -> int:
    """The number of depths a job with which a study of nothing done ends first on `devices`."""
    return first_to_end(walls_by_size(settings, 1.0, [devices], None)[devices])
