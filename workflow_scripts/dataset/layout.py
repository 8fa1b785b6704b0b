"""Says what a folder or tar holds that is in no layout that layouts recognises, and what to do.

Light on purpose: the Snakefile's checks use it at parse time. It lists folders only where something is wrong.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from workflow_scripts.dataset.dataset import ILSVRC_ARCHIVES, ILSVRC_EXTRACTED, KAGGLE, SPLITS
from workflow_scripts.dataset.parts import INNER, is_image
from workflow_scripts.dataset.trees import below
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.names import look_alike, some_of

REMEDY = "dataset.split: {val_per_class: 10, seed: 0}"
WANTED = "Wanted is train/<class>/<image> and val/<class>/<image>, or <class>/<image> with dataset.split."
OTHER_NAMES = {  # of the splits, the likeliest first
    "train": ("train", "training", "trn", "training_set", "train_set"),
    "val": ("val", "valid", "validation", "validate", "dev", "eval", "test", "testing", "test_set"),
}
SPLIT_NAMES = frozenset(name for names in OTHER_NAMES.values() for name in names)
UNLABELLED = ("test", "testing", "test_set")  # often without classes, when they are no validation images
ARCHIVES = (".tar", ".zip", ".gz", ".tgz", ".xz", ".bz2", ".7z", ".rar", ".zst")
NO_CLASSES = {"images", "labels", "annotations", "masks"}  # where a split has no other folder
PEEKED = 20  # folders that are looked into
MOST_ABOVE = 4  # folders above the data that are looked through


class Listing(Protocol):
    """The names in the folders of a tree, each folder as "a/b" and the top as ""."""

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in `folder`, sorted; none if it is missing."""

    def files(self, folder: str) -> Collection[str]:
        """The names of the files in `folder`; none if it is missing."""


def layout_error(where: str, tree: Listing) -> InputError:
    """The error that says what `tree`, the folder or tar at `where`, holds, what to do, and what is wanted."""
    return InputError(f"{where}: found {_contents(tree)}. {_remedy(where, tree)} {WANTED}")


def ilsvrc_error(where: str, tree: Listing, missing: str) -> InputError:
    """The error for a folder without `missing`, one of ILSVRC-2012's three archives."""
    remedy = "Put it there or correct the path."
    if any(all(tree.folders(below(place, split)) for split in SPLITS) for place in ("", *KAGGLE)):
        remedy = "Put the devkit there, or set dataset.kind to folder."
    elif inside := _data_below(tree):
        remedy = f"Perhaps {where}/{inside} is meant, with the devkit in it."
    wanted = ", ".join(
        f"{archive} or {folder}/" for archive, folder in zip(ILSVRC_ARCHIVES, ILSVRC_EXTRACTED, strict=True)
    )
    return InputError(f"{where}: {missing} does not exist. Found {_contents(tree)}. {remedy} Wanted are {wanted}.")


def check_classes(where: str, folders: Mapping[str, str], names: Mapping[str, Collection[str]]) -> None:
    """Raise InputError unless the classes `names` of both splits are the same; `folders` are the splits' folders."""
    train, val = (names[split] for split in SPLITS)
    only = {"train": set(train) - set(val), "val": set(val) - set(train)}
    if not any(only.values()):
        return
    faults = [
        f"{folders[split]}/ alone has the class{'es' * (len(alone) > 1)} {some_of(sorted(alone))}"
        for split, alone in only.items()
        if alone
    ]
    of_train, of_val = (f" of {folders[split]}/" for split in SPLITS)
    alike = look_alike(only["train"], only["val"] or val, of_train, of_val)
    alike = alike or look_alike(only["val"], only["train"] or train, of_val, of_train)
    remedy = "Give both the same classes." if alike or len(faults) > 1 else "Add it, remove it or exclude it."
    raise InputError(f"{where}: {'; '.join(faults)}.{alike} {remedy}")


def _remedy(where: str, tree: Listing) -> str:
    """What to do, as a sentence or two that say more of what was found."""
    found = {split: split_folder(tree, split) for split in SPLITS}
    if not any(found.values()):
        return _remedy_without_split(where, tree)
    if not found["train"]:
        return f"Put the training images beside {found['val']}/, as train/<class>/<image>."
    if not found["val"]:
        return f"There is no folder of validation images: add val/<class>/, or set {REMEDY} to draw some."
    for folder in found.values():
        if set(tree.folders(folder)) <= NO_CLASSES:
            return _remedy_of_flat(tree, folder, folder == found["val"])
    nested = _nested(tree, found.values())
    return _remedy_of_nested(tree, *nested) if nested else "Correct dataset.path."


def _remedy_without_split(where: str, tree: Listing) -> str:
    folders, files = tree.folders(""), tree.files("")
    with_split = [name for name in folders[:PEEKED] if _has_splits(tree, name)]
    if set(ILSVRC_ARCHIVES) & set(files):
        return "These are ILSVRC-2012's archives: set dataset.kind to ilsvrc."
    if len(with_split) > 2:
        own = with_split[0]
        train, val = (split_folder(tree, split, own) for split in SPLITS)
        return f"Each class has its own split: move {own}/{train}/ to train/{own}/ and {own}/{val}/ to val/{own}/."
    if inside := _data_below(tree):
        return f"The splits lie deeper: name {where}/{inside} in dataset.path."
    if archives := sorted(name for name in files if name.lower().endswith(ARCHIVES)):
        return f"Name {archives[0]} itself in dataset.path if it is an uncompressed tar, or unpack it."
    classes = [name for name in folders[:PEEKED] if _images(tree, name)]
    if len(classes) > 1:
        return f"There is no split, and {classes[0]}/ holds images, as a class does: set {REMEDY} to draw one."
    if _images(tree, "") or classes:
        return "There are neither splits nor classes: sort the images into folders of classes."
    for name in folders[:PEEKED]:
        if any(_images(tree, below(name, inside)) for inside in tree.folders(name)[:PEEKED]):
            return (
                f"There is no split, and the classes lie deeper, in {name}/: name {where}/{name} in dataset.path, and "
                f"set {REMEDY}."
            )
    return "Correct dataset.path."


def _remedy_of_flat(tree: Listing, split: str, draws: bool) -> str:
    """For a split without folders of classes, or with the one folder `images`; validation images may be drawn."""
    place = f"{split}/images" if "images" in tree.folders(split) else split
    lists = sorted(name for name in tree.files(split) if name.lower().endswith((".txt", ".csv", ".json")))
    told = f" {split}/{lists[0]} may say which image is of which class." if lists else ""
    if any(name.startswith("ILSVRC2012_val_") for name in tree.files(split)):
        told = " Kaggle's LOC_val_solution.csv says so: put it beside ILSVRC/."
    unlabelled = split.lower().replace("-", "_") in UNLABELLED
    draw = f", or {'' if unlabelled else f'remove {split}/ and '}set {REMEDY}" if draws else ""
    return (
        f"{place}/ has {_images(tree, place):,} images and no folder of a class: move each image to {split}/<class>/"
        f"{draw}.{told}"
    )


def _remedy_of_nested(tree: Listing, split: str, name: str, inside: str) -> str:
    """For the folder `inside` in the folder of what should be a class."""
    if inside == INNER or _images(tree, f"{split}/{name}"):
        return f"{split}/{name}/{inside}/ lies in a folder of a class: move its images up to {split}/{name}/."
    return f"The classes lie one level deeper, as {split}/{name}/{inside}/: move them up to {split}/."


def _nested(tree: Listing, folders: Iterable[str]) -> tuple[str, str, str] | None:
    """The split, class and folder in it, where the first class of a split holds folders but for `images`."""
    firsts = [(folder, name) for folder in folders for name in tree.folders(folder)[:1]]
    for first in firsts:
        inside = tree.folders("/".join(first))
        if inside and (inside != [INNER] or _images(tree, "/".join(first))):
            return (*first, inside[0])
    return None


def split_folder(tree: Listing, split: str, folder: str = "") -> str:
    """The folder in `folder` that is `split` or is likely to be, by its name; "" if there is none."""
    there = {name.lower().replace("-", "_"): name for name in tree.folders(folder)}
    there |= {split: split} if split in tree.folders(folder) else {}
    return next((there[name] for name in OTHER_NAMES[split] if name in there), "")


def _has_splits(tree: Listing, folder: str) -> bool:
    return all(split_folder(tree, split, folder) for split in SPLITS)


def _data_below(tree: Listing) -> str:
    """The first folder below the top, not too deep, that holds both splits; "" if there is none."""
    waiting = tree.folders("")[:PEEKED]
    for place in waiting:  # which grows
        if _has_splits(tree, place):
            return place
        if place.count("/") < MOST_ABOVE:
            waiting += [f"{place}/{name}" for name in tree.folders(place)[: PEEKED // 4]]
    return ""


def _images(tree: Listing, folder: str) -> int:
    return sum(map(is_image, tree.files(folder)))


def _contents(tree: Listing) -> str:
    """What is at the top: folders first, images counted, other files by name."""
    folders, images = [f"{name}/" for name in tree.folders("")], _images(tree, "")
    others = sorted(name for name in tree.files("") if not is_image(name))
    parts = [
        *([f"the folders {some_of(folders)}" if len(folders) > 1 else f"the folder {folders[0]!r}"] if folders else []),
        *([f"{images:,} image{'s' * (images > 1)}"] if images else []),
        *([f"the file{'s' * (len(others) > 1)} {some_of(others)}"] if others else []),
    ]
    return ", ".join(parts) or "nothing"
