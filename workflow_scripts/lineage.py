"""What files were made from: a task, network or table of another study, or of an earlier state, is refused by name."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from workflow_scripts.cli import InputError
from workflow_scripts.files import sha256_file
from workflow_scripts.matrix import BaseJob, CurveJob, parse_variant
from workflow_scripts.seals import REMEDY, check_made_from, read_record, record_of
from workflow_scripts.settings import training_leaves

OWN = {"learning_rate", "mean_image", "init"}  # leaves in which a curve may differ from its source's base network


def check_task(task: Path, manifest: Path, partition: str, half: str) -> None:
    """Raise InputError unless `task` is that half of that partition, of the store that `manifest` describes."""
    record = check_made_from(task, manifest)
    if (record["partition"], record["half"]) != (partition, half):
        raise InputError(
            f"{task} is half {record['half']} of {record['partition']}, not {half} of {partition}; {REMEDY}"
        )


def check_base(weights: Path, task: Path, partition: str, seed: int, half: str, leaves: Mapping) -> None:
    """Raise InputError unless `weights` are the base network of that half, trained on `task` as `leaves` say; of these
    only the ones that decide what a network is need be given.
    """
    record = check_made_from(weights, task)
    (network,) = record["networks"]
    named = {"partition": partition, "source": half, "target": half, "treatment": "base", "seed": seed}
    shared = {key: value for key, value in leaves.items() if key not in OWN}
    if not named.items() <= network.items() or not shared.items() <= record["leaves"].items():
        raise InputError(f"{weights} is no base network of this study: its names or settings are others; {REMEDY}")


def check_networks(records: Mapping[BaseJob | CurveJob, dict], training: Mapping, folder: Path) -> None:
    """Raise InputError naming the first of `records` (of training jobs, below `folder`) that is not of its job's
    networks, was trained with other settings than `training` (settings.deciding_leaves), or on other data.
    """
    bases = {(job.partition, job.seed, job.half): record for job, record in records.items() if isinstance(job, BaseJob)}
    stores = {sha for record in records.values() for name, sha in record["made_from"].items() if _is_manifest(name)}
    for job, record in records.items():
        path = folder / f"{job.stem}.json"
        source, target, leaves = _expected(job, training)
        if (found := tuple(network["depth"] for network in record["networks"])) != job.depths:
            raise InputError(f"{path} has depths {found} in place of {job.depths}; {REMEDY}")
        named = {"partition": job.partition, "seed": job.seed, "source": source, "target": target}
        if any(not named.items() <= network.items() for network in record["networks"]):
            raise InputError(f"{path} has other networks than its name says; {REMEDY}")
        if different := [key for key, value in leaves.items() if record["leaves"].get(key) != value]:
            raise InputError(f"{path} was trained with another training.{different[0]} than the study's; {REMEDY}")
        made_from, base = set(record["made_from"].values()), bases[job.partition, job.seed, target]
        wanted = set(base["made_from"].values())
        if source not in {target, "random"} or (isinstance(job, CurveJob) and source == target):
            wanted |= set(bases[job.partition, job.seed, source]["files"].values())
        if not wanted <= made_from or len(stores) > 1:
            raise InputError(
                f"{path} was trained on other images, or from another base network, than the rest; {REMEDY}"
            )


def check_agreement(files: Iterable[str | Path]) -> None:
    """Raise InputError if two of `files` (sealed) were made from different states of one file, or one of them from
    another state of another: some are old then, or of another study.
    """
    known: dict[str, tuple[str, Path]] = {}
    for file in map(Path, files):
        sources = read_record(record_of(file))["made_from"]
        for path, sha in {**sources, os.path.normpath(file): sha256_file(file)}.items():
            other_sha, other = known.setdefault(path, (sha, file))
            if sha != other_sha:
                raise InputError(
                    f"{file} and {other} were made from different states of {path}; delete the older and "
                    "run snakemake again"
                )


def _expected(job: BaseJob | CurveJob, training: Mapping) -> tuple[str, str, dict]:
    """A job's source, target and leaves."""
    if isinstance(job, BaseJob):
        return job.half, job.half, training_leaves(training, "base")
    _, init = parse_variant(job.variant)
    other_source = job.source not in {job.target, "random"}
    return job.source, job.target, training_leaves(training, job.treatment, init, other_source)


def _is_manifest(path: str) -> bool:
    return Path(path).name == "manifest.json"
