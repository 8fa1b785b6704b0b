"""Reading and checking the lists of partitions. Light on purpose: used at parse time too."""

from collections.abc import Collection, Mapping
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.csv_table import check_file, read_table

HALF_NAMES = {"A": "A", "B": "B", "natural": "A", "manmade": "B"}  # the published files call natural A


def read_halves(path: str | Path) -> dict[str, str]:
    """The half (A or B) of each class in the CSV at `path`, in the file's order.

    Its columns are `class` and `half`: A or B, or natural for A and manmade for B. Raises InputError as
    csv_table.read_table, and for an unknown half, a class without a name, or one named twice.
    """
    half_of: dict[str, str] = {}
    for row in read_table(path, ("class", "half")):
        name, half = row["class"], row["half"]
        if half not in HALF_NAMES:
            raise InputError(f"{path}: half {half!r} is not one of {', '.join(HALF_NAMES)}. Correct it.")
        if not name:
            raise InputError(f"{path}: a row has no class. Name the class or remove the row.")
        if name in half_of:
            raise InputError(f"{path}: class {name!r} has two rows. Keep one of them.")
        half_of[name] = HALF_NAMES[half]
    return half_of


def check_classes(path: str | Path, named: Collection[str], classes: Collection[str]) -> None:
    """Raise InputError unless the classes `named` in the file at `path` are the dataset's `classes`."""
    if unknown := set(named) - set(classes):
        raise InputError(f"{path}: class {min(unknown)!r} is not a class of the dataset. Remove its row.")
    if missing := set(classes) - set(named):
        raise InputError(f"{path}: class {min(missing)!r} of the dataset has no row. Add one.")


def check_sizes(where: str | Path, classes_in: Mapping[str, int]) -> None:
    """Raise InputError for a half with fewer than two classes; `classes_in` has the number in each half of `where`."""
    for half, count in classes_in.items():
        if count < 2:
            raise InputError(
                f"{where}: half {half} has {count} classes, but a task needs at least 2. Add classes to it."
            )


def read_artifacts(path: str | Path) -> set[str]:
    """The classes in a file of man-made classes, one a line. Raises InputError if it is missing or not UTF-8 text."""
    check_file(path)
    try:
        return set(Path(path).read_text(encoding="utf-8").split())
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: it cannot be read as text ({getattr(error, 'strerror', None) or error}). Save it as UTF-8."
        ) from None
