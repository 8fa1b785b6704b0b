"""A dataset is what it holds: the same wherever it lies and however its path is written, another if a file differs."""

import os
import shutil
from pathlib import Path

import pytest
from helpers import FOLDER, ILSVRC

from workflow_scripts.dataset import identity
from workflow_scripts.dataset.dataset import ILSVRC_ARCHIVES, ILSVRC_EXTRACTED
from workflow_scripts.dataset.identity import dataset_content, dataset_place
from workflow_scripts.dataset.sources import dataset_identity


@pytest.fixture
def tree(tmp_path):
    """A tree of two splits, two classes and two files each."""
    for split in ("train", "val"):
        for name in "ab":
            (tmp_path / "images" / split / name).mkdir(parents=True)
            for number in range(2):
                (tmp_path / "images" / split / name / f"{number}.ppm").write_bytes(f"{split}{name}{number}".encode())
    return tmp_path / "images"


def test_a_place_is_the_same_however_it_is_written(tree, monkeypatch):
    monkeypatch.chdir(tree.parent)
    Path("link").symlink_to("images")
    written = ("images", "images/", "./images", "../" + tree.parent.name + "/images", "link", str(tree), f"{tree}/")
    assert {dataset_place(FOLDER, path)["place"] for path in written} == {"images"}
    monkeypatch.chdir(tree)
    assert {dataset_place(FOLDER, path)["place"] for path in (str(tree), f"{tree}/", "../link", ".")} == {"."}
    monkeypatch.chdir("/")
    assert dataset_place(FOLDER, str(tree.parent / "link"))["place"] == os.path.relpath(os.path.realpath(tree), "/")


def test_a_place_outside_the_working_directory_is_absolute(tree, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    relative = os.path.relpath(tree)
    assert dataset_place(FOLDER, relative) == {"dataset": FOLDER, "place": os.path.realpath(tree), "bytes": []}


def test_what_a_tree_holds_does_not_depend_on_where_it_lies(tree, tmp_path):
    shutil.copytree(tree, tmp_path / "other disk")  # with other times
    (tmp_path / "link").symlink_to("other disk")
    (tmp_path / "other disk" / ".DS_Store").touch()
    (tmp_path / "other disk" / "train" / "a" / "._0.ppm").touch()
    (tmp_path / "other disk" / "README").touch()  # no reader looks at it
    contents = {dataset_content(FOLDER, str(tmp_path / name)) for name in ("images", "images/", "other disk", "link")}
    assert len(contents) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "train/a/0.ppm").write_bytes(b"longer than before"),
        lambda folder: (folder / "train/a/0.ppm").write_bytes(b"trainA0"),  # of the same size
        lambda folder: (folder / "val/b/1.ppm").rename(folder / "val/b/2.ppm"),
        lambda folder: (folder / "val/b/1.ppm").rename(folder / "val/a/2.ppm"),
        lambda folder: (folder / "val/b/1.ppm").unlink(),
        lambda folder: (folder / "val/b/3.ppm").touch(),
        lambda folder: [(folder / split / "a").rename(folder / split / "c") for split in ("train", "val")],
    ],
)
def test_a_file_that_differs_makes_another_dataset(tree, change):
    before = dataset_content(FOLDER, str(tree))
    change(tree)
    assert dataset_content(FOLDER, str(tree)) != before


def test_archives_are_known_by_sizes_and_bytes_and_not_by_a_tars_name(tmp_path):
    (tmp_path / "one.tar").write_bytes(b"a" * 1000)
    shutil.copy(tmp_path / "one.tar", tmp_path / "two.tar")
    one, two = (str(tmp_path / name) for name in ("one.tar", "two.tar"))
    assert dataset_content(FOLDER, one) == dataset_content(FOLDER, two)
    assert dataset_identity(FOLDER, one) == dataset_identity(FOLDER, two)
    (tmp_path / "two.tar").write_bytes(b"a" * 999 + b"b")
    assert dataset_content(FOLDER, one) != dataset_content(FOLDER, two)


def test_ilsvrc_is_three_archives_or_what_was_extracted(tmp_path):
    for name in ILSVRC_ARCHIVES:
        (tmp_path / name).write_bytes(name.encode())
    archives = dataset_content(ILSVRC, str(tmp_path))
    assert dataset_place(ILSVRC, str(tmp_path))["bytes"] == [len(name) for name in ILSVRC_ARCHIVES]
    (tmp_path / ILSVRC_ARCHIVES[1]).write_bytes(b"other")
    assert dataset_content(ILSVRC, str(tmp_path)) != archives
    (tmp_path / ILSVRC_ARCHIVES[1]).unlink()
    (tmp_path / ILSVRC_EXTRACTED[1] / "n1").mkdir(parents=True)
    (tmp_path / ILSVRC_EXTRACTED[1] / "n1" / "1.JPEG").touch()
    extracted = dataset_content(ILSVRC, str(tmp_path))
    (tmp_path / ILSVRC_EXTRACTED[1] / "n1" / "1.JPEG").write_bytes(b"x")
    assert dataset_content(ILSVRC, str(tmp_path)) != extracted


def test_a_large_archive_is_not_read_whole(tmp_path, monkeypatch):
    with open(tmp_path / "large.tar", "wb") as file:
        file.truncate(15_000_000_000)
    read = []
    pread = os.pread
    monkeypatch.setattr(identity.os, "pread", lambda *args: read.append(len(data := pread(*args))) or data)
    content = dataset_content(FOLDER, str(tmp_path / "large.tar"))
    assert sum(read) == identity.SAMPLES * identity.SAMPLE_BYTES
    with open(tmp_path / "large.tar", "r+b") as file:
        file.seek(15_000_000_000 // 2)
        file.write(b"x" * 15_000_000)
    assert dataset_content(FOLDER, str(tmp_path / "large.tar")) != content


def test_pieces_lie_all_over_the_files_and_in_them():
    sizes = [10, 0, 200_000_000, 5, 300_000_000]
    pieces = list(identity._pieces(sizes))
    assert len(pieces) == identity.SAMPLES
    assert {number for number, _, _ in pieces} == {0, 2, 4}
    assert all(0 <= start < sizes[number] for number, start, _ in pieces)
    assert list(identity._pieces([3, 0, 4])) == [(0, 0, 3), (1, 0, 0), (2, 0, 4)]
    assert list(identity._pieces([])) == []


def test_a_leading_folder_and_what_lies_about_change_nothing(tree, tmp_path):
    before = dataset_content(FOLDER, str(tree))
    (tmp_path / "above" / "lead").mkdir(parents=True)
    (tmp_path / "above" / "Thumbs.db").write_bytes(b"x")
    (tree / "train" / "@eaDir").mkdir()
    (tree / "train" / "a" / "Thumbs.db").write_bytes(b"x")
    tree.rename(tmp_path / "above" / "lead" / "images")
    assert dataset_content(FOLDER, str(tmp_path / "above")) == before
