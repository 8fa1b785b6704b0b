"""Step: the index, labels and mean image of one half of a partition, over the packed store."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from workflow_scripts.partition.task import Task, mean_image, select
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verified, Verifier, expect, read_record, write_record
from workflow_scripts.store.packed import PackedSplit


def make_task(manifest: Path, class_names: list[str], images_per_class: int | None = None) -> Task:
    """The task of classifying the images of `class_names` (in class order) of the store that `manifest` describes.

    With `images_per_class`, only the first so many training images of each class count (the paper's reduced data). A
    class with fewer keeps all of its images. Raises InputError if every class has fewer, as the partition's name would
    be wrong.
    """
    order = [row["class"] for row in read_record(manifest)["classes"]]
    indices = np.array([order.index(name) for name in class_names])
    train, val = PackedSplit(manifest, "train"), PackedSplit(manifest, "val")
    train_positions, train_labels = select(train.class_indices(), indices, images_per_class)
    if images_per_class and (most := int(np.bincount(train_labels, minlength=1).max())) < images_per_class:
        raise InputError(
            f"matrix: {images_per_class} training images of each class are wanted, but no class has more than {most}. "
            "Lower the number in the partition's name, or use the partition without _first_<k>_per_class."
        )
    val_positions, val_labels = select(val.class_indices(), indices)
    return Task(
        train_positions, train_labels, val_positions, val_labels, mean_image(train, train_positions), len(indices)
    )


def write_task(task: Task, path: Path, record: dict, made_from: Sequence[Path | Verified]) -> None:
    """Write `task` to `path` and its `record`, with the numbers of its images, beside it as .json."""
    task.save(path)
    images = {"classes": task.classes}
    for split in ("train", "val"):
        counts = task.counts(split)
        images |= {split: int(counts.sum()), f"{split}_per_class": spread(counts)}
    write_record(path.with_suffix(".json"), record | {"images": images}, [path], made_from)


def spread(counts: np.ndarray) -> dict[str, float]:
    """The fewest, the median and the most images of a class, of the numbers of images by class."""
    return {"fewest": int(counts.min()), "median": float(np.median(counts)), "most": int(counts.max())}


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    verified = Verifier().verified
    parser.add_argument("--manifest", type=verified, required=True)
    parser.add_argument("--partition", type=verified, required=True, help="the partition's JSON")
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="the partition's leaves as JSON")
    parser.add_argument("--half", required=True)
    parser.add_argument("--output", type=Path, required=True, help="the task's .npz; its record (.json) is beside it")
    args = parser.parse_args()
    classes = verified(args.manifest.path.with_name("classes.csv"))
    made_by = {"settings": args.settings}
    name = args.partition.path.stem.removesuffix(f"-{args.half}")  # a half of a pair has a file of its own
    partition = expect(args.partition, classes, partition=name, provenance=made_by)
    task = make_task(args.manifest, partition["halves"][args.half], partition["train_images_per_class"])
    names = {"partition": partition["partition"], "half": args.half}
    write_task(
        task,
        args.output,
        names | {"provenance": provenance("partition.make_task", {})},
        [args.manifest, args.partition],
    )


if __name__ == "__main__":
    cli.run(main)
