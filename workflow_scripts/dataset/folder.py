"""A folder tree train/<class>/*, val/<class>/* of images, or an uncompressed tar of one, as a Dataset."""

import functools
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from workflow_scripts.dataset.dataset import SPLITS, ClassList, ImageSource, share
from workflow_scripts.dataset.layout import check_splits
from workflow_scripts.dataset.tars import Member, checked_name, tar_members
from workflow_scripts.plumbing.cli import InputError


class FolderDataset:
    """A dataset whose classes are the folder names in sorted order, without a hierarchy."""

    def __init__(self, path: str | Path) -> None:
        """Index the tree's folders or the tar at `path`. Raises InputError if it is missing, or where the classes of
        train and val differ.
        """
        self.path = Path(path)
        if not self.path.exists():
            raise InputError(f"{path}: it is neither a folder nor a tar archive. Correct dataset.path.")
        if self.path.is_dir():
            self.names = folder_classes(self.path)
        else:
            listing = TarListing(member.name for member in self._members)
            check_splits(str(path), listing, *(self._tar_files[split] for split in SPLITS))
            self.names = tuple(sorted(self._tar_files["train"]))

    def class_list(self) -> ClassList:
        """The folder names, sorted."""
        return ClassList(self.names, self.names)

    def survey(self) -> dict[str, int]:
        """The number of images by split. Raises InputError for a class without any."""
        # One class at a time: the paths of millions of images would take a gigabyte.
        return {
            split: sum(len(self._class_images(split, index)) for index in range(len(self.names))) for split in SPLITS
        }

    def images(self, split: str, shard: int, shards: int) -> list[ImageSource]:
        """One share of the classes' images, by class, then name."""
        return [image for index in share(len(self.names), shard, shards) for image in self._class_images(split, index)]

    def _class_images(self, split: str, index: int) -> list[ImageSource]:
        name = self.names[index]
        if self.path.is_dir():
            files = class_files(self.path / split / name)
            images = [ImageSource(f"{name}/{file.name}", index, file) for file in files]
        else:
            files = self._tar_files[split][name]
            images = [ImageSource(f"{name}/{file}", index, self.path, m.offset, m.size) for file, m in files.items()]
        if not images:
            raise InputError(f"{self.path}: class {name!r} has no {split} images. Add some or remove the class.")
        return sorted(images, key=lambda image: image.name)

    @functools.cached_property
    def _members(self) -> list[Member]:
        return tar_members(self.path)

    @functools.cached_property
    def _tar_files(self) -> dict[str, dict[str, dict[str, Member]]]:
        """The tar's members .../<split>/<class>/<file> by split, class and file."""
        files: dict[str, dict[str, dict[str, Member]]] = {split: {} for split in SPLITS}
        for member in self._members:
            *above, split, name, file = ("", "", *PurePosixPath(member.name).parts)
            if name.startswith(".") or file.startswith("."):
                continue
            if split not in files:
                if set(above) & set(SPLITS):
                    raise InputError(f"{self.path}: {member.name} lies in a folder inside a class. Move it up.")
                continue
            if file in files[split].setdefault(name, {}):
                raise InputError(
                    f"{self.path}: it holds {split}/{name}/{file} twice, in different folders. Remove one."
                )
            files[split][name][file] = member
        return files


class FolderListing:
    """The names in a tree on the disk (a layout.Listing), without hidden ones."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folders(self, folder: str) -> list[str]:
        """See layout.Listing."""
        return subfolders(self.root / folder)

    def files(self, folder: str) -> list[str]:
        """See layout.Listing."""
        return [entry.name for entry in _entries(self.root / folder) if not entry.is_dir()]


class TarListing:
    """The names in a tar (a layout.Listing), without hidden ones and below the folders that hold everything."""

    def __init__(self, names: Iterable[str]) -> None:
        self._folders: dict[str, set[str]] = {}
        self._files: dict[str, list[str]] = {}
        self._root = ""
        for name in names:
            *above, file = PurePosixPath(name).parts
            if not any(part.startswith(".") for part in (*above, file)):
                for depth, folder in enumerate(above):
                    self._folders.setdefault("/".join(above[:depth]), set()).add(folder)
                self._files.setdefault("/".join(above), []).append(file)
        while len(inside := self.folders("")) == 1 and not self.files("") and inside[0] not in SPLITS:
            self._root += f"{inside[0]}/"

    def folders(self, folder: str) -> list[str]:
        """See layout.Listing."""
        return sorted(self._folders.get(f"{self._root}{folder}".rstrip("/"), ()))

    def files(self, folder: str) -> list[str]:
        """See layout.Listing."""
        return self._files.get(f"{self._root}{folder}".rstrip("/"), [])


def folder_classes(path: Path) -> tuple[str, ...]:
    """The classes of the tree at `path`, sorted. Raises InputError as layout.check_splits."""
    train, val = (subfolders(path / split) for split in SPLITS)
    check_splits(str(path), FolderListing(path), train, val)
    return tuple(train)


def subfolders(folder: Path) -> list[str]:
    """The names of the folders in `folder`, sorted; none if it is missing. Hidden ones do not count."""
    return sorted(entry.name for entry in _entries(folder) if entry.is_dir())


def folder_files(folder: Path) -> list[Path]:
    """The plain files in `folder` and links to files; none if it is missing. Hidden ones do not count.

    Raises InputError for a link that leads nowhere.
    """
    entries = _entries(folder)
    if broken := [entry.path for entry in entries if entry.is_symlink() and not Path(entry.path).exists()]:
        raise InputError(f"{broken[0]}: it is a link to a file that does not exist. Remove it or restore the file.")
    return [folder / entry.name for entry in entries if entry.is_file()]


def class_files(folder: Path) -> list[Path]:
    """As folder_files, for the folder of a class. Raises InputError if there are folders in it."""
    if inside := subfolders(folder):
        raise InputError(
            f"{folder / inside[0]}: it is a folder inside a class. Move its images up, or the folder away."
        )
    return folder_files(folder)


def _entries(folder: Path) -> list[os.DirEntry]:
    if not folder.is_dir():
        return []
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not checked_name(entry.name, folder).startswith(".")]
    except OSError as error:
        raise InputError(f"{folder}: it cannot be listed ({error.strerror}). Check its permissions.") from None
