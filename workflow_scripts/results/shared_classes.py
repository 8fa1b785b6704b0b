"""Findings on pairs of datasets in sentences: whether source and target have classes of the same name."""

from collections.abc import Iterable, Iterator, Mapping

from workflow_scripts.plumbing.names import some_of
from workflow_scripts.results.verdicts import Part

BASIS = "The names of the classes. Classes of other names may still show the same things."


def shared_classes(halves: Iterable[Mapping]) -> Iterator[Part]:
    """How many classes the halves of each pair share by name. `halves` are records of partition.make_half."""
    pairs: dict[str, list[Mapping]] = {}
    for record in halves:
        pairs.setdefault(record["partition"], []).append(record)
    for records in pairs.values():
        one, other = (set(*record["halves"].values()) for record in records)
        shared = sorted(one & other)
        named = " and ".join(dict.fromkeys(record["dataset"] for record in records))
        if not shared:
            yield named, f"{named}: No class of one half has the name of a class of the other.", BASIS
            continue
        classes = "1 class stands" if len(shared) == 1 else f"{len(shared)} classes stand"
        text = f"{named}: {classes} in both halves ({some_of(shared)}). Source and target are not disjoint."
        yield named, f"{text} Transfer then loses less than between tasks that share nothing.", BASIS
