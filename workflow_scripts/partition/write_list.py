r"""Write the list of one task's images as the paper published it, in lines `<file> <label>`, and print its md5 sum.

The images come from a packed store (--manifest, --split) or, without any image, from the true labels of the validation
set (--ground-truth). These are ILSVRC's devkit, as archive or folder, or a text file. Each line of that file ends in a
WNID, and the lines are in validation order.

The task is a half of a partition, given as the partition's JSON (results/<study>/partitions/) or by name. The name is
random<seed> or whole, and with a devkit also natman (ImageNet's), near<seed>, middle<seed> or far<seed>. For training
images, _first_<k>_per_class may follow it.

    python -m workflow_scripts.partition.write_list --ground-truth ILSVRC2012_devkit_t12.tar.gz \
        --partition random0 --half A --output half0A.txt
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np

from workflow_scripts.dataset.dataset import ClassList
from workflow_scripts.dataset.devkit import read_devkit
from workflow_scripts.partition.division import divided
from workflow_scripts.partition.task import select
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.csv_table import read_table
from workflow_scripts.plumbing.files import read_json, write_text
from workflow_scripts.plumbing.records import read_record
from workflow_scripts.plumbing.text_file import read_lines
from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.study.partition_names import parse_partition

CONFIGS = Path(__file__).parents[2] / "configs"
PUBLISHED = CONFIGS / "published_lists.csv"
ARTIFACT, EXTRA_ARTIFACTS = "n00021939", CONFIGS / "imagenet_extra_artifacts.txt"  # ImageNet's natman


def image_list(
    names: list[str], class_indices: np.ndarray, task_classes: np.ndarray, images_per_class: int | None = None
) -> str:
    """A line `<file> <label>` for each image whose class is in `task_classes` (sorted class indices), in the images'
    order; labels run 0..C-1. With `images_per_class`, only the first so many of each class.
    """
    positions, labels = select(class_indices, task_classes, images_per_class)
    return "".join(f"{names[position]} {label}\n" for position, label in zip(positions, labels, strict=True))


def validation_labels(path: Path) -> tuple[list[str], ClassList, np.ndarray]:
    """Validation file names in order, classes in WNID order, and class indices (int64), from the true labels at `path`.

    Raises InputError if it is neither a devkit nor a text file of WNIDs.
    """
    if path.is_dir() or path.name.endswith(".tar.gz"):
        devkit = read_devkit(path)
        classes, indices = devkit.classes, np.array(devkit.val_labels)
    else:
        wnids = [line.split()[-1] for _, line in read_lines(path)]
        if not wnids or any(not wnid.startswith("n") for wnid in wnids):
            raise InputError(f"{path}: not every line ends in a WNID such as n01440764. Correct the file.")
        names, indices = np.unique(wnids, return_inverse=True)
        classes = ClassList(tuple(names.tolist()), tuple(names.tolist()))
    return [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, len(indices) + 1)], classes, indices


def read_partition(partition: str, classes: ClassList) -> tuple[dict[str, list[str]], int | None]:
    """The halves and images per class of a partition's JSON, or of a partition of `classes` by name.

    Raises InputError for a file that is not a partition, an unknown name, or a name that needs a missing hierarchy.
    """
    if Path(partition).is_file():
        record = read_json(partition)
        if missing := {"halves", "train_images_per_class"} - set(record):
            raise InputError(
                f"--partition: {partition} is not a partition, as it has no {min(missing)!r}. Give a partition's JSON."
            )
        return record["halves"], record["train_images_per_class"]
    try:
        name = parse_partition(partition)
    except ValueError as error:
        raise InputError(f"--partition: {error}, nor a file. Correct it.") from None
    if name.drawn:
        raise InputError(
            f"--partition: the images of {partition} depend on a study's seed. Read them from its task, "
            f"results/<study>/tasks/{partition}/."
        )
    if name.seed is None and name.family not in ("natman", "whole"):
        raise InputError(
            f"--partition: {partition} is neither a file nor random<seed>, near<seed>, middle<seed>, far<seed>, "
            f"natman or whole. Correct it."
        )
    halves = divided(name, list(classes.names), list(classes.edges), None, ARTIFACT, str(EXTRA_ARTIFACTS))
    return halves, name.images_per_class


def published_md5(partition: str, half: str, split: str) -> str | None:
    """The md5 sum that the paper's authors published for a list, None if they did not (make_reduced_datasets.sh in
    github.com/yosinski/convnet_transfer).
    """
    columns = ("partition", "half", "split")
    rows = read_table(PUBLISHED, (*columns, "md5")).rows
    return next((row["md5"] for row in rows if [row[name] for name in columns] == [partition, half, split]), None)


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    images = parser.add_mutually_exclusive_group(required=True)
    images.add_argument("--ground-truth", type=Path)
    images.add_argument("--manifest", type=Path)
    parser.add_argument("--split", choices=("train", "val"), default="val", help="of the packed store")
    parser.add_argument("--partition", required=True)
    parser.add_argument("--half", required=True, help="A, B or whole")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    if args.manifest:
        split = PackedSplit(args.manifest, args.split)
        order = tuple(row["class"] for row in read_record(args.manifest)["classes"])
        names, classes, indices = split.names(), ClassList(order, order), split.class_indices()
    elif args.split == "val":
        names, classes, indices = validation_labels(args.ground_truth)
    else:
        raise InputError("--split: the ground truth is of validation images. Use --manifest for training lists.")
    halves, images_per_class = read_partition(args.partition, classes)
    if args.half not in halves:
        raise InputError(f"--half: {args.half} is not one of {', '.join(halves)}. Correct it.")
    if unknown := set(halves[args.half]) - set(classes.names):
        raise InputError(
            f"--partition: class {min(unknown)} of {args.partition} is not in the images' labels. Use a list of "
            "these classes."
        )
    task_classes = np.flatnonzero(np.isin(classes.names, halves[args.half]))
    text = image_list(names, indices, task_classes, images_per_class if args.split == "train" else None)
    write_text(args.output, text)
    md5 = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    published = published_md5(Path(args.partition).stem, args.half, args.split)
    verdict = {None: "no published sum", md5: "the published sum"}.get(published, f"the published sum is {published}")
    print(f"{md5}  {args.output} ({text.count(chr(10))} images, {verdict})")


if __name__ == "__main__":
    cli.run(main)
