"""Step: print what a study costs before it runs: networks, jobs, disk, memory, hours, the time on several devices."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts.cost.estimate import (
    features_seconds,
    job_seconds,
    line_seconds,
    networks_of,
    speed,
    stage_of,
    surveyed,
    total,
)
from workflow_scripts.cost.group_size import first_to_end, open_seconds, walls_by_size
from workflow_scripts.cost.operations import task_lengths
from workflow_scripts.dataset.store_size import packed_bytes
from workflow_scripts.network.catalogue import study_costs
from workflow_scripts.plumbing import cli
from workflow_scripts.study.jobs import BASE, TrainingJob
from workflow_scripts.study.matrix import probe_jobs

PACKED_PER_SECOND = 355  # full-size JPEGs a second and core (make bench-data, an AMD EPYC)
Seconds = Mapping[TrainingJob, float]
STAGE_COLUMNS = ["jobs", "networks", "done", "epochs", "hours", "hours left"]


def stage_table(seconds: Seconds, done: set[TrainingJob], settings: Mapping) -> pd.DataFrame:
    """A row per stage (base networks, each kind of curve) and one for all, columns STAGE_COLUMNS.

    `seconds` are from estimate.job_seconds. Hours are of devices. `epochs` are a network's, the mean over the stage.
    """
    stages: dict[str, list[TrainingJob]] = {}
    for job in seconds:
        stages.setdefault(stage_of(job), []).append(job)
    rows = {stage: _row(jobs, seconds, done, settings) for stage, jobs in (stages | {"all": list(seconds)}).items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=STAGE_COLUMNS)


def _row(jobs: list[TrainingJob], seconds: Seconds, done: set[TrainingJob], settings: Mapping) -> list:
    lengths = [task_lengths(job, settings) for job in jobs]
    epochs = [one.iterations * settings["training"]["batch_size"] / max(1, one.train_images) for one in lengths]
    hours = {job: seconds[job] / 3600 for job in jobs}
    left = [hours[job] for job in jobs if job not in done]
    counts = [len(jobs), networks_of(jobs), len(done & set(jobs))]
    return [*counts, float(np.mean(epochs)), sum(hours.values()), sum(left)]


def waiting_times(
    seconds: Seconds, done: set[TrainingJob], devices: list[int], gpus_per_job: int = 1
) -> dict[str, float]:
    """Hours until all unfinished jobs are done, by the number of devices. "unlimited" is the critical path."""
    counts = {str(count): count // gpus_per_job for count in devices} | {"unlimited": len(seconds)}
    return {name: open_seconds(seconds, done, count) / 3600 for name, count in counts.items()}


def size_lines(walls: Mapping[int, Mapping[int, float]], configured: int) -> list[str]:
    """For each number of devices, a line that says which depths_per_job ends first (group_size.walls_by_size).

    None where nothing is left, or where every number takes as long.
    """
    lines = []
    for count, by_size in walls.items():
        best, own = first_to_end(by_size), min(configured, max(by_size))
        if len(set(by_size.values())) > 1:
            said = f"{count} device{'s' * (count > 1)}: depths_per_job {best}"
            said += " (as configured)" if best == own else ""
            said += f" ends first, after {_duration(by_size[best] / 3600)}"
            said += "" if best == own else f"; {configured} (as configured) takes {_duration(by_size[own] / 3600)}"
            lines.append(said)
    return lines


def disk_bytes(jobs: Sequence[TrainingJob], settings: Mapping) -> tuple[int, int]:
    """Bytes of the packed stores, and of the weights that are kept (float32)."""
    parameters = sum(cost.parameters for cost in study_costs(settings, total(settings, "classes")))
    kept = [job for job in jobs if job.kind == BASE or settings["running"]["keep_curve_weights"]]
    images = total(settings, "train_images") + total(settings, "val_images")
    return packed_bytes(images, settings["image_size"]), 4 * parameters * networks_of(kept)


def report(settings: Mapping, operations_per_second: float, rate_from: str, folder: Path, devices: list[int]) -> str:
    """The plan as text. `folder` is the study's results directory, whose records say which jobs are done."""
    seconds = job_seconds(settings, operations_per_second)
    done = {job for job in seconds if (folder / f"{job.stem}.json").exists()}
    store, weights = disk_bytes(list(seconds), settings)
    images = total(settings, "train_images") + total(settings, "val_images")
    packing = images / PACKED_PER_SECOND / 3600
    lines = [
        f"Study {settings['study']}: {networks_of(list(seconds))} networks in {len(seconds)} jobs,"
        f" {len(done)} of them done.",
        f"Speed: {rate_from}.",
        *(_training_lines(seconds, done, settings, operations_per_second, folder, devices) if seconds else []),
        *probe_lines(settings, operations_per_second, folder),
        *seed_line_lines(settings, operations_per_second, folder),
        f"Packing: {images:,} images, {_duration(packing)} of a core if they are large JPEGs.",
        f"Disk: {_size(store)} packed, {_size(weights)} of weights.",
        *([f"Memory of the largest job: {settings['memory_mb']:,} MB."] if seconds else []),
    ]
    return "\n".join(lines)


def _training_lines(
    seconds: Seconds, done: set[TrainingJob], settings: Mapping, rate: float, folder: Path, devices: list[int]
) -> list[str]:
    running = settings["running"]
    unit = "GPUs" if settings["training"]["device"] == "cuda" else f"jobs of {running['threads']} threads"
    times = waiting_times(seconds, done, devices, running["gpus_per_job"])
    walls = walls_by_size(settings, rate, sorted({*devices, running["devices"] or devices[0]}), folder)
    return [
        "",
        stage_table(seconds, done, settings).to_string(float_format=_number),
        "",
        f"Time for what is left of training, with so many {unit} at once (hours above are of one):",
        *(f"  {name:>9}  {_duration(hours)}" for name, hours in times.items()),
        *_titled("Depths of a curve trained in one job:", size_lines(walls, running["depths_per_job"])),
    ]


def probe_lines(settings: Mapping, operations_per_second: float, folder: Path) -> list[str]:
    """A line that says what the features of probes take, if there are probes. `folder` is as in report."""
    jobs, seconds = probe_jobs(settings), features_seconds(settings, operations_per_second)
    if not jobs:
        return []
    done = sum((folder / f"{job.stem}.json").exists() for job in jobs)
    return [
        f"Probes: {sum(len(job.depths) for job in jobs)} in {len(jobs)} jobs, {done} of them done. The features of"
        f" {len(seconds)} sources take {_taken(seconds, folder)}"
    ]


def seed_line_lines(settings: Mapping, operations_per_second: float, folder: Path) -> list[str]:
    """A line that says what the lines between networks of two seeds take, if there are any. `folder` as in report."""
    seconds = {line.stem: one for line, one in line_seconds(settings, operations_per_second).items()}
    done = sum((folder / f"{stem}.json").exists() for stem in seconds)
    said = f"Lines between networks of two seeds: {len(seconds)} jobs, {done} of them done, that take"
    return [f"{said} {_taken(seconds, folder)}"] if seconds else []


def _taken(seconds: Mapping[str, float], folder: Path) -> str:
    """How long jobs take and what is left of it. `seconds` are by the stems of their records below `folder`."""
    left = sum(one for stem, one in seconds.items() if not (folder / f"{stem}.json").exists())
    return f"{_duration(sum(seconds.values()) / 3600)} of a device, {_duration(left / 3600)} of it left."


def _titled(title: str, lines: list[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []


def _number(value: float) -> str:
    return f"{value:,.3g}" if value < 100 else f"{value:,.0f}"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _duration(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:,.1f} days"
    return f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.1f} minutes"


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="the study's leaves as JSON")
    parser.add_argument("--calibration", type=Path, nargs="*", default=[], help="calibrate's record; else a given rate")
    parser.add_argument(
        "--surveys", type=Path, nargs="*", default=[], help="of the datasets by name, if they are there"
    )
    parser.add_argument("--folder", type=Path, required=True, help="the study's results directory")
    args = parser.parse_args()
    settings = surveyed(args.settings, args.surveys)
    operations, source = speed(settings, args.calibration)
    print(report(settings, operations, source, args.folder, settings["devices"]))


if __name__ == "__main__":
    cli.run(main)
