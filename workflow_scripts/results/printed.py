"""Reads the numbers printed in the paper. Light on purpose: used at parse time."""

import math
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.csv_table import read_table
from workflow_scripts.study.columns import PRINTED_COLUMNS


def printed_rows(path: str | Path) -> list[dict]:
    """The rows of the table at `path`, with `percent` as a number.

    Raises InputError for a table without PRINTED_COLUMNS, and names the line of a percent that is not a finite number.
    """
    rows = read_table(path, PRINTED_COLUMNS)
    return [row | {"percent": _percent(row["percent"], f"{path} line {line}")} for line, row in enumerate(rows, 2)]


def _percent(text: str, where: str) -> float:
    try:
        if math.isfinite(value := float(text)):
            return value
    except ValueError:
        pass
    raise InputError(f"{where}: percent is {text!r} but must be a number. Correct it.")
