"""Step: gather the records of all trained networks into results.csv, learning_curves.csv and tables/distances.csv.

results.csv has one row per network (columns RESULT_COLUMNS), learning_curves.csv one per validation reading, and
distances.csv one per network and unit whose way in training is known.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verified, expect, opened, remedy, write_record
from workflow_scripts.study.columns import DISTANCE_COLUMNS, KEY_COLUMNS, READING_COLUMNS, RESULT_COLUMNS
from workflow_scripts.study.datasets import dataset_of, pair_label
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.leaves import job_leaves
from workflow_scripts.study.matrix import study_jobs


def load_records(study: Mapping, folder: Path) -> dict[TrainingJob, Verified]:
    """The record of every training job of `study` (its matrix leaves) below `folder`.

    Raises InputError naming a record that is missing or damaged.
    """
    records = {}
    for job in study_jobs(study):
        path = folder / f"{job.stem}.json"
        if not path.is_file():
            raise InputError(f"{path}: the file is missing. Run snakemake again.")
        records[job] = opened(path)
    return records


def check_networks(records: Mapping[TrainingJob, Verified], study: Mapping, training: Mapping) -> None:
    """Raise InputError naming the first of `records` (of all training jobs) that does not belong to the `study`.

    Such a record is of other networks than its job's. Or they were trained with settings other than `training`
    (leaves.training_leaves), or on other data than the rest.
    """
    stores: dict[str, set[str]] = {}
    for job, file in records.items():
        seen = {sha for name, sha in file.record["made_from"].items() if _is_manifest(name)}
        stores.setdefault(dataset_of(study, job.partition, job.target), set()).update(seen)
    mixed = any(len(one) > 1 for one in stores.values())
    for job, file in records.items():
        expect(file, networks=job.networks, leaves=job_leaves(training, job))
        base = records[TrainingJob.base(job.partition, job.seed, job.target)].record
        wanted = set(base["made_from"].values())
        if job.source_job:
            wanted |= set(records[job.source_job].record["files"].values())
        if not wanted <= set(file.record["made_from"].values()) or mixed:
            raise InputError(
                f"{file}: trained on different images, or from a different base network, than the rest. {remedy(file)}"
            )


def _is_manifest(path: str) -> bool:
    return Path(path).name == "manifest.json"


def result_table(records: list[dict], study: Mapping) -> pd.DataFrame:
    """One row per network of the `study`, columns RESULT_COLUMNS, sorted."""
    rows = [
        network
        | {"pair": pair_label(study, network["partition"], network["target"])}
        | {"job_seconds": record["provenance"]["seconds"]}
        | {"images_per_second": record["provenance"]["images_per_second"]}
        for record in records
        for network in record["networks"]
    ]
    return pd.DataFrame(rows, columns=RESULT_COLUMNS).sort_values(KEY_COLUMNS, ignore_index=True)


def reading_table(records: list[dict]) -> pd.DataFrame:
    """One row per validation reading of each network, sorted."""
    return _long_table(records, "readings", READING_COLUMNS, "iteration")


def distance_table(records: list[dict]) -> pd.DataFrame:
    """How far units have moved (training.distance.unit_distances), one row per network and unit, sorted.

    A study that an earlier version trained has no rows.
    """
    return _long_table(records, "distances", DISTANCE_COLUMNS, "unit_number")


def _long_table(records: list[dict], of_network: str, columns: list[str], order: str) -> pd.DataFrame:
    """The items of each network's list `of_network`, with the network's names, sorted by these and by `order`."""
    rows = [
        {name: network.get(name) for name in KEY_COLUMNS} | item
        for record in records
        for network in record["networks"]
        for item in network.get(of_network, ())
    ]
    return pd.DataFrame(rows, columns=columns).sort_values([*KEY_COLUMNS, order], ignore_index=True)


def training_summary(records: list[dict]) -> dict:
    """What trained the networks: the number of jobs, the seconds in all, and the distinct devices, code and versions.

    `hours` are each job's seconds times its CPU threads, and those of the jobs on GPUs times their GPUs.
    """
    made_by = [record["provenance"] for record in records]
    return {
        "jobs": len(records),
        "seconds": round(sum(record["seconds"] for record in made_by), 1),
        "hours": {
            "cpu": round(sum(record["seconds"] * record["threads"] for record in made_by) / 3600, 4),
            "gpu": round(sum(one["seconds"] * one["workers"] for one in made_by if one["device"] != "cpu") / 3600, 4),
        },
        "devices": sorted({record["device"] for record in made_by}),
        "code": sorted({record["code"] for record in made_by}),
        "versions": sorted({f"{name} {version}" for record in made_by for name, version in record["versions"].items()}),
    }


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=cli.json_argument, required=True, help="the study's matrix leaves as JSON")
    parser.add_argument("--training", type=cli.json_argument, required=True, help="the training leaves as JSON")
    parser.add_argument("--folder", type=Path, required=True, help="the study's results directory")
    args = parser.parse_args()
    by_job = load_records(args.study, args.folder)
    check_networks(by_job, args.study, args.training)
    records = [file.record for file in by_job.values()]
    tables = {"learning_curves.csv": reading_table(records), "results.csv": result_table(records, args.study)}
    for name, table in tables.items():
        write_text(args.folder / name, table.to_csv(index=False))
    summary = {"training": training_summary(records), "provenance": provenance("results.aggregate", args.study)}
    write_record(args.folder / "results.json", summary, [args.folder / name for name in tables], by_job.values())
    distances, made_by = args.folder / "tables" / "distances.csv", {"provenance": summary["provenance"]}
    write_text(distances, distance_table(records).to_csv(index=False))
    write_record(distances.with_suffix(".json"), made_by, [distances], by_job.values())


if __name__ == "__main__":
    cli.run(main)
