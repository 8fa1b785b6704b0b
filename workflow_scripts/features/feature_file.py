"""Features of all units of a source network for a task's images: a flat .npy of float16, read by memory map.

The block of a unit has a row for each training image, then one for each validation image. The record beside the file
says where blocks begin.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from workflow_scripts.dataset.dataset import SPLITS
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import Verified, remedy


class FeatureFile:
    """Blocks of features in a flat array, by unit and split."""

    def __init__(self, values: np.ndarray, widths: Sequence[int], images: Mapping[str, int]) -> None:
        """`values` is float16 (all features,), `widths` the number of features of each unit, the first unit first, and
        `images` the number of images by split.
        """
        self.images = {split: images[split] for split in SPLITS}
        rows = sum(self.images.values())
        blocks = np.split(values, np.cumsum([rows * width for width in widths])[:-1])
        self._blocks = [block.reshape(rows, width) for block, width in zip(blocks, widths, strict=True)]

    def of(self, depth: int, split: str) -> np.ndarray:
        """The features after the unit of this depth (from 1), float16 (images, features), a view."""
        start = 0 if split == "train" else self.images["train"]
        return self._blocks[depth - 1][start : start + self.images[split]]

    @staticmethod
    def create(path: Path, widths: Sequence[int], images: Mapping[str, int]) -> "FeatureFile":
        """A new file at `path` that is written by writing into its views."""
        size = sum(images.values()) * sum(widths)
        values = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(size,))
        return FeatureFile(values, widths, images)

    @staticmethod
    def open(file: Verified) -> "FeatureFile":
        """The file that a record describes. Raises InputError if it is no such file."""
        try:
            values = np.load(file.path, mmap_mode="r", allow_pickle=False)
            return FeatureFile(values, [unit["features"] for unit in file.record["units"]], file.record["images"])
        except (ValueError, KeyError, OSError) as error:
            raise InputError(f"{file}: it holds no readable features ({error}). {remedy(file)}") from None
