"""Reads the tables that people write, and checks their columns. Light on purpose: used at parse time."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.names import look_alike, some_of
from workflow_scripts.plumbing.text_file import read_text

DELIMITERS = ",;\t"
SEPARATED = "separated by commas, semicolons or tabs"


@dataclass(frozen=True)
class Table:
    """A table of text: its columns, its rows by column, and the line of the file on which each row ends."""

    columns: list[str]
    rows: list[dict[str, str]]
    lines: list[int]

    def numbered(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each row with its line."""
        return zip(self.lines, self.rows, strict=True)


def read_table(
    path: str | Path, columns: Sequence[str], optional: Sequence[str] = (), may_be_empty: bool = False
) -> Table:
    """The table at `path`, in which commas, semicolons or tabs separate the values, with every cell as text.

    Columns that differ from those of `columns` and `optional` in case, or in spaces for `_`, get these names. Spaces
    around cells, blank lines, and empty cells after the last column are dropped. Raises InputError, naming the file and
    where it can the line, as text_file.read_text. It also refuses a missing or doubled column, a row of a different
    length, quotes that do not close, and a table without rows, unless it `may_be_empty`.
    """
    return table_of(read_text(path), path, columns, optional, may_be_empty)


def table_of(
    text: str, path: str | Path, columns: Sequence[str], optional: Sequence[str] = (), may_be_empty: bool = False
) -> Table:
    """The table in `text`, which errors call `path`; see read_table."""
    first, lines = _after_separator(text.split("\n"))
    head = next((line for line in lines if line.strip()), "")
    delimiter = max(DELIMITERS, key=lambda mark: _score(head, mark, columns))
    found = [(first + line, cells) for line, cells in _rows(path, lines, delimiter, first)]
    if not found:
        raise InputError(f"{path}: it is empty. Give it {', '.join(columns)}, {SEPARATED}.")
    known = {_plain(name): name for name in (*columns, *optional)}
    names = [known.get(_plain(name), name) for name in _trimmed(found[0][1], 0)]
    _check_columns(path, names, columns)
    if not found[1:] and not may_be_empty:
        raise InputError(f"{path}: it has no rows below its header. Add some.")
    rows = [_row(f"{path} line {line}", names, cells, delimiter) for line, cells in found[1:]]
    return Table(names, rows, [line for line, _ in found[1:]])


def _after_separator(lines: list[str]) -> tuple[int, list[str]]:
    """How many lines are skipped, and the others: spreadsheets may write `sep=;` above the header."""
    skipped = int(bool(re.fullmatch(r'"?sep=.?"?', lines[0], re.IGNORECASE)))
    return skipped, lines[skipped:]


def _rows(path: str | Path, lines: list[str], delimiter: str, first: int) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold anything, each with the number of its last line; cells without spaces around them."""
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, skipinitialspace=True, strict=True)
    began = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield reader.line_num, stripped
            began = reader.line_num + 1
    except csv.Error as error:
        reason = {"unexpected end of data": "a quoted value does not end"}.get(str(error), error)
        raise InputError(
            f"{path} line {first + began}: it is not a readable CSV ({reason}). Correct the quotes there."
        ) from None


def _score(head: str, delimiter: str, columns: Sequence[str]) -> tuple[int, int]:
    """How many of `columns` the header line has if `delimiter` separates it, and how many in all."""
    names = [_plain(name.strip().strip('"')) for name in head.split(delimiter)]
    return sum(_plain(name) in names for name in columns), len(names)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip()).casefold()


def _check_columns(path: str | Path, names: list[str], columns: Sequence[str]) -> None:
    if missing := [name for name in columns if name not in names]:
        raise InputError(
            f"{path}: it has no column {missing[0]!r}. Its first line has {some_of(names)}."
            f"{look_alike(missing[:1], names)} Give it {', '.join(columns)}, {SEPARATED}."
        )
    name, count = Counter(filter(None, names)).most_common(1)[0]  # indexes of R and pandas have no name
    if count > 1:
        raise InputError(f"{path}: the column {name!r} is there twice. Remove one.")


def _row(where: str, names: list[str], cells: list[str], delimiter: str) -> dict[str, str]:
    cells = _trimmed(cells, len(names))
    if len(cells) != len(names):
        raise InputError(
            f"{where}: expected {len(names)} values, as in the header, found {len(cells)}, separated by {delimiter!r}. "
            "Correct the line or the header."
        )
    return dict(zip(names, cells, strict=True))


def _trimmed(cells: list[str], least: int) -> list[str]:
    """`cells` without empty ones at the end, where more than `least` are there: spreadsheets write such."""
    while len(cells) > least and not cells[-1]:
        cells = cells[:-1]
    return cells
