"""Validation images that are training images too: found by pixels, named with their classes, in seconds."""

import time

import numpy as np
import pytest
from helpers import FOLDER, pack
from made_up_store import write_noise
from PIL import Image

from workflow_scripts.store import find_duplicates as module
from workflow_scripts.store.find_duplicates import candidates, counts, duplicate_table, sentence
from workflow_scripts.store.packed import PackedSplit

CLASSES = list("abcd")


@pytest.fixture
def tree(tmp_path):
    """A tree whose images all differ, two a class and split."""
    for number, split in enumerate(("train", "val")):
        for label, name in enumerate(CLASSES):
            (tmp_path / "tree" / split / name).mkdir(parents=True)
            for image in range(2):
                write(tmp_path / "tree" / split / name / f"{image}.png", (number * 50, label * 50, image * 50))
    return tmp_path / "tree"


def write(path, colour):
    Image.new("RGB", (9, 9), colour).save(path)


def found(tree, folder):
    """The table and the numbers of the packed tree."""
    manifest = pack(FOLDER, tree, folder, 8)
    train, val = (PackedSplit(manifest, split) for split in ("train", "val"))
    table = duplicate_table(train, val, CLASSES)
    return table, counts(table, len(val))


def test_nothing_is_said_where_there_are_none(tree, tmp_path):
    table, numbers = found(tree, tmp_path / "store")
    assert table.empty
    assert list(table) == module.COLUMNS
    assert numbers == {"val_images": 8, "duplicates": 0, "other_class": 0}
    assert sentence(numbers) == ""


def test_the_same_pixels_in_other_bytes_are_found_and_named(tree, tmp_path):
    Image.open(tree / "train/b/1.png").save(tree / "val/b/copy.bmp")
    table, numbers = found(tree, tmp_path / "store")
    assert table.to_numpy().tolist() == [["b/copy.bmp", "b", "b/1.png", "b", 1]]
    assert numbers == {"val_images": 9, "duplicates": 1, "other_class": 0}
    assert sentence(numbers) == (
        "1 of 9 validation images (11.11%) is also a training image, pixel by pixel. Scores are too high because of it."
    )


def test_copies_with_other_classes_are_named_by_both(tree, tmp_path):
    for path in ("train/a/7.png", "train/a/8.png", "train/d/7.png", "val/a/7.png", "val/c/7.png"):
        write(tree / path, "white")
    table, numbers = found(tree, tmp_path / "store")
    assert table.to_numpy().tolist() == [
        ["a/7.png", "a", "a/7.png", "a", 2],
        ["a/7.png", "a", "d/7.png", "d", 1],
        ["c/7.png", "c", "a/7.png", "a", 2],
        ["c/7.png", "c", "d/7.png", "d", 1],
    ]
    assert numbers == {"val_images": 10, "duplicates": 2, "other_class": 2}
    assert sentence(numbers).endswith("Scores are too high because of it. 2 of them have a different class there.")


def test_equal_checksums_of_other_pixels_are_no_duplicates(tree, tmp_path, monkeypatch):
    Image.open(tree / "train/b/1.png").save(tree / "val/b/copy.bmp")
    monkeypatch.setattr(module, "candidates", lambda train, val: (np.arange(len(train)), np.arange(len(val))))
    table, _ = found(tree, tmp_path / "store")
    assert len(table) == 1


def test_only_images_of_equal_checksums_are_read(tmp_path, monkeypatch):
    manifest, _ = write_noise(tmp_path, 8, 4, 40)
    read = []
    monkeypatch.setattr(PackedSplit, "images", lambda self, positions: read.append(positions))
    assert duplicate_table(*(PackedSplit(manifest, split) for split in ("train", "val")), CLASSES).empty
    assert read == []


def test_imagenets_size_takes_seconds():
    random = np.random.default_rng(0)
    train, val = (random.integers(0, 2**32, count, dtype=np.uint32) for count in (1_281_167, 50_000))
    val[:3] = train[[5, 500, 50_000]]
    started = time.perf_counter()
    in_train, in_val = candidates(train, val)
    assert time.perf_counter() - started < 10
    assert {5, 500, 50_000} <= set(in_train.tolist()) and {0, 1, 2} <= set(in_val.tolist())
    assert len(in_val) < 60  # by chance, 15 more
