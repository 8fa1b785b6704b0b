"""What a dataset is to the rest of the workflow: an ordered class list and two streams of encoded images."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

ILSVRC_ARCHIVES = ("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12.tar.gz")


@dataclass(frozen=True)
class ClassList:
    """Classes in the dataset's order; `edges` are (parent, child) names of the hierarchy, empty where there is none."""

    names: tuple[str, ...]
    words: tuple[str, ...]
    edges: tuple[tuple[str, str], ...] = ()


class Dataset(Protocol):
    """A source of images; see ilsvrc.IlsvrcDataset and folder.FolderDataset."""

    def class_list(self) -> ClassList:
        """The classes in order."""

    def train_images(self, shard: int, shards: int) -> Iterator[tuple[str, int, bytes]]:
        """(name, class index, encoded image) of the `shard`-th of `shards` shares of the classes, sorted by class."""

    def val_images(self, shard: int, shards: int) -> Iterator[tuple[str, int, bytes]]:
        """(name, class index, encoded image) of the `shard`-th of `shards` shares of the validation images."""


def share(count: int, shard: int, shards: int) -> range:
    """The `shard`-th of `shards` contiguous shares of range(count), equal within one."""
    return range(count * shard // shards, count * (shard + 1) // shards)
