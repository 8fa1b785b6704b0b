"""Step: write each training job's estimated and actual cost (cost.csv)."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from workflow_scripts.cost.estimate import job_seconds, speed, stage_of, surveyed
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verifier, expect, opened, read_record, record_of, write_record

COST_COLUMNS = ["stage", "job", "networks", "estimated_seconds", "actual_seconds", "actual_by_estimated", "device"]


def cost_table(settings: Mapping, operations_per_second: float, folder: Path) -> pd.DataFrame:
    """A row per training job, columns COST_COLUMNS, and a last one for all. Seconds are of a job's devices together."""
    rows = []
    for job, estimate in job_seconds(settings, operations_per_second).items():
        made_by = read_record(folder / f"{job.stem}.json")["provenance"]
        seconds = [round(estimate, 1), round(made_by["seconds"], 1)]
        rows.append([stage_of(job), job.stem, len(job.depths), *seconds, None, made_by["device"]])
    sums = [sum(row[place] for row in rows) for place in (2, 3, 4)]
    rows.append(["all", "", *sums, None, "; ".join(sorted({row[-1] for row in rows}))])
    table = pd.DataFrame(rows, columns=COST_COLUMNS)
    estimated = table["estimated_seconds"]
    # A job of less than a twentieth of a second is estimated to take none.
    ratio = table["actual_seconds"] / estimated.where(estimated > 0)
    return table.assign(actual_by_estimated=ratio.round(2)).round({"estimated_seconds": 1, "actual_seconds": 1})


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    verified = Verifier().verified
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="the study's leaves as JSON")
    parser.add_argument("--calibration", type=Path, nargs="*", default=[], help="calibrate's record; else a given rate")
    parser.add_argument("--surveys", type=verified, nargs="+", required=True, help="of the datasets by name")
    parser.add_argument("--results", type=verified, required=True, help="the aggregated results' record")
    parser.add_argument("--folder", type=Path, required=True, help="the study's results directory")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    for survey in args.surveys:
        expect(opened(survey.path.with_name("manifest.json")), survey)
    settings = surveyed(args.settings, args.surveys)
    operations, _ = speed(settings, args.calibration)
    write_text(args.output, cost_table(settings, operations, args.folder).to_csv(index=False))
    record = {"provenance": provenance("cost.compare_costs", args.settings)}
    write_record(record_of(args.output), record, [args.output], [*args.calibration, *args.surveys, args.results])


if __name__ == "__main__":
    cli.run(main)
