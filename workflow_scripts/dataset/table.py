"""A table of images as a layout: a CSV with the columns path, label and split.

Light on purpose: the Snakefile imports this at parse time.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from workflow_scripts.dataset.dataset import SPLITS
from workflow_scripts.dataset.layout import OTHER_NAMES, REMEDY, SPLIT_NAMES
from workflow_scripts.dataset.parts import Layout, without
from workflow_scripts.dataset.split import Drawn
from workflow_scripts.dataset.trees import Place
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.csv_table import read_table
from workflow_scripts.plumbing.names import look_alike

COLUMNS, OPTIONAL = ("path", "label"), ("split",)


@dataclass(frozen=True)
class Row:
    """An image of the table: its line, its path as written, and its class. `split` is a plain name, "" for none."""

    line: int
    path: str
    label: str
    split: str


class TableImages:
    """The images of some rows (a WholePart). Where two files of a class have one name, paths name all of them."""

    def __init__(self, folder: Path, rows: Collection[Row]) -> None:
        self.folder = folder
        self.paths: dict[str, dict[str, str]] = {}
        by_label: dict[str, list[str]] = {}
        for row in rows:
            by_label.setdefault(row.label, []).append(row.path)
        for label, paths in by_label.items():
            by_name = {PurePosixPath(path).name: path for path in paths}
            self.paths[label] = by_name if len(by_name) == len(paths) else {path: path for path in paths}

    @property
    def names(self) -> list[str]:
        """See Part."""
        return sorted(self.paths)

    def files(self, name: str) -> dict[str, Place]:
        """See Part."""
        return {file: (self.folder / path, 0, None) for file, path in self.paths.get(name, {}).items()}

    def path(self, name: str, file: str) -> str:
        """See WholePart."""
        return self.paths[name][file]


def table_layout(path: Path, split: Mapping | None, exclude: Collection[str]) -> Layout:
    """The layout that the table at `path` describes. Its images are not looked at: check_files does.

    Raises InputError, naming the line, as csv_table.read_table. It also refuses rows without a path or a label, a path
    that is there twice, an unknown split, and a class without images of a split.
    """
    rows = _rows(path, split)
    there = [name for name in OTHER_NAMES["val"] if name in {row.split for row in rows}]
    names = without({row.label for row in rows}, exclude, str(path))
    kept = [row for row in rows if row.label in set(names)]
    if split:
        every = TableImages(path.parent, kept)
        parts = {side: Drawn(every, split, side) for side in SPLITS}
        return Layout(tuple(names), parts, dict.fromkeys(SPLITS, "drawn from all rows"), split, lists=(path,))
    train = TableImages(path.parent, [row for row in kept if row.split in OTHER_NAMES["train"]])
    val = TableImages(path.parent, [row for row in kept if row.split in there[:1]])
    _check_sides(path, kept, {"train": train.names, "val": val.names})
    read_from = {"train": "rows of split train", "val": f"rows of split {there[0]}" if there else "no rows"}
    not_read = tuple(f"rows of split {name}" for name in there[1:])
    return Layout(tuple(names), {"train": train, "val": val}, read_from, lists=(path,), not_read=not_read)


def says_split(path: Path) -> bool:
    """Whether the table at `path` says which images are for validation. Raises InputError as csv_table.read_table."""
    return "split" in read_table(path, COLUMNS, OPTIONAL).columns


def check_files(path: Path) -> None:
    """Raise InputError, naming the line, for the first image of the table at `path` that is not a file."""
    for line, row in read_table(path, COLUMNS, OPTIONAL).numbered():
        check_file(path, line, row["path"])


def check_file(path: Path, line: int, image: str) -> None:
    """Raise InputError unless `image`, which stands on a line of the table at `path`, is a file."""
    place = path.parent / image
    if os.path.isfile(place):  # noqa: PTH113 - False for what can be no name, where Path.is_file raises
        return
    why = "is not a file" if os.path.lexists(place) else "does not exist"
    hint = " Separate folders by a slash." if "\\" in image else ""
    raise InputError(
        f"{path} line {line}: {place} {why}. Paths start at the table's folder: correct the path or remove the line."
        f"{hint}"
    )


def _rows(path: Path, split: Mapping | None) -> list[Row]:
    table = read_table(path, COLUMNS, OPTIONAL)
    if (told := "split" in table.columns) and split:
        raise InputError(f"{path}: it has a column 'split', so dataset.split has no use. Remove one of them.")
    if not told and not split:
        raise InputError(f"{path}: it has no column 'split'. Add it (train or val), or set {REMEDY}.")
    rows, line_of = [], {}
    for line, cells in table.numbered():
        for column in COLUMNS:
            if not cells[column]:
                raise InputError(f"{path} line {line}: the row has no {column}. Add it or remove the row.")
        name = cells.get("split", "").lower().replace("-", "_")
        if told and name not in SPLIT_NAMES:
            raise InputError(
                f"{path} line {line}: split {cells['split']!r} is neither train nor val."
                f"{look_alike([cells['split']], SPLITS)} Correct it."
            )
        place = os.path.normpath(cells["path"])
        if place in line_of:
            raise InputError(f"{path} line {line}: {place!r} is there on line {line_of[place]} too. Keep one of them.")
        line_of[place] = line
        rows.append(Row(line, cells["path"], cells["label"], name))
    check_file(path, rows[0].line, rows[0].path)  # the likeliest mistake, before any job: where paths start
    return rows


def _check_sides(path: Path, rows: Collection[Row], names: Mapping[str, Collection[str]]) -> None:
    for split in SPLITS:
        there = set(names[split])
        for row in rows:
            if row.label not in there:
                raise InputError(
                    f"{path} line {row.line}: class {row.label!r} has no {split} images. Add some, or exclude the "
                    "class with dataset.exclude."
                )
