"""Says what a folder or tar holds that is not laid out as train/<class>/<image>, val/<class>/<image>, and what to do.

Light on purpose: the Snakefile's checks use it at parse time. It lists folders only where something is wrong.
"""

from collections.abc import Collection
from typing import Protocol

from workflow_scripts.dataset.dataset import ILSVRC_ARCHIVES, ILSVRC_EXTRACTED, SPLITS
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.names import look_alike, some_of

WANTED = "Wanted is train/<class>/<image> and val/<class>/<image>."
OTHER_NAMES = {  # of the splits, the likeliest first
    "train": ("train", "training", "trn", "training_set", "train_set"),
    "val": ("val", "valid", "validation", "validate", "dev", "eval", "test", "testing", "test_set"),
}
IMAGES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
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
    if all(tree.folders(split) for split in SPLITS):
        remedy = "Put the devkit there, or set dataset.kind to folder."
    elif inside := _data_below(tree):
        remedy = f"Perhaps {where}/{inside} is meant, with the devkit in it."
    wanted = ", ".join(
        f"{archive} or {folder}/" for archive, folder in zip(ILSVRC_ARCHIVES, ILSVRC_EXTRACTED, strict=True)
    )
    return InputError(f"{where}: {missing} does not exist. Found {_contents(tree)}. {remedy} Wanted are {wanted}.")


def check_splits(where: str, tree: Listing, train: Collection[str], val: Collection[str]) -> None:
    """Raise InputError unless there are classes, the same in `train` and in `val`, with images in the first one."""
    if set(train) <= NO_CLASSES or set(val) <= NO_CLASSES or _nested(tree):
        raise layout_error(where, tree)
    only = {"train": set(train) - set(val), "val": set(val) - set(train)}
    if not any(only.values()):
        return
    faults = [
        f"{split}/ alone has the class{'es' * (len(names) > 1)} {some_of(sorted(names))}"
        for split, names in only.items()
        if names
    ]
    alike = look_alike(only["train"], only["val"] or val, " of train/", " of val/")
    alike = alike or look_alike(only["val"], only["train"] or train, " of val/", " of train/")
    remedy = "Give both the same classes." if alike or len(faults) > 1 else "Add it or remove it."
    raise InputError(f"{where}: {'; '.join(faults)}.{alike} {remedy}")


def _remedy(where: str, tree: Listing) -> str:
    """What to do, as a sentence or two that say more of what was found."""
    found = {split: _split(tree, split) for split in SPLITS}
    if not any(found.values()):
        return _remedy_without_split(where, tree)
    if list(found) != list(found.values()):
        steps = [f"rename {name}/ to {split}/" for split, name in found.items() if name and name != split]
        steps += [f"move some images of each class to {split}/<class>/" for split, name in found.items() if not name]
        return f"{steps[0][0].upper()}{' and '.join(steps)[1:]}."
    for split in SPLITS:
        if set(tree.folders(split)) <= NO_CLASSES:
            return _remedy_of_flat(tree, split)
    nested = _nested(tree)
    return _remedy_of_nested(tree, *nested) if nested else "Correct dataset.path."


def _remedy_without_split(where: str, tree: Listing) -> str:
    folders, files = tree.folders(""), tree.files("")
    with_split = [name for name in folders[:PEEKED] if _split(tree, "train", name) and _split(tree, "val", name)]
    if set(ILSVRC_ARCHIVES) & set(files):
        return "These are ILSVRC-2012's archives: set dataset.kind to ilsvrc."
    if len(with_split) > 2:
        own = with_split[0]
        train, val = (_split(tree, split, own) for split in SPLITS)
        return f"Each class has its own split: move {own}/{train}/ to train/{own}/ and {own}/{val}/ to val/{own}/."
    if inside := _data_below(tree):
        return f"The splits lie deeper: name {where}/{inside} in dataset.path."
    if archives := sorted(name for name in files if name.lower().endswith(ARCHIVES)):
        return f"Name {archives[0]} itself in dataset.path if it is an uncompressed tar, or unpack it."
    classes = [name for name in folders[:PEEKED] if _images(tree, name)]
    if len(classes) > 1:
        return (
            f"There is no split, and {classes[0]}/ holds images, as a class does: move some images of each class to "
            "val/<class>/, and the others to train/<class>/."
        )
    if _images(tree, "") or classes:
        return "There are neither splits nor classes: sort the images into folders of classes."
    for name in folders[:PEEKED]:
        if any(_images(tree, f"{name}/{below}") for below in tree.folders(name)[:PEEKED]):
            return f"There is no split, and the classes lie deeper, in {name}/: move them to train/ and val/."
    return "Correct dataset.path."


def _remedy_of_flat(tree: Listing, split: str) -> str:
    """For a split without folders of classes, or with the one folder `images`."""
    place = f"{split}/images" if "images" in tree.folders(split) else split
    lists = sorted(name for name in tree.files(split) if name.lower().endswith((".txt", ".csv", ".json")))
    told = f" {split}/{lists[0]} may say which image is of which class." if lists else ""
    return (
        f"{place}/ has {_images(tree, place):,} images and no folder of a class: move each image to {split}/<class>/."
        f"{told}"
    )


def _remedy_of_nested(tree: Listing, split: str, name: str, inside: str) -> str:
    """For the folder `inside` in the folder of what should be a class."""
    if inside == "images" or _images(tree, f"{split}/{name}"):
        return f"{split}/{name}/{inside}/ lies in a folder of a class: move its images up to {split}/{name}/."
    return f"The classes lie one level deeper, as {split}/{name}/{inside}/: move them up to {split}/."


def _nested(tree: Listing) -> tuple[str, str, str] | None:
    """The split, class and folder in it, where the first class of a split holds folders."""
    firsts = [(split, name) for split in SPLITS for name in tree.folders(split)[:1]]
    return next(((*first, inside[0]) for first in firsts if (inside := tree.folders("/".join(first)))), None)


def _split(tree: Listing, split: str, folder: str = "") -> str:
    """The folder in `folder` that is `split` or is likely to be; "" if there is none."""
    there = {name.lower().replace("-", "_"): name for name in tree.folders(folder)}
    there |= {split: split} if split in tree.folders(folder) else {}
    return next((there[name] for name in OTHER_NAMES[split] if name in there), "")


def _data_below(tree: Listing) -> str:
    """The first folder below the top, not too deep, that holds both splits; "" if there is none."""
    waiting = tree.folders("")[:PEEKED]
    for place in waiting:  # which grows
        if _split(tree, "train", place) and _split(tree, "val", place):
            return place
        if place.count("/") < MOST_ABOVE:
            waiting += [f"{place}/{name}" for name in tree.folders(place)[: PEEKED // 4]]
    return ""


def _images(tree: Listing, folder: str) -> int:
    return sum(map(_is_image, tree.files(folder)))


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGES)


def _contents(tree: Listing) -> str:
    """What is at the top: folders first, images counted, other files by name."""
    folders, images = [f"{name}/" for name in tree.folders("")], _images(tree, "")
    others = sorted(name for name in tree.files("") if not _is_image(name))
    parts = [
        *([f"the folders {some_of(folders)}" if len(folders) > 1 else f"the folder {folders[0]!r}"] if folders else []),
        *([f"{images:,} image{'s' * (images > 1)}"] if images else []),
        *([f"the file{'s' * (len(others) > 1)} {some_of(others)}"] if others else []),
    ]
    return ", ".join(parts) or "nothing"
