"""The ILSVRC-2012 development kit: classes, hierarchy and the validation images' labels."""

import gzip
import io
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.dataset.dataset import ClassList
from workflow_scripts.dataset.matfile import MatError, Value, read_structs
from workflow_scripts.dataset.tars import index
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.text_file import decoded_text

META, GROUND_TRUTH = "data/meta.mat", "data/ILSVRC2012_validation_ground_truth.txt"
FIELDS = ("ILSVRC2012_ID", "WNID", "words", "num_children", "children", "num_train_images")
WNID = re.compile(r"n\d{8}", re.ASCII)
# Bytes of the archive (packed and unpacked) and of its two files; ImageNet's have 2.6 MB, 0.3 MB and 0.2 MB.
MOST_BYTES = {"the archive": 2**26, META: 2**24, GROUND_TRUTH: 2**22}
LARGEST = 2**31  # of the numbers in the files


@dataclass(frozen=True)
class Devkit:
    """What the development kit says.

    `classes` are the low-level synsets in WNID order, with the whole hierarchy above them. `train_images` are their
    numbers of training images. `val_labels` has the class index of each validation image, in order.
    """

    classes: ClassList
    train_images: tuple[int, ...]
    val_labels: tuple[int, ...]


def read_devkit(path: str | Path) -> Devkit:
    """The devkit at `path`, ILSVRC2012_devkit_t12.tar.gz or the folder extracted from it.

    Raises InputError naming `path` if it cannot be read, or if the ground truth names an unknown class.
    """
    path = Path(path)
    try:
        meta, truth = _folder_files(path) if path.is_dir() else _archive_files(path)
        classes, train_images, class_of_id = _class_list(read_structs(meta, "synsets", FIELDS))
        ids = ground_truth(truth)
    except (OSError, EOFError, zlib.error, InputError, MatError) as error:
        raise InputError(f"{path}: it is not a readable ILSVRC-2012 development kit ({error}). Get it again.") from None
    if unknown := set(ids) - set(class_of_id):
        raise InputError(
            f"{path}: the ground truth has ILSVRC2012_ID {min(unknown)}, which meta.mat does not have. Get it again."
        )
    return Devkit(classes, train_images, tuple(class_of_id[number] for number in ids))


def ground_truth(text: bytes) -> list[int]:
    """The ILSVRC2012_IDs in the text of the ground truth. Raises InputError for anything but numbers in it."""
    words = decoded_text(text, GROUND_TRUTH).split()
    for word in words:
        if not (word.isascii() and word.isdigit()) or len(word) > 9:
            raise InputError(f"the ground truth has {word[:20]!r}, which is not an ILSVRC2012_ID")
    return [int(word) for word in words]


def _folder_files(path: Path) -> tuple[bytes, bytes]:
    found = []
    for name in (META, GROUND_TRUTH):
        with open(path / name, "rb") as file:
            found.append(_bounded(file.read(MOST_BYTES[name] + 1), name))
    return found[0], found[1]


def _archive_files(path: Path) -> tuple[bytes, bytes]:
    """The two files in the archive. It is unpacked in memory within bounds: a small one may claim to hold gigabytes."""
    most = MOST_BYTES["the archive"]
    if path.stat().st_size > most:
        raise InputError(f"the archive has more than {most >> 20} MB")
    with gzip.open(path) as file:
        tar = _bounded(file.read(most + 1), "the archive")
    members = {"/".join(Path(member.name).parts[-2:]): member for member in index(io.BytesIO(tar), "it", 0, len(tar))}
    if missing := [name for name in (META, GROUND_TRUTH) if name not in members]:
        raise InputError(f"it has no {missing[0]}")
    found = [members[META], members[GROUND_TRUTH]]
    meta, truth = (tar[member.offset : member.offset + member.size] for member in found)
    return _bounded(meta, META), _bounded(truth, GROUND_TRUTH)


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MOST_BYTES[name]:
        raise InputError(f"{name} has more than {MOST_BYTES[name] >> 20} MB")
    return data


def _class_list(synsets: list[dict[str, Value]]) -> tuple[ClassList, tuple[int, ...], dict[int, int]]:
    """The classes (synsets without children) in WNID order with all edges, their numbers of training images, and the
    class index by ILSVRC2012_ID.
    """
    ids, wnids = [_number(row, "ILSVRC2012_ID") for row in synsets], [_wnid(row) for row in synsets]
    for values in (ids, wnids):
        if values and (most := Counter(values).most_common(1)[0])[1] > 1:
            raise InputError(f"meta.mat has the synset {most[0]} twice")
    wnid_of_id = dict(zip(ids, wnids, strict=True))
    edges = tuple(
        (wnid, child) for wnid, row in zip(wnids, synsets, strict=True) for child in _children(row, wnid_of_id)
    )
    rows = sorted(zip(wnids, ids, synsets, strict=True), key=lambda row: row[0])
    leaves = [(wnid, number, row) for wnid, number, row in rows if _number(row, "num_children") == 0]
    classes = ClassList(tuple(wnid for wnid, _, _ in leaves), tuple(_words(row) for _, _, row in leaves), edges)
    train_images = tuple(_number(row, "num_train_images") for _, _, row in leaves)
    return classes, train_images, {number: position for position, (_, number, _) in enumerate(leaves)}


def _children(row: dict[str, Value], wnid_of_id: dict[int, str]) -> list[str]:
    count = _number(row, "num_children")
    if isinstance(row["children"], str):
        raise InputError("meta.mat: children are text")
    children = [_whole(child, "children") for child in row["children"][:count]]
    if len(children) < count or not wnid_of_id.keys() >= set(children):
        raise InputError(f"meta.mat: synset {row['WNID']} has children that are not there")
    return [wnid_of_id[child] for child in children]


def _number(row: dict[str, Value], field: str) -> int:
    values = row[field]
    if isinstance(values, str) or len(values) != 1:
        raise InputError(f"meta.mat: {field} is not one number")
    return _whole(values[0], field)


def _whole(value: float, field: str) -> int:
    if not 0 <= value < LARGEST or int(value) != value:  # NaN is refused too
        raise InputError(f"meta.mat: {field} has {value}, which is not a whole number of 0 or more")
    return int(value)


def _wnid(row: dict[str, Value]) -> str:
    if not isinstance(row["WNID"], str) or not WNID.fullmatch(row["WNID"]):
        raise InputError(f"meta.mat: the WNID {row['WNID']!a:.40} is not of the form n########")
    return row["WNID"]


def _words(row: dict[str, Value]) -> str:
    return row["words"] if isinstance(row["words"], str) else ""
