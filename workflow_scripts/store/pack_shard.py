"""Step: decode and resize one share of a dataset's images into one uint8 shard.

Writes PREFIX.u8 (images x size x size x 3 bytes), PREFIX.csv (name, class_index), PREFIX.crc (the CRC-32 of each image,
little-endian uint32) and PREFIX.json (record). The record's `quarantine` lists the images that could not be decoded,
with the reasons.
"""

import argparse
import contextlib
import csv
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from workflow_scripts.dataset.dataset import BadImage, Dataset
from workflow_scripts.dataset.sources import dataset_identity, open_dataset
from workflow_scripts.dataset.store_size import packed_bytes
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import atomic_path, check_free_disk, sha256_file
from workflow_scripts.plumbing.progress import progress
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import verified, write_record
from workflow_scripts.store.decode import Decoded, decode_all
from workflow_scripts.store.undecodable import MOST_LISTED, list_undecodable, refuse

BUFFER = 2**20  # bytes: small images are written many at a time


def pack_shard(
    dataset: Dataset,
    split: str,
    shard: int,
    shards: int,
    image_size: int,
    resize: str,
    max_bad_fraction: float,
    threads: int,
    prefix: str,
) -> dict:
    """Write the shard's pixels, index and checksums under `prefix` and return its record (without provenance).

    `split` is "train" or "val". Raises InputError if more than `max_bad_fraction` of the images cannot be decoded, and
    such images are printed (undecodable.list_undecodable). Raises it before any work if the share is empty or the disk
    has no room.
    """
    sources = dataset.images(split, shard, shards)
    if not sources:
        raise InputError(f"store.{split}_shards: {split} shard {shard} of {shards} is empty. Lower it.")
    check_free_disk(prefix, packed_bytes(len(sources), image_size), "store.image_size")
    decoded = progress(decode_all(sources, image_size, resize, threads), prefix, len(sources), "images")
    names = [f"{prefix}.{suffix}" for suffix in ("u8", "csv", "crc")]
    with contextlib.ExitStack() as files:
        paths = [files.enter_context(atomic_path(name)) for name in names]
        quarantine, pixels_sha256 = [], hashlib.sha256()
        allowed = int(max_bad_fraction * len(sources))
        for bad in _write(decoded, *paths, pixels_sha256):
            quarantine.append(bad)
            if len(quarantine) > max(MOST_LISTED, allowed):
                break
        if len(quarantine) > allowed:
            decoded.close()  # ends the progress bar's line
            list_undecodable(dataset, split, sources, quarantine, threads)
            refuse(quarantine, len(sources), max_bad_fraction, f"{split} shard {shard}")
        checksums = [pixels_sha256.hexdigest(), *map(sha256_file, paths[1:])]  # pixels: hashed when written
    return {
        "split": split,
        "images": len(sources) - len(quarantine),
        "files": {Path(name).name: checksum for name, checksum in zip(names, checksums, strict=True)},
        "quarantine": quarantine,
    }


def _write(
    decoded: Iterable[Decoded], pixels_path: Path, index_path: Path, checksums_path: Path, digest: object
) -> Iterator[dict]:
    """Write pixels, index and checksums; yields the name and reason of each image that could not be decoded."""
    with (
        open(pixels_path, "wb", buffering=BUFFER) as pixels,
        open(index_path, "w", newline="", encoding="utf-8") as index_file,
        open(checksums_path, "wb") as checksums,
    ):
        index = csv.writer(index_file, lineterminator="\n")
        index.writerow(["name", "class_index"])
        for source, image in decoded:
            if isinstance(image, BadImage):
                yield {"name": source.name, "reason": str(image)}
                continue
            pixels.write(image)
            digest.update(image)
            checksums.write(zlib.crc32(image).to_bytes(4, "little"))
            index.writerow([source.name, source.class_index])


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=cli.json_argument, required=True, help="the dataset's leaves as JSON")
    parser.add_argument("--path", required=True)
    parser.add_argument("--classes", type=verified, required=True, help="the survey's classes.csv")
    parser.add_argument("--split", choices=("train", "val"), required=True)
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="shards, image_size, resize, as JSON")
    parser.add_argument("--max-bad-fraction", type=float, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--prefix", required=True)
    args = parser.parse_args()
    dataset = open_dataset(args.dataset, args.path)
    record = pack_shard(
        dataset,
        args.split,
        args.shard,
        **args.settings,
        max_bad_fraction=args.max_bad_fraction,
        threads=args.threads,
        prefix=args.prefix,
    )
    record |= {"dataset": dataset_identity(args.dataset, args.path), "settings": args.settings}
    record |= {"provenance": provenance("store.pack_shard", args.settings)}
    write_record(f"{args.prefix}.json", record, made_from=[args.classes])


if __name__ == "__main__":
    cli.run(main)
