"""Checks the rows of a results table, and converts their values. Light on purpose: used at parse time."""

from collections.abc import Callable, Iterable, Mapping

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.study.columns import KEY_COLUMNS, REQUIRED_COLUMNS, RESULT_COLUMNS, SCORE
from workflow_scripts.study.partition_names import parse_partition

DEFAULTS = {"seed": 0, "diverged": False, "diverged_cause": "", "preserve": 0, "init": ""}
TARGETS = {"A", "B", "whole"}
ALLOWED = {"source": TARGETS | {"random"}, "target": TARGETS, "treatment": {"base", "frozen", "finetuned"}}
MOST_DIGITS = 18  # of a whole number, which a table holds in 64 bits
TRUTHS = {"True": True, "False": False}
TEXTS = ("partition", "source", "target", "treatment", "diverged_cause", "init", "weights_sha256")


def check_columns(names: Iterable[str], path: object) -> None:
    """Raise InputError unless these column names hold all REQUIRED_COLUMNS, and none but RESULT_COLUMNS."""
    names = list(names)
    if missing := [name for name in REQUIRED_COLUMNS if name not in names]:
        raise InputError(f"{path}: it has no column {missing[0]}. Add it.")
    if unknown := [name for name in names if name not in RESULT_COLUMNS]:
        raise InputError(
            f"{path}: the column {unknown[0]!r} is unknown. Known columns are {', '.join(RESULT_COLUMNS)}."
        )


def checked_rows(rows: Iterable[Mapping[str, str]], path: object) -> list[dict]:
    """The rows of the table at `path` with numbers and truth values in place of text, and DEFAULTS for what they lack.

    Raises InputError naming the line of a value that cannot be, of an impossible network, and of a second row for one.
    """
    found, seen = [], set()
    for line, row in enumerate(rows, start=2):
        where = f"{path} line {line}"
        values = DEFAULTS | {name: _converted(where, name, text) for name, text in row.items()}
        _check_network(where, values)
        key = tuple(values[name] for name in KEY_COLUMNS)
        if key in seen:
            raise InputError(
                f"{where}: it names a network a second time ({', '.join(map(str, key))}). Remove one line."
            )
        seen.add(key)
        found.append(values)
    return found


def _converted(where: str, name: str, text: str) -> object:
    if name in TEXTS:
        return text
    convert, wanted = CONVERTERS.get(name, (_number, ""))
    try:
        return convert(text)
    except (ValueError, KeyError):
        raise InputError(f"{where}: {name} is {text!r} but must be {wanted}. Correct it.") from None


def _whole_number(text: str) -> int:
    if not text.isdecimal() or len(text) > MOST_DIGITS:
        raise ValueError(text)
    return int(text)


def _fraction(text: str) -> float:
    value = float(text or "nan")  # a network without a score may have a line
    if value < 0 or value > 1:
        raise ValueError(text)
    return value


def _count(text: str) -> float:
    """A number of images or classes, NaN where it is not known. A fraction of one, or none, would count for nothing."""
    value = _number(text)
    if value < 1 or value == float("inf"):
        raise ValueError(text)
    return value


def _number(text: str) -> float:
    try:
        return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else float(text or "nan")
    except ValueError:
        return float("nan")


CONVERTERS: dict[str, tuple[Callable[[str], object], str]] = {
    **dict.fromkeys(("depth", "seed", "preserve"), (_whole_number, "a whole number of 0 or more")),
    **dict.fromkeys((SCORE, "top1_last", "top5_last"), (_fraction, "a fraction between 0 and 1")),
    **dict.fromkeys(("classes", "train_images", "val_images"), (_count, "a number of 1 or more, or empty")),
    "diverged": (TRUTHS.__getitem__, "True or False"),
}


def _check_network(where: str, row: Mapping) -> None:
    """Raise InputError unless `row` names a possible network."""
    for name, allowed in ALLOWED.items():
        if row[name] not in allowed:
            raise InputError(
                f"{where}: {name} is {row[name]!r} but must be one of {', '.join(sorted(allowed))}. Correct it."
            )
    try:
        parse_partition(row["partition"])
    except ValueError as error:
        raise InputError(f"{where}: {error}. Correct it.") from None
    base = row["treatment"] == "base"
    if base != (row["depth"] == 0) or (base and row["source"] != row["target"]):
        raise InputError(
            f"{where}: a base network, and no other, has depth 0 and its target as source. Correct the line."
        )
