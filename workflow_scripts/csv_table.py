"""Reading a CSV with the columns that are needed, or refusing it by name. Light on purpose: used at parse time."""

import csv
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.cli import InputError


def read_table(path: str | Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of the CSV at `path`, each by column, with every cell as text.

    Raises InputError naming the file, and the line where there is one, if it is missing, no UTF-8 text, has not all of
    `columns`, has a column twice, a row of another length, or no rows.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row) for row in reader]
            names = list(reader.fieldnames or [])
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; correct the path") from None
    except (OSError, ValueError, csv.Error) as error:  # of ValueError: no UTF-8, a path that cannot be
        raise InputError(f"{path} is not a readable CSV: {getattr(error, 'strerror', None) or error}") from None
    if missing := [name for name in columns if name not in names]:
        raise InputError(f"{path} has no column {missing[0]!r}; it needs {', '.join(columns)}")
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{path} has the column {twice[0]!r} twice; remove one")
    for line, row in rows:
        if None in row or None in row.values():
            raise InputError(f"{path} line {line} has not one value for each of the {len(names)} columns; mend it")
    if not rows:
        raise InputError(f"{path} has no rows below its header")
    return [row for _, row in rows]
