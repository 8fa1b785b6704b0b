"""Reading a packed store: memory-mapped uint8 images by split and position."""

import mmap
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts.dataset.store_size import packed_bytes
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import sha256_file
from workflow_scripts.plumbing.records import check_sha256, read_record, remedy

# Bytes. Smaller images come with their neighbours when the system reads ahead, and numpy crops them faster all at once.
LARGE_IMAGE = 2**15


def read_index(folder: Path, shard: dict) -> pd.DataFrame:
    """The names and class indices (int64) of a shard's images; `shard` is the manifest's entry.

    Raises InputError if the file is not the one that was packed.
    """
    path = folder / f"{shard['file']}.csv"
    check_sha256(path, sha256_file(path), shard["files"][path.name], f"{folder}/manifest.json")
    return pd.read_csv(path, dtype={"name": str, "class_index": np.int64}, keep_default_na=False)


def read_checksums(folder: Path, shard: dict) -> np.ndarray:
    """The CRC-32 of each image of a shard (uint32, n); `shard` is the manifest's entry. Raises InputError as
    read_index.
    """
    path = folder / f"{shard['file']}.crc"
    check_sha256(path, sha256_file(path), shard["files"][path.name], f"{folder}/manifest.json")
    return np.fromfile(path, dtype="<u4")


def windows(images: np.ndarray, size: int) -> np.ndarray:
    """All square crops of `images` (n, H, W, channels) as a view (n, H-size+1, W-size+1, size, size, channels)."""
    view = np.lib.stride_tricks.sliding_window_view(images, (size, size), axis=(1, 2))
    return np.moveaxis(view, 3, -1)


class PackedSplit:
    """The images of one split ("train" or "val") of a packed store, in the manifest's order.

    `len` is the number of images, `image_size` their side in pixels. No pixel is read before it is asked for. Each
    image is compared with its checksum when it is first read. InputError is raised if it is not the one that was
    packed.
    """

    def __init__(self, manifest: str | Path, split: str) -> None:
        """Map the shards that `manifest` names.

        Raises InputError for a damaged manifest or list of checksums, and for shards of a different size.
        """
        self.folder = Path(manifest).parent
        description = read_record(manifest)
        self.image_size = description["image_size"]
        self.shards = description["shards"][split]
        self._maps = [self._map(shard) for shard in self.shards]
        self._image_bytes = packed_bytes(1, self.image_size)
        self._starts = np.cumsum([0, *(shard["images"] for shard in self.shards)])
        self._windows: dict[tuple[int, int], np.ndarray] = {}
        self._checksums = np.concatenate([read_checksums(self.folder, shard) for shard in self.shards])
        self._checked = np.zeros(len(self), dtype=bool)

    def _map(self, shard: dict) -> mmap.mmap | bytes:
        path = self.folder / f"{shard['file']}.u8"
        shape = (shard["images"], self.image_size, self.image_size, 3)
        if not path.is_file() or path.stat().st_size != np.prod(shape):
            raise InputError(f"{path}: the file is missing or damaged. {remedy(path)}")
        if not shard["images"]:  # all of them quarantined; an empty file cannot be mapped
            return b""
        with open(path, "rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def _pixels(self, shard: int) -> np.ndarray:
        pixels = np.frombuffer(self._maps[shard], dtype=np.uint8)
        return pixels.reshape(-1, self.image_size, self.image_size, 3)

    def _shard_windows(self, shard: int, size: int) -> np.ndarray:
        if (shard, size) not in self._windows:
            self._windows[shard, size] = windows(self._pixels(shard), size)
        return self._windows[shard, size]

    def __len__(self) -> int:
        return int(self._starts[-1])

    def crops(
        self, positions: np.ndarray, offsets: np.ndarray, size: int, crops: np.ndarray | None = None
    ) -> np.ndarray:
        """Crops of the images at `positions` with their top left corners at `offsets` (n, 2): uint8 (n, size, size, 3).

        They are written into `crops`, if given. Whole images are crops of `image_size` at offset 0.
        """
        crops = np.empty((len(positions), size, size, 3), dtype=np.uint8) if crops is None else crops
        shards = np.searchsorted(self._starts, positions, side="right") - 1
        inside = positions - self._starts[shards]
        if self._image_bytes >= LARGE_IMAGE:
            self._announce(shards, inside)
        if not self._checked[positions].all():
            self._check(positions, shards, inside)
        if self._image_bytes >= LARGE_IMAGE:
            self._crop_one_by_one(crops, shards, inside, offsets)
            return crops
        for shard in np.unique(shards):
            here = shards == shard
            tops, lefts = offsets[here].T
            crops[here] = self._shard_windows(shard, size)[inside[here], tops, lefts]
        return crops

    def _crop_one_by_one(self, crops: np.ndarray, shards: np.ndarray, inside: np.ndarray, offsets: np.ndarray) -> None:
        """Fill `crops`. One call of numpy for all of them would copy every pixel by itself, and then once more."""
        size, pixels = crops.shape[1], {shard: self._pixels(shard) for shard in np.unique(shards).tolist()}
        places = zip(shards.tolist(), inside.tolist(), offsets.tolist(), strict=True)
        for crop, (shard, place, (top, left)) in zip(crops, places, strict=True):
            crop[:] = pixels[shard][place, top : top + size, left : left + size]

    def _announce(self, shards: np.ndarray, inside: np.ndarray) -> None:
        """Ask the system for all these images at once. One by one, they come from a disk at a third of the rate."""
        for shard, start in zip(shards.tolist(), (inside * self._image_bytes).tolist(), strict=True):
            page = start // mmap.PAGESIZE * mmap.PAGESIZE
            self._maps[shard].madvise(mmap.MADV_WILLNEED, page, start + self._image_bytes - page)

    def _check(self, positions: np.ndarray, shards: np.ndarray, inside: np.ndarray) -> None:
        """Compare the images that were not read before with their checksums. A whole shard's would take hours."""
        new = ~self._checked[positions]
        for position, shard, place in zip(positions[new], shards[new], inside[new], strict=True):
            start = int(place) * self._image_bytes
            with memoryview(self._maps[shard]) as pixels:
                found = zlib.crc32(pixels[start : start + self._image_bytes])
            if found != self._checksums[position]:
                path = f"{self.folder}/{self.shards[shard]['file']}.u8"
                raise InputError(f"{path}: it is damaged at image {place}. {remedy(path)}")
            self._checked[position] = True

    def images(self, positions: np.ndarray) -> np.ndarray:
        """The whole images at `positions`: uint8 (n, image_size, image_size, 3)."""
        return self.crops(positions, np.zeros((len(positions), 2), dtype=np.int64), self.image_size)

    def class_indices(self) -> np.ndarray:
        """The class index of every image, in order (int64)."""
        return np.concatenate([read_index(self.folder, shard)["class_index"].to_numpy() for shard in self.shards])

    def names(self) -> list[str]:
        """The name of every image, in order."""
        return [name for shard in self.shards for name in read_index(self.folder, shard)["name"]]
