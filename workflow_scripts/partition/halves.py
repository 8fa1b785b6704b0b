"""Reading and checking the lists of partitions. Light on purpose: used at parse time too."""

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.csv_table import read_table
from workflow_scripts.plumbing.names import look_alike, some_of
from workflow_scripts.plumbing.text_file import read_lines

HALF_NAMES = {"A": "A", "B": "B", "natural": "A", "manmade": "B"}  # the published files call natural A
HALF_OF_PLAIN = {name.casefold(): half for name, half in HALF_NAMES.items()}


def read_halves(path: str | Path) -> dict[str, str]:
    """The half (A or B) of each class in the CSV at `path`, in the file's order.

    Its columns are `class` and `half`: A or B, or natural for A and manmade for B, in any case. Raises InputError as
    csv_table.read_table, and for an unknown half, a class without a name, or one named twice.
    """
    half_of: dict[str, str] = {}
    line_of: dict[str, int] = {}
    for line, row in read_table(path, ("class", "half")).numbered():
        name, half = row["class"], HALF_OF_PLAIN.get(row["half"].casefold())
        if half is None:
            raise InputError(
                f"{path} line {line}: half {row['half']!r} is not one of {', '.join(HALF_NAMES)}."
                f"{look_alike([row['half']], HALF_NAMES)} Correct it."
            )
        if not name:
            raise InputError(f"{path} line {line}: a row has no class. Name the class or remove the row.")
        if name in half_of:
            raise InputError(
                f"{path} line {line}: class {name!r} has two rows, the first on line {line_of[name]}. Keep one of them."
            )
        half_of[name], line_of[name] = half, line
    return half_of


def table_names(classes: Collection[str]) -> list[str]:
    """What a table calls each of `classes`: without spaces at its ends, unless that is the name of another one."""
    count = Counter(name.strip() for name in classes)
    return [name.strip() if count[name.strip()] == 1 else name for name in classes]


def check_classes(path: str | Path, named: Collection[str], classes: Collection[str]) -> None:
    """Raise InputError unless the classes `named` in the file at `path` are the dataset's `classes`.

    It says which side lacks which classes, and what differs where two names look alike.
    """
    unknown, missing = set(named) - set(classes), set(classes) - set(named)
    faults = []
    if unknown:
        are = "class {} is not a class" if len(unknown) == 1 else "classes {} are no classes"
        faults.append(f"{are.replace('{}', some_of(sorted(unknown)))} of the dataset")
    if missing:
        have = "class {} of the dataset has" if len(missing) == 1 else "classes {} of the dataset have"
        faults.append(f"{have.replace('{}', some_of(sorted(missing)))} no row")
    if not faults:
        return
    alike = look_alike(unknown, missing or classes, " of the file", " of the dataset")
    remedy = "Remove its row." if unknown else "Add one."
    if len(faults) > 1 or alike:
        remedy = "Write each class as the dataset does."
    raise InputError(f"{path}: {'; '.join(faults)}.{alike} {remedy}")


def check_sizes(where: str | Path, classes_in: Mapping[str, int]) -> None:
    """Raise InputError for a half with fewer than two classes; `classes_in` has the number in each half of `where`."""
    for half, count in classes_in.items():
        if count < 2:
            raise InputError(
                f"{where}: half {half} has {count} class{'' if count == 1 else 'es'}, but a task needs at least 2. "
                "Add classes to it."
            )


def read_artifacts(path: str | Path) -> set[str]:
    """The classes in a file of man-made classes, one a line. Raises InputError as text_file.read_lines."""
    return {name for _, line in read_lines(path) for name in line.split()}
