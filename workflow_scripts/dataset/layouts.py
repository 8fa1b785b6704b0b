"""Recognises the layout of a dataset once, and gives it as parts.Layout: trees of folders, tars of them, and tables.

Light on purpose: the Snakefile's checks use it at parse time.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from workflow_scripts.dataset.dataset import KAGGLE, SPLITS
from workflow_scripts.dataset.layout import (
    NO_CLASSES,
    SPLIT_NAMES,
    UNLABELLED,
    check_classes,
    layout_error,
    split_folder,
)
from workflow_scripts.dataset.lists import class_words, label_list
from workflow_scripts.dataset.parts import ClassFolders, Layout, ListedImages, Part, without
from workflow_scripts.dataset.split import Drawn
from workflow_scripts.dataset.table import says_split, table_layout
from workflow_scripts.dataset.trees import MOST_LEADING, FolderTree, Subtree, Tree, below, open_tree
from workflow_scripts.plumbing.cli import InputError


def open_layout(dataset: Mapping, path: Path) -> Layout:
    """The layout of the tree, tar or table at `path`, which is there; `dataset` as in study/leaves.dataset_leaves.

    Raises InputError for any other layout, saying what was found and what to do. It lists folders of classes and reads
    lists of labels, but does not look at every image.
    """
    split, exclude = dataset.get("split"), dataset.get("exclude", ())
    if dataset["kind"] == "table":
        return table_layout(path, split, exclude)
    return recognised(str(path), open_tree(path, dataset.get("follow_links", False)), split, exclude)


def loose_layout(dataset: Mapping, path: Path) -> Layout | None:
    """The layout of a dataset whose images lie loose, in folders or where a table says; None for any other.

    Raises InputError as open_layout.
    """
    loose = dataset["kind"] == "table" or (dataset["kind"] == "folder" and path.is_dir())
    return open_layout(dataset, path) if loose else None


def has_split(dataset: Mapping, path: Path) -> bool:
    """Whether the tree, tar or table at `path`, which is there, has validation images of its own.

    `dataset` is as in open_layout. Raises InputError for a tar or table that cannot be read.
    """
    if dataset["kind"] == "table":
        return says_split(path)
    top = _top(open_tree(path, dataset.get("follow_links", False)))
    data = Subtree(top, _kaggle(top))
    return _is_divided(top, data, _split_folders(data))


def recognised(where: str, tree: Tree, split: Mapping | None = None, exclude: Collection[str] = ()) -> Layout:
    """The layout of `tree`, which lies at `where`; see open_layout."""
    top = _top(tree)
    base = _kaggle(top)
    data = Subtree(top, base) if base else top
    where = f"{where}/{base}" if base else where
    found = _split_folders(data)
    if not _is_divided(top, data, found):
        return _undivided(where, top, data, split, exclude)
    if split:
        raise InputError(
            f"{where}: it has a split already, {found['train']}/ and {found['val']}/, so dataset.split has no use. "
            "Remove the key."
        )
    return _divided(where, top, data, found, exclude)


def missing_folders(path: Path, split: Mapping | None) -> list[Path]:
    """Which of the folders that a dataset at `path` must have are gone; `split` says that it has no splits."""
    top = _top(FolderTree(path))
    data = Subtree(top, _kaggle(top))
    if split:
        return [] if data.folders("") else [Path(data.at("<class>"))]
    return [Path(data.at(name)) for name, found in _split_folders(data).items() if not found]


def _top(tree: Tree) -> Tree:
    """The part of `tree` without leading folders: the splits, the classes or Kaggle's folders are at its top."""
    folder = ""
    for _ in range(MOST_LEADING):
        here = Subtree(tree, folder)
        inside = here.folders("")
        if len(inside) != 1 or inside[0].lower() in SPLIT_NAMES or _kaggle(here):
            break
        folder = below(folder, inside[0])
    return Subtree(tree, folder)


def _kaggle(top: Tree) -> str:
    """The folder that has the splits of Kaggle's ILSVRC; "" if there is none."""
    return next((folder for folder in KAGGLE if top.folders(folder)), "")


def _split_folders(data: Tree) -> dict[str, str]:
    return {split: split_folder(data, split) for split in SPLITS}


def _is_divided(top: Tree, data: Tree, found: Mapping[str, str]) -> bool:
    """Whether the folders `found` are splits. A class may be called train, and a folder test/ may have no labels."""
    if not all(found.values()) or not data.folders(found["train"]):
        return False
    labelled = set(data.folders(found["val"])) - NO_CLASSES or label_list(top, data, found["val"])
    return bool(labelled) or found["val"].lower().replace("-", "_") not in UNLABELLED


def _divided(where: str, top: Tree, data: Tree, found: Mapping[str, str], exclude: Collection[str]) -> Layout:
    train, listed = ClassFolders(data, found["train"]), label_list(top, data, found["val"])
    val: Part = ListedImages(listed.labelled()) if listed else ClassFolders(data, found["val"])
    parts = {"train": train, "val": val}
    _check_folders(where, data, [part for part in parts.values() if isinstance(part, ClassFolders)])
    known = {*train.names, *val.names}
    names = {split: without(part.names, exclude, where, known) for split, part in parts.items()}
    check_classes(where, found, names)
    words, word_lists = class_words(top)
    read_from = {split: _said(parts[split], f"{folder}/") for split, folder in found.items()}
    lists = word_lists
    if listed:
        read_from["val"] = f"{listed.images}/, with the classes of {listed.file}"
        lists = (listed.place[0], *lists)
    not_read = tuple(f"{name}/" for name in data.folders("") if name not in found.values())
    return Layout(tuple(names["train"]), parts, read_from, None, words, lists, not_read, top)


def _undivided(where: str, top: Tree, data: Tree, split: Mapping | None, exclude: Collection[str]) -> Layout:
    """The layout of folders of classes without a split, at the top or in the one folder train/."""
    found = split_folder(data, "train")
    folder = found if found and data.folders(found) else ""
    if not split:
        raise layout_error(where, data)
    classes = ClassFolders(data, folder)
    _check_folders(where, data, [classes])
    names = without(classes.names, exclude, where)
    words, lists = class_words(top)
    parts = {side: Drawn(classes, split, side) for side in SPLITS}
    read_from = dict.fromkeys(SPLITS, f"drawn from {_said(classes, f'{folder}/' if folder else '')}")
    not_read = tuple(f"{name}/" for name in data.folders("") if folder and name != folder)
    return Layout(tuple(names), parts, read_from, split, words, lists, not_read, top)


def _check_folders(where: str, data: Tree, parts: Collection[ClassFolders]) -> None:
    """Raise InputError unless the folders in each of `parts` may be classes."""
    if any(set(part.names) <= NO_CLASSES or part.nested() for part in parts):
        raise layout_error(where, data)


def _said(part: Part, folder: str) -> str:
    """Where a part is, in words."""
    inner = next((part.path(name, "") for name in part.names[:1]), "") if isinstance(part, ClassFolders) else ""
    return f"{folder}<class>/{'images/' if '/' in inner else ''}"
