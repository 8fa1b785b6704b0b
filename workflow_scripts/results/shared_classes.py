"""Findings on pairs of datasets in sentences: whether source and target have classes of the same name."""

from collections.abc import Iterable, Iterator, Mapping

from workflow_scripts.plumbing.names import some_of
from workflow_scripts.results.verdicts import Part

BASIS = "The names of the classes. Classes of other names may still show the same things."


def shared_classes(pairs: Iterable[Mapping]) -> Iterator[Part]:
    """How many classes the halves of each pair share by name. `pairs` are records of partition.make_pair."""
    for record in pairs:
        datasets, shared = record["datasets"], record["shared_classes"]
        named = " and ".join(dict.fromkeys(datasets.values()))
        if not shared:
            yield named, f"{named}: No class of one half has the name of a class of the other.", BASIS
            continue
        classes = "1 class stands" if len(shared) == 1 else f"{len(shared)} classes stand"
        text = f"{named}: {classes} in both halves ({some_of(shared)}). Source and target are not disjoint."
        yield named, f"{text} Transfer then loses less than between tasks that share nothing.", BASIS
