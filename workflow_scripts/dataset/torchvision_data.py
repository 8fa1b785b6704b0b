"""A classification dataset of torchvision, through torchvision's own reader, as a Dataset."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workflow_scripts.dataset.dataset import SPLITS, ClassList, bad_image, share
from workflow_scripts.dataset.torchvision_reader import Library, class_names, labels_of
from workflow_scripts.plumbing.cli import InputError

READING = threading.Lock()  # readers share files and torch's random numbers, which FakeData seeds


@dataclass(frozen=True, slots=True)
class ReaderSource:
    """One image of a reader (a dataset.Source): its position there."""

    name: str
    class_index: int
    reader: object
    position: int

    def read(self) -> object:
        """The image as the reader gives it, a PIL.Image.Image. Raises as dataset.Source.read."""
        try:
            with READING:
                return self.reader[self.position][0]
        except MemoryError:
            raise
        except Exception as error:  # many kinds for damaged files, as in store/decode.py
            if isinstance(error, OSError) and error.errno is not None:  # those of Pillow have none
                raise InputError(f"{error.filename}: it cannot be read ({error.strerror}). Get it again.") from None
            raise bad_image(error) from None


class Part:
    """The images of one reader, by label and then in an order that does not depend on the disk."""

    def __init__(self, reader: object, labels: np.ndarray, keys: Sequence | None) -> None:
        """`labels` are those of the images; they are in the order of `keys`, or, where there are none, the reader's."""
        self.reader, self.count = reader, len(labels)
        ordered = range(len(labels)) if keys is None else sorted(range(len(labels)), key=keys.__getitem__)
        self._numbers = np.argsort(labels[ordered], kind="stable")
        self._positions = np.array(ordered)[self._numbers]
        self._labels = labels[self._positions]

    def labels(self) -> set[int]:
        """The labels that an image has."""
        return set(np.unique(self._labels).tolist())

    def images(self, label: int, name: str, class_index: int) -> list[ReaderSource]:
        """The images of `label` in order. Each is called `name`, a slash, and its number in the whole part."""
        first, last = np.searchsorted(self._labels, [label, label + 1])
        digits = len(str(self.count - 1))
        found = zip(self._numbers[first:last].tolist(), self._positions[first:last].tolist(), strict=True)
        return [ReaderSource(f"{name}/{number:0{digits}d}", class_index, self.reader, place) for number, place in found]


class TorchvisionDataset:
    """The classes are those of the reader that have an image, in the order of its labels, without a hierarchy."""

    def __init__(self, root: str | Path, name: str, options: Mapping | None = None) -> None:
        """Open the readers of torchvision's dataset `name` below `root`. `options` are further arguments of its class.

        Raises InputError as Library.reader and labels_of.
        """
        self._library = library = Library(name, options or {}, Path(root))
        readers = [library.reader(split) for split in library.splits]
        key = library.known.order
        self._parts = [Part(reader, labels_of(library, reader), key and getattr(reader, key)) for reader in readers]
        labels = sorted(set.union(*(part.labels() for part in self._parts)))
        names, words = class_names(library, readers[0], labels)
        # Where the disk decides the order of images, it decides that of labels too.
        classes = sorted(range(len(labels)), key=names.__getitem__) if key else range(len(labels))
        self._labels = [labels[index] for index in classes]
        self._classes = ClassList(*(tuple(texts[index] for index in classes) for texts in (names, words)))

    def class_list(self) -> ClassList:
        """The names that the reader has for its labels, or the labels."""
        return self._classes

    def survey(self) -> dict[str, int]:
        """The number of images by split. Raises InputError for a class without any."""
        return {
            split: sum(len(self._class_images(split, index)) for index in range(len(self._labels))) for split in SPLITS
        }

    def images(self, split: str, shard: int, shards: int) -> list[ReaderSource]:
        """One share of the classes' images, by class, then number."""
        indices = share(len(self._labels), shard, shards)
        return [image for index in indices for image in self._class_images(split, index)]

    @property
    def left_out(self) -> int:
        """See dataset.Dataset. The reader knows its files by name, and leaves out none that it counts."""
        return 0

    def _class_images(self, split: str, index: int) -> list[ReaderSource]:
        name = self._classes.names[index]
        images = self._parts[SPLITS.index(split)].images(self._labels[index], name, index)
        if not images:
            raise InputError(f"{self._library}: class {name!r} has no {split} images. Choose a different dataset.")
        return images
