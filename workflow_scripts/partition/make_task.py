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
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.partition_names import drawn_partition


def make_task(
    manifest: Path, class_names: list[str], images_per_class: int | None = None, draw_seed: int | None = None
) -> Task:
    """The task of classifying the images of `class_names` (in class order) of the store that `manifest` describes.

    With `images_per_class`, only the first so many training images of each class count (the paper's reduced data) or,
    with `draw_seed`, so many drawn ones. A class with fewer keeps all of its images. Raises InputError if every class
    has fewer, as the partition's name would be wrong.
    """
    order = [row["class"] for row in read_record(manifest)["classes"]]
    indices = np.array([order.index(name) for name in class_names])
    train, val = PackedSplit(manifest, "train"), PackedSplit(manifest, "val")
    train_positions, train_labels = select(train.class_indices(), indices, images_per_class, draw_seed)
    if images_per_class and (most := int(np.bincount(train_labels, minlength=1).max())) < images_per_class:
        remedy = "Lower the number in the partition's name, or use the partition without _first_<k>_per_class."
        if draw_seed is not None:
            remedy = "Lower the number in target_images_per_class, or write all."
        raise InputError(
            f"matrix: {images_per_class} training images of each class are wanted, but no class has more than {most}. "
            f"{remedy}"
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
    parser.add_argument("--draw", type=int, help="how many training images of each class to draw; else all count")
    parser.add_argument("--seed", type=int, default=0, help="the study's, for --draw")
    parser.add_argument("--output", type=Path, required=True, help="the task's .npz; its record (.json) is beside it")
    args = parser.parse_args()
    classes = verified(args.manifest.path.with_name("classes.csv"))
    made_by = {"settings": args.settings}
    stem = args.partition.path.stem.removesuffix(f"-{args.half}")  # a half of a pair has a file of its own
    partition = expect(args.partition, classes, partition=stem, provenance=made_by)
    name, images, draw_seed = partition["partition"], partition["train_images_per_class"], None
    if args.draw is not None:
        name, images = drawn_partition(name, args.draw), args.draw
        draw_seed = TrainingJob.base(name, args.seed, args.half).draw_seed()
    task = make_task(args.manifest, partition["halves"][args.half], images, draw_seed)
    names = TrainingJob.base(name, args.seed, args.half).task_names
    write_task(
        task,
        args.output,
        names | {"provenance": provenance("partition.make_task", {})},
        [args.manifest, args.partition],
    )


if __name__ == "__main__":
    cli.run(main)
