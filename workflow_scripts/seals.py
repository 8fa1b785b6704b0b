"""Records that vouch for files: what a step left is what the next one reads, or it is refused by name.

A record is a JSON file beside what a step wrote. `files` has the SHA-256 of each of these, `made_from` that of each
file they were made from, and `seal` that of the record itself, so that one damaged byte, or a file of another study,
is noticed wherever it is read. Light on purpose: the Snakefile imports this at parse time.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from workflow_scripts.cli import InputError
from workflow_scripts.dataset import ILSVRC_ARCHIVES
from workflow_scripts.files import read_json, sha256_file, write_json

# The records that vouch for files of other names than their own.
RECORDS = {
    **{"classes.csv": "survey", "hierarchy.csv": "survey", "quarantine.csv": "manifest"},
    **{"learning_curves.csv": "results", "shares.csv": "filters", "comparison.csv": "findings"},
    **{f"{table}.csv": "tables" for table in ("boost", "drops", "effects")},
    **dict.fromkeys(ILSVRC_ARCHIVES, "sample"),  # drawn ones
}
FOREIGN = "another study's or old"
REMEDY = "delete it and run snakemake again"


def record_of(path: str | Path) -> Path:
    """The record that vouches for the file at `path`: of the same name, or as RECORDS says; a record's is itself."""
    path = Path(path)
    return path.with_name(f"{RECORDS.get(path.name, path.stem)}.json")


def write_record(
    path: str | Path, record: Mapping, files: Iterable[str | Path] = (), made_from: Iterable[str | Path] = ()
) -> None:
    """Write `record` (JSON-serialisable) to `path`, atomically, with the checksums of `files` (beside it), of what they
    were `made_from`, and its own. Checksums that `record` has already are kept.
    """
    sealed = {
        **record,
        "files": {Path(file).name: sha256_file(file) for file in files} | record.get("files", {}),
        "made_from": {os.path.normpath(file): sha256_file(file) for file in made_from},
    }
    write_json(path, sealed | {"seal": _seal(sealed)})


def read_record(path: str | Path) -> dict:
    """The record at `path`. Raises InputError if it is missing, damaged or has no seal."""
    record = read_json(path)
    if "seal" not in record:
        raise InputError(f"{path} has no seal: an earlier version made it, or another program; {REMEDY}")
    if record["seal"] != _seal(record):
        raise InputError(f"{path} is damaged: its content is not what was written; {REMEDY}")
    return record


def verified(path: str | Path) -> Path:
    """`path`, if the file there is as the step that made it left it, and what it was made from is as it was then (or
    gone); an argparse type for the files that steps read.

    Raises InputError if it, or the record that vouches for it, is missing, damaged or another study's.
    """
    path = Path(path)
    record_path = record_of(path)
    record = read_record(record_path)
    if path != record_path:
        if not path.is_file():
            raise InputError(f"{path} is missing; run snakemake again")
        check_file(path, record["files"].get(path.name), record_path)
    for source, sha256 in record["made_from"].items():
        if Path(source).is_file() and sha256_file(source) != sha256:
            raise InputError(f"{path} was made from another {source} than this one: either is {FOREIGN}; {REMEDY}")
    return path


def check_file(path: str | Path, sha256: str | None, record: str | Path) -> None:
    """Raise InputError unless the bytes at `path` have the `sha256` that `record` gives."""
    if sha256_file(path) != sha256:
        raise InputError(f"{path} is damaged, or another's: its checksum is not the one in {record}; {REMEDY}")


def check_made_from(path: str | Path, *sources: str | Path) -> dict:
    """The record that vouches for `path`. Raises InputError unless `path` was made from what `sources` hold now."""
    record = read_record(record_of(path))
    for source in sources:
        if sha256_file(source) not in record["made_from"].values():
            raise InputError(f"{path} was not made from this {source}, so it is {FOREIGN}; {REMEDY}")
    return record


def _seal(record: Mapping) -> str:
    content = {key: value for key, value in record.items() if key != "seal"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
