"""A classification dataset of torchvision, through torchvision's own reader, as a Dataset."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workflow_scripts.dataset.dataset import SPLITS, ClassList, bad_image, share
from workflow_scripts.dataset.parts import without
from workflow_scripts.dataset.split import check_counts, drawn
from workflow_scripts.dataset.torchvision_reader import Library, class_names, labels_of
from workflow_scripts.plumbing.cli import InputError

READING = threading.Lock()  # readers share files and torch's random numbers, which FakeData seeds


@dataclass(slots=True)  # a frozen one takes twice as long to make, and there are millions
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

    def __init__(
        self,
        root: str | Path,
        name: str,
        options: Mapping | None = None,
        split: Mapping | None = None,
        exclude: Collection[str] = (),
    ) -> None:
        """Open the readers of torchvision's dataset `name` below `root`. `options` are further arguments of its class.

        `split` draws validation images where there is one reader, and `exclude` names classes that are left out. Raises
        InputError as Library.reader, labels_of and parts.without.
        """
        self._library = library = Library(name, options or {}, Path(root))
        self._split = split
        readers = [library.reader(part) for part in library.splits]
        key = library.known.order
        self._parts = [Part(reader, labels_of(library, reader), key and getattr(reader, key)) for reader in readers]
        labels = sorted(set.union(*(part.labels() for part in self._parts)))
        names, words = class_names(library, readers[0], labels)
        kept = without(names, exclude, str(library))
        # Where the disk decides the order of images, it decides that of labels too.
        places = {name: index for index, name in enumerate(names)}
        classes = [places[name] for name in (kept if key else sorted(kept, key=places.__getitem__))]
        self._labels = [labels[index] for index in classes]
        self._classes = ClassList(*(tuple(texts[index] for index in classes) for texts in (names, words)))

    def class_list(self) -> ClassList:
        """The names that the reader has for its labels, or the labels."""
        return self._classes

    def survey(self) -> dict[str, int]:
        """The number of images by split. Raises InputError for a class without any."""
        if self._split:
            counts = {name: len(self._all_images(0, index)) for index, name in enumerate(self._classes.names)}
            check_counts(self._library, counts, self._split)
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

    @property
    def read_from(self) -> Mapping[str, str]:
        """See dataset.Dataset."""
        if self._split:
            return dict.fromkeys(SPLITS, "all images, by dataset.split")
        arguments = (self._library.known.train, self._library.known.val or {})
        said = [", ".join(f"{key}={value}" for key, value in some.items()) for some in arguments]
        return dict(zip(SPLITS, said, strict=True))

    @property
    def not_read(self) -> Sequence[str]:
        """See dataset.Dataset. What torchvision has of other splits is not looked at."""
        return ()

    def split_rows(self) -> Iterator[tuple[str, str, str]]:
        """The drawn splits as rows of folder.SPLIT_COLUMNS, by class, then number."""
        for index, name in enumerate(self._classes.names):
            images = self._all_images(0, index)
            val = self._drawn(index, images)
            for image in images:
                yield image.name, name, "val" if image.name in val else "train"

    def _class_images(self, split: str, index: int) -> list[ReaderSource]:
        images = self._all_images(0 if self._split else SPLITS.index(split), index)
        if self._split:
            val = self._drawn(index, images)
            images = [image for image in images if (image.name in val) == (split == "val")]
        if not images:
            name = self._classes.names[index]
            raise InputError(f"{self._library}: class {name!r} has no {split} images. Leave it out: dataset.exclude.")
        return images

    def _all_images(self, part: int, index: int) -> list[ReaderSource]:
        return self._parts[part].images(self._labels[index], self._classes.names[index], index)

    def _drawn(self, index: int, images: Sequence[ReaderSource]) -> set[str]:
        """The names of those among all `images` of a class that are drawn for validation."""
        return drawn(self._classes.names[index], [image.name for image in images], self._split)
