"""Step: join the shards of a packed store into its manifest.

manifest.json has the shards in order with counts and checksums, the classes in order with their numbers of images, and
the resizing. quarantine.csv (split, name, reason) lists the images that could not be decoded.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from workflow_scripts.dataset.dataset import SPLITS
from workflow_scripts.dataset.tables import read_names
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verified, expect, opened, read_record, record_of, verified, write_record
from workflow_scripts.store.packed import read_index

MOST_NAMED = 20  # classes in an error line


def manifest(image_size: int, resize: str, class_names: Sequence[str], shard_records: Sequence[Path]) -> dict:
    """The store's description; raises InputError for a class without images.

    It has the image size, the resizing, the classes in order with counts, and per split its shards in order with counts
    and checksums.
    """
    shards: dict[str, list[dict]] = {split: [] for split in SPLITS}
    for path in sorted(shard_records):
        record = read_record(path)
        shard = {key: record[key] for key in ("images", "files")}
        shard["quarantined"] = len(record["quarantine"])
        shards[record["split"]].append({"file": path.stem, **shard})
    folder = Path(shard_records[0]).parent
    counts = {split: _class_counts(folder, shards[split], class_names, split) for split in SPLITS}
    classes = [
        {"class": name, **{split: counts[split][index] for split in SPLITS}} for index, name in enumerate(class_names)
    ]
    return {"image_size": image_size, "resize": resize, "classes": classes, "shards": shards}


def _class_counts(folder: Path, shards: list[dict], class_names: Sequence[str], split: str) -> list[int]:
    indices = pd.concat([read_index(folder, shard) for shard in shards])["class_index"]
    counts = indices.value_counts().reindex(range(len(class_names)), fill_value=0).tolist()
    if empty := [name for name, count in zip(class_names, counts, strict=True) if not count]:
        more = f" and {len(empty) - MOST_NAMED} more" if len(empty) > MOST_NAMED else ""
        raise InputError(
            f"class {', '.join(empty[:MOST_NAMED])}{more}: none of its {split} images can be decoded. Fix them "
            "or remove the class."
        )
    return counts


def check_shards(classes: Verified, shard_records: Sequence[Path], image_size: int, resize: str) -> None:
    """Raise InputError unless all shards were packed from the surveyed dataset, with this `image_size` and `resize`."""
    for path in shard_records:
        settings = {"image_size": image_size, "resize": resize}
        expect(opened(path), classes, dataset=classes.record["dataset"], settings=settings)


def quarantine_table(shard_records: Sequence[Path]) -> pd.DataFrame:
    """One row per image that could not be decoded: split, name, reason."""
    rows = [
        {"split": record["split"], **bad}
        for record in map(read_record, sorted(shard_records))
        for bad in record["quarantine"]
    ]
    return pd.DataFrame(rows, columns=["split", "name", "reason"])


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=verified, required=True, help="the survey's classes.csv")
    parser.add_argument("--image-size", type=int, required=True)
    parser.add_argument("--resize", required=True)
    parser.add_argument("--shards", type=Path, nargs="+", required=True, help="the shards' records (.json)")
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    class_names = list(read_names(args.classes)["class"])
    settings = {"image_size": args.image_size, "resize": args.resize}
    check_shards(args.classes, args.shards, **settings)
    record = manifest(**settings, class_names=class_names, shard_records=args.shards)
    quarantine = args.folder / "quarantine.csv"
    write_text(quarantine, quarantine_table(args.shards).to_csv(index=False))
    record |= {"provenance": provenance("store.pack_manifest", settings)}
    sources = [args.classes, record_of(args.classes.path), *args.shards]
    write_record(args.folder / "manifest.json", record, [quarantine], sources)


if __name__ == "__main__":
    cli.run(main)
