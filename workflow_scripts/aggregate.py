"""Step: gather the records of all trained networks into results.csv and learning_curves.csv.

results.csv has one row per network (columns RESULT_COLUMNS); learning_curves.csv one per validation reading.
"""

import argparse
from pathlib import Path

import pandas as pd

from workflow_scripts import cli
from workflow_scripts.cli import InputError
from workflow_scripts.files import write_text
from workflow_scripts.lineage import check_networks
from workflow_scripts.matrix import BaseJob, CurveJob, base_jobs, curve_jobs
from workflow_scripts.provenance import provenance
from workflow_scripts.results_table import KEY_COLUMNS, RESULT_COLUMNS
from workflow_scripts.seals import read_record, write_record


def load_records(study: dict, folder: Path) -> dict[BaseJob | CurveJob, dict]:
    """The record of every training job of `study` (its matrix leaves) below `folder`.

    Raises InputError naming a record that is missing or damaged.
    """
    records = {}
    for job in [*base_jobs(study), *curve_jobs(study)]:
        path = folder / f"{job.stem}.json"
        if not path.is_file():
            raise InputError(f"{path} is missing; run snakemake again")
        records[job] = read_record(path)
    return records


def result_table(records: list[dict]) -> pd.DataFrame:
    """One row per network, columns RESULT_COLUMNS, sorted."""
    rows = [
        network
        | {"job_seconds": record["provenance"]["seconds"]}
        | {"images_per_second": record["provenance"]["images_per_second"]}
        for record in records
        for network in record["networks"]
    ]
    return pd.DataFrame(rows, columns=RESULT_COLUMNS).sort_values(KEY_COLUMNS, ignore_index=True)


def reading_table(records: list[dict]) -> pd.DataFrame:
    """One row per validation reading of each network, sorted."""
    readings = [
        {name: network[name] for name in KEY_COLUMNS} | reading
        for record in records
        for network in record["networks"]
        for reading in network["readings"]
    ]
    return pd.DataFrame(readings).sort_values([*KEY_COLUMNS, "iteration"], ignore_index=True)


def training_summary(records: list[dict]) -> dict:
    """What trained the networks: the distinct devices, code fingerprints and versions, and the seconds in all.

    `hours` are those of CPU threads and of GPUs, each job's seconds times what it was given.
    """
    made_by = [record["provenance"] for record in records]
    return {
        "jobs": len(records),
        "seconds": round(sum(record["seconds"] for record in made_by), 1),
        "hours": {
            "cpu": round(sum(record["seconds"] * record["threads"] for record in made_by) / 3600, 4),
            "gpu": round(sum(record["seconds"] for record in made_by if record["device"] != "cpu") / 3600, 4),
        },
        "devices": sorted({record["device"] for record in made_by}),
        "code": sorted({record["code"] for record in made_by}),
        "versions": sorted({f"{name} {version}" for record in made_by for name, version in record["versions"].items()}),
    }


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=cli.json_argument, required=True, help="the study's matrix leaves as JSON")
    parser.add_argument("--training", type=cli.json_argument, required=True, help="settings.deciding_leaves as JSON")
    parser.add_argument("--folder", type=Path, required=True, help="the study's results directory")
    args = parser.parse_args()
    by_job = load_records(args.study, args.folder)
    check_networks(by_job, args.training, args.folder)
    records = list(by_job.values())
    tables = {"learning_curves.csv": reading_table(records), "results.csv": result_table(records)}
    for name, table in tables.items():
        write_text(args.folder / name, table.to_csv(index=False))
    summary = {"training": training_summary(records), "provenance": provenance("aggregate", args.study)}
    made_from = [args.folder / f"{job.stem}.json" for job in by_job]
    write_record(args.folder / "results.json", summary, [args.folder / name for name in tables], made_from)


if __name__ == "__main__":
    cli.run(main)
