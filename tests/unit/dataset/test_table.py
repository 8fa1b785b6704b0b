"""A table of images, path,label,split, as a dataset."""

import shutil

import pytest
from test_layouts import NAMES, classes, images, made

from workflow_scripts.config.checks import check_dataset
from workflow_scripts.dataset.folder import FolderDataset, TableDataset
from workflow_scripts.dataset.glance import known_classes, missing_files
from workflow_scripts.dataset.identity import dataset_content, dataset_place
from workflow_scripts.dataset.sources import dataset_identity
from workflow_scripts.plumbing.cli import InputError

TABLE = {"kind": "table"}


def rows_of(files):
    """Each file with its class and the folder it is in as its split."""
    return [(file, file.split("/")[-2], file.split("/")[0]) for file in files]


def written(path, rows, header="path,label,split"):
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")
    return path


@pytest.fixture
def table(tmp_path):
    """A table beside a tree of three training and two validation images of each class."""
    root = made(tmp_path / "tree", *classes("train", 3), *classes("val"))
    return written(root / "images.csv", rows_of([*classes("val"), *classes("train", 3)]))


def test_a_table_is_the_dataset_of_its_tree(table):
    dataset = TableDataset(table)
    assert dataset.survey() == {"train": 12, "val": 8}
    assert images(dataset) == images(FolderDataset(table.parent))
    assert dataset.class_list().names == NAMES
    check_dataset({"kind": "table", "path": str(table)})
    assert known_classes(TABLE, str(table)) == list(NAMES)
    assert missing_files(TABLE, str(table)) == []
    assert missing_files(TABLE, str(table.parent / "other.csv")) == [table.parent / "other.csv"]


def test_paths_may_be_absolute_and_splits_have_other_names(table, tmp_path):
    named = {"train": "Training", "val": "test"}
    rows = [
        (f"{table.parent}/{file}", label, named[split])
        for file, label, split in rows_of(classes("train") + classes("val"))
    ]
    other = written(tmp_path / "elsewhere.csv", [row[::-1] for row in rows], "split;label;path".replace(";", ","))
    assert images(TableDataset(other))["val"] == images(TableDataset(table))["val"]
    more = [(f"{table.parent}/train/{name}/2.jpg", name, "valid") for name in NAMES]
    dataset = TableDataset(written(tmp_path / "three.csv", rows + more))
    assert dataset.survey() == {"train": 8, "val": 4}  # test is no validation where valid is there
    assert dataset.read_from["val"] == "rows of split valid"
    assert dataset.not_read == ("rows of split test",)


def test_files_of_one_name_are_told_apart(tmp_path):
    files = [f"{camera}/{name}/0.jpg" for camera in ("left", "right") for name in NAMES]
    root = made(tmp_path, *files, *classes("val"))
    rows = [(file, file.split("/")[1], "train") for file in files] + rows_of(classes("val"))
    dataset = TableDataset(written(root / "t.csv", rows))
    assert [name for name, _, _ in images(dataset)["train"]][:2] == ["ape/left/ape/0.jpg", "ape/right/ape/0.jpg"]
    assert images(dataset)["val"][0][0] == "ape/0.jpg"


def test_a_table_without_a_split_is_divided_as_its_tree(tmp_path):
    root = made(tmp_path, *classes("all", 6))
    table = written(root / "t.csv", [(file, label) for file, label, _ in rows_of(classes("all", 6))], "path,label")
    split = {"val_per_class": 2, "seed": 3}
    assert images(TableDataset(table, split=split)) == images(FolderDataset(root / "all", split=split))
    with pytest.raises(InputError, match=r"t\.csv: it has no column 'split'\. Add it .*set dataset\.split: \{val_per"):
        TableDataset(table)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("train/ape/0.jpg", "bee", "train"), "line 22: 'train/ape/0.jpg' is there on line 10 too"),
        (("./train//ape/0.jpg", "ape", "val"), "line 22: 'train/ape/0.jpg' is there on line 10 too"),
        (
            ("train/ape/9.jpg", "ape", "trian"),
            "line 22: split 'trian' is neither train nor val. 'trian' and 'train' look",
        ),
        (("train/ape/9.jpg", "ape", ""), "line 22: split '' is neither train nor val"),
        (("train/ape/9.jpg", "", "val"), "line 22: the row has no label"),
        (("", "ape", "val"), "line 22: the row has no path"),
        (("train/eel/0.jpg", "eel", "train"), "line 22: class 'eel' has no val images. Add some, or exclude the class"),
        (("train/eel/0.jpg", "eel", "val"), "line 22: class 'eel' has no train images"),
    ],
)
def test_a_row_that_cannot_be_is_named_by_its_line_before_any_job(table, row, words):
    with open(table, "a") as file:
        file.write(",".join(row) + "\n")
    with pytest.raises(InputError) as caught:
        check_dataset({"kind": "table", "path": str(table)})
    assert str(caught.value).startswith(f"configuration: dataset.path: {table} {words}")


def test_an_image_that_is_not_there_is_named_by_its_line(table):
    (table.parent / "train/cat/1.jpg").unlink()
    check_dataset({"kind": "table", "path": str(table)})  # only the first image is looked at
    with pytest.raises(
        InputError, match=rf"images\.csv line 17: {table.parent}/train/cat/1\.jpg does not exist\. Paths"
    ):
        TableDataset(table).survey()
    table.rename(table.parent.parent / "images.csv")
    with pytest.raises(InputError, match=r"images\.csv line 2: .*/val/ape/0\.jpg does not exist\. Paths start at the"):
        check_dataset({"kind": "table", "path": str(table.parent.parent / "images.csv")})


def test_a_split_twice_and_a_folder_in_place_of_a_table_are_refused(table):
    with pytest.raises(InputError, match=r"it has a column 'split', so dataset\.split has no use"):
        check_dataset({"kind": "table", "path": str(table), "split": {"val_per_class": 1}})
    with pytest.raises(InputError, match="it is not a file"):
        check_dataset({"kind": "table", "path": str(table.parent)})
    with pytest.raises(InputError, match=r"but a table\. Set dataset\.kind to table"):
        check_dataset({"kind": "folder", "path": str(table)})


def test_excluded_rows_are_left_out(table):
    with open(table, "a") as file:
        file.write("train/ape/0.jpg.copy,junk,train\n")
    dataset = TableDataset(table, exclude=["junk", "dog"])
    assert dataset.names == ("ape", "bee", "cat")
    with pytest.raises(InputError, match=r"dataset\.exclude names 'Dog', which is no class there\. 'Dog' and 'dog'"):
        TableDataset(table, exclude=["Dog"])


def test_a_table_that_moves_with_its_images_is_the_same(table, tmp_path):
    content = dataset_content(TABLE, str(table))
    identity = dataset_identity(TABLE, str(table))
    moved = tmp_path / "moved" / "images.csv"
    shutil.copytree(table.parent, moved.parent)
    assert dataset_content(TABLE, str(moved)) == content
    assert dataset_identity(TABLE, str(moved)) == identity
    (moved.parent / "train/ape/0.jpg").write_bytes(b"TRAIN/ape/0.jpg")
    assert dataset_content(TABLE, str(moved)) != content


def test_another_label_in_a_table_of_the_same_size_is_noticed_where_it_lies(table):
    place, content = dataset_place(TABLE, str(table)), dataset_content(TABLE, str(table))
    table.write_text(table.read_text().replace("val/ape/0.jpg,ape", "val/ape/0.jpg,bee"))
    assert dataset_place(TABLE, str(table)) != place
    assert dataset_content(TABLE, str(table)) != content
