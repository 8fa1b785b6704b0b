"""The ILSVRC-2012 archives, read in place: devkit (classes, hierarchy, ground truth), training and validation tars."""

import contextlib
import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.io

from workflow_scripts.cli import InputError
from workflow_scripts.dataset import ILSVRC_ARCHIVES, ClassList, share

TRAIN_TAR, VAL_TAR, DEVKIT = ILSVRC_ARCHIVES
VAL_NAME = re.compile(r"(?:.*/)?ILSVRC2012_val_(\d{8})\.JPEG")


class IlsvrcDataset:
    """The three archives in one folder as a Dataset (see workflow_scripts.dataset)."""

    def __init__(self, folder: str | Path) -> None:
        """Open the devkit in `folder`. Raises InputError naming an archive that is missing or unreadable."""
        self.folder = Path(folder)
        for name in (TRAIN_TAR, VAL_TAR, DEVKIT):
            if not (self.folder / name).is_file():
                raise InputError(f"{self.folder / name} is missing; put it there or correct dataset.path")
        synsets, self.ground_truth = read_devkit(self.folder / DEVKIT)
        self.class_of_id, self._class_list = class_list(synsets)

    def class_list(self) -> ClassList:
        """The low-level synsets in WNID order, and the whole hierarchy above them."""
        return self._class_list

    def train_images(self, shard: int, shards: int) -> Iterator[tuple[str, int, bytes]]:
        """Names, class indices and bytes of one share of the classes' training images, by class, then name."""
        with open_tar(self.folder / TRAIN_TAR) as outer:
            inner_tars = {Path(member.name).stem: member for member in outer if member.isfile()}
            for index in share(len(self._class_list.names), shard, shards):
                wnid = self._class_list.names[index]
                if wnid not in inner_tars:
                    raise InputError(f"{self.folder / TRAIN_TAR} has no member {wnid}.tar; the archive is not whole")
                with tarfile.open(fileobj=outer.extractfile(inner_tars[wnid]), mode="r:") as inner:
                    for member in sorted((m for m in inner if m.isfile()), key=lambda m: m.name):
                        yield member.name, index, inner.extractfile(member).read()

    def val_images(self, shard: int, shards: int) -> Iterator[tuple[str, int, bytes]]:
        """Names, class indices and bytes of one share of the validation images, by number."""
        with open_tar(self.folder / VAL_TAR) as tar:
            members = {_val_number(member.name): member for member in tar if member.isfile()}
            if sorted(members) != list(range(1, len(self.ground_truth) + 1)):
                raise InputError(
                    f"{self.folder / VAL_TAR} has {len(members)} images and the devkit's ground truth "
                    f"{len(self.ground_truth)} labels; the two do not belong together or one is not whole"
                )
            for position in share(len(members), shard, shards):
                member = members[position + 1]
                class_index = self.class_of_id[self.ground_truth[position]]
                yield Path(member.name).name, class_index, tar.extractfile(member).read()


@contextlib.contextmanager
def open_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """An uncompressed tar, open for seeking. Raises InputError if it is none or, while it is read, not whole."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield tar
    except (tarfile.TarError, OSError) as error:
        raise InputError(f"{path} is not a whole tar archive: {error}") from None


def read_devkit(path: Path) -> tuple[np.ndarray, list[int]]:
    """The `synsets` struct array of data/meta.mat, and the ILSVRC2012_ID of each validation image in order."""
    try:
        with tarfile.open(path, mode="r:gz") as tar:
            members = {"/".join(Path(member.name).parts[-2:]): member for member in tar if member.isfile()}
            meta = tar.extractfile(members["data/meta.mat"]).read()
            truth = tar.extractfile(members["data/ILSVRC2012_validation_ground_truth.txt"]).read()
        synsets = scipy.io.loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]
        return synsets, [int(line) for line in truth.split()]
    except Exception as error:  # tarfile, gzip and scipy raise many kinds for damaged files; all mean the same here
        raise InputError(f"{path} is not a readable ILSVRC-2012 development kit: {error}") from None


def class_list(synsets: np.ndarray) -> tuple[dict[int, int], ClassList]:
    """Class index by ILSVRC2012_ID, and the classes (synsets without children) in WNID order with all edges."""
    wnid_of_id = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in synsets}
    leaves = sorted((str(row["WNID"]), row) for row in synsets if int(row["num_children"]) == 0)
    names = tuple(wnid for wnid, _ in leaves)
    class_of_id = {int(row["ILSVRC2012_ID"]): index for index, (_, row) in enumerate(leaves)}
    edges = tuple(
        (str(row["WNID"]), wnid_of_id[int(child)])
        for row in synsets
        for child in np.atleast_1d(row["children"])[: int(row["num_children"])]
    )
    return class_of_id, ClassList(names, tuple(str(row["words"]) for _, row in leaves), edges)


def _val_number(name: str) -> int:
    match = VAL_NAME.fullmatch(name)
    if match is None:
        raise InputError(f"{VAL_TAR} has a member {name!r}, which is no ILSVRC2012_val_########.JPEG")
    return int(match[1])
