"""Folder trees, uncompressed tars of them, and tables of images, as Datasets. Their layouts are in layouts."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from workflow_scripts.dataset.dataset import SPLITS, ClassList, ImageSource, share
from workflow_scripts.dataset.layouts import open_layout
from workflow_scripts.dataset.lists import named
from workflow_scripts.dataset.split import check_counts
from workflow_scripts.dataset.table import check_files
from workflow_scripts.plumbing.cli import InputError

SPLIT_COLUMNS = ("path", "label", "split")  # as a table of images has them


class FolderDataset:
    """A dataset whose classes are names in sorted order, without a hierarchy."""

    kind: ClassVar[str] = "folder"
    wanted: ClassVar[str] = "neither a folder nor a tar archive"

    def __init__(self, path: str | Path, **leaves: object) -> None:
        """Recognise what is at `path`; `leaves` are the others of study/leaves.dataset_leaves.

        Raises InputError if it is missing, and as layouts.open_layout.
        """
        self.path = Path(path)
        if not self.path.exists():
            raise InputError(f"{path}: it is {self.wanted}. Correct dataset.path.")
        self.layout = open_layout({"kind": self.kind, **leaves}, self.path)
        self.names = self.layout.names

    def class_list(self) -> ClassList:
        """The classes, sorted, and what they are called."""
        return ClassList(self.names, named(self.names, self.layout.words))

    def survey(self) -> dict[str, int]:
        """The number of images by split. Raises InputError for a class without any."""
        # One class at a time: the paths of millions of images would take a gigabyte.
        counts = [{split: len(self.layout.files(split, name)) for split in SPLITS} for name in self.names]
        if self.layout.split:
            sums = {name: sum(found.values()) for name, found in zip(self.names, counts, strict=True)}
            check_counts(self.path, sums, self.layout.split)
        for name, found in zip(self.names, counts, strict=True):
            for split in SPLITS:
                self._check_count(found[split], split, name)
        return {split: sum(found[split] for found in counts) for split in SPLITS}

    def images(self, split: str, shard: int, shards: int) -> list[ImageSource]:
        """One share of the classes' images, by class, then name."""
        return [image for index in share(len(self.names), shard, shards) for image in self._class_images(split, index)]

    @property
    def left_out(self) -> int:
        """See dataset.Dataset."""
        return self.layout.left_out

    @property
    def read_from(self) -> Mapping[str, str]:
        """See dataset.Dataset."""
        return self.layout.read_from

    @property
    def not_read(self) -> Sequence[str]:
        """See dataset.Dataset."""
        return self.layout.not_read

    def split_rows(self) -> Iterator[tuple[str, str, str]]:
        """The drawn splits as rows of SPLIT_COLUMNS, by class, then name."""
        for name in self.names:
            split_of = {file: split for split in SPLITS for file in self.layout.files(split, name)}
            part = self.layout.parts["train"]
            yield from ((part.path(name, file), name, split_of[file]) for file in sorted(split_of))

    def _class_images(self, split: str, index: int) -> list[ImageSource]:
        name = self.names[index]
        files = self.layout.files(split, name)
        self._check_count(len(files), split, name)
        return [ImageSource(f"{name}/{file}", index, *files[file]) for file in sorted(files)]

    def _check_count(self, count: int, split: str, name: str) -> None:
        if not count:
            raise InputError(f"{self.path}: class {name!r} has no {split} images. Add some or remove the class.")


class TableDataset(FolderDataset):
    """A dataset of the images that a table names."""

    kind: ClassVar[str] = "table"
    wanted: ClassVar[str] = "not there"

    def survey(self) -> dict[str, int]:
        """The number of images by split. Raises InputError, naming the line, for an image that is not there."""
        check_files(self.path)
        return super().survey()
