"""Opening the dataset that the configuration names."""

from pathlib import Path

from workflow_scripts.dataset.dataset import ILSVRC_ARCHIVES, Dataset, ilsvrc_files
from workflow_scripts.dataset.folder import FolderDataset
from workflow_scripts.dataset.ilsvrc import IlsvrcDataset
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.names import some_of
from workflow_scripts.plumbing.records import Verifier, read_record

DATASET_KINDS = {"sample": IlsvrcDataset, "ilsvrc": IlsvrcDataset, "folder": FolderDataset}


def open_dataset(kind: str, path: str) -> Dataset:
    """The dataset at `path`: "sample" and "ilsvrc" are folders of ILSVRC archives, "folder" a tree or a tar of one.

    Raises InputError if it cannot be read, or if the archives of a sample differ from their record. Raises it also for
    fewer than four classes: a partition is two tasks of two classes or more.
    """
    if kind == "sample":
        verifier = Verifier()
        for archive in ILSVRC_ARCHIVES:
            verifier.verified(Path(path) / archive, record=Path(path) / "sample.json")
    dataset = DATASET_KINDS[kind](path)
    names = dataset.class_list().names
    if len(names) < 4:
        raise InputError(
            f"{path}: it has {len(names)} classes ({some_of(names)}), but two tasks need at least 4. Add classes."
        )
    return dataset


def dataset_identity(kind: str, path: str) -> dict:
    """What identifies the dataset at `path` without reading its images.

    It has the kind, the path, the sizes of the archives and, for a sample, the seal of the archives' record.
    """
    files = ilsvrc_files(path) if kind != "folder" else (Path(path),)
    sizes = {file.name: file.stat().st_size for file in files if file.is_file()}
    drawn = read_record(Path(path) / "sample.json")["seal"] if kind == "sample" else None
    return {"kind": kind, "path": path, "bytes": sizes, "drawn": drawn}
