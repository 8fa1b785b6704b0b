"""Step: what each training job was estimated to cost, and what it did (cost.csv)."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from workflow_scripts import cli
from workflow_scripts.costs import job_seconds, study_jobs
from workflow_scripts.files import write_text
from workflow_scripts.plan import speed, stage_of, surveyed
from workflow_scripts.provenance import provenance
from workflow_scripts.seals import check_made_from, read_record, record_of, verified, write_record

COLUMNS = ["stage", "job", "networks", "estimated_seconds", "actual_seconds", "actual_by_estimated", "device"]


def cost_table(settings: Mapping, operations_per_second: float, folder: Path) -> pd.DataFrame:
    """A row per training job, columns COLUMNS, and a last one for all; seconds are of a job's devices together."""
    estimates = job_seconds(settings, operations_per_second)
    rows = []
    for stem, (job, _) in study_jobs(settings).items():
        made_by = read_record(folder / f"{stem}.json")["provenance"]
        seconds = [round(estimates[stem], 1), round(made_by["seconds"], 1)]
        rows.append([stage_of(job), stem, len(job.depths), *seconds, None, made_by["device"]])
    table = pd.DataFrame(rows, columns=COLUMNS)
    sums = table[["networks", "estimated_seconds", "actual_seconds"]].sum()
    devices = "; ".join(sorted(set(table["device"])))
    table.loc[len(table)] = ["all", "", *sums, None, devices]
    table["networks"] = table["networks"].astype(int)
    table["actual_by_estimated"] = (table["actual_seconds"] / table["estimated_seconds"]).round(2)
    return table


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="the study's leaves as JSON")
    parser.add_argument("--calibration", type=Path, nargs="*", default=[], help="calibrate's record; none: given rate")
    parser.add_argument("--survey", type=Path, required=True, help="survey_dataset's record, if it is there")
    parser.add_argument("--results", type=verified, required=True, help="the aggregated results' record")
    parser.add_argument("--folder", type=Path, required=True, help="the study's results directory")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    check_made_from(args.survey.with_name("manifest.json"), args.survey)
    settings = surveyed(args.settings, args.survey)
    operations, _ = speed(settings, args.calibration)
    write_text(args.output, cost_table(settings, operations, args.folder).to_csv(index=False))
    record = {"provenance": provenance("compare_costs", args.settings)}
    write_record(record_of(args.output), record, [args.output], [*args.calibration, args.survey, args.results])


if __name__ == "__main__":
    cli.run(main)
