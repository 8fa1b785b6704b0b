"""Step: take the halves of a pair from two datasets, each all of its classes or a half of one of its partitions."""

import argparse
from collections.abc import Mapping

from workflow_scripts.dataset.tables import read_names
from workflow_scripts.partition.division import divided
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verified, verified, write_record
from workflow_scripts.study.partition_names import parse_partition

HALVES = ("A", "B")


def half_classes(half: Mapping[str, str], classes: Verified, hierarchy: Verified, settings: Mapping, extra: str | None):
    """The classes of one half of a pair, in the order of its dataset.

    `half` has its `partition` and `half` (study.datasets.HalfOfPair). `classes` and `hierarchy` are tables of its
    dataset. `settings` are the pair's leaves, and `extra` a list of further man-made classes. Raises InputError as
    division.divided does.
    """
    names = list(read_names(classes)["class"])
    edges = list(read_names(hierarchy).itertuples(index=False, name=None))
    halves = divided(parse_partition(half["partition"]), names, edges, None, settings["artifact"], extra)
    return halves[half["half"]]


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="as in the configuration, see its schema")
    for half in HALVES:
        for table in ("classes", "hierarchy"):
            parser.add_argument(f"--{half.lower()}-{table}", type=verified, required=True, help="of the half's dataset")
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="the pair's leaves as JSON")
    parser.add_argument("--extra-artifacts", help="a list of further man-made classes")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    tables = {"A": (args.a_classes, args.a_hierarchy), "B": (args.b_classes, args.b_hierarchy)}
    pair = args.settings["halves"]
    halves = {half: half_classes(pair[half], *tables[half], args.settings, args.extra_artifacts) for half in HALVES}
    shared = sorted(set(halves["A"]) & set(halves["B"]))
    if shared:
        print(f"{len(shared)} classes are called alike in both halves, so they may not be disjoint: {shared}")
    record = {
        "partition": args.name,
        "halves": halves,
        "train_images_per_class": parse_partition(args.name).images_per_class,
        "distance": None,  # no hierarchy has the classes of both
        "datasets": {half: pair[half]["dataset"] for half in HALVES},
        "shared_classes": shared,
    }
    record |= {"provenance": provenance("partition.make_pair", args.settings)}
    write_record(args.output, record, made_from=[file for half in HALVES for file in tables[half]])


if __name__ == "__main__":
    cli.run(main)
