"""Step: divide a dataset's classes into the halves of a partition, written as lists of class names in class order.

Where the dataset has a hierarchy of classes, the mean distance between the halves is written beside them.
"""

import argparse

from workflow_scripts.dataset.tables import read_classes
from workflow_scripts.partition.division import divided, halves_distance
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import verified, write_record
from workflow_scripts.study.partition_names import parse_partition


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="as in the configuration, see its schema")
    parser.add_argument("--classes", type=verified, required=True, help="the survey's classes.csv")
    parser.add_argument("--hierarchy", type=verified, required=True, help="the survey's hierarchy.csv")
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="the partition's leaves as JSON")
    parser.add_argument("--csv", help="the CSV of its halves, if it has one")
    parser.add_argument("--extra-artifacts", help="a list of further man-made classes")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    name = parse_partition(args.name)
    classes, edges = read_classes(args.classes, args.hierarchy)
    halves = divided(name, classes, edges, args.csv, args.settings["artifact"], args.extra_artifacts)
    record = {
        "partition": args.name,
        "halves": halves,
        "train_images_per_class": name.images_per_class,
        "distance": halves_distance(classes, edges, halves),
    }
    record |= {"provenance": provenance("partition.make_partition", args.settings)}
    # The settings have the lists' checksums, and so does make_task.
    write_record(args.output, record, made_from=[args.classes, args.hierarchy])


if __name__ == "__main__":
    cli.run(main)
