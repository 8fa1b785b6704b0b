"""Step: check a dataset before any of it is decoded, and write its classes.

Writes into the store's folder classes.csv (class_index, class, words) and hierarchy.csv (parent, child; no rows where
the dataset has no hierarchy). It also writes split.csv (path, label, split; no rows where validation images are not
drawn). The record survey.json has the numbers of images and of files left out, where the images were read from, and
the bytes of the packed store. The record dataset.json has where the dataset lies, what it holds, and its edition.
Refuses an incomplete or unsafe dataset, and a disk too small for the store.
"""

import argparse
import csv
from pathlib import Path

from workflow_scripts.dataset.folder import SPLIT_COLUMNS, FolderDataset
from workflow_scripts.dataset.identity import dataset_content, dataset_place
from workflow_scripts.dataset.sources import dataset_identity, open_dataset
from workflow_scripts.dataset.store_size import packed_bytes
from workflow_scripts.dataset.tables import class_tables
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import atomic_path, check_free_disk, write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import write_record

SPLIT_WORDS = {"train": "Training", "val": "Validation"}


def write_split(path: Path, dataset: FolderDataset | None) -> None:
    """Write which images of `dataset` were drawn for which split; without a dataset no rows."""
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(SPLIT_COLUMNS)
        rows.writerows(dataset.split_rows() if dataset else ())


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=cli.json_argument, required=True, help="the dataset's leaves as JSON")
    parser.add_argument("--path", required=True)
    parser.add_argument("--edition", required=True, help="of the dataset, see config/dataset_state.py")
    parser.add_argument("--image-size", type=int, required=True)
    parser.add_argument("--train-shards", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    dataset = open_dataset(args.dataset, args.path)
    images = dataset.survey()
    classes, hierarchy = class_tables(dataset.class_list())
    if args.train_shards > len(classes):
        raise InputError(f"store.train_shards: {args.train_shards} is more than the {len(classes)} classes. Lower it.")
    needed = packed_bytes(sum(images.values()), args.image_size)
    # Shards that are there already are kept or replaced, so their bytes are not needed again.
    present = sum(shard.stat().st_size for shard in args.folder.glob("[tv]*.u8"))
    check_free_disk(args.folder, needed - present, "store.image_size")
    tables = [args.folder / f"{name}.csv" for name in ("classes", "hierarchy", "split")]
    write_text(tables[0], classes.to_csv())
    write_text(tables[1], hierarchy.to_csv(index=False))
    write_split(tables[2], dataset if "split" in args.dataset else None)
    settings = {"dataset": args.dataset, "image_size": args.image_size}
    print(f"{sum(images.values())} images. Left out: {dataset.left_out} files and folders that lie about.")
    for split, place in dataset.read_from.items():
        print(f"{SPLIT_WORDS[split]} images: {images[split]} in {place}")
    if dataset.not_read:
        print(f"Not read: {', '.join(dataset.not_read)}")
    record = {"classes": len(classes), "images": images, "left_out": dataset.left_out, "bytes": needed}
    record |= {"read_from": dict(dataset.read_from)}
    record |= {"dataset": dataset_identity(args.dataset, args.path)}
    record |= {"provenance": provenance("dataset.survey_dataset", settings)}
    # Where the dataset lies is not in survey.json: a store that is packed again from elsewhere has the same bytes.
    place = {"place": dataset_place(args.dataset, args.path), "content": dataset_content(args.dataset, args.path)}
    write_record(args.folder / "dataset.json", place | {"edition": args.edition})
    write_record(args.folder / "survey.json", record, tables)


if __name__ == "__main__":
    cli.run(main)
