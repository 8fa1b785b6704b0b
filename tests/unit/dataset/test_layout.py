"""Layouts that people have and the workflow does not read: what was found and what to do, in one line."""

import tarfile

import pytest
from helpers import FOLDER

from workflow_scripts.config.checks import check_dataset
from workflow_scripts.dataset.dataset import ILSVRC_ARCHIVES
from workflow_scripts.dataset.folder import FolderDataset
from workflow_scripts.dataset.sources import open_dataset
from workflow_scripts.plumbing.cli import InputError, one_line


def classes(*folders):
    return [
        f"{folder}/{name}/{number}.jpg" for folder in folders for name in ("ape", "bee", "cat") for number in (0, 1)
    ]


def numbered(folder):
    return [f"{folder}/{number}.JPEG" for number in range(50)]


WANTED = "Wanted is train/<class>/<image> and val/<class>/<image>, or <class>/<image> with dataset.split."
DRAW = "dataset.split: {val_per_class: 10, seed: 0}"
LAYOUTS = {
    "no val": (
        classes("train"),
        f"found the folder 'train/'. There is no folder of validation images: add val/<class>/, or set {DRAW} to draw",
    ),
    "no train": (classes("test"), "Put the training images beside test/, as train/<class>/<image>."),
    "flat test": (
        [*classes("train"), *numbered("test")],
        f"test/ has 50 images and no folder of a class: move each image to test/<class>/, or set {DRAW}.",
    ),
    "flat val": (
        [*classes("train"), *numbered("val"), "val/labels.csv"],
        f"move each image to val/<class>/, or remove val/ and set {DRAW}. val/labels.csv may say which image",
    ),
    "images in val": (
        [*classes("train"), *numbered("val/images"), "val/annotations.txt"],
        "val/images/ has 50 images and no folder of a class",
    ),
    "flat": ([*numbered("train"), *numbered("val")], "train/ has 50 images and no folder of a class"),
    "no split": (
        classes("."),
        f"'ape/', 'bee/', 'cat/'. There is no split, and ape/ holds images, as a class does: set {DRAW}",
    ),
    "no classes": (["0.jpg", "1.jpg", "labels.csv"], "found 2 images, the file 'labels.csv'. There are neither splits"),
    "deeper classes": (
        classes("train/animals", "val/animals"),
        "lie one level deeper, as train/animals/ape/: move them",
    ),
    "images in classes": (
        [name.replace("/0", "/images/0") for name in classes("train", "val")],  # the others beside that folder
        "train/ape/images/ lies in a folder of a class: move its images up to train/ape/.",
    ),
    "deeper": (
        [*classes("data/x/train", "data/x/val"), "docs/README"],
        "The splits lie deeper: name {path}/data/x in dataset",
    ),
    "no split, deeper": (
        classes("animals", "plants"),
        f"in animals/: name {{path}}/animals in dataset.path, and set {DRAW}",
    ),
    "split in class": (
        [f"{name}/{split}/0.jpg" for name in ("ape", "bee", "cat") for split in ("train", "test")],
        "Each class has its own split: move ape/train/ to train/ape/ and ape/test/ to val/ape/.",
    ),
    "archive": (["x.tar", "x.txt"], "found the files 'x.tar', 'x.txt'. Name x.tar itself in dataset.path"),
    "ilsvrc": (ILSVRC_ARCHIVES, "These are ILSVRC-2012's archives: set dataset.kind to ilsvrc."),
    "detection": ([*numbered("train/images"), *numbered("val/images"), "train/labels/0.txt"], "train/images/ has 50"),
    "empty": ([], "found nothing. Correct dataset.path."),
    "one class more": (
        [*classes("train", "val"), "train/eel/0.jpg"],
        "train/ alone has the class 'eel'. Add it, remove it or exclude it.",
    ),
    "accents": (
        [*classes("train", "val"), "train/caf\u00e9/0.jpg", "val/cafe\u0301/0.jpg"],
        "look alike, but differ in how accents are composed (character 4: U+00E9 LATIN SMALL LETTER E WITH ACUTE",
    ),
    "case of a class": (
        [*classes("train", "val"), "train/Eel/0.jpg", "val/eel/0.jpg", "val/fly/0.jpg"],
        "train/ alone has the class 'Eel'; val/ alone has the classes 'eel', 'fly'. 'Eel' of train/ and 'eel' of val/",
    ),
}


def made(path, files):
    path.mkdir()
    for name in files:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"x")
    return path


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_refused_before_any_work(tmp_path, name):
    files, words = LAYOUTS[name]
    path = made(tmp_path / "tree", files)
    with pytest.raises(InputError) as caught:
        check_dataset({"kind": "folder", "path": str(path)})
    line = one_line(caught.value)
    assert line.startswith(f"configuration: dataset.path: {path}: ")
    assert words.replace("{path}", str(path)) in str(caught.value)
    assert WANTED in line or "alone has the class" in line


@pytest.mark.parametrize(
    "name", ["no val", "flat test", "flat val", "no split", "no classes", "one class more", "accents"]
)
def test_a_tar_of_it_is_refused_too(tmp_path, name):
    files, words = LAYOUTS[name]
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.add(made(tmp_path / "tree", files), arcname="top")
    with pytest.raises(InputError) as caught:
        FolderDataset(tmp_path / "x.tar")
    assert words in str(caught.value)


def test_what_is_right_is_taken_and_a_single_class_is_named(tmp_path):
    path = made(tmp_path / "tree", [*classes("train", "val"), "README.md", "test/0.jpg"])
    check_dataset({"kind": "folder", "path": str(path)})
    assert open_dataset(FOLDER, str(path)).class_list().names == ("ape", "bee", "cat")
    path = made(tmp_path / "one", ["train/ape/0.jpg", "val/ape/1.jpg"])
    with pytest.raises(InputError, match="its only class is 'ape', but a task needs at least 2"):
        open_dataset(FOLDER, str(path))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            classes("train", "val"),
            "Found the folders 'train/', 'val/'. Put the devkit there, or set dataset.kind to folder",
        ),
        (ILSVRC_ARCHIVES[:2], f"{ILSVRC_ARCHIVES[2]} does not exist. Found the files '{ILSVRC_ARCHIVES[0]}'"),
        (
            classes("imagenet/train", "imagenet/val"),
            "Perhaps {path}/imagenet is meant, with the devkit in it",
        ),
        (
            classes("ILSVRC/Data/CLS-LOC/train", "ILSVRC/Data/CLS-LOC/val"),
            "devkit_t12.tar.gz does not exist. Found the folder 'ILSVRC/'. Put the devkit there, or set dataset.kind",
        ),
    ],
)
def test_a_folder_that_is_not_ilsvrcs_says_what_it_holds(tmp_path, files, words):
    path = made(tmp_path / "tree", files)
    with pytest.raises(InputError) as caught:
        check_dataset({"kind": "ilsvrc", "path": str(path)})
    assert words.replace("{path}", str(path)) in str(caught.value)
    assert f"Wanted are {ILSVRC_ARCHIVES[0]} or train/" in str(caught.value)
