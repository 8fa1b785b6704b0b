"""Step: find the validation images of a packed store that are training images too, pixel by pixel.

Writes duplicates.csv (val, val_class, train, train_class, train_images) with a row for each such validation image and
class of training images like it: the first of these, and how many they are. The record duplicates.json has the numbers
of validation images in all, of those in the table, and of those that have a different class among the training images.
"""

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts.dataset.tables import read_names
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import record_of, verified, write_record
from workflow_scripts.store.packed import PackedSplit, read_checksums

COLUMNS = ["val", "val_class", "train", "train_class", "train_images"]
AT_ONCE = 256  # images that are read together

Pair = tuple[int, np.ndarray]  # the position of a validation image, and those of the training images like it


def candidates(train: np.ndarray, val: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The positions of the images whose checksums are in both arrays, those of training and those of validation."""
    return np.flatnonzero(np.isin(train, val)), np.flatnonzero(np.isin(val, train))


def duplicates(train: PackedSplit, val: PackedSplit) -> Iterator[Pair]:
    """Each validation image whose pixels a training image has. Only images of the same CRC-32 are looked at."""
    sums = (np.concatenate([read_checksums(split.folder, shard) for shard in split.shards]) for split in (train, val))
    train_positions, val_positions = candidates(*sums)
    known: dict[bytes, list[int]] = {}
    for position, pixels in _hashed(train, train_positions):
        known.setdefault(pixels, []).append(position)
    for position, pixels in _hashed(val, val_positions):
        if pixels in known:  # else two images have one CRC-32 by chance
            yield position, np.array(known[pixels])


def _hashed(split: PackedSplit, positions: np.ndarray) -> Iterator[tuple[int, bytes]]:
    """Each position, and the SHA-256 of its image's pixels."""
    for start in range(0, len(positions), AT_ONCE):
        some = positions[start : start + AT_ONCE]
        for position, image in zip(some.tolist(), split.images(some), strict=True):
            yield position, hashlib.sha256(image).digest()


def duplicate_table(train: PackedSplit, val: PackedSplit, classes: list[str]) -> pd.DataFrame:
    """The table duplicates.csv: see the module's docstring. `classes` are the names of the classes in order."""
    pairs = list(duplicates(train, val))
    if not pairs:
        return pd.DataFrame(columns=COLUMNS)
    names, labels = ([read(split) for split in (val, train)] for read in (PackedSplit.names, PackedSplit.class_indices))
    rows = []
    for position, alike in pairs:
        own = (names[0][position], classes[labels[0][position]])
        found, first, times = np.unique(labels[1][alike], return_index=True, return_counts=True)
        for label, place, count in zip(found, first, times, strict=True):
            rows.append((*own, names[1][alike[place]], classes[label], count))
    return pd.DataFrame(rows, columns=COLUMNS)


def counts(table: pd.DataFrame, val_images: int) -> dict[str, int]:
    """The numbers in the record: see the module's docstring."""
    contradicted = table[table["val_class"] != table["train_class"]]
    # Names of validation images may be the same in two classes.
    images = (len(rows[["val", "val_class"]].drop_duplicates()) for rows in (table, contradicted))
    return dict(zip(("val_images", "duplicates", "other_class"), (val_images, *images), strict=True))


def sentence(found: dict[str, int]) -> str:
    """What `found`, the numbers in the record, mean for the scores; empty where there is no duplicate."""
    if not found["duplicates"]:
        return ""
    total, number, other = found["val_images"], found["duplicates"], found["other_class"]
    are, have = ("are also training images", "have") if number > 1 else ("is also a training image", "has")
    said = f"{number:,} of {total:,} validation images ({number / total:.2%}) {are}, pixel by pixel. "
    said += "Scores are too high because of it."
    return said + (f" {other:,} of them {have} a different class there." if other else "")


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=verified, required=True, help="the packed store's manifest")
    parser.add_argument("--output", type=Path, required=True, help="duplicates.csv")
    args = parser.parse_args()
    train, val = (PackedSplit(args.manifest, split) for split in ("train", "val"))
    classes = verified(args.manifest.path.with_name("classes.csv"))
    table = duplicate_table(train, val, list(read_names(classes)["class"]))
    write_text(args.output, table.to_csv(index=False))
    found = counts(table, len(val))
    if said := sentence(found):
        print(f"{said} {args.output} names them.")
    record = {**found, "sentence": said, "provenance": provenance("store.find_duplicates", {})}
    write_record(record_of(args.output), record, [args.output], [args.manifest])


if __name__ == "__main__":
    cli.run(main)
