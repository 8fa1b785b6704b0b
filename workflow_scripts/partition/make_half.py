"""Step: list the classes of one half of a pair: all of a dataset, or those of a half of one of its partitions.

Each half has a file of its own, so that a change of one dataset leaves what is of the other.
"""

import argparse

from workflow_scripts.dataset.tables import read_classes
from workflow_scripts.partition.division import divided
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import verified, write_record
from workflow_scripts.study.partition_names import parse_partition


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="the pair's name in the configuration")
    parser.add_argument("--half", choices=("A", "B"), required=True)
    parser.add_argument("--classes", type=verified, required=True, help="classes.csv of the half's dataset")
    parser.add_argument("--hierarchy", type=verified, required=True, help="hierarchy.csv of the half's dataset")
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="the half's leaves as JSON")
    parser.add_argument("--extra-artifacts", help="a list of further man-made classes")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    chosen = args.settings["of"]
    classes, edges = read_classes(args.classes, args.hierarchy)
    name, artifact = parse_partition(chosen["partition"]), args.settings["artifact"]
    halves = divided(name, classes, edges, None, artifact, args.extra_artifacts)
    record = {
        "partition": args.name,
        "halves": {args.half: halves[chosen["half"]]},
        "train_images_per_class": parse_partition(args.name).images_per_class,
        "dataset": chosen["dataset"],
    }
    record |= {"provenance": provenance("partition.make_half", args.settings)}
    write_record(args.output, record, made_from=[args.classes, args.hierarchy])


if __name__ == "__main__":
    cli.run(main)
