"""Reading a packed store: memory-mapped uint8 images by split and position."""

from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts.cli import InputError
from workflow_scripts.files import read_json


def read_names(path: str | Path) -> pd.DataFrame:
    """A CSV of names (classes.csv, hierarchy.csv, halves) with every cell as text; a class may be called NA."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


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
        self._starts = np.cumsum([0, *(shard["images"] for shard in self.shards)])

    def _map(self, shard: dict) -> np.ndarray:
        path = self.folder / f"{shard['file']}.u8"
        shape = (shard["images"], self.image_size, self.image_size, 3)
        if not path.is_file() or path.stat().st_size != np.prod(shape):
            raise InputError(f"{path} is missing or damaged: delete it and run snakemake again to pack it anew")
        return np.memmap(path, dtype=np.uint8, mode="r", shape=shape)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def image(self, position: int) -> np.ndarray:
        """The image at `position` as a read-only uint8 view (size, size, 3)."""
        shard = int(np.searchsorted(self._starts, position, side="right")) - 1
        return self._maps[shard][position - self._starts[shard]]

    def class_indices(self) -> np.ndarray:
        """The class index of every image, in order (int64)."""
        tables = [pd.read_csv(self.folder / f"{shard['file']}.csv") for shard in self.shards]
        return pd.concat(tables)["class_index"].to_numpy(np.int64)
