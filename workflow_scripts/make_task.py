"""Step: the index, labels and mean image of one half of a partition, over the packed store."""

import argparse
from pathlib import Path

import numpy as np

from workflow_scripts import cli
from workflow_scripts.files import read_json, sha256_file, write_json
from workflow_scripts.provenance import provenance
from workflow_scripts.store import PackedSplit
from workflow_scripts.task import Task, mean_image, select


def make_task(manifest: Path, class_names: list[str], images_per_class: int | None = None) -> Task:
    """The task of classifying the images of `class_names` (in class order) of the store that `manifest` describes.

    With `images_per_class`, only the first so many training images of each class count (the paper's reduced data).
    """
    order = [row["class"] for row in read_json(manifest)["classes"]]
    indices = np.array([order.index(name) for name in class_names])
    train, val = PackedSplit(manifest, "train"), PackedSplit(manifest, "val")
    train_positions, train_labels = select(train.class_indices(), indices, images_per_class)
    val_positions, val_labels = select(val.class_indices(), indices)
    return Task(
        train_positions, train_labels, val_positions, val_labels, mean_image(train, train_positions), len(indices)
    )


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--partition", required=True, help="the partition's JSON")
    parser.add_argument("--half", required=True)
    parser.add_argument("--output", type=Path, required=True, help="the task's .npz; its record goes beside as .json")
    args = parser.parse_args()
    partition = read_json(args.partition)
    task = make_task(args.manifest, partition["halves"][args.half], partition["train_images_per_class"])
    task.save(args.output)
    counts = {"classes": task.classes, "train": len(task.train_labels), "val": len(task.val_labels)}
    record = {
        "half": args.half,
        "images": counts,
        "sha256": sha256_file(args.output),
        "provenance": provenance("make_task", {}),
    }
    write_json(args.output.with_suffix(".json"), record)


if __name__ == "__main__":
    cli.run(main)
