"""torchvision's own readers of its datasets: making them, and what they know of their images without decoding any.

torchvision is imported when a reader is made: it brings torch, which the other kinds of dataset do not need.
"""

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workflow_scripts.dataset.dataset import SPLITS
from workflow_scripts.dataset.torchvision_sets import SETS, TorchvisionSet
from workflow_scripts.plumbing.cli import InputError

URLS = ("url", "_URL", "_DATASET_URL")  # attributes of torchvision's classes that have one archive
ADVICE = re.compile(r" ?You can (use|set) download=True to download it\.?")  # a Python argument, no key of a study
MOST_SAID = 300  # characters of a reader's own message


@dataclass(frozen=True)
class Library:
    """A dataset of torchvision: its `name`, the further arguments `options` of its class, and the folder `root`."""

    name: str
    options: Mapping[str, object]
    root: Path

    @property
    def known(self) -> TorchvisionSet:
        """What the table says of it."""
        return SETS[self.name]

    @property
    def files(self) -> tuple[str, ...]:
        """What its class reads, below the root."""
        return self.known.files(self.options)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have a reader each; "train" alone has all images of a dataset without splits."""
        return SPLITS if self.known.val is not None else SPLITS[:1]

    def __str__(self) -> str:
        return f"torchvision's {self.name}" + (f" in {self.root}" if self.files else "")

    def reader(self, split: str, download: bool = False) -> object:
        """The reader of one of `splits`, a torchvision dataset.

        With `download`, torchvision first gets its files, unless they are there. Raises InputError, which says what to
        put where, for whatever the reader raises.
        """
        import torchvision

        made = getattr(torchvision.datasets, self.name)
        arguments = {**self.options, **(self.known.train if split == "train" else self.known.val or {})}
        if self.files:
            arguments["root"] = str(self.root)
        if self.known.downloads:  # said always: some classes download unless they are told not to
            arguments["download"] = download
        with _in_one_line(self, made if download else None):
            return made(**arguments)


@contextlib.contextmanager
def _in_one_line(library: Library, downloaded: type | None) -> Iterator[None]:
    """Raise InputError for whatever a reader raises when it is made. `downloaded` is its class if it downloads."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # of readers of all kinds of files, of urllib, and torchvision's own RuntimeError
        said = ADVICE.sub("", " ".join(str(error).split())).rstrip(".")[:MOST_SAID] or type(error).__name__
        put = f"Put {', '.join(library.files)} there" if library.files else "Correct dataset.options"
        if downloaded is None:
            other = ", or set dataset.download to true" if library.known.downloads else ""
            raise InputError(f"{library}: it cannot be read ({said}). {put}{other}.") from None
        url = next((f" from {getattr(downloaded, name)}" for name in URLS if hasattr(downloaded, name)), "")
        raise InputError(
            f"{library}: it cannot be downloaded{url} ({said}). {put}, or run this where there is internet."
        ) from None


def labels_of(library: Library, reader: object) -> np.ndarray:
    """The label of each image of a reader of `library` (int64). Images are read only where nothing else tells.

    Raises InputError for a reader without images or with images without labels.
    """
    attribute = library.known.labels
    entries = getattr(reader, attribute) if attribute else (reader[index][1] for index in range(len(reader)))
    labels = [_label(entry) for entry in entries]
    if not labels:
        raise InputError(f"{library}: it has no images. Get it again.")
    if None in labels:
        raise InputError(f"{library}: its files have images without labels. Get the files with labels.")
    return np.array(labels, dtype=np.int64)


def _label(entry: object) -> int | None:
    """The label in an entry of a reader's list: the entry itself, or its one whole number."""
    if isinstance(entry, tuple):
        return next((int(part) for part in entry if isinstance(part, int | np.integer)), None)
    if getattr(entry, "ndim", 0):  # QMNIST's labels come with seven other numbers
        return int(entry[0])
    return None if entry is None else int(entry)


def class_names(library: Library, reader: object, labels: Sequence[int]) -> tuple[list[str], list[str]]:
    """The names of the classes of `labels`, each once, and words on them: the reader's, or the labels as text."""
    known = library.known
    names, words = (_texts(reader, attribute, labels) for attribute in (known.names, known.words or known.names))
    times = Counter(names)
    return [f"{name} {label}" if times[name] > 1 else name for name, label in zip(names, labels, strict=True)], words


def _texts(reader: object, attribute: str | None, labels: Sequence[int]) -> list[str]:
    found = getattr(reader, attribute, None) if attribute else None  # STL10 has names only beside a file of them
    if found is None:
        return [f"{label:0{len(str(max(labels)))}d}" for label in labels]
    if isinstance(found, Mapping):
        found = sorted(found, key=found.__getitem__)
    texts = [found[label] for label in labels]
    return [", ".join(text) if isinstance(text, tuple) else str(text).strip("/") for text in texts]
