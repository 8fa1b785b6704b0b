"""Records: a step reads a file only if it is what an earlier step wrote, and otherwise names it in an error.

A record is a JSON file beside what a step wrote. It has the SHA-256 of each written file (`files`), of each file that
they were made from (`made_from`), and of itself (`seal`). Every reader thus notices a damaged byte or a file of a
different study. Light on purpose: the Snakefile imports this at parse time.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import read_json, sha256_file, write_json

FORMAT_VERSION = 1  # of records and of where they lie; counts in every code fingerprint

# The names of records that differ from their files' names.
RECORDS = {
    **{"classes.csv": "survey", "hierarchy.csv": "survey", "split.csv": "survey", "quarantine.csv": "manifest"},
    **{"learning_curves.csv": "results", "shares.csv": "filters", "comparison.csv": "findings"},
    **{
        f"{table}.csv": "tables" for table in ("boost", "drops", "effects", "norm_statistics", "rates", "target_images")
    },
}


def remedy(path: object) -> str:
    """What to do about an intermediate file at `path` that cannot be used."""
    return f"Delete {path} and run snakemake again."


def record_of(path: str | Path) -> Path:
    """The path of the record of the file at `path`: its own name, or the one in RECORDS, with .json."""
    path = Path(path)
    return path.with_name(f"{RECORDS.get(path.name, path.stem)}.json")


@dataclass(frozen=True)
class Verified(os.PathLike):
    """A file that matches its record: its path, SHA-256 and record. It opens as its path does."""

    path: Path
    sha256: str
    record: Mapping = field(repr=False)

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)


class Verifier:
    """Compares files with their records, and hashes each file once."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def sha256(self, path: Path) -> str:
        """The SHA-256 of the file at `path` when it was first asked for."""
        name = os.path.normpath(path)
        if name not in self.known:
            self.known[name] = sha256_file(path)
        return self.known[name]

    def verified(self, path: str | Path, record: Path | None = None) -> Verified:
        """The file at `path`, if it matches its record and what it was made from is unchanged (or gone).

        An argparse type. `record` is the record's path, by default record_of(path). Raises InputError if the file or
        its record is missing, damaged or from a different study.
        """
        path, record_path = Path(path), record or record_of(path)
        content = read_record(record_path)
        if path != record_path:
            if not path.is_file():
                raise InputError(f"{path}: the file is missing. Run snakemake again.")
            check_sha256(path, self.sha256(path), content["files"].get(path.name), record_path)
        for source in self.changed_sources(content):
            raise _made_from_different(path, source)
        return Verified(path, self.sha256(path), content)

    def changed_sources(self, record: Mapping) -> Iterator[str]:
        """The files in the `made_from` of `record` whose content has changed since."""
        for source, sha256 in record["made_from"].items():
            if Path(source).is_file() and self.sha256(Path(source)) != sha256:
                yield source


def verified(path: str | Path) -> Verified:
    """Verifier.verified of a new Verifier, for a step with unrelated input files. An argparse type."""
    return Verifier().verified(path)


def opened(path: str | Path) -> Verified:
    """The record at `path`; its files and their sources are not checked. Raises InputError as read_record does."""
    return Verified(Path(path), sha256_file(path), read_record(path))


def expect(file: Verified, *made_from: Verified, **fields: object) -> Mapping:
    """The record of `file`, if the file was made from the files `made_from` and the record has these `fields`.

    Only the given keys of a mapping are compared, but every item of a list. Raises InputError, naming the first
    difference, if there is one.
    """
    for source in made_from:
        if source.sha256 not in file.record["made_from"].values():
            raise _made_from_different(file, source)
    for place, wanted, found in _differences("", fields, file.record):
        raise InputError(
            f"{file}: {place} is {found}, expected {wanted}, so it is out of date or from a different study. "
            f"{remedy(file)}"
        )
    return file.record


def _made_from_different(file: object, source: object) -> InputError:
    return InputError(
        f"{file}: made from a different {source}, so one of them is out of date or from a different study. "
        f"{remedy(file)}"
    )


def _differences(place: str, wanted: object, found: object) -> Iterator[tuple[str, str, str]]:
    """The places where `found` differs from `wanted`, with both values as JSON."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key, value in wanted.items():
            yield from _differences(f"{place}.{key}".lstrip("."), value, found.get(key))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) != len(found):
        yield f"the number of {place}", str(len(wanted)), str(len(found))
    elif isinstance(wanted, list) and isinstance(found, list):
        for number, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(f"{place}[{number}]", one, other)
    elif wanted != found:
        yield place, *(json.dumps(value, sort_keys=True) for value in (wanted, found))


def check_agreement(files: Iterable[Verified]) -> None:
    """Raise InputError if `files` do not go together: they, or what they were made from, have one file in two states.

    Then some of them are out of date or from a different study.
    """
    known: dict[str, tuple[str, Verified]] = {}
    for file in files:
        for path, sha256 in {**file.record["made_from"], os.path.normpath(file): file.sha256}.items():
            other_sha256, other = known.setdefault(path, (sha256, file))
            if sha256 != other_sha256:
                raise InputError(
                    f"{file}: made from a different {path} than {other}. Delete the older one and run snakemake again."
                )


def check_sha256(path: str | Path, found: str, expected: str | None, record: str | Path) -> None:
    """Raise InputError unless `found`, the SHA-256 of the bytes at `path`, is `expected`, the one in `record`."""
    if found != expected:
        raise InputError(
            f"{path}: its checksum is not the one in {record}, so it is damaged or from a different study. "
            f"{remedy(path)}"
        )


def write_record(
    path: str | Path, record: Mapping, files: Iterable[str | Path] = (), made_from: Iterable[str | Path | Verified] = ()
) -> None:
    """Write `record` (JSON-serialisable) to `path`, atomically, with checksums.

    They are of `files` (beside it), of what these were `made_from`, and of the record itself. Checksums of files that
    `record` already has are kept.
    """
    sealed = {
        **record,
        "files": {Path(file).name: sha256_file(file) for file in files} | record.get("files", {}),
        "made_from": {os.path.normpath(source): _sha256(source) for source in made_from},
    }
    write_json(path, sealed | {"seal": _seal(sealed)})


def read_record(path: str | Path) -> dict:
    """The record at `path`. Raises InputError if it is missing, damaged or has no seal."""
    record = read_json(path)
    if "seal" not in record:
        raise InputError(
            f"{path}: it has no seal, as an earlier version or a different program made it. {remedy(path)}"
        )
    if record["seal"] != _seal(record):
        raise InputError(f"{path}: it is damaged, since its seal does not match. {remedy(path)}")
    return record


def _sha256(file: str | Path | Verified) -> str:
    return file.sha256 if isinstance(file, Verified) else sha256_file(file)


def _seal(record: Mapping) -> str:
    content = {key: value for key, value in record.items() if key != "seal"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
