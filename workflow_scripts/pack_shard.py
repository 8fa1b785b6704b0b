"""Step: decode and resize one share of a dataset's images into one uint8 shard.

Writes PREFIX.u8 (images x size x size x 3 bytes), PREFIX.csv (name, class_index) and PREFIX.json (record; images that
could not be decoded are listed with their reasons in its `quarantine`).
"""

import argparse
import csv
import hashlib
import itertools
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tqdm import tqdm

from workflow_scripts import cli
from workflow_scripts.cli import InputError
from workflow_scripts.dataset import Dataset
from workflow_scripts.files import atomic_path, sha256_file, write_json
from workflow_scripts.images import BadImage, decode
from workflow_scripts.provenance import provenance
from workflow_scripts.sources import open_dataset

CHUNK = 256  # encoded images in memory at a time, however large the archive

Decoded = tuple[str, int, np.ndarray | BadImage]


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
    """Write the shard's pixels and index under `prefix` and return its record (without provenance).

    `split` is "train" or "val". Raises InputError if more than `max_bad_fraction` of the images cannot be decoded.
    """
    images = (dataset.train_images if split == "train" else dataset.val_images)(shard, shards)
    count, quarantine, digest = 0, [], hashlib.sha256()
    with atomic_path(f"{prefix}.u8") as pixels_path, atomic_path(f"{prefix}.csv") as index_path:
        with open(pixels_path, "wb") as pixels, open(index_path, "w", newline="") as index_file:
            index = csv.writer(index_file, lineterminator="\n")
            index.writerow(["name", "class_index"])
            decoded = _decode_all(images, image_size, resize, threads)
            for name, class_index, image in tqdm(decoded, desc=prefix, unit="images", mininterval=_interval()):
                if isinstance(image, BadImage):
                    quarantine.append({"name": name, "reason": str(image)})
                    continue
                pixels.write(image)
                digest.update(image)
                index.writerow([name, class_index])
                count += 1
        if not count and not quarantine:
            raise InputError(f"{split} shard {shard} of {shards} is empty; lower store.{split}_shards")
        _check_bad(quarantine, count, max_bad_fraction, f"{split} shard {shard}")
        index_sha256 = sha256_file(index_path)
    return {
        "split": split,
        "images": count,
        "pixels_sha256": digest.hexdigest(),
        "index_sha256": index_sha256,
        "quarantine": quarantine,
    }


def _decode_all(images: Iterable, size: int, resize: str, threads: int) -> Iterator[Decoded]:
    """Decode in `threads` threads (Pillow releases the GIL), in order, holding CHUNK images at a time."""

    def decode_one(image: tuple[str, int, bytes]) -> Decoded:
        name, class_index, data = image
        try:
            return name, class_index, decode(data, size, resize)
        except BadImage as reason:
            return name, class_index, reason

    images = iter(images)
    with ThreadPoolExecutor(threads) as pool:
        while chunk := list(itertools.islice(images, CHUNK)):
            yield from pool.map(decode_one, chunk)


def _check_bad(quarantine: list[dict], good: int, max_bad_fraction: float, where: str) -> None:
    if len(quarantine) > max_bad_fraction * (good + len(quarantine)):
        first = "; ".join(f"{bad['name']} ({bad['reason']})" for bad in quarantine[:3])
        raise InputError(
            f"{where}: {len(quarantine)} of {good + len(quarantine)} images cannot be decoded, first {first}; "
            f"mend them or raise store.max_bad_fraction (now {max_bad_fraction})"
        )


def _interval() -> float:
    return 0.1 if sys.stderr.isatty() else 30.0  # a bar on a terminal, sparse lines in a log file


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--split", choices=("train", "val"), required=True)
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument(
        "--settings",
        type=cli.json_argument,
        required=True,
        help="shards, image_size, resize, max_bad_fraction, as JSON",
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--prefix", required=True)
    args = parser.parse_args()
    dataset = open_dataset(args.kind, args.path)
    record = pack_shard(dataset, args.split, args.shard, **args.settings, threads=args.threads, prefix=args.prefix)
    write_json(f"{args.prefix}.json", record | {"provenance": provenance("pack_shard", args.settings)})


if __name__ == "__main__":
    cli.run(main)
