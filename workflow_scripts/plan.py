"""Step: print what a study costs before it runs: networks, jobs, disk, memory, hours, the time on several devices."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts import cli
from workflow_scripts.architectures import ARCHITECTURES, layer_costs
from workflow_scripts.costs import (
    Job,
    job_seconds,
    networks_of,
    operations_per_image,
    study_jobs,
    task_lengths,
    wall_seconds,
)
from workflow_scripts.matrix import BaseJob
from workflow_scripts.seals import read_record
from workflow_scripts.store_layout import packed_bytes

PACKED_PER_SECOND = 355  # full-size JPEGs a second and core (make bench-data, an AMD EPYC)
StudyJobs = Mapping[str, tuple[Job, list[str]]]  # costs.study_jobs
COLUMNS = ["jobs", "networks", "done", "epochs", "hours", "hours left"]


def stage_table(jobs: StudyJobs, seconds: Mapping[str, float], done: set[str], settings: Mapping) -> pd.DataFrame:
    """A row per stage (base networks, each kind of curve) and one for all, columns COLUMNS.

    `seconds` and `done` are by stem; hours are of devices. `epochs` are those of a network, the mean over the stage's.
    """
    stages: dict[str, list[str]] = {}
    for stem, (job, _) in jobs.items():
        stages.setdefault(stage_of(job), []).append(stem)
    rows = {stage: _row(stems, jobs, seconds, done, settings) for stage, stems in stages.items()}
    rows["all"] = _row(list(jobs), jobs, seconds, done, settings)
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS)


def stage_of(job: Job) -> str:
    """The stage of the plan that a job belongs to."""
    if isinstance(job, BaseJob):
        return "base networks"
    kind = "random features" if job.source == "random" else "selffer" if job.source == job.target else "transfer"
    return f"{kind}, {job.treatment}"


def _row(stems: list[str], jobs: Mapping, seconds: Mapping, done: set[str], settings: Mapping) -> list:
    chosen = [jobs[stem][0] for stem in stems]
    lengths = [task_lengths(job, settings) for job in chosen]
    epochs = [one.iterations * settings["training"]["batch_size"] / max(1, one.train_images) for one in lengths]
    hours = [seconds[stem] / 3600 for stem in stems]
    left = [hour for stem, hour in zip(stems, hours, strict=True) if stem not in done]
    return [len(stems), networks_of(chosen), len(done & set(stems)), float(np.mean(epochs)), sum(hours), sum(left)]


def waiting_times(
    jobs: StudyJobs, seconds: Mapping[str, float], done: set[str], devices: list[int], gpus_per_job: int = 1
) -> dict[str, float]:
    """Hours until all jobs that are not done are, by the number of devices, "unlimited" for the critical path."""
    open_jobs = {stem: seconds[stem] for stem in jobs if stem not in done}
    waits = {stem: [source for source in jobs[stem][1] if source in open_jobs] for stem in open_jobs}
    counts = {str(count): max(1, count // gpus_per_job) for count in devices} | {"unlimited": max(1, len(open_jobs))}
    return {name: wall_seconds(open_jobs, waits, count) / 3600 for name, count in counts.items()}


def disk_bytes(jobs: StudyJobs, settings: Mapping) -> tuple[int, int]:
    """Bytes of the packed store, and of the weights that are kept (float32)."""
    training = settings["training"]
    costs = layer_costs(ARCHITECTURES[training["architecture"]](), training["crop"], settings["classes"])
    parameters = sum(cost.parameters for cost in costs)
    kept = [job for job, _ in jobs.values() if isinstance(job, BaseJob) or training["keep_curve_weights"]]
    images = settings["train_images"] + settings["val_images"]
    return packed_bytes(images, settings["image_size"]), 4 * parameters * networks_of(kept)


def report(settings: Mapping, operations_per_second: float, rate_from: str, folder: Path, devices: list[int]) -> str:
    """The plan as text. `folder` is the study's results directory, whose records tell what is done."""
    jobs = study_jobs(settings)
    seconds = job_seconds(settings, operations_per_second)
    done = {stem for stem in jobs if (folder / f"{stem}.json").exists()}
    training = settings["training"]
    unit = "GPUs" if training["device"] == "cuda" else f"jobs of {training['threads']} threads"
    times = waiting_times(jobs, seconds, done, devices, training["gpus_per_job"])
    store, weights = disk_bytes(jobs, settings)
    images = settings["train_images"] + settings["val_images"]
    packing = images / PACKED_PER_SECOND / 3600
    lines = [
        f"Study {settings['study']}: {networks_of([job for job, _ in jobs.values()])} networks in {len(jobs)} jobs,"
        f" {len(done)} of them done.",
        f"Speed: {rate_from}.",
        "",
        stage_table(jobs, seconds, done, settings).to_string(float_format=_number),
        "",
        f"Time for what is left of training, with so many {unit} at once (hours above are of one):",
        *(f"  {name:>9}  {_duration(hours)}" for name, hours in times.items()),
        f"Packing: {images:,} images, {_duration(packing)} of a core if they are large JPEGs.",
        f"Disk: {_size(store)} packed, {_size(weights)} of weights.",
        f"Memory of the largest job: {settings['memory_mb']:,} MB.",
    ]
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.3g}" if value < 100 else f"{value:,.0f}"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _duration(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:,.1f} days"
    return f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.1f} minutes"


def surveyed(settings: Mapping, survey: Path) -> dict:
    """`settings` with the numbers of classes and images that the survey of the dataset found, where there is one."""
    if not survey.exists():
        return dict(settings)
    found = read_record(survey)
    counts = {f"{split}_images": found["images"][split] for split in ("train", "val")}
    return {**settings, **counts, "classes": found["classes"]}


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="the study's leaves as JSON")
    parser.add_argument("--calibration", type=Path, nargs="*", default=[], help="calibrate's record; none: given rate")
    parser.add_argument("--survey", type=Path, required=True, help="survey_dataset's record, if it is there")
    parser.add_argument("--folder", type=Path, required=True, help="the study's results directory")
    args = parser.parse_args()
    settings = surveyed(args.settings, args.survey)
    operations, source = speed(settings, args.calibration)
    print(report(settings, operations, source, args.folder, settings["devices"]))


def speed(settings: Mapping, calibration: list[Path]) -> tuple[float, str]:
    """Operations a second and where they are from: the calibration's record or, without one, the rate in `settings`."""
    if calibration:
        found = read_record(calibration[0])
        rate = found["images_per_second"]
        return found["operations_per_second"], f"{rate:,.0f} images/s of a base network measured on {found['device']}"
    rate, operations = settings["images_per_second"], operations_per_image(settings["training"], settings["classes"])
    return rate * operations, f"{rate:,.0f} images/s of a base network, as given"


if __name__ == "__main__":
    cli.run(main)
