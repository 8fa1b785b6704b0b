"""Dividing a dataset's classes into the halves of a partition."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from workflow_scripts.dataset.hierarchy import MEASURE, class_distances, descendants, graded_halves, mean_distance
from workflow_scripts.partition.halves import check_classes, check_sizes, read_artifacts, read_halves
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.names import look_alike
from workflow_scripts.study.partition_names import PartitionName


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
        raise InputError(
            f"natman.artifact: {artifact} is not in the dataset's hierarchy. Give the halves as csv instead."
        )
    if unknown := extra_artifacts - set(classes):
        raise InputError(
            f"natman.extra_artifacts: {min(unknown)} is not a class of the dataset."
            f"{look_alike(unknown, classes, ' of the list', ' of the dataset')} Remove it from the list."
        )
    manmade = descendants(edges, artifact) | extra_artifacts
    return _halves(classes, lambda index: "B" if classes[index] in manmade else "A")


def distance_halves(classes: list[str], edges: list[tuple[str, str]], grade: str, seed: int) -> dict[str, list[str]]:
    """Equal halves at low ("near"), middle or high ("far") mean distance in the hierarchy; see hierarchy.graded_halves.

    near is hardly nearer than random halves, which lie near the minimum. far is much like natman.
    """
    order = np.random.RandomState([seed]).permutation(len(classes))
    in_a = graded_halves(class_distances(classes, edges), order, grade)
    return _halves(classes, lambda index: "A" if in_a[index] else "B")


def csv_halves(classes: list[str], path: str | Path) -> dict[str, list[str]]:
    """Halves from a CSV, see halves.read_halves. Raises InputError unless it names each of `classes` exactly once and
    nothing else.
    """
    half_of = read_halves(path)
    check_classes(path, half_of, classes)
    return _halves(classes, lambda index: half_of[classes[index]])


def _halves(classes: list[str], half_of_index: Callable[[int], str]) -> dict[str, list[str]]:
    halves: dict[str, list[str]] = {"A": [], "B": []}
    for index, name in enumerate(classes):
        halves[half_of_index(index)].append(name)
    return halves


def halves_distance(classes: list[str], edges: list[tuple[str, str]], halves: dict[str, list[str]]) -> dict | None:
    """The measure of distance and the halves' mean; None for one half, or without a hierarchy."""
    if not edges or set(halves) != {"A", "B"}:
        return None
    in_a = np.isin(classes, halves["A"])
    return {"measure": MEASURE, "mean": mean_distance(class_distances(classes, edges), in_a)}


def divided(
    name: PartitionName,
    classes: list[str],
    edges: list[tuple[str, str]],
    csv: str | None,
    artifact: str | None,
    extra_artifacts: str | None,
) -> dict[str, list[str]]:
    """The halves of partition `name` of `classes`: {"A": [...], "B": [...]} or {"whole": [...]}.

    Raises InputError as its parts do, and for a half of fewer than two classes.
    """
    if csv:
        halves = csv_halves(classes, csv)
    elif name.family == "whole":
        halves = {"whole": classes}
    elif name.family == "random":
        halves = random_halves(classes, name.seed)
    elif name.family == "natman":
        extra = read_artifacts(extra_artifacts) if extra_artifacts else set()
        halves = natman_halves(classes, edges, artifact, extra)
    else:
        halves = distance_halves(classes, edges, name.family, name.seed)
    check_sizes(f"partition {name.family}", {half: len(members) for half, members in halves.items()})
    return halves
