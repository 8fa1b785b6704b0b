"""Step: let torchvision download a dataset into its root, unless it is there.

The record says what was asked for. torchvision compares what it downloads with checksums of its own, where it has any.
"""

import argparse
from pathlib import Path

from workflow_scripts.dataset.torchvision_reader import Library
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import write_record


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=cli.json_argument, required=True, help="the dataset's leaves as JSON")
    parser.add_argument("--path", type=Path, required=True, help="torchvision's root")
    parser.add_argument("--record", type=Path, required=True)
    args = parser.parse_args()
    args.path.mkdir(parents=True, exist_ok=True)
    library = Library(args.dataset["name"], args.dataset.get("options") or {}, args.path)
    for split in library.splits:
        library.reader(split, download=True)
    write_record(args.record, {"provenance": provenance("dataset.download_dataset", {"dataset": args.dataset})})


if __name__ == "__main__":
    cli.run(main)
