"""The ILSVRC-2012 development kit: classes, hierarchy and the validation images' labels."""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.io

from workflow_scripts.cli import InputError
from workflow_scripts.dataset import ClassList

META, GROUND_TRUTH = "data/meta.mat", "data/ILSVRC2012_validation_ground_truth.txt"


@dataclass(frozen=True)
class Devkit:
    """The low-level synsets in WNID order with the whole hierarchy above them, their numbers of training images, and
    the class index of each validation image in order.
    """

    classes: ClassList
    train_images: tuple[int, ...]
    val_labels: tuple[int, ...]


def read_devkit(path: str | Path) -> Devkit:
    """The devkit at `path`, ILSVRC2012_devkit_t12.tar.gz or the folder extracted from it.

    Raises InputError naming `path` if it cannot be read, and if the ground truth names what is no class.
    """
    path = Path(path)
    try:
        meta, truth = _folder_files(path) if path.is_dir() else _archive_files(path)
        synsets = scipy.io.loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]
        classes, train_images, class_of_id = _class_list(synsets)
        ids = [int(line) for line in truth.split()]
    except Exception as error:  # tarfile, gzip and scipy raise many kinds for damaged files; all mean the same here
        raise InputError(f"{path} is not a readable ILSVRC-2012 development kit: {error}") from None
    if unknown := set(ids) - set(class_of_id):
        raise InputError(f"{path}: the ground truth has ILSVRC2012_ID {min(unknown)}, which meta.mat has no class for")
    return Devkit(classes, train_images, tuple(class_of_id[number] for number in ids))


def _folder_files(path: Path) -> tuple[bytes, bytes]:
    return (path / META).read_bytes(), (path / GROUND_TRUTH).read_bytes()


def _archive_files(path: Path) -> tuple[bytes, bytes]:
    with tarfile.open(path, mode="r:gz") as tar:
        members = {"/".join(Path(member.name).parts[-2:]): member for member in tar if member.isfile()}
        return tar.extractfile(members[META]).read(), tar.extractfile(members[GROUND_TRUTH]).read()


def _class_list(synsets: np.ndarray) -> tuple[ClassList, tuple[int, ...], dict[int, int]]:
    """The classes (synsets without children) in WNID order with all edges, their numbers of training images, and the
    class index by ILSVRC2012_ID.
    """
    wnid_of_id = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in synsets}
    leaves = sorted((str(row["WNID"]), row) for row in synsets if int(row["num_children"]) == 0)
    class_of_id = {int(row["ILSVRC2012_ID"]): index for index, (_, row) in enumerate(leaves)}
    edges = tuple(
        (str(row["WNID"]), wnid_of_id[int(child)])
        for row in synsets
        for child in np.atleast_1d(row["children"])[: int(row["num_children"])]
    )
    names, words = tuple(wnid for wnid, _ in leaves), tuple(str(row["words"]) for _, row in leaves)
    return ClassList(names, words, edges), tuple(int(row["num_train_images"]) for _, row in leaves), class_of_id
