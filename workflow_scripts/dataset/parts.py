"""What a recognised layout gives: the classes, and the images of a split and class, wherever they lie.

Light on purpose: the Snakefile imports this at parse time.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from workflow_scripts.dataset.trees import Place, Tree, below, class_files
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.names import look_alike

IMAGES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
INNER = "images"  # the folder that some datasets have inside each class


def is_image(name: str) -> bool:
    """Whether a file's name ends as that of an image."""
    return name.lower().endswith(IMAGES)


class Part(Protocol):
    """The images of a split by class."""

    @property
    def names(self) -> Collection[str]:
        """The classes' names."""

    def files(self, name: str) -> Mapping[str, Place]:
        """The images of the class `name` by the names of their files."""


class WholePart(Part, Protocol):
    """All images by class, from which both splits may be drawn."""

    def path(self, name: str, file: str) -> str:
        """Where `file` of the class `name` lies, below the folder of the classes or of the table."""


class ClassFolders:
    """A folder with a folder for each class (a Part). A class's images lie in it, or in its only folder, `images`."""

    def __init__(self, tree: Tree, folder: str) -> None:
        """List the classes in `folder`. Raises InputError for the link of a class that may not be followed."""
        self.tree, self.folder = tree, folder
        self.names = tree.folders(folder)
        tree.files(folder)  # names a link that leads nowhere, which is no folder
        for name, target in sorted(tree.led_out(folder).items()):
            raise InputError(
                f"{tree.at(below(folder, name))}: it is a link to {target}, outside of the dataset. Set "
                "dataset.follow_links: true to follow it, or remove it."
            )

    def files(self, name: str) -> dict[str, Place]:
        """See Part. Raises InputError as trees.class_files."""
        return class_files(self.tree, below(self.folder, self._inside(name)))

    def path(self, name: str, file: str) -> str:
        """See WholePart."""
        return below(self._inside(name), file)

    def nested(self) -> tuple[str, str] | None:
        """The first class and a folder in it, if that is more than the one that holds its images."""
        for name in self.names[:1]:
            inside = self.tree.folders(below(self.folder, self._inside(name)))
            return (name, inside[0]) if inside else None
        return None

    def _inside(self, name: str) -> str:
        """The folder of the class's images, below that of the classes."""
        folder = below(self.folder, name)
        only = self.tree.folders(folder) == [INNER] and not any(map(is_image, self.tree.files(folder)))
        return below(name, INNER) if only else name


class ListedImages:
    """Images whose classes a list says (a Part)."""

    def __init__(self, images: Mapping[str, Mapping[str, Place]]) -> None:
        self.images = images

    @property
    def names(self) -> list[str]:
        """See Part."""
        return sorted(self.images)

    def files(self, name: str) -> Mapping[str, Place]:
        """See Part."""
        return self.images.get(name, {})


@dataclass(frozen=True)
class Layout:
    """A dataset as it lies: classes in order, and images by split and class.

    `read_from` says in words where each split is, `not_read` what lies beside, `words` what classes are called, and
    `split` how validation images were drawn (None: they were not). `lists` are the files that say which image is of
    which class.
    """

    names: tuple[str, ...]
    parts: Mapping[str, Part]
    read_from: Mapping[str, str]
    split: Mapping | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    lists: tuple[Path, ...] = ()
    not_read: tuple[str, ...] = ()
    tree: Tree | None = None

    @property
    def left_out(self) -> int:
        """How many files and folders that lie about are in the folders that were listed."""
        return self.tree.left_out if self.tree else 0

    def files(self, split: str, name: str) -> Mapping[str, Place]:
        """The images of a split and class by the names of their files."""
        return self.parts[split].files(name)


def without(names: Collection[str], exclude: Collection[str], where: str, known: Collection[str] = ()) -> list[str]:
    """`names`, sorted, without those of `exclude`, each of which must be one of `names` or `known`, else InputError."""
    known = {*names, *known}
    if unknown := sorted(set(exclude) - known):
        raise InputError(
            f"{where}: dataset.exclude names {unknown[0]!r}, which is no class there."
            f"{look_alike(unknown[:1], known, '', ' of the dataset')} Correct it."
        )
    return sorted(set(names) - set(exclude))
