"""Opening the dataset that the configuration names."""

from collections.abc import Mapping
from pathlib import Path

from workflow_scripts.dataset.dataset import ILSVRC_ARCHIVES, Dataset, dataset_bytes
from workflow_scripts.dataset.folder import FolderDataset, TableDataset
from workflow_scripts.dataset.ilsvrc import IlsvrcDataset
from workflow_scripts.dataset.torchvision_data import TorchvisionDataset
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.names import some_of
from workflow_scripts.plumbing.records import Verifier, read_record

DATASET_KINDS = {
    **{"sample": IlsvrcDataset, "ilsvrc": IlsvrcDataset},
    **{"folder": FolderDataset, "table": TableDataset, "torchvision": TorchvisionDataset},
}


def open_dataset(dataset: Mapping, path: str) -> Dataset:
    """The dataset at `path`, a Dataset of DATASET_KINDS; `dataset` is as in dataset.dataset_files.

    Raises InputError if it cannot be read, or if the archives of a sample differ from their record. Raises it also for
    fewer than two classes. Dividing a dataset into halves of two classes needs four, which the partition checks.
    """
    if dataset["kind"] == "sample":
        verifier = Verifier()
        for archive in ILSVRC_ARCHIVES:
            verifier.verified(Path(path) / archive, record=Path(path) / "sample.json")
    opened = DATASET_KINDS[dataset["kind"]](path, **{key: value for key, value in dataset.items() if key != "kind"})
    names = opened.class_list().names
    if len(names) < 2:
        raise InputError(f"{path}: its only class is {some_of(names)}, but a task needs at least 2. Add classes.")
    return opened


def dataset_identity(dataset: Mapping, path: str) -> dict:
    """What tells shards of different datasets apart without reading images, wherever the dataset at `path` lies.

    It has what decides how it is read, dataset_bytes and, for a sample, the seal of the archives' record.
    """
    drawn = read_record(Path(path) / "sample.json")["seal"] if dataset["kind"] == "sample" else None
    return {**dataset, **dataset_bytes(dataset, path), "drawn": drawn}
