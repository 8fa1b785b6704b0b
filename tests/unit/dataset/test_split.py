"""Validation images drawn from a tree without a split: the same wherever it lies, and written down."""

import csv
import random
import shutil
import tarfile

import pytest
from test_layouts import NAMES, both, classes, images, made

from workflow_scripts.config.checks import check_dataset
from workflow_scripts.dataset.folder import SPLIT_COLUMNS, FolderDataset, TableDataset
from workflow_scripts.dataset.glance import known_classes, missing_files
from workflow_scripts.dataset.identity import dataset_content
from workflow_scripts.dataset.sources import open_dataset
from workflow_scripts.dataset.split import drawn
from workflow_scripts.plumbing.cli import InputError

TWO = {"val_per_class": 2, "seed": 0}
FILES = [f"{number}.jpg" for number in range(20)]


@pytest.fixture
def root(tmp_path):
    return made(tmp_path / "tree", *(f"{name}/{file}" for name in NAMES for file in FILES[:7]))


def names(dataset):
    return {split: [image.name for image in dataset.images(split, 0, 1)] for split in ("train", "val")}


def test_a_draw_depends_on_names_and_seed_only():
    first = drawn("ape", FILES, TWO)
    shuffled = random.Random(0).sample(FILES, len(FILES))
    assert drawn("ape", shuffled, TWO) == first
    assert len(first) == 2
    assert drawn("ape", FILES, TWO | {"seed": 1}) != first
    assert drawn("bee", FILES, TWO) != first
    assert drawn("ape", FILES, {"val_per_class": 5, "seed": 0}) > first
    # An image more moves one image at most; known answers hold the draw still for ever.
    assert len(drawn("ape", [*FILES, "more.jpg"], TWO) & first) >= 1
    assert first == {"0.jpg", "15.jpg"}


@pytest.mark.parametrize(
    ("count", "fraction", "val"), [(10, 0.2, 2), (7, 0.2, 1), (2, 0.2, 1), (3, 0.9, 2), (1, 0.2, 0)]
)
def test_a_fraction_leaves_an_image_on_each_side(count, fraction, val):
    assert len(drawn("ape", FILES[:count], {"val_fraction": fraction, "seed": 0})) == val


def test_every_image_has_one_split_and_a_tar_the_same(root, tmp_path):
    split = names(FolderDataset(root, split=TWO))
    assert {len(split["train"]), len(split["val"])} == {20, 8}
    assert sorted(split["train"] + split["val"]) == sorted(f"{name}/{file}" for name in NAMES for file in FILES[:7])
    for path in both(root, tmp_path):
        dataset = FolderDataset(path, split=TWO)
        assert names(dataset) == split
        assert dataset.survey() == {"train": 20, "val": 8}
        assert dataset.read_from == dict.fromkeys(("train", "val"), "drawn from <class>/")
        assert images(dataset)["val"][0][2] == split["val"][0].encode()


def test_a_class_does_not_depend_on_the_others(root):
    before = names(FolderDataset(root, split=TWO))
    shutil.rmtree(root / "ape")
    made(root, "eel/0.jpg", "eel/1.jpg", "eel/2.jpg")
    after = names(FolderDataset(root, split=TWO))
    for split in ("train", "val"):
        kept = [name for name in before[split] if not name.startswith("ape")]
        assert [name for name in after[split] if not name.startswith("eel")] == kept


def test_a_class_with_too_few_images_is_named_before_any_work(root):
    made(root, *(f"eel/{number}.jpg" for number in range(3)), "fly/0.jpg", "fly/1.jpg")
    with pytest.raises(InputError) as caught:
        FolderDataset(root, split={"val_per_class": 5, "seed": 0}).survey()
    assert "class 'fly' has 2 images, the fewest of 2 such classes, but dataset.split takes 5" in str(caught.value)
    assert "Lower it to 1 or less, or exclude it with dataset.exclude" in str(caught.value)
    assert FolderDataset(root, split={"val_per_class": 1, "seed": 0}).survey() == {"train": 27, "val": 6}
    (root / "fly/0.jpg").unlink()
    with pytest.raises(InputError, match=r"class 'fly' has 1 image, but dataset\.split takes 1 .* Exclude it"):
        FolderDataset(root, split={"val_fraction": 0.2, "seed": 0}).survey()
    dataset = FolderDataset(root, split={"val_fraction": 0.2, "seed": 0}, exclude=["fly"])
    assert dataset.survey() == {"train": 4 * 6 + 2, "val": 5}


def test_a_tree_with_a_split_is_refused_and_one_without_names_the_key(root, tmp_path):
    divided = made(tmp_path / "divided", *classes("train"), *classes("valid"))
    section = {"kind": "folder", "path": str(divided), "split": TWO}
    with pytest.raises(InputError, match=r"it has a split already, train/ and valid/, so dataset\.split has no use"):
        check_dataset(section)
    with pytest.raises(InputError, match=r"set dataset\.split: \{val_per_class: 10, seed: 0\}"):
        check_dataset({"kind": "folder", "path": str(root), "split": None})
    check_dataset(section | {"path": str(root)})
    check_dataset(section | {"path": str(root), "split": {"val_fraction": 0.5}})  # the seed is 0


@pytest.mark.parametrize("other", [[], ["test/0.jpg", "test/1.jpg"]])
def test_training_images_alone_can_be_divided(tmp_path, other):
    """As competitions give them: the folder test/ has no labels."""
    root = made(tmp_path / "tree", *classes("train", 5), *other)
    dataset = FolderDataset(root, split=TWO)
    assert dataset.survey() == {"train": 12, "val": 8}
    assert dataset.not_read == (("test/",) if other else ())
    assert known_classes({"kind": "folder", "split": TWO}, str(root)) == list(NAMES)


def test_classes_may_be_called_as_splits_are(root):
    made(root, *(f"{name}/{number}.jpg" for name in ("train", "test") for number in range(3)))
    assert FolderDataset(root, split=TWO).names == ("ape", "bee", "cat", "dog", "test", "train")


def test_a_tree_whose_classes_are_gone_is_missing(root):
    leaves = {"kind": "folder", "split": TWO}
    assert missing_files(leaves, str(root)) == []
    for name in NAMES:
        shutil.rmtree(root / name)
    (missing,) = missing_files(leaves, str(root))
    assert missing.parent == root
    assert not missing.exists()


def test_the_content_is_what_was_drawn(root, tmp_path):
    content = dataset_content({"kind": "folder", "split": TWO}, str(root))
    shutil.copytree(root, tmp_path / "above" / "other")
    assert dataset_content({"kind": "folder", "split": TWO}, str(tmp_path / "above")) == content
    (tmp_path / "above/other/ape/9.jpg").touch()
    assert dataset_content({"kind": "folder", "split": TWO}, str(tmp_path / "above")) != content


@pytest.mark.parametrize("inner", ["", "images/"])
def test_the_lists_are_a_table_of_the_same_dataset(tmp_path, inner):
    """Whoever gets the published lists beside the images has the same training and validation images."""
    root = made(tmp_path / "tree", *classes(".", 6, inner))
    dataset = FolderDataset(root, split=TWO)
    with open(root / "split.csv", "w", newline="") as file:
        csv.writer(file).writerows([SPLIT_COLUMNS, *dataset.split_rows()])
    table = TableDataset(root / "split.csv")
    assert images(table) == images(dataset)


def test_the_caltech_101_that_people_have(shared):
    path = shared / "data" / "caltech101_small.tar"
    leaves = {"kind": "folder", "split": {"val_per_class": 10, "seed": 0}, "exclude": ["BACKGROUND_Google"]}
    dataset = open_dataset(leaves, str(path))
    assert len(dataset.names) == 101
    surveyed = dataset.survey()
    assert surveyed["val"] == 1010
    with tarfile.open(path) as tar:
        count = sum(member.isfile() and "BACKGROUND" not in member.name for member in tar)
        here = [member.name.split("/")[-1] for member in tar if "/accordion/" in member.name]
    assert sum(surveyed.values()) == count
    accordion = {image.name for image in dataset.images("val", dataset.names.index("accordion"), 101)}
    assert accordion == {f"accordion/{file}" for file in drawn("accordion", here, leaves["split"])}
    with pytest.raises(InputError, match=r"class 'BACKGROUND_Google' has 10 images, but dataset\.split takes 10"):
        open_dataset({"kind": "folder", "split": leaves["split"]}, str(path)).survey()
