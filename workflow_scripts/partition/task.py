"""A task: which images of a packed store belong to one half of a partition, their labels, and the mean image."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import atomic_path
from workflow_scripts.plumbing.records import remedy
from workflow_scripts.store.packed import PackedSplit

BLOCK = 257  # images summed at a time: 257 x 255 is the largest sum that uint16 holds


@dataclass(frozen=True)
class Task:
    """Positions in the store's splits and labels 0..C-1 (int64 each), and the mean image (float64, H x W x 3)."""

    train_positions: np.ndarray
    train_labels: np.ndarray
    val_positions: np.ndarray
    val_labels: np.ndarray
    mean_image: np.ndarray
    classes: int
    # Of the training split, but no training images (without).
    held_out_positions: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    held_out_labels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def counts(self, split: str) -> np.ndarray:
        """The number of images of each class in the split "train" or "val"."""
        return np.bincount({"train": self.train_labels, "val": self.val_labels}[split], minlength=self.classes)

    def without(self, share: float, seed: int) -> "Task":
        """The task with a share of each class's training images held out, drawn by `seed`.

        Of every class at least one image is held out and at least one stays; a single image stays. The mean image is
        that of all.
        """
        order = np.random.default_rng(seed).permutation(len(self.train_labels))
        counts = self.counts("train")
        wanted = np.minimum(np.maximum(1, np.round(share * counts)), counts - 1)
        held = np.zeros(len(order), dtype=bool)
        held[order] = _rank_in_class(self.train_labels[order]) < wanted[self.train_labels[order]]
        return replace(
            self,
            train_positions=self.train_positions[~held],
            train_labels=self.train_labels[~held],
            held_out_positions=self.train_positions[held],
            held_out_labels=self.train_labels[held],
        )

    def save(self, path: str | Path) -> None:
        """Write the task as an uncompressed .npz, atomically."""
        arrays = {name: one for name, one in self.__dict__.items() if not name.startswith("held_out")}
        with atomic_path(path) as temporary:
            np.savez(temporary, **arrays)

    @staticmethod
    def load(path: str | Path) -> "Task":
        """Read what `save` wrote (no pickled objects). Raises InputError for anything else."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                loaded = dict(arrays)
            return Task(**loaded | {"classes": int(loaded["classes"])})
        except Exception as error:  # numpy and zipfile raise many kinds for damaged files
            raise InputError(f"{path}: it is not a readable task ({error}). {remedy(path)}") from None


def select(
    class_indices: np.ndarray,
    task_classes: np.ndarray,
    images_per_class: int | None = None,
    draw_seed: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the images whose class is in `task_classes` (sorted class indices), and their labels 0..C-1.

    With `images_per_class`, only the first so many of each class or, with `draw_seed`, so many drawn ones.
    """
    positions = np.flatnonzero(np.isin(class_indices, task_classes))
    labels = np.searchsorted(task_classes, class_indices[positions])
    if images_per_class is None:
        return positions, labels
    if draw_seed is None:
        chosen = first_per_class(labels, images_per_class)
    else:
        chosen = drawn_per_class(labels, images_per_class, draw_seed)
    return positions[chosen], labels[chosen]


def mean_image(images: PackedSplit, positions: np.ndarray) -> np.ndarray:
    """The mean of the images at `positions` (float64, H x W x 3), streamed; exact but for the division's rounding."""
    total = np.zeros((images.image_size, images.image_size, 3))
    for start in range(0, len(positions), BLOCK):
        total += images.images(positions[start : start + BLOCK]).sum(axis=0, dtype=np.uint16)
    return total / len(positions)


def first_per_class(labels: np.ndarray, images_per_class: int) -> np.ndarray:
    """Positions in `labels` of the first `images_per_class` of each label, in order; all where there are fewer."""
    return np.flatnonzero(_rank_in_class(labels) < images_per_class)


def _rank_in_class(labels: np.ndarray) -> np.ndarray:
    """How many of the same label come before each of `labels`."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[order])  # where each label's run begins
    rank = np.empty(len(labels), dtype=np.int64)
    rank[order] = np.arange(len(labels)) - starts
    return rank


def drawn_per_class(labels: np.ndarray, images_per_class: int, seed: int) -> np.ndarray:
    """Positions in `labels` of `images_per_class` of each label, drawn by `seed`, in order; all where there are fewer.

    Those of a smaller number are among those of a larger one.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    return np.sort(order[first_per_class(labels[order], images_per_class)])
