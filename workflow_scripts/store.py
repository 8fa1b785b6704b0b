"""Reading a packed store: memory-mapped uint8 images by split and position."""

import mmap
from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts.cli import InputError
from workflow_scripts.files import read_json
from workflow_scripts.store_layout import packed_bytes

LARGE_IMAGE = 2**15  # bytes; smaller images come with their neighbours when the system reads ahead


def read_names(path: str | Path) -> pd.DataFrame:
    """A CSV of names (classes.csv, hierarchy.csv, halves) with every cell as text; a class may be called NA."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def read_index(folder: Path, shard: dict) -> pd.DataFrame:
    """The names and class indices (int64) of a shard's images; `shard` is the manifest's entry."""
    columns = {"name": str, "class_index": np.int64}
    return pd.read_csv(folder / f"{shard['file']}.csv", dtype=columns, keep_default_na=False)


def windows(images: np.ndarray, size: int) -> np.ndarray:
    """All square crops of `images` (n, H, W, channels) as a view (n, H-size+1, W-size+1, size, size, channels)."""
    view = np.lib.stride_tricks.sliding_window_view(images, (size, size), axis=(1, 2))
    return np.moveaxis(view, 3, -1)


class PackedSplit:
    """The images of one split ("train" or "val") of a packed store, in the manifest's order.

    `len` is the number of images, `image_size` their side in pixels; nothing is read before it is asked for.
    """

    def __init__(self, manifest: str | Path, split: str) -> None:
        """Map the shards that `manifest` names. Raises InputError where a shard's size disagrees with it."""
        self.folder = Path(manifest).parent
        description = read_json(manifest)
        self.image_size = description["image_size"]
        self.shards = description["shards"][split]
        self._maps = [self._map(shard) for shard in self.shards]
        self._image_bytes = packed_bytes(1, self.image_size)
        self._starts = np.cumsum([0, *(shard["images"] for shard in self.shards)])
        self._windows: dict[tuple[int, int], np.ndarray] = {}

    def _map(self, shard: dict) -> mmap.mmap | bytes:
        path = self.folder / f"{shard['file']}.u8"
        shape = (shard["images"], self.image_size, self.image_size, 3)
        if not path.is_file() or path.stat().st_size != np.prod(shape):
            raise InputError(f"{path} is missing or damaged: delete it and run snakemake again to pack it anew")
        if not shard["images"]:  # all of them quarantined; an empty file cannot be mapped
            return b""
        with open(path, "rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def _shard_windows(self, shard: int, size: int) -> np.ndarray:
        if (shard, size) not in self._windows:
            pixels = np.frombuffer(self._maps[shard], dtype=np.uint8)
            self._windows[shard, size] = windows(pixels.reshape(-1, self.image_size, self.image_size, 3), size)
        return self._windows[shard, size]

    def __len__(self) -> int:
        return int(self._starts[-1])

    def crops(self, positions: np.ndarray, offsets: np.ndarray, size: int) -> np.ndarray:
        """Crops of the images at `positions` with their top left corners at `offsets` (n, 2): uint8 (n, size, size, 3).

        Whole images are crops of `image_size` at offset 0.
        """
        crops = np.empty((len(positions), size, size, 3), dtype=np.uint8)
        shards = np.searchsorted(self._starts, positions, side="right") - 1
        inside = positions - self._starts[shards]
        if self._image_bytes >= LARGE_IMAGE:
            self._announce(shards, inside)
        for shard in np.unique(shards):
            here = shards == shard
            tops, lefts = offsets[here].T
            crops[here] = self._shard_windows(shard, size)[inside[here], tops, lefts]
        return crops

    def _announce(self, shards: np.ndarray, inside: np.ndarray) -> None:
        """Ask the system for all these images at once: one after another they come from a disk at a third the rate."""
        for shard, start in zip(shards.tolist(), (inside * self._image_bytes).tolist(), strict=True):
            page = start // mmap.PAGESIZE * mmap.PAGESIZE
            self._maps[shard].madvise(mmap.MADV_WILLNEED, page, start + self._image_bytes - page)

    def images(self, positions: np.ndarray) -> np.ndarray:
        """The whole images at `positions`: uint8 (n, image_size, image_size, 3)."""
        return self.crops(positions, np.zeros((len(positions), 2), dtype=np.int64), self.image_size)

    def class_indices(self) -> np.ndarray:
        """The class index of every image, in order (int64)."""
        return np.concatenate([read_index(self.folder, shard)["class_index"].to_numpy() for shard in self.shards])

    def names(self) -> list[str]:
        """The name of every image, in order."""
        return [name for shard in self.shards for name in read_index(self.folder, shard)["name"]]
