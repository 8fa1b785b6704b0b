"""Reading a CSV with the columns that are needed, or refusing it by name. Light on purpose: used at parse time."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError

SCORE = "top1_best10_mean"
RESULTS_NEEDED = ("partition", "source", "target", "depth", "treatment", SCORE)
PRINTED_COLUMNS = ("quantity", "percent", "source")


def check_file(path: str | Path) -> None:
    """Raise InputError unless there is a plain file at `path` (opening a pipe would wait for ever)."""
    try:
        if Path(path).is_file():
            return
        why = "is not a file" if Path(path).exists() else "does not exist"
    except (OSError, ValueError) as error:  # a name too long, or with a null character
        why = f"cannot be: {getattr(error, 'strerror', None) or error}"
    raise InputError(f"{path} {why}; correct the path")


def read_table(path: str | Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of the CSV at `path`, each by column, with every cell as text.

    Raises InputError naming the file, and the line where there is one, if it is missing, no UTF-8 text, has not all of
    `columns`, has a column twice, a row of another length, or no rows.
    """
    check_file(path)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row) for row in reader]
            names = list(reader.fieldnames or [])
    except (OSError, ValueError, csv.Error) as error:  # of ValueError: no UTF-8
        raise InputError(f"{path} is not a readable CSV: {getattr(error, 'strerror', None) or error}") from None
    if missing := [name for name in columns if name not in names]:
        raise InputError(f"{path} has no column {missing[0]!r}; it needs {', '.join(columns)}")
    if len(set(names)) < len(names):
        raise InputError(f"{path} has the column {Counter(names).most_common(1)[0][0]!r} twice; remove one")
    for line, row in rows:
        if None in row or None in row.values():
            raise InputError(f"{path} line {line} has not one value for each of the {len(names)} columns; mend it")
    if not rows:
        raise InputError(f"{path} has no rows below its header")
    return [row for _, row in rows]
