"""Opening the dataset that the configuration names."""

from workflow_scripts.cli import InputError
from workflow_scripts.dataset import Dataset
from workflow_scripts.folder import FolderDataset
from workflow_scripts.ilsvrc import IlsvrcDataset

KINDS = {"sample": IlsvrcDataset, "ilsvrc": IlsvrcDataset, "folder": FolderDataset}


def open_dataset(kind: str, path: str) -> Dataset:
    """The dataset at `path`: "sample" and "ilsvrc" are folders of ILSVRC archives, "folder" a tree or a tar of one.

    Raises InputError if it cannot be read or has fewer than four classes (a partition is two tasks of two or more).
    """
    dataset = KINDS[kind](path)
    names = dataset.class_list().names
    if len(names) < 4:
        raise InputError(f"{path} has {len(names)} classes; a partition into two tasks needs at least 4")
    return dataset
