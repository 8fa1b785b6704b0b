"""A folder tree train/<class>/*, val/<class>/* of images, or an uncompressed tar of one, as a Dataset."""

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from workflow_scripts.cli import InputError
from workflow_scripts.dataset import ClassList, share

Files = dict[str, dict[str, list[tuple[str, object]]]]  # split -> class -> [(name, what to read)]


class FolderDataset:
    """Classes are the folder names in sorted order; there is no hierarchy."""

    def __init__(self, path: str | Path) -> None:
        """Index the tree or tar at `path`. Raises InputError if it is missing or train and val classes differ."""
        path = Path(path)
        if path.is_dir():
            self.files, self.read = _index_folder(path), Path.read_bytes
        elif path.is_file() and tarfile.is_tarfile(path):
            self.files, self.read = _index_tar(path)
        else:
            raise InputError(f"{path} is neither a folder nor a tar archive; correct dataset.path")
        self.names = tuple(sorted(self.files["train"]))
        if not self.names:
            raise InputError(f"{path} has no images train/<class>/<file>; correct dataset.path")
        if different := set(self.files["train"]) ^ set(self.files["val"]):
            raise InputError(f"{path}: class {min(different)!r} is not in both train/ and val/")

    def class_list(self) -> ClassList:
        """The folder names, sorted."""
        return ClassList(self.names, self.names)

    def train_images(self, shard: int, shards: int) -> Iterator[tuple[str, int, bytes]]:
        """Names, class indices and bytes of one share of the classes, by class, then name."""
        for index in share(len(self.names), shard, shards):
            yield from self._class_images("train", index)

    def val_images(self, shard: int, shards: int) -> Iterator[tuple[str, int, bytes]]:
        """As train_images, of val/."""
        for index in share(len(self.names), shard, shards):
            yield from self._class_images("val", index)

    def _class_images(self, split: str, index: int) -> Iterator[tuple[str, int, bytes]]:
        for name, source in sorted(self.files[split][self.names[index]], key=lambda file: file[0]):
            yield f"{self.names[index]}/{name}", index, self.read(source)


def _index_folder(root: Path) -> Files:
    return {
        split: {
            folder.name: [(file.name, file) for file in folder.iterdir() if file.is_file()]
            for folder in (root / split).glob("*/")
        }
        for split in ("train", "val")
    }


def _index_tar(path: Path) -> tuple[Files, Callable[[tarfile.TarInfo], bytes]]:
    try:
        tar = tarfile.open(path, mode="r:")  # noqa: SIM115 - stays open, members are read while packing
        members = [member for member in tar if member.isfile()]
    except tarfile.TarError as error:
        raise InputError(f"{path} is not a whole, uncompressed tar archive: {error}") from None
    files: Files = {"train": {}, "val": {}}
    for member in members:
        parts = PurePosixPath(member.name).parts
        if len(parts) >= 3 and parts[-3] in files:
            files[parts[-3]].setdefault(parts[-2], []).append((parts[-1], member))
    return files, lambda member: tar.extractfile(member).read()
