"""Step: compare every file of a study, and of its packed store, with its record.

Steps check what they read. This one also checks what no step reads again: figures, weights of curves, the report. It
lists everything that is damaged, missing or made from a different state of its source. It writes and fixes nothing.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import Verifier, read_record, remedy


def sealed_records(folders: Sequence[Path]) -> list[Path]:
    """The JSON files below `folders`, all of which are records. Raises InputError if none is there."""
    found = sorted({path for folder in folders for path in folder.rglob("*.json") if not path.name.startswith(".")})
    if not found:
        raise InputError(f"{' and '.join(map(str, folders))}: there is nothing to verify. Run snakemake first.")
    return found


def faults(path: Path, verifier: Verifier) -> Iterator[str]:
    """A line for each thing that is wrong with the record at `path`, its files, and what they were made from."""
    try:
        record = read_record(path)
    except InputError as error:
        yield str(error)
        return
    for name, sha256 in record["files"].items():
        file = path.with_name(name)
        if not file.is_file():
            yield f"{file}: the file is missing. Delete its record {path} too and run snakemake again."
        elif verifier.sha256(file) != sha256:
            yield f"{file}: its checksum is not the one in {path}. Delete both and run snakemake again."
    for source in verifier.changed_sources(record):
        yield f"{path}: its files were made from a different {source}. {remedy(path)}"


def verify(folders: Sequence[Path]) -> tuple[int, list[str]]:
    """Compare all files below `folders`: the number of compared files, and a line for each fault."""
    records = sealed_records(folders)
    verifier, found = Verifier(), []
    for path in tqdm(records, desc="verify", unit="record", disable=None):
        found += faults(path, verifier)
    return len({*verifier.known, *map(os.path.normpath, records)}), found


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folders", type=Path, nargs="+", required=True)
    args = parser.parse_args()
    compared, found = verify([folder for folder in args.folders if folder.is_dir()])
    for fault in found:
        print(fault)
    if found:
        raise InputError(f"{len(found)} faults in {compared} files, see the lines above. Do what each says.")
    print(f"All {compared} files match their records.")


if __name__ == "__main__":
    cli.run(main)
