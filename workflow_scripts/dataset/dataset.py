"""What a dataset is to the rest of the workflow: an ordered class list and lists of encoded images.

Light on purpose: the Snakefile imports this at parse time.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from workflow_scripts.dataset.torchvision_sets import set_files
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import sha256_file

ILSVRC_ARCHIVES = ("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12.tar.gz")
ILSVRC_EXTRACTED = ("train", "val", "ILSVRC2012_devkit_t12")
KAGGLE = ("ILSVRC/Data/CLS-LOC", "Data/CLS-LOC")  # where Kaggle's ILSVRC has its splits
SPLITS = ("train", "val")
MAX_ENCODED_BYTES = 2**27  # of one image file; ImageNet's largest has 15 MB


class BadImage(Exception):
    """An image cannot be decoded. The text is the reason."""


def bad_image(error: Exception) -> BadImage:
    """What a decoder raised, as a reason in one short line of ASCII for a table: decoders quote bytes they fail on."""
    reason = f"{type(error).__name__}: {error}"
    return BadImage(" ".join(reason.encode("ascii", "backslashreplace").decode().split())[:200])


@dataclass(frozen=True)
class ClassList:
    """Classes in the dataset's order; `edges` are (parent, child) names of the hierarchy, empty where there is none."""

    names: tuple[str, ...]
    words: tuple[str, ...]
    edges: tuple[tuple[str, str], ...] = ()


class Source(Protocol):
    """One image: its name and class, and how to get it.

    `name` is as in the paper's lists: "<class>/<file>" for training images, the file's name for ILSVRC's validation
    images.
    """

    name: str
    class_index: int

    def read(self) -> object:
        """The encoded bytes, or the image itself (PIL.Image.Image) where a library's reader decodes it.

        Raises InputError if it cannot be read, and BadImage if a library's reader cannot decode it.
        """


@dataclass(frozen=True, slots=True)
class ImageSource:
    """One encoded image (a Source): the file, or the part of an archive, that holds its bytes."""

    name: str
    class_index: int
    path: Path
    offset: int = 0
    size: int | None = None  # None: to the end of the file

    def read(self) -> bytes:
        """The encoded bytes, or the first MAX_ENCODED_BYTES + 1 of them. Raises InputError if the file is not there
        or shorter than its archive's index says.
        """
        try:
            with open(self.path, "rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size if self.size is None else self.size
                wanted = min(size, MAX_ENCODED_BYTES + 1)
                data = os.pread(file.fileno(), wanted, self.offset)
        except OSError as error:
            raise InputError(f"{self.path}: it cannot be read ({error.strerror}). Check its permissions.") from None
        if len(data) < wanted:
            raise InputError(
                f"{self.path}: it ends before {self.name}, so it has changed or is not whole. Get it again."
            )
        return data


class Dataset(Protocol):
    """A source of images: IlsvrcDataset, FolderDataset, TableDataset and TorchvisionDataset."""

    def class_list(self) -> ClassList:
        """The classes in order."""

    def survey(self) -> dict[str, int]:
        """The number of images by split, after the checks that take seconds to minutes.

        The inner tars of an archive of training images are not checked here: their shards check them when they start.
        """

    @property
    def left_out(self) -> int:
        """How many files and folders that lie about (clutter.lies_about) the survey left out."""

    @property
    def read_from(self) -> Mapping[str, str]:
        """Where the images of each split are, in words, the same wherever the dataset lies."""

    @property
    def not_read(self) -> Sequence[str]:
        """What lies beside the splits and may hold images, in words."""

    def images(self, split: str, shard: int, shards: int) -> Sequence[Source]:
        """The `shard`-th of `shards` shares of the images of a split ("train" or "val").

        They are in the order of the paper's lists: by class, then name. ILSVRC's validation images are by number.
        """


def share(count: int, shard: int, shards: int) -> range:
    """The `shard`-th of `shards` contiguous shares of range(count), equal within one."""
    return range(count * shard // shards, count * (shard + 1) // shards)


def ilsvrc_files(folder: str | Path) -> tuple[Path, Path, Path]:
    """The paths of training images, validation images and devkit in `folder`.

    Each is the archive, or the extracted folder where only the folder exists. It may lie where Kaggle has it.
    """
    files = []
    for name, extracted in zip(ILSVRC_ARCHIVES, ILSVRC_EXTRACTED, strict=True):
        archive = Path(folder) / name
        trees = [tree for place in ("", *KAGGLE) if (tree := Path(folder, place, extracted)).is_dir()]
        files.append(trees[0] if trees and not archive.exists() else archive)
    return tuple(files)


def has_hierarchy(dataset: Mapping) -> bool:
    """Whether the section `dataset` names a dataset with a hierarchy above its classes."""
    return dataset["kind"] in ("sample", "ilsvrc")


def dataset_files(dataset: Mapping, path: str) -> list[Path]:
    """The files of the dataset at `path`: the user's own or, for kind `sample`, those that the workflow draws.

    `dataset` has what decides how it is read, here and elsewhere in this room: study/leaves.dataset_leaves.
    """
    if dataset["kind"] == "sample":
        return [Path(path, name) for name in ILSVRC_ARCHIVES]
    if dataset["kind"] == "torchvision":
        return set_files(path, **dataset)
    return [Path(path)] if dataset["kind"] in ("folder", "table") else list(ilsvrc_files(path))


def dataset_bytes(dataset: Mapping, path: str) -> dict:
    """What tells without reading images that files of the user's were replaced.

    It has the sizes in `bytes` of archives, none for kind `sample`, and for a table the SHA-256 of its content.
    """
    files = [file for file in dataset_files(dataset, path) if dataset["kind"] != "sample" and file.is_file()]
    table = {"table": sha256_file(path)} if dataset["kind"] == "table" else {}
    return {"bytes": [file.stat().st_size for file in files]} | table
