"""A packed store of made-up images, and the task of classifying all of them, without any dataset."""

import hashlib
import zlib

import numpy as np

from workflow_scripts.partition.make_task import make_task, write_task
from workflow_scripts.plumbing.files import sha256_file
from workflow_scripts.plumbing.records import write_record


def write_noise(folder, size, classes, images):
    """Write a store of `images` images of noise of `size` pixels in each split, and the task of its `classes` classes.

    Returns the paths of the manifest and of the task.
    """
    random = np.random.default_rng(0)
    shards = {split: [_shard(folder, f"{split}-000", random, size, classes, images)] for split in ("train", "val")}
    names = [f"class{number:04d}" for number in range(classes)]
    listed = [{"class": name, "train": images // classes, "val": images // classes} for name in names]
    manifest, task = folder / "manifest.json", folder / "whole.npz"
    write_record(manifest, {"image_size": size, "resize": "warp", "classes": listed, "shards": shards})
    write_task(make_task(manifest, names), task, {"partition": "whole", "half": "whole"}, [manifest])
    return manifest, task


def _shard(folder, name, random, size, classes, images):
    """Write a shard; image i is of class i modulo `classes`, and brighter in later classes. Returns its entry."""
    digest, checksums = hashlib.sha256(), []
    with open(folder / f"{name}.u8", "wb") as file:
        for number in range(images):
            image = random.integers(0, 156, (size, size, 3), dtype=np.uint8)
            image += np.uint8(100 * (number % classes) // classes)
            file.write(image)
            digest.update(image)
            checksums.append(zlib.crc32(image))
    rows = "".join(f"{number},{number % classes}\n" for number in range(images))
    (folder / f"{name}.csv").write_text("name,class_index\n" + rows)
    (folder / f"{name}.crc").write_bytes(np.array(checksums, dtype="<u4").tobytes())
    files = {f"{name}.u8": digest.hexdigest()}
    files |= {f"{name}.{suffix}": sha256_file(folder / f"{name}.{suffix}") for suffix in ("csv", "crc")}
    return {"file": name, "images": images, "files": files, "quarantined": 0}
