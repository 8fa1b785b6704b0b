"""Folder trees and tars of them, read in the same way. Light on purpose: the Snakefile imports this at parse time."""

import os
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from workflow_scripts.dataset.clutter import lies_about
from workflow_scripts.dataset.tars import Member, checked_name, tar_index
from workflow_scripts.plumbing.cli import InputError

MOST_LEADING = 32  # folders above the data; links could lead round for ever

Place = tuple[Path, int, int | None]  # of a file's bytes: the file or archive, their offset and size (None: to the end)


class Tree(Protocol):
    """A tree of files, without names that lie about (clutter.lies_about). A folder is called "a/b", and the top ""."""

    @property
    def left_out(self) -> int:
        """How many files and folders that lie about are in the folders that were listed."""

    def at(self, folder: str) -> str:
        """Where `folder` is, for messages."""

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in `folder`, sorted; none if it is missing."""

    def files(self, folder: str) -> dict[str, Place]:
        """The plain files in `folder` by name; none if it is missing."""

    def led_out(self, folder: str) -> dict[str, str]:
        """The links in `folder` to folders outside of the tree, with their targets; none if all links are followed."""


class FolderTree:
    """A tree on the disk (a Tree). Links count as what they lead to."""

    def __init__(self, root: Path, follow_links: bool = False) -> None:
        self.root, self.follow_links = root, follow_links
        self._left_out: dict[str, int] = {}
        self._last: tuple[str, list[tuple[str, os.DirEntry]]] | None = None  # several questions on one folder follow

    @property
    def left_out(self) -> int:
        """See Tree."""
        return sum(self._left_out.values())

    def at(self, folder: str) -> str:
        """See Tree."""
        return str(self.root / folder)

    def folders(self, folder: str) -> list[str]:
        """See Tree."""
        return sorted(name for name, entry in self._entries(folder) if _leads_to(entry.is_dir))

    def files(self, folder: str) -> dict[str, Place]:
        """See Tree. Raises InputError for a link that leads nowhere, and for what is neither a file nor a folder."""
        files: dict[str, Place] = {}
        for name, entry in self._entries(folder):
            path = Path(entry.path)
            if _leads_to(entry.is_file):
                files[name] = (path, 0, None)
            elif entry.is_symlink() and not path.exists():
                raise InputError(f"{path}: it is a link to a file that does not exist. Remove it or restore the file.")
            elif not _leads_to(entry.is_dir):
                raise InputError(f"{path}: it is neither a file nor a folder. Remove it.")
        return files

    def led_out(self, folder: str) -> dict[str, str]:
        """See Tree."""
        entries = [] if self.follow_links else self._entries(folder)
        links = [(name, entry) for name, entry in entries if entry.is_symlink() and _leads_to(entry.is_dir)]
        targets = {name: os.path.realpath(entry.path) for name, entry in links}
        top = os.path.realpath(self.root)
        return {name: target for name, target in targets.items() if not Path(target).is_relative_to(top)}

    def _entries(self, folder: str) -> list[tuple[str, os.DirEntry]]:
        if self._last and self._last[0] == folder:
            return self._last[1]
        # Names are UTF-8 here, also where the locale has Snakemake's own process read their bytes otherwise.
        path = self.root / os.fsdecode(folder.encode("utf-8", "surrogateescape"))
        if not path.is_dir():
            return []
        try:
            with os.scandir(path) as entries:
                named = [(os.fsencode(entry.name).decode("utf-8", "surrogateescape"), entry) for entry in entries]
        except OSError as error:
            raise InputError(
                f"{self.at(folder)}: it cannot be listed ({error.strerror}). Check its permissions."
            ) from None
        found = [(name, entry) for name, entry in named if not lies_about(name)]
        self._left_out[folder] = len(named) - len(found)
        where = self.at(folder)
        for name, _ in found:
            checked_name(name, where)
        self._last = (folder, found)
        return found


def _leads_to(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of `kind`, a method of it; False for a link that leads round in a circle."""
    try:
        return kind()
    except OSError:
        return False


class TarTree:
    """A tree in a tar, or in a tar inside a tar (a Tree). It is indexed once, from its headers."""

    def __init__(self, path: Path, inner: Member | None = None) -> None:
        """Index the tar at `path`, or its member `inner`. Raises InputError as tars.tar_index does."""
        self.path, self.inner = path, inner
        index = tar_index(path, inner)
        self._files: dict[str, dict[str, Place]] = {"": {}}
        self._folders: dict[str, set[str]] = {"": set()}
        self._clutter = Counter(name.rpartition("/")[0] for name in index.left_out)
        self._listed: set[str] = set()
        for folder in index.folders:
            self._add(folder)
        for member in index.members:
            folder, _, name = member.name.rpartition("/")
            self._add(folder)
            self._files[folder][name] = (path, member.offset, member.size)

    def _add(self, folder: str) -> None:
        """Enter `folder` and those above it."""
        while folder not in self._folders:
            self._folders[folder], self._files[folder] = set(), {}
            above, _, name = folder.rpartition("/")
            if above in self._folders:
                self._folders[above].add(name)
                return
            self._add(above)
            self._folders[above].add(name)

    @property
    def left_out(self) -> int:
        """See Tree."""
        return sum(self._clutter[folder] for folder in self._listed)

    def at(self, folder: str) -> str:
        """See Tree."""
        inside = below(self.inner.name if self.inner else "", folder)
        return f"{self.path} ({inside})" if inside else str(self.path)

    def folders(self, folder: str) -> list[str]:
        """See Tree."""
        self._listed.add(folder)
        return sorted(self._folders.get(folder, ()))

    def files(self, folder: str) -> dict[str, Place]:
        """See Tree."""
        self._listed.add(folder)
        return self._files.get(folder, {})

    def led_out(self, folder: str) -> dict[str, str]:
        """See Tree. A tar with links is refused."""
        return {}


def open_tree(path: Path, follow_links: bool = False) -> Tree:
    """The folder or the tar at `path`. Raises InputError as tars.tar_index does."""
    return FolderTree(path, follow_links) if path.is_dir() else TarTree(path)


def below(folder: str, name: str) -> str:
    """What is called `name` in `folder`; one of them may be ""."""
    return "/".join(filter(None, (folder, name)))


class Subtree:
    """What is in the folder `root` of `tree` (a Tree)."""

    def __init__(self, tree: Tree, root: str) -> None:
        self.tree, self.root = tree, root

    @property
    def left_out(self) -> int:
        """See Tree. It counts the folders above, too."""
        return self.tree.left_out

    def at(self, folder: str) -> str:
        """See Tree."""
        return self.tree.at(below(self.root, folder))

    def folders(self, folder: str) -> list[str]:
        """See Tree."""
        return self.tree.folders(below(self.root, folder))

    def files(self, folder: str) -> dict[str, Place]:
        """See Tree."""
        return self.tree.files(below(self.root, folder))

    def led_out(self, folder: str) -> dict[str, str]:
        """See Tree."""
        return self.tree.led_out(below(self.root, folder))


def data_tree(tree: Tree, wanted: Collection[str], files: bool) -> Tree:
    """The part of `tree` that holds the data: all, or what is below leading folders, each of which is alone in its own.

    A folder of a name in `wanted` (in lower case) is no leading folder, nor, if `files`, a folder beside files.
    """
    folder = ""
    for _ in range(MOST_LEADING):
        inside = tree.folders(folder)
        if len(inside) != 1 or inside[0].lower() in wanted or (files and tree.files(folder)):
            break
        folder = below(folder, inside[0])
    return Subtree(tree, folder)


def class_files(tree: Tree, folder: str) -> dict[str, Place]:
    """The files in the folder of a class. Raises InputError if there are folders in it."""
    if inside := tree.folders(folder):
        place = tree.at(below(folder, inside[0]))
        raise InputError(f"{place}: it is a folder inside a class. Move its images up, or the folder away.")
    return tree.files(folder)
