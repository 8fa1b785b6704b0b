"""Step: compare every file of a study, and of its packed store, with the record that vouches for it.

Steps check what they read; this checks what nobody reads again too (figures, weights of curves, the report), and tells
all that is damaged, missing or made from another state of something at once. Nothing is written or mended.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from workflow_scripts import cli
from workflow_scripts.cli import InputError
from workflow_scripts.files import sha256_file
from workflow_scripts.seals import REMEDY, read_record


def sealed_records(folders: Sequence[Path]) -> list[Path]:
    """The JSON files below `folders`, all of which are records. Raises InputError where there are none."""
    found = sorted({path for folder in folders for path in folder.rglob("*.json") if not path.name.startswith(".")})
    if not found:
        raise InputError(f"{' and '.join(map(str, folders))}: there is nothing to verify; run snakemake first")
    return found


class Verifier:
    """Compares records with files; hashes no file twice."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def sha256(self, path: Path) -> str:
        """The SHA-256 of the file at `path`."""
        name = os.path.normpath(path)
        if name not in self.known:
            self.known[name] = sha256_file(path)
        return self.known[name]

    def faults(self, path: Path) -> Iterator[str]:
        """A line for each thing that is wrong with the record at `path`, what it vouches for, and what that was made
        from.
        """
        try:
            record = read_record(path)
        except InputError as error:
            yield str(error)
            return
        for name, sha256 in record["files"].items():
            file = path.with_name(name)
            if not file.is_file():
                yield f"{file} is missing; delete {path} too, which vouches for it, and run snakemake again"
            elif self.sha256(file) != sha256:
                yield f"{file} is damaged: its checksum is not the one in {path}; delete both and run snakemake again"
        for name, sha256 in record["made_from"].items():
            if Path(name).is_file() and self.sha256(Path(name)) != sha256:
                yield f"{path} vouches for what was made from another state of {name}; {REMEDY}"


def verify(folders: Sequence[Path]) -> tuple[int, list[str]]:
    """The number of files compared, and a line for each fault, of all below `folders`."""
    records = sealed_records(folders)
    verifier, faults = Verifier(), []
    for path in tqdm(records, desc="verify", unit="record", disable=None):
        faults += verifier.faults(path)
    return len({*verifier.known, *map(os.path.normpath, records)}), faults


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folders", type=Path, nargs="+", required=True)
    args = parser.parse_args()
    compared, faults = verify([folder for folder in args.folders if folder.is_dir()])
    for fault in faults:
        print(fault)
    if faults:
        raise InputError(f"{len(faults)} faults in {compared} files, see above")
    print(f"All {compared} files are as they were made.")


if __name__ == "__main__":
    cli.run(main)
