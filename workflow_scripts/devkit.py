"""The ILSVRC-2012 development kit: classes, hierarchy and the validation images' labels."""

import gzip
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from workflow_scripts.cli import InputError
from workflow_scripts.dataset import ClassList
from workflow_scripts.matfile import MAX_BYTES, Value, read_structs

META, GROUND_TRUTH = "data/meta.mat", "data/ILSVRC2012_validation_ground_truth.txt"
MAX_UNPACKED = 2**26  # bytes of the archive, and of what it is unpacked to
WNID = r"n[0-9]{8}"


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
        classes, train_images, class_of_id = _class_list(read_structs(meta, "synsets"))
        ids = [int(line) for line in truth.split()]
    except Exception as error:  # tarfile and others raise many kinds for damaged files; all mean the same here
        raise InputError(f"{path} is not a readable ILSVRC-2012 development kit: {error}") from None
    if unknown := set(ids) - set(class_of_id):
        raise InputError(f"{path}: the ground truth has ILSVRC2012_ID {min(unknown)}, which meta.mat has no class for")
    return Devkit(classes, train_images, tuple(class_of_id[number] for number in ids))


def _folder_files(path: Path) -> tuple[bytes, bytes]:
    for file in (path / META, path / GROUND_TRUTH):
        if file.stat().st_size > MAX_BYTES:
            raise ValueError(f"{file.name} has more than {MAX_BYTES >> 20} MB")
    return (path / META).read_bytes(), (path / GROUND_TRUTH).read_bytes()


def _archive_files(path: Path) -> tuple[bytes, bytes]:
    """The two files of a gzipped tar, which is unpacked no further than MAX_UNPACKED."""
    if path.stat().st_size > MAX_UNPACKED:
        raise ValueError(f"more than {MAX_UNPACKED >> 20} MB")
    with gzip.open(path) as file:
        unpacked = file.read(MAX_UNPACKED + 1)
    if len(unpacked) > MAX_UNPACKED:
        raise ValueError(f"more than {MAX_UNPACKED >> 20} MB when unpacked")
    with tarfile.open(fileobj=BytesIO(unpacked), mode="r:") as tar:
        members = {"/".join(Path(member.name).parts[-2:]): member for member in tar if member.isfile()}
        return tuple(_content(tar, members[name]) for name in (META, GROUND_TRUTH))


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > MAX_BYTES or member.issparse():
        raise ValueError(f"{member.name} has more than {MAX_BYTES >> 20} MB")
    return tar.extractfile(member).read()


def _class_list(synsets: Sequence[Mapping[str, Value]]) -> tuple[ClassList, tuple[int, ...], dict[int, int]]:
    """The classes (synsets without children) in WNID order with all edges, their numbers of training images, and the
    class index by ILSVRC2012_ID.
    """
    wnid_of_id = {_whole(row["ILSVRC2012_ID"]): _wnid(row["WNID"]) for row in synsets}
    if len(wnid_of_id) < len(synsets) or len(set(wnid_of_id.values())) < len(synsets):
        raise ValueError("two synsets have one WNID or ILSVRC2012_ID")
    leaves = sorted(
        ((row["WNID"], row) for row in synsets if _whole(row["num_children"]) == 0), key=lambda pair: pair[0]
    )
    class_of_id = {_whole(row["ILSVRC2012_ID"]): index for index, (_, row) in enumerate(leaves)}
    edges = tuple(
        (row["WNID"], wnid_of_id[int(child)])
        for row in synsets
        for child in row["children"][: _whole(row["num_children"])]
    )
    names, words = tuple(wnid for wnid, _ in leaves), tuple(str(row["words"]) for _, row in leaves)
    return ClassList(names, words, edges), tuple(_whole(row["num_train_images"]) for _, row in leaves), class_of_id


def _whole(value: Value) -> int:
    """A field's only number."""
    (number,) = value
    if not 0 <= number < 2**31 or number != int(number):
        raise ValueError(f"the number {number}, where a count or an ID is wanted")
    return int(number)


def _wnid(value: Value) -> str:
    if not isinstance(value, str) or not re.fullmatch(WNID, value):
        raise ValueError(f"the WNID {value!r}, which is no n and eight digits")
    return value
