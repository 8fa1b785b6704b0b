"""Reads results tables (results.csv, or one from elsewhere) and tables of printed numbers, and names what is wrong.

Light on purpose: the Snakefile's checks use it at parse time.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.csv_table import read_table
from workflow_scripts.plumbing.names import look_alike
from workflow_scripts.study.columns import (
    HELD_OUT,
    KEY_COLUMNS,
    PER_CLASS,
    PRINTED_COLUMNS,
    RATE,
    REQUIRED_COLUMNS,
    RESULT_COLUMNS,
    SCORE,
)
from workflow_scripts.study.jobs import BASES, STAGED
from workflow_scripts.study.partition_names import parse_partition
from workflow_scripts.study.settings import rate_label

DEFAULTS = {"seed": "0", "diverged": "False", "diverged_cause": "", "preserve": "0"}
DEFAULTS |= dict.fromkeys(("init", "norm_statistics", "pair", RATE), "")
TARGETS = {"A", "B", "whole"}
ALLOWED = {
    "source": TARGETS | {"random", "pretrained"},
    "target": TARGETS,
    "treatment": {*BASES, "frozen", "finetuned", STAGED},
}
ALLOWED |= {"norm_statistics": {"", "source", "target", "batch"}}
TRUTHS = {"true": True, "false": False}  # spreadsheets write TRUE
WHOLE, FRACTIONS = (
    ("depth", "seed", "preserve"),
    (SCORE, PER_CLASS, "top1_last", "top5_last", "majority_share", HELD_OUT),
)
TEXT = (
    "partition",
    "source",
    "target",
    "treatment",
    "diverged_cause",
    "init",
    "norm_statistics",
    "pair",
    "weights_sha256",
    RATE,
)
COUNTS = ("classes", "train_images", "val_images")
TYPED = {*WHOLE, *FRACTIONS, *TEXT, "diverged"}  # the other columns are numbers of which nothing is asked


def read_networks(path: str | Path, may_be_empty: bool = False) -> list[dict[str, object]]:
    """The networks of the results table at `path`, in its order, by column.

    A table without `seed`, `diverged`, `preserve`, `init`, `norm_statistics`, `pair` or `learning_rate` (the published
    one) gets seed 0, False, 0 and "". Depths, seeds and numbers preserved are int, fractions are float (NaN for an
    empty one), `diverged` is bool, and the others are text. Raises InputError naming the file, the line and the value.
    Causes are missing or unknown columns, duplicates, and impossible values: a fraction outside 0..1, an unknown
    treatment, a base network at a depth, several learning rates without a HELD_OUT that chooses one. A table without
    rows is refused too, unless it `may_be_empty`.
    """
    table = read_table(path, REQUIRED_COLUMNS, RESULT_COLUMNS, may_be_empty)
    if unknown := [name for name in table.columns if name not in RESULT_COLUMNS]:
        raise InputError(
            f"{path}: the column {unknown[0]!r} is unknown.{look_alike(unknown[:1], RESULT_COLUMNS)} Known columns are "
            f"{', '.join(RESULT_COLUMNS)}. Remove or rename it."
        )
    networks, line_of = [], {}
    for line, row in table.numbered():
        where = f"{path} line {line}"
        network = _typed(where, DEFAULTS | row)
        _check_network(where, network)
        key = tuple(network[name] for name in KEY_COLUMNS)
        if key in line_of:
            raise InputError(
                f"{where}: it names a network a second time ({', '.join(map(str, key))}), the first is on line "
                f"{line_of[key]}. Remove one line."
            )
        line_of[key] = line
        networks.append(network)
    _check_rates(path, line_of, networks)
    return networks


def read_printed_numbers(path: str | Path) -> list[dict[str, object]]:
    """The numbers printed in the paper, from the table at `path`: quantity, percent (a float) and source.

    Raises InputError naming the file and the line of a percent that is no number, or a quantity that is there twice.
    """
    numbers, line_of = [], {}
    for line, row in read_table(path, PRINTED_COLUMNS).numbered():
        where, quantity = f"{path} line {line}", row["quantity"]
        if quantity in line_of:
            raise InputError(f"{where}: {quantity!r} is on line {line_of[quantity]} too. Remove one line.")
        line_of[quantity] = line
        percent = _converted(where, "percent", row["percent"], _finite, "a number")
        numbers.append({"quantity": quantity, "percent": percent, "source": row["source"]})
    return numbers


def _typed(where: str, row: Mapping[str, str]) -> dict[str, object]:
    """The values of a row as what their columns hold."""
    kinds = dict.fromkeys(WHOLE, (_whole_number, "a whole number of 0 or more"))
    kinds |= dict.fromkeys(FRACTIONS, (_fraction, "a fraction between 0 and 1"))
    kinds |= dict.fromkeys(COUNTS, (_count, "a number of 1 or more, or empty"))
    kinds |= {RATE: (_rate, "a number above 0, or empty")}
    kinds |= {"diverged": (lambda text: TRUTHS[text.lower()], "True or False")}
    return {name: _converted(where, name, text, *kinds.get(name, (str, ""))) for name, text in row.items()}


def _converted(where: str, column: str, text: str, convert: Callable[[str], object], wanted: str) -> object:
    try:
        return convert(text)
    except (ValueError, KeyError):
        point = " Write a decimal point for the comma." if "," in text else ""
        raise InputError(f"{where}: {column} is {text!r} but must be {wanted}.{point or ' Correct it.'}") from None


def _whole_number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise ValueError(text)
    return int(text)


def _fraction(text: str) -> float:
    value = float(text or "nan")  # a network without a score may have a line
    if value < 0 or value > 1:
        raise ValueError(text)
    return value


def _rate(text: str) -> str:
    """A learning rate as our own tables have it, so that 0.1 and 0.10 are one; "" stays."""
    if text and not 0 < float(text) < math.inf:
        raise ValueError(text)
    return rate_label(float(text)) if text else ""


def _count(text: str) -> str:
    """`text` as it is, unless it is a number of images or classes that cannot be: noise is a share of them."""
    try:
        value = float(text or "nan")
    except ValueError:
        return text  # not known
    if value < 1 or math.isinf(value):
        raise ValueError(text)
    return text


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _check_network(where: str, row: Mapping) -> None:
    """Raise InputError unless the row names a possible network."""
    for name, allowed in ALLOWED.items():
        if row[name] not in allowed:
            raise InputError(
                f"{where}: {name} is {row[name]!r} but must be one of {', '.join(sorted(allowed))}. Correct it."
            )
    try:
        parse_partition(row["partition"])
    except ValueError as error:
        raise InputError(f"{where}: {error}. Correct it.") from None
    base = row["treatment"] in BASES
    if base != (row["depth"] == 0) or (base and row["source"] != row["target"]):
        raise InputError(
            f"{where}: a base network, and no other, has depth 0 and its target as source. Correct the line."
        )


def _check_rates(path: str | Path, line_of: Mapping[tuple, int], networks: Iterable[Mapping]) -> None:
    """Raise InputError where a network has several learning rates among which nothing can choose."""
    of_seeds: dict[tuple, dict[object, list[Mapping]]] = defaultdict(lambda: defaultdict(list))
    for network in networks:
        name = tuple(network[key] for key in KEY_COLUMNS if key not in ("seed", RATE))
        of_seeds[name][network["seed"]].append(network)
    for name, seeds in of_seeds.items():
        rows = [row for of_seed in seeds.values() for row in of_seed]
        if len(rows) == len(seeds):
            continue
        where = f"{path} line {min(line_of[tuple(row[key] for key in KEY_COLUMNS)] for row in rows)}"
        named = f"{where}: the network ({', '.join(map(str, filter(None, name)))}) has several values of {RATE}"
        rates = [{row[RATE] for row in of_seed} for of_seed in seeds.values()]
        if "" in set.union(*rates) or any(one != rates[0] for one in rates):
            raise InputError(
                f"{named}, but not the same in each seed, or an empty one. Correct them, or keep one line of each seed."
            )
        if any(math.isnan(row.get(HELD_OUT, math.nan)) for row in rows if not row["diverged"]):
            raise InputError(
                f"{named}, but not always a {HELD_OUT}, which chooses one. Fill in that column, or keep one line of"
                " each seed."
            )
