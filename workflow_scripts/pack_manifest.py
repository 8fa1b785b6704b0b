"""Step: join the shards of a packed store into its manifest, and write its class list and hierarchy beside them.

manifest.json names the shards in order with counts and checksums; classes.csv has class_index, class, words,
train_images, val_images; hierarchy.csv has parent, child (no rows where the dataset has no hierarchy).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from workflow_scripts import cli
from workflow_scripts.cli import InputError
from workflow_scripts.dataset import ClassList
from workflow_scripts.files import read_json, write_json, write_text
from workflow_scripts.provenance import provenance
from workflow_scripts.sources import open_dataset


def class_table(classes: ClassList, shard_records: Sequence[Path]) -> pd.DataFrame:
    """One row per class in order, with its counts of packed images. Raises InputError for a class without any."""
    table = pd.DataFrame({"class": classes.names, "words": classes.words})
    table.index.name = "class_index"
    for split in ("train", "val"):
        indices = [
            pd.read_csv(record.with_suffix(".csv"))["class_index"]
            for record in shard_records
            if record.name.startswith(split)
        ]
        counts = pd.concat(indices).value_counts()
        table[f"{split}_images"] = counts.reindex(table.index, fill_value=0)
        if empty := list(table["class"][table[f"{split}_images"] == 0]):
            raise InputError(f"class {empty[0]} has no {split} images ({len(empty)} such classes); mend the dataset")
    return table


def manifest(image_size: int, shard_records: Sequence[Path]) -> dict:
    """The store's description: image size and, per split, its shards in order with counts and checksums."""
    shards: dict[str, list[dict]] = {"train": [], "val": []}
    for path in sorted(shard_records):
        record = read_json(path)
        shard = {key: record[key] for key in ("images", "pixels_sha256", "index_sha256")}
        shard["quarantined"] = len(record["quarantine"])
        shards[record["split"]].append({"file": path.stem, **shard})
    return {"image_size": image_size, "shards": shards}


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--image-size", type=int, required=True)
    parser.add_argument("--shards", type=Path, nargs="+", required=True, help="the shards' records (.json)")
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    classes = open_dataset(args.kind, args.path).class_list()
    table = class_table(classes, args.shards)
    edges = pd.DataFrame(classes.edges, columns=["parent", "child"])
    write_text(args.folder / "classes.csv", table.to_csv())
    write_text(args.folder / "hierarchy.csv", edges.to_csv(index=False))
    settings = {"kind": args.kind, "image_size": args.image_size}
    record = manifest(args.image_size, args.shards) | {"provenance": provenance("pack_manifest", settings)}
    write_json(args.folder / "manifest.json", record)


if __name__ == "__main__":
    cli.run(main)
