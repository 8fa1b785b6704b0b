"""What the checks before any work ask about a dataset. Light on purpose: the Snakefile imports this at parse time."""

from collections.abc import Mapping
from pathlib import Path

from workflow_scripts.dataset.dataset import dataset_files
from workflow_scripts.dataset.layouts import loose_layout, missing_folders
from workflow_scripts.plumbing.cli import InputError


def missing_files(dataset: Mapping, path: str) -> list[Path]:
    """The files and folders of the dataset at `path` that are not there, or cannot be seen.

    `dataset` has what decides how it is read: study/leaves.dataset_leaves.
    """
    if dataset["kind"] == "sample":  # it is drawn
        return []
    try:
        if dataset["kind"] == "folder" and Path(path).is_dir():
            return missing_folders(Path(path), dataset.get("split"))
        return [file for file in dataset_files(dataset, path) if not file.exists()]
    except (OSError, ValueError, InputError):  # a name too long, a folder that may not be entered
        return [Path(path)]


def known_classes(dataset: Mapping, path: str) -> list[str]:
    """The classes of the dataset at `path` as far as they are known without reading an archive; else none."""
    try:
        layout = loose_layout(dataset, Path(path))
    except InputError:  # the check of the dataset says so
        return []
    return list(layout.names) if layout else []
