"""Step: a table of a study's tasks: their classes, and how many images the classes have."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verifier, write_record


def task_row(record: Mapping, dataset: str) -> dict:
    """The row of the task with this `record` (make_task.write_task), of the dataset of this name."""
    images = record["images"]
    row = {"partition": record["partition"], "half": record["half"], "dataset": dataset, "classes": images["classes"]}
    for split in ("train", "val"):
        per_class = images[f"{split}_per_class"]
        row[f"{split}_images"] = images[split]
        row |= {f"{split}_{name}_per_class": per_class[name] for name in ("fewest", "median", "most")}
    return row | {"majority_share": images["val_per_class"]["most"] / images["val"]}


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=Verifier().verified, nargs="+", required=True, help="the records of tasks")
    parser.add_argument("--datasets", nargs="+", required=True, help="their datasets' names, in the same order")
    parser.add_argument("--output", type=Path, required=True, help="CSV to write")
    parser.add_argument("--record", type=Path, required=True, help="JSON of what made it")
    args = parser.parse_args()
    rows = [task_row(task.record, name) for task, name in zip(args.tasks, args.datasets, strict=True)]
    table = pd.DataFrame(rows).drop_duplicates()  # images that are drawn for each seed are equally many
    write_text(args.output, table.round(4).to_csv(index=False))
    made_by = {"provenance": provenance("partition.list_tasks", {"datasets": args.datasets})}
    write_record(args.record, made_by, [args.output], args.tasks)


if __name__ == "__main__":
    cli.run(main)
