"""The images of `make ask`: which dataset they are, how they are split, and whether there are enough.

Light on purpose: it reads names, and no image.
"""

import contextlib
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from workflow_scripts.config.checks import check_dataset
from workflow_scripts.config.paths import expanded
from workflow_scripts.dataset.dataset import SPLITS
from workflow_scripts.dataset.layout import REMEDY
from workflow_scripts.dataset.layouts import has_split, open_layout
from workflow_scripts.dataset.table import check_files
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.names import some_of

FEWEST_TRAIN, FEWEST_VAL = 2, 1  # images of a class: one of the training images is held out to choose a penalty
VAL_FRACTION, LARGEST_FRACTION = 0.2, 0.38  # the second leaves 2 of 3 images for training
WANTED_VAL = 1.5  # images of the smallest class, before rounding to 2
TABLES = (".csv", ".tsv")
# What the readers say of a study's keys, in the words of the command.
IN_OTHER_WORDS = {
    "configuration: DATA.path: ": "DATA: ",
    "configuration: DATA: ": "DATA: ",
    "<class>/<image> with dataset.split": "<class>/<image>",
    f", and set {REMEDY}": "",  # ask draws one itself
    "dataset.path": "DATA",
}


@dataclass(frozen=True)
class AskedData:
    """A dataset: its `name`, its section of a configuration (none for the drawn sample), and its numbers of `classes`
    and of images by split.
    """

    name: str
    section: Mapping
    classes: int
    images: Mapping[str, int]


def sample_data(sample: Mapping, classes: int) -> AskedData:
    """The drawn sample, whose section `sample` of the default configuration is given."""
    return AskedData("sample", {}, classes, {split: classes * sample[f"{split}_per_class"] for split in SPLITS})


def asked_data(text: str, asked: Path) -> AskedData:
    """The user's images at the path `text`: a folder, a tar or a table. `asked` is the folder of earlier studies.

    Raises InputError for what is not there or is in no known layout, for one class, and for too few images.
    """
    with _in_other_words():
        path = Path(os.path.abspath(expanded("DATA", text)))  # noqa: PTH100 - without ..; links stay
        dataset = {"kind": "table" if path.suffix.lower() in TABLES and path.is_file() else "folder"}
        dataset |= {"path": str(path), "split": None, "exclude": [], "follow_links": False}
        if dataset["kind"] == "folder" and not path.is_dir():
            check_dataset(dataset, "DATA")  # it is not there, or no tar
        if not has_split(dataset, path):
            dataset["split"] = {"val_fraction": VAL_FRACTION, "seed": 0}
        check_dataset(dataset, "DATA")
        counts = _counts(dataset, path)
        if dataset["split"]:
            dataset["split"]["val_fraction"] = val_fraction(min(sum(one.values()) for one in counts.values()))
            counts = _counts(dataset, path)
        if dataset["kind"] == "table":
            check_files(path)
    check_counts(path, counts, bool(dataset["split"]))
    section = {"name": f"ask_{free_name(path, asked)}", "kind": dataset["kind"], "path": str(path)}
    split = {"split": dataset["split"]} if dataset["split"] else {}
    images = {split: sum(one[split] for one in counts.values()) for split in SPLITS}
    return AskedData(section["name"].removeprefix("ask_"), section | split, len(counts), images)


def val_fraction(smallest: int) -> float:
    """The share of each class that is for validation: more than usual where `smallest`, the images of the smallest
    class, would leave it fewer than two.
    """
    return min(LARGEST_FRACTION, max(VAL_FRACTION, math.ceil(100 * WANTED_VAL / max(1, smallest)) / 100))


def check_counts(path: Path, counts: Mapping[str, Mapping[str, int]], drawn: bool) -> None:
    """Raise InputError unless there are two classes, and enough images of each; `counts` are by class and split.

    `drawn` says that validation images are drawn.
    """
    if not any(sum(one.values()) for one in counts.values()):
        raise InputError(f"DATA: {path}: it has no images. Put those of each class into a folder of its own.")
    if len(counts) < 2:
        raise InputError(
            f"DATA: {path}: its only class is {some_of(counts)}, but a task needs at least 2. Add a folder of images."
        )
    fewest = {"train": FEWEST_TRAIN, "val": FEWEST_VAL}
    if drawn:
        fewest = {"": FEWEST_TRAIN + FEWEST_VAL}
        counts = {name: {"": sum(one.values())} for name, one in counts.items()}
    for split, least in fewest.items():
        short = sorted((one[split], name) for name, one in counts.items() if one[split] < least)
        if short:
            count, name = short[0]
            others = f", the fewest of {len(short)} such classes" if len(short) > 1 else ""
            each = f", {FEWEST_TRAIN} to train and {FEWEST_VAL} to validate" if drawn else ""
            what = " ".join(filter(None, [{"train": "training", "val": "validation"}.get(split), "image"]))
            raise InputError(
                f"DATA: {path}: class {name!r} has {count} {what}{'s' * (count != 1)}{others}, but each class needs "
                f"{least}{each}. Add images, or move the class away."
            )


def free_name(path: Path, asked: Path) -> str:
    """A name for the data at `path`: that of its file or folder, in letters, digits and `_`.

    Studies in the folder `asked` on the same path have it already. Those on another path that is still there keep
    theirs to themselves.
    """
    taken = dict(_taken(asked))
    stem = path.name.removesuffix(path.suffix) if path.is_file() else path.name
    plain = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")[:40].strip("_") or "images"
    names = [plain, *(f"{plain}_{number}" for number in range(2, 2 + len(taken)))]
    mine = [name for name in names if taken.get(f"ask_{name}") == str(path)]
    return [*mine, *(name for name in names if f"ask_{name}" not in taken)][0]


def _taken(asked: Path) -> Iterator[tuple[str, str]]:
    """The names and paths of the datasets of studies in the folder `asked`, where these paths still lead somewhere."""
    for file in sorted(asked.glob("*.yaml")):
        with contextlib.suppress(OSError, ValueError, yaml.YAMLError, AttributeError, KeyError, TypeError):
            section = yaml.safe_load(file.read_text(encoding="utf-8"))["dataset"]
            if Path(section["path"]).exists():
                yield section["name"], section["path"]


def _counts(dataset: Mapping, path: Path) -> dict[str, dict[str, int]]:
    layout = open_layout({**dataset, "split": dataset["split"] and dict(dataset["split"])}, path)
    return {name: {split: len(layout.files(split, name)) for split in SPLITS} for name in layout.names}


@contextlib.contextmanager
def _in_other_words() -> Iterator[None]:
    """Put what an InputError says of a configuration's keys in the words of the command."""
    try:
        yield
    except InputError as error:
        text = str(error)
        for words, others in IN_OTHER_WORDS.items():
            text = text.replace(words, others)
        raise InputError(text if text.startswith("DATA: ") else f"DATA: {text}") from None
