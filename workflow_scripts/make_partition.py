"""Step: divide a dataset's classes into the halves of a partition, written as lists of class names in class order."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from workflow_scripts import cli
from workflow_scripts.cli import InputError
from workflow_scripts.files import write_json
from workflow_scripts.provenance import provenance
from workflow_scripts.store import read_names

HALF_NAMES = {"A": "A", "B": "B", "natural": "A", "manmade": "B"}  # the published files call natural A


def random_halves(classes: list[str], seed: int) -> dict[str, list[str]]:
    """The paper's random halves, exactly: A is a sorted choice of half the classes by RandomState([seed]).

    The list around the seed matters: RandomState(seed) gives other halves.
    """
    chosen = set(np.random.RandomState([seed]).choice(len(classes), len(classes) // 2, replace=False))
    return _halves(classes, lambda index: "A" if index in chosen else "B")


def natman_halves(
    classes: list[str], edges: list[tuple[str, str]], artifact: str, extra_artifacts: set[str]
) -> dict[str, list[str]]:
    """Natural (A) and man-made (B) halves: man-made are `artifact`'s descendants and `extra_artifacts`.

    Raises InputError if the hierarchy lacks `artifact` or an extra is not a class.
    """
    if artifact not in {name for edge in edges for name in edge}:
        raise InputError(f"natman.artifact: {artifact} is not in the dataset's hierarchy; give a csv of halves instead")
    if unknown := extra_artifacts - set(classes):
        raise InputError(f"natman.extra_artifacts lists {min(unknown)}, which is not a class of the dataset")
    manmade = descendants(edges, artifact) | extra_artifacts
    return _halves(classes, lambda index: "B" if classes[index] in manmade else "A")


def descendants(edges: list[tuple[str, str]], ancestor: str) -> set[str]:
    """All names below `ancestor` in the hierarchy of (parent, child) edges, itself included."""
    children: dict[str, list[str]] = {}
    for parent, child in edges:
        children.setdefault(parent, []).append(child)
    found, waiting = set(), [ancestor]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(children.get(name, []))
    return found


def csv_halves(classes: list[str], path: str | Path) -> dict[str, list[str]]:
    """Halves from a CSV with columns `class` and `half` (A or B, or natural for A and manmade for B).

    Raises InputError unless it names each of `classes` exactly once and nothing else.
    """
    try:
        table = read_names(path)
    except ValueError as error:  # pandas' parser and empty-data errors are ValueErrors
        raise InputError(f"{path} is not a readable CSV: {error}") from None
    if missing := {"class", "half"} - set(table.columns):
        raise InputError(f"{path} has no column {min(missing)!r}; it needs `class` and `half`")
    if (bad := table[~table["half"].isin(HALF_NAMES)]).size:
        raise InputError(f"{path}: half {bad['half'].iloc[0]!r} is none of {', '.join(HALF_NAMES)}")
    if (twice := table[table["class"].duplicated()]).size:
        raise InputError(f"{path} names class {twice['class'].iloc[0]!r} twice")
    half_of = dict(zip(table["class"], table["half"].map(HALF_NAMES), strict=True))
    if different := set(half_of) ^ set(classes):
        raise InputError(f"{path} and the dataset disagree on class {min(different)!r}; name each class once")
    return _halves(classes, lambda index: half_of[classes[index]])


def _halves(classes: list[str], half_of_index: Callable[[int], str]) -> dict[str, list[str]]:
    halves: dict[str, list[str]] = {"A": [], "B": []}
    for index, name in enumerate(classes):
        halves[half_of_index(index)].append(name)
    return halves


def make_partition(
    name: str, classes: list[str], hierarchy: Path, csv: str | None, artifact: str | None, extra_artifacts: str | None
) -> dict[str, list[str]]:
    """The halves of partition `name` of `classes`: {"A": [...], "B": [...]} or {"whole": [...]}.

    Raises InputError as its parts do, and for a half of fewer than two classes.
    """
    if csv:
        halves = csv_halves(classes, csv)
    elif name == "whole":
        halves = {"whole": classes}
    elif match := re.fullmatch(r"random(\d+)", name):
        halves = random_halves(classes, int(match[1]))
    else:
        edges = list(read_names(hierarchy).itertuples(index=False, name=None))
        extra = set(Path(extra_artifacts).read_text().split()) if extra_artifacts else set()
        halves = natman_halves(classes, edges, artifact, extra)
    for half, members in halves.items():
        if len(members) < 2:
            raise InputError(f"half {half} of partition {name} has {len(members)} classes; a task needs at least 2")
    return halves


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="random<seed>, natman, whole, or any name with --csv")
    parser.add_argument("--classes", type=Path, required=True, help="the packed store's classes.csv")
    parser.add_argument("--hierarchy", type=Path, required=True, help="the packed store's hierarchy.csv")
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="csv, artifact, extra_artifacts")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    classes = list(read_names(args.classes)["class"])
    halves = make_partition(args.name, classes, args.hierarchy, **args.settings)
    record = {"partition": args.name, "halves": halves, "provenance": provenance("make_partition", args.settings)}
    write_json(args.output, record)


if __name__ == "__main__":
    cli.run(main)
