"""Reads a CSV and checks that it has the needed columns. Light on purpose: used at parse time."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError


def check_file(path: str | Path) -> None:
    """Raise InputError unless there is a plain file at `path` (opening a pipe would wait for ever)."""
    try:
        if Path(path).is_file():
            return
        why = "it is not a file" if Path(path).exists() else "the file does not exist"
    except (OSError, ValueError) as error:  # a name too long, or with a null character
        why = f"there can be no such file ({getattr(error, 'strerror', None) or error})"
    raise InputError(f"{path}: {why}. Correct the path.")


def read_table(path: str | Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of the CSV at `path`, each by column, with every cell as text.

    Raises InputError naming the file, and the line where there is one. It refuses a file that is missing, not UTF-8
    text or without rows. It also refuses a missing or doubled column and a row of a different length.
    """
    check_file(path)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row) for row in reader]
            names = list(reader.fieldnames or [])
    except (OSError, ValueError, csv.Error) as error:  # ValueError: not UTF-8
        raise InputError(
            f"{path}: it is not a readable CSV ({getattr(error, 'strerror', None) or error}). Save it as UTF-8 CSV."
        ) from None
    if missing := [name for name in columns if name not in names]:
        raise InputError(f"{path}: it has no column {missing[0]!r}. Give it {', '.join(columns)}.")
    if len(set(names)) < len(names):
        raise InputError(f"{path}: the column {Counter(names).most_common(1)[0][0]!r} is there twice. Remove one.")
    for line, row in rows:
        if None in row or None in row.values():
            raise InputError(
                f"{path} line {line}: expected {len(names)} values, found {_found(row)}. Correct the line."
            )
    if not rows:
        raise InputError(f"{path}: it has no rows below its header. Add some.")
    return [row for _, row in rows]


def _found(row: dict) -> int:
    """How many values csv.DictReader found for a row: missing ones are None, surplus ones are under the key None."""
    return sum(value is not None for name, value in row.items() if name is not None) + len(row.get(None, []))
