"""Reads a results table (results.csv, or one from elsewhere) and names what is wrong in it."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.study.columns import KEY_COLUMNS, REQUIRED_COLUMNS, RESULT_COLUMNS, SCORE
from workflow_scripts.study.partition_names import parse_partition

DEFAULTS = {"seed": 0, "diverged": False, "diverged_cause": "", "preserve": 0, "init": ""}
TARGETS = {"A", "B", "whole"}
ALLOWED = {"source": TARGETS | {"random"}, "target": TARGETS, "treatment": {"base", "frozen", "finetuned"}}
FRACTIONS = (SCORE, "top1_last", "top5_last")
TRUTHS = {"True": True, "False": False}


def read_results(path: str | Path) -> pd.DataFrame:
    """The table at `path`, sorted, with its columns in the order of RESULT_COLUMNS.

    A table without `seed`, `diverged`, `preserve` or `init` (the published one) gets seed 0, False, 0 and "". A network
    without a score keeps NaN. Raises InputError naming the file, the line and the value. Causes are missing or unknown
    columns, duplicates, and impossible values: a fraction outside 0..1, an unknown treatment, a base network at a
    depth.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: it cannot be read as a table ({error}). Save it as UTF-8 CSV.") from None
    if missing := [name for name in REQUIRED_COLUMNS if name not in table]:
        raise InputError(f"{path}: it has no column {missing[0]}. Add it.")
    if unknown := [name for name in table if name not in RESULT_COLUMNS]:
        raise InputError(
            f"{path}: the column {unknown[0]!r} is unknown. Known columns are {', '.join(RESULT_COLUMNS)}."
        )
    table = table.assign(**{name: str(value) for name, value in DEFAULTS.items() if name not in table})
    table = _typed(table, path)
    _check_names(table, path)
    table = table[[name for name in RESULT_COLUMNS if name in table]]
    return table.sort_values(KEY_COLUMNS, ignore_index=True)


def missing_networks(table: pd.DataFrame) -> list[str]:
    """The networks that `table` (read_results) lacks though it has their neighbours, one phrase each.

    These are networks without a score, depths that other curves of the same partition have, and targets' base networks.
    """
    missing = []
    curves = table[table["treatment"] != "base"]
    for (partition, preserve, init), siblings in curves.groupby(["partition", "preserve", "init"]):
        extra = (f", {preserve} preserved" if preserve else "") + (f", {init} init" if init else "")
        for (source, target, treatment, seed), rows in siblings.groupby(["source", "target", "treatment", "seed"]):
            present = rows.dropna(subset=SCORE)["depth"]
            if absent := sorted(set(siblings["depth"]) - set(present)):
                depths = ", ".join(map(str, absent))
                missing.append(f"{partition}: {source} to {target}, {treatment}, seed {seed}{extra}: n = {depths}")
    tasks = ["partition", "target", "seed"]
    bases = table[table["treatment"] == "base"].dropna(subset=SCORE)
    absent = set(table[tasks].itertuples(index=False, name=None)) - set(bases[tasks].itertuples(index=False, name=None))
    missing += [f"{partition}: base network of {target}, seed {seed}" for partition, target, seed in sorted(absent)]
    return missing


def _typed(table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """`table` of strings, with numbers and truth values in their columns."""
    converted = {}
    for name in table:
        if name in ("depth", "seed", "preserve"):
            converted[name] = _convert(table[name], _whole_number, path, "a whole number of 0 or more")
        elif name in FRACTIONS:
            converted[name] = _convert(table[name], _fraction, path, "a fraction between 0 and 1")
        elif name == "diverged":
            converted[name] = _convert(table[name], TRUTHS.__getitem__, path, "True or False")
        elif name in ("partition", "source", "target", "treatment", "diverged_cause", "init", "weights_sha256"):
            converted[name] = table[name]
        else:
            converted[name] = pd.to_numeric(table[name], errors="coerce")
    return pd.DataFrame(converted)


def _convert(column: pd.Series, convert: Callable, path: str | Path, wanted: str) -> pd.Series:
    values = []
    for line, text in enumerate(column, start=2):
        try:
            values.append(convert(text))
        except (ValueError, KeyError):
            raise InputError(
                f"{path} line {line}: {column.name} is {text!r} but must be {wanted}. Correct it."
            ) from None
    return pd.Series(values, index=column.index)


def _whole_number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def _fraction(text: str) -> float:
    value = float(text or "nan")  # a network without a score may have a line
    if value < 0 or value > 1:
        raise ValueError(text)
    return value


def _check_names(table: pd.DataFrame, path: str | Path) -> None:
    """Raise InputError unless every row names a possible network, and no two rows name the same."""
    for line, row in enumerate(table.itertuples(), start=2):
        where = f"{path} line {line}"
        for name, allowed in ALLOWED.items():
            if (value := getattr(row, name)) not in allowed:
                raise InputError(
                    f"{where}: {name} is {value!r} but must be one of {', '.join(sorted(allowed))}. Correct it."
                )
        try:
            parse_partition(row.partition)
        except ValueError as error:
            raise InputError(f"{where}: {error}. Correct it.") from None
        if (row.treatment == "base") != (row.depth == 0) or (row.treatment == "base" and row.source != row.target):
            raise InputError(
                f"{where}: a base network, and no other, has depth 0 and its target as source. Correct the line."
            )
    twice = table.duplicated(KEY_COLUMNS)
    if twice.any():
        line = int(twice.to_numpy().argmax()) + 2
        row = table[KEY_COLUMNS].iloc[line - 2]
        raise InputError(
            f"{path} line {line}: it names a network a second time ({', '.join(map(str, row))}). Remove one line."
        )
