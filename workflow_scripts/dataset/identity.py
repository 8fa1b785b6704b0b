"""What a dataset holds, wherever it lies. A moved dataset is the same; a replaced one is not.

Light on purpose: the Snakefile asks this where the data have moved.
"""

import hashlib
import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from workflow_scripts.dataset.dataset import SPLITS, dataset_bytes, dataset_files
from workflow_scripts.dataset.layouts import loose_layout
from workflow_scripts.dataset.parts import Layout
from workflow_scripts.dataset.trees import FolderTree, Tree, below, data_tree
from workflow_scripts.plumbing.files import sha256_file

SAMPLES, SAMPLE_BYTES = 1024, 2**16  # 64 MB, ten seconds on a slow disk


def dataset_place(dataset: Mapping, path: str) -> dict:
    """Where the dataset lies, the same however `path` is written.

    It has what decides how the dataset is read, its place, the sizes of its archives, and what is in its table. The
    place is where links lead. It is relative to the working directory if it is below that.
    """
    place, here = os.path.realpath(path), os.path.realpath(".")
    if Path(place).is_relative_to(here):
        place = os.path.relpath(place, here)
    return {"dataset": dict(dataset), "place": place, **dataset_bytes(dataset, path)}


def dataset_content(dataset: Mapping, path: str) -> str:
    """The SHA-256 of what the dataset at `path` holds: the names and sizes of its files, and a sample of their bytes.

    The files are archives, or the images of a tree or table. SAMPLES pieces of SAMPLE_BYTES are read at equal
    distances, or every byte if there are no more. Lists that say the classes of images count by every byte. Raises
    OSError for a file that cannot be read, and InputError as the readers do.
    """
    digest, paths, sizes = hashlib.sha256(), [], []
    layout = loose_layout(dataset, Path(path))
    for file in layout.lists if layout else ():
        digest.update(f"{sha256_file(file)}\n".encode())
    for name, file in _images(layout) if layout else _files(dataset_files(dataset, path), dataset["kind"]):
        paths.append(os.fspath(file))
        sizes.append(file.stat().st_size)
        digest.update(f"{name}\0{sizes[-1]}\n".encode())
    for number, start, size in _pieces(sizes):
        with open(paths[number], "rb", buffering=0) as file:
            digest.update(os.pread(file.fileno(), size, start))
    return digest.hexdigest()


def _images(layout: Layout) -> Iterator[tuple[str, Path]]:
    """The images of a layout, by names that do not depend on the dataset's own, nor on those of its splits."""
    for name in layout.names:
        for split in SPLITS:
            for file, (place, _, _) in sorted(layout.files(split, name).items()):
                yield f"0/{split}/{below(name, file)}", place


def _files(files: Sequence[Path], kind: str) -> Iterator[tuple[str, Path]]:
    """Archives, and the files in ImageNet's folders as the readers see them, by names as in _images.

    Of a torchvision dataset, all files in its folders.
    """
    for number, file in enumerate(files):
        if not file.is_dir():
            yield str(number), file
            continue
        whole = kind == "torchvision"
        tree = FolderTree(file) if whole else data_tree(FolderTree(file), (), files=True)
        for folder in _folders(tree, "") if whole else ("", *tree.folders("")):
            for image, (place, _, _) in sorted(tree.files(folder).items()):
                yield f"{number}/{file.name}/{below(folder, image)}", place


def _folders(tree: Tree, folder: str) -> Iterator[str]:
    """`folder` and all folders below it."""
    yield folder
    for name in tree.folders(folder):
        yield from _folders(tree, below(folder, name))


def _pieces(sizes: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """What is read of files of `sizes`: the file's number, where the piece starts, and its bytes at most."""
    ends = list(accumulate(sizes))
    total = ends[-1] if ends else 0
    if total <= SAMPLES * SAMPLE_BYTES:
        yield from ((number, 0, size) for number, size in enumerate(sizes))
        return
    for sample in range(SAMPLES):
        position = total * sample // SAMPLES
        number = bisect_right(ends, position)
        yield number, position - ends[number] + sizes[number], SAMPLE_BYTES
