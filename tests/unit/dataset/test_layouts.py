"""Layouts as people have them, read as they are: from a tree and from its tar, with the same images."""

import os
import shutil
import tarfile
from pathlib import Path

import pytest
from helpers import FOLDER, ILSVRC

from workflow_scripts.config.checks import check_dataset
from workflow_scripts.dataset.dataset import ilsvrc_files
from workflow_scripts.dataset.folder import FolderDataset
from workflow_scripts.dataset.glance import known_classes, missing_files
from workflow_scripts.dataset.identity import dataset_content
from workflow_scripts.dataset.ilsvrc import IlsvrcDataset
from workflow_scripts.dataset.sources import open_dataset
from workflow_scripts.plumbing.cli import InputError

NAMES = ("ape", "bee", "cat", "dog")


def made(root, *files):
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def classes(folder, count=2, below=""):
    return [f"{folder}/{name}/{below}{number}.jpg" for name in NAMES for number in range(count)]


def both(root, tmp_path):
    """The tree, and a tar of it below a folder more."""
    with tarfile.open(tmp_path / "of_it.tar", "w") as tar:
        tar.add(root, arcname="some/where")
    return root, tmp_path / "of_it.tar"


def images(dataset):
    """Names, classes and bytes by split."""
    return {
        split: [(image.name, image.class_index, image.read()) for image in dataset.images(split, 0, 1)]
        for split in ("train", "val")
    }


@pytest.mark.parametrize(
    ("train", "others", "val"),
    [
        ("train", ["valid", "test"], "valid"),
        ("train", ["test"], "test"),
        ("train", ["test", "validation"], "validation"),
        ("training", ["val", "valid"], "val"),
        ("Train", ["Test-Set"], "Test-Set"),
    ],
)
def test_splits_of_other_names_are_read_as_they_are(tmp_path, train, others, val):
    root = made(tmp_path / "tree", *classes(train, 3), *(file for other in others for file in classes(other)))
    for path in both(root, tmp_path):
        dataset = FolderDataset(path)
        assert dataset.survey() == {"train": 12, "val": 8}
        assert dataset.read_from == {"train": f"{train}/<class>/", "val": f"{val}/<class>/"}
        assert dataset.not_read == tuple(f"{other}/" for other in sorted(others) if other != val)
        read = images(dataset)
        assert read["val"][0] == ("ape/0.jpg", 0, f"{val}/ape/0.jpg".encode())
        assert read["train"][0] == ("ape/0.jpg", 0, f"{train}/ape/0.jpg".encode())
    check_dataset({"kind": "folder", "path": str(root)})
    assert missing_files(FOLDER, str(root)) == []
    content = dataset_content(FOLDER, str(root))
    (root / val).rename(root / "elsewhere")
    if len(others) == 1:
        assert missing_files(FOLDER, str(root)) == [root / "val"]
        (root / "elsewhere").rename(root / "val")  # the name of a split is no content
        assert dataset_content(FOLDER, str(root)) == content


def test_a_folder_above_the_splits_is_not_a_dataset_that_is_gone(tmp_path):
    root = made(tmp_path / "tree", *classes("some/where/train"), *classes("some/where/val"))
    assert missing_files(FOLDER, str(root)) == []
    shutil.rmtree(root / "some/where/val")
    assert missing_files(FOLDER, str(root)) == [root / "some/where/val"]


def test_images_may_lie_in_a_folder_of_that_name_in_each_class(tmp_path):
    root = made(tmp_path / "tree", *classes("train", 3, "images/"), *classes("val"))
    for path in both(root, tmp_path):
        dataset = FolderDataset(path)
        assert dataset.survey() == {"train": 12, "val": 8}
        assert dataset.images("train", 0, 1)[0].name == "ape/0.jpg"
        assert dataset.read_from["train"] == "train/<class>/images/"
    (root / "train/bee/0.jpg").touch()
    with pytest.raises(InputError, match=r"train/bee/images: it is a folder inside a class"):
        FolderDataset(root).survey()


WNIDS = ("n1", "n2", "n3", "n4")


def tiny_imagenet(root):
    """Three training and two validation images of each class."""
    made(
        root,
        *(f"train/{wnid}/images/{wnid}_{number}.JPEG" for wnid in WNIDS for number in range(3)),
        *(f"train/{wnid}/{wnid}_boxes.txt" for wnid in WNIDS),
        *(f"val/images/val_{number}.JPEG" for number in range(8)),
        *(f"test/images/test_{number}.JPEG" for number in range(5)),
    )
    rows = [f"val_{number}.JPEG\t{WNIDS[number % 4]}\t0\t0\t1\t1\n" for number in range(8)]
    (root / "val/val_annotations.txt").write_text("".join(rows))
    (root / "wnids.txt").write_text("".join(f"{wnid}\n" for wnid in reversed(WNIDS)))
    (root / "words.txt").write_text("n1\tgoldfish, Carassius\nn3\tcentipede\nn9\tother\n")
    return root


def test_tiny_imagenet(tmp_path):
    root = tiny_imagenet(tmp_path / "tiny-imagenet-200")
    for path in both(root, tmp_path):
        dataset = open_dataset(FOLDER, str(path))
        assert dataset.class_list().names == WNIDS
        assert dataset.class_list().words == ("goldfish, Carassius", "n2", "centipede", "n4")
        assert dataset.survey() == {"train": 12, "val": 8}
        assert dataset.left_out == 4
        assert [name for name, _, _ in images(dataset)["val"]][:3] == [
            "n1/val_0.JPEG",
            "n1/val_4.JPEG",
            "n2/val_1.JPEG",
        ]
        assert images(dataset)["val"][1] == ("n1/val_4.JPEG", 0, b"val/images/val_4.JPEG")
        assert images(dataset)["train"][3] == ("n2/n2_0.JPEG", 1, b"train/n2/images/n2_0.JPEG")
        assert dataset.read_from["val"] == "val/images/, with the classes of val/val_annotations.txt"
        assert dataset.not_read == ("test/",)
    check_dataset({"kind": "folder", "path": str(root)})
    assert known_classes(FOLDER, str(root)) == list(WNIDS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows[:-1], "val_annotations.txt: it has no line for 'val_7.JPEG' of {val}/images. Add one"),
        (lambda rows: [*rows, rows[2]], "val_annotations.txt line 9: 'val_2.JPEG' is there on line 3 too"),
        (lambda rows: [*rows, "val_8.JPEG\tn1"], "line 9: {val}/images has no 'val_8.JPEG'. Restore it or remove"),
        (lambda rows: ["val_0.JPEG n1", *rows[1:]], "line 1: it is not a file and its class, separated by a tab"),
        (lambda rows: ["val_0.JPEG\tn5", *rows[1:]], "val/ alone has the class 'n5'"),
    ],
)
def test_a_list_of_labels_that_does_not_fit_is_refused(tmp_path, change, words):
    root = tiny_imagenet(tmp_path / "tiny")
    rows = (root / "val/val_annotations.txt").read_text().splitlines()
    before = dataset_content(FOLDER, str(root))
    (root / "val/val_annotations.txt").write_text("\n".join([rows[1].replace("n2", "n1"), rows[0], *rows[2:]]))
    assert dataset_content(FOLDER, str(root)) != before  # other labels are other data
    (root / "val/val_annotations.txt").write_text("\n".join(change(rows)))
    with pytest.raises(InputError) as caught:
        FolderDataset(root)
    assert words.replace("{val}", str(root / "val")) in str(caught.value)


def test_the_tiny_imagenet_that_people_have(shared):
    dataset = open_dataset(FOLDER, str(shared / "data" / "tiny_imagenet_small.tar"))
    assert dataset.survey() == {"train": 2000, "val": 1000}
    assert dataset.left_out == 20
    assert dataset.class_list().words[0] == "goldfish, Carassius auratus"
    image = dataset.images("val", 0, 20)[0]
    assert image.name.startswith("n01443537/val_")
    assert image.read()[:2] == b"\xff\xd8"


def kaggle(root):
    """Kaggle's ILSVRC with four classes of three training and two validation images."""
    data = root / "ILSVRC/Data/CLS-LOC"
    made(
        data,
        *(f"train/{wnid}/{wnid}_{number}.JPEG" for wnid in WNIDS for number in range(3)),
        *(f"val/ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, 9)),
        "test/ILSVRC2012_test_00000001.JPEG",
    )
    made(root, "ILSVRC/Annotations/CLS-LOC/val/x.xml", "ILSVRC/ImageSets/CLS-LOC/val.txt", "LOC_sample_submission.csv")
    rows = [f"ILSVRC2012_val_{n:08d},{WNIDS[n % 4]} 1 2 3 4 {WNIDS[n % 4]} 5 6 7 8 \n" for n in range(8, 0, -1)]
    (root / "LOC_val_solution.csv").write_text("ImageId,PredictionString\n" + "".join(rows))
    (root / "LOC_synset_mapping.txt").write_text("n1 tench, Tinca tinca\nn2 goldfish\n")
    return root


def test_kaggles_ilsvrc(tmp_path):
    root = kaggle(tmp_path / "imagenet-object-localization-challenge")
    for path in (*both(root, tmp_path), tmp_path):  # the last has a folder above, and the tar beside it
        if path == tmp_path:
            (tmp_path / "of_it.tar").unlink()
        dataset = open_dataset(FOLDER, str(path))
        assert dataset.class_list().words == ("tench, Tinca tinca", "goldfish", "n3", "n4")
        assert dataset.survey() == {"train": 12, "val": 8}
        names = [name for name, _, _ in images(dataset)["val"]]
        assert names[:2] == ["n1/ILSVRC2012_val_00000004.JPEG", "n1/ILSVRC2012_val_00000008.JPEG"]
    check_dataset({"kind": "folder", "path": str(root)})
    assert missing_files(FOLDER, str(root)) == []
    (root / "LOC_val_solution.csv").unlink()
    with pytest.raises(InputError, match=r"Kaggle's LOC_val_solution\.csv says so: put it beside ILSVRC/"):
        check_dataset({"kind": "folder", "path": str(root)})


def test_kaggles_validation_images_may_be_sorted_into_classes(tmp_path):
    root = kaggle(tmp_path / "kaggle")
    val = root / "ILSVRC/Data/CLS-LOC/val"
    for number in range(1, 9):
        (val / WNIDS[number % 4]).mkdir(exist_ok=True)
        (val / f"ILSVRC2012_val_{number:08d}.JPEG").rename(val / WNIDS[number % 4] / f"{number}.JPEG")
    assert FolderDataset(root).survey() == {"train": 12, "val": 8}


def test_ilsvrc_with_kaggles_trees(archives, tmp_path):
    """Beside the devkit; the same dataset as the archives."""
    clean = IlsvrcDataset(archives)
    for image in clean.images("train", 0, 1):
        made(tmp_path, f"ILSVRC/Data/CLS-LOC/train/{image.name}")
        (tmp_path / "ILSVRC/Data/CLS-LOC/train" / image.name).write_bytes(image.read())
    (tmp_path / "ILSVRC/Data/CLS-LOC/val").mkdir()
    for image in clean.images("val", 0, 1):
        (tmp_path / "ILSVRC/Data/CLS-LOC/val" / image.name).write_bytes(image.read())
    devkit = ilsvrc_files(archives)[2]
    with pytest.raises(InputError, match=f"{devkit.name} does not exist"):
        check_dataset({"kind": "ilsvrc", "path": str(tmp_path)})
    shutil.copy(devkit, tmp_path)
    check_dataset({"kind": "ilsvrc", "path": str(tmp_path)})
    assert images(open_dataset(ILSVRC, str(tmp_path))) == images(clean)


def test_what_a_dataset_excludes(tmp_path):
    root = made(tmp_path / "tree", *classes("train", 3), *classes("val"), "train/eel/0.jpg", "val/Junk/0.jpg")
    dataset = FolderDataset(root, exclude=["Junk", "eel"])
    assert dataset.names == NAMES
    assert dataset.survey() == {"train": 12, "val": 8}
    assert known_classes({"kind": "folder", "exclude": ["Junk", "eel", "bee"]}, str(root)) == ["ape", "cat", "dog"]
    with pytest.raises(InputError, match=r"dataset\.exclude names 'junk', which is no class there\. 'junk' and 'Junk'"):
        FolderDataset(root, exclude=["junk", "eel"])


class TestLinks:
    """Folders of classes that are links."""

    @pytest.fixture
    def root(self, tmp_path):
        made(tmp_path, *(f"pool/{name}/{number}.jpg" for name in ("eel", "fly") for number in range(3)))
        return made(tmp_path / "tree", *classes("train"), *classes("val"), "more/gnu/0.jpg")

    def test_inside_the_dataset_they_are_followed(self, root):
        (root / "train/gnu").symlink_to("../more/gnu")
        (root / "val/gnu").symlink_to(root / "more/gnu")
        assert FolderDataset(root).survey() == {"train": 9, "val": 9}
        (root.parent / "way").symlink_to(root)  # the dataset itself may lie behind a link
        assert FolderDataset(root.parent / "way").survey() == {"train": 9, "val": 9}

    def test_outside_only_if_the_key_says_so(self, root):
        for split in ("train", "val"):
            (root / split / "eel").symlink_to(root.parent / "pool/eel")
        line = f"{root}/train/eel: it is a link to {os.path.realpath(root.parent)}/pool/eel, outside of the dataset"
        for read in (FolderDataset, lambda path: check_dataset({"kind": "folder", "path": str(path)})):
            with pytest.raises(InputError) as caught:
                read(root)
            assert line in str(caught.value)
            assert "Set dataset.follow_links: true" in str(caught.value)
        assert FolderDataset(root, follow_links=True).survey() == {"train": 11, "val": 11}
        leaves = {"kind": "folder", "follow_links": True}
        content = dataset_content(leaves, str(root))
        (root.parent / "pool/eel/0.jpg").write_bytes(b"other")
        assert dataset_content(leaves, str(root)) != content

    @pytest.mark.parametrize("target", ["..", ".", "../train", "../../tree/val"])
    def test_circles_end(self, root, target):
        for split in ("train", "val"):
            (root / split / "round").symlink_to(target)
        with pytest.raises(InputError, match=r"round/\w+: it is a folder inside a class"):
            FolderDataset(root, follow_links=True).survey()

    def test_links_to_images_may_lead_anywhere(self, root):
        (root / "train/ape/far.jpg").symlink_to(root.parent / "pool/eel/0.jpg")
        assert FolderDataset(root).survey() == {"train": 9, "val": 8}

    def test_a_class_that_leads_nowhere_is_named(self, root):
        (root / "train/eel").symlink_to("nowhere")
        with pytest.raises(InputError, match="train/eel: it is a link to a file that does not exist"):
            FolderDataset(root)


def test_a_folder_that_may_not_be_seen_is_missing(tmp_path, monkeypatch):
    root = made(tmp_path / "tree", *classes("train"), *classes("val"))

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("workflow_scripts.dataset.trees.os.scandir", refused)
    assert missing_files(FOLDER, str(root)) == [Path(root)]
