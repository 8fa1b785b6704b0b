"""A folder tree train/<class>/*, val/<class>/* of images, or an uncompressed tar of one, as a Dataset."""

from pathlib import Path

from workflow_scripts.dataset.dataset import SPLITS, ClassList, ImageSource, share
from workflow_scripts.dataset.layout import SPLIT_NAMES, check_splits
from workflow_scripts.dataset.trees import FolderTree, Tree, class_files, data_tree, open_tree
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
        self.tree = _data_tree(open_tree(self.path))
        self.names = _classes(self.path, self.tree)

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

    @property
    def left_out(self) -> int:
        """See dataset.Dataset."""
        return self.tree.left_out

    def _class_images(self, split: str, index: int) -> list[ImageSource]:
        name = self.names[index]
        files = class_files(self.tree, f"{split}/{name}")
        if not files:
            raise InputError(f"{self.path}: class {name!r} has no {split} images. Add some or remove the class.")
        return [ImageSource(f"{name}/{file}", index, *files[file]) for file in sorted(files)]


def folder_classes(path: str | Path) -> tuple[str, ...]:
    """The classes of the tree at `path`, sorted. Raises InputError as layout.check_splits."""
    return _classes(Path(path), folder_tree(path))


def training_classes(path: str | Path) -> list[str]:
    """The folders of the training images in the tree at `path`, sorted and not checked; none if there are none."""
    return folder_tree(path).folders("train")


def folder_tree(path: str | Path) -> Tree:
    """The tree at `path` without leading folders: the splits are at its top."""
    return _data_tree(FolderTree(Path(path)))


def _data_tree(tree: Tree) -> Tree:
    return data_tree(tree, SPLIT_NAMES, files=False)


def _classes(path: Path, tree: Tree) -> tuple[str, ...]:
    train, val = (tree.folders(split) for split in SPLITS)
    check_splits(str(path), tree, train, val)
    return tuple(train)
