"""What `make ask` takes for a dataset, how it splits it, and what it refuses in one line."""

import os
import tarfile

import pytest

from workflow_scripts.config.ask_data import asked_data, check_counts, free_name, sample_data, val_fraction
from workflow_scripts.dataset.split import drawn
from workflow_scripts.plumbing.cli import InputError


def tree(folder, **counts):
    """A tree of classes, or of splits with classes (`train__cat=3`), of so many files each; no image is read."""
    for name, count in counts.items():
        place = folder.joinpath(*name.split("__"))
        place.mkdir(parents=True)
        for number in range(count):
            (place / f"{number}.jpg").touch()
    return folder


def test_a_tree_without_a_split_gets_one(tmp_path):
    data = asked_data(str(tree(tmp_path / "My photos!", cats=20, dogs=10)), tmp_path / "ask")
    assert (data.name, data.classes) == ("my_photos", 2)
    assert data.section == {
        **{"name": "ask_my_photos", "kind": "folder", "path": str(tmp_path / "My photos!")},
        "split": {"val_fraction": 0.2, "seed": 0},
    }
    assert data.images == {"train": 24, "val": 6}


def test_a_tree_with_a_split_keeps_it(tmp_path):
    data = asked_data(str(tree(tmp_path / "pets", train__a=2, train__b=5, val__a=1, val__b=1)), tmp_path)
    assert "split" not in data.section
    assert data.images == {"train": 7, "val": 2}


def test_a_tar_is_read_as_a_tree(tmp_path):
    tree(tmp_path / "in", a=10, b=10)
    with tarfile.open(tmp_path / "few.tar", "w") as tar:
        tar.add(tmp_path / "in", "in")
    data = asked_data(str(tmp_path / "few.tar"), tmp_path)
    assert (data.name, data.section["kind"], data.images) == ("few", "folder", {"train": 16, "val": 4})


@pytest.mark.parametrize("split", [True, False])
def test_a_table_is_read_with_its_split_or_without(tmp_path, split):
    tree(tmp_path / "all", a=10, b=10)
    rows = [f"all/{name}/{n}.jpg,{name}{(',val' if n < 3 else ',train') * split}" for name in "ab" for n in range(10)]
    (tmp_path / "labels.csv").write_text("\n".join([f"path,label{',split' * split}", *rows]) + "\n")
    data = asked_data(str(tmp_path / "labels.csv"), tmp_path)
    assert data.section["kind"] == "table"
    assert data.images == ({"train": 14, "val": 6} if split else {"train": 16, "val": 4})


@pytest.mark.parametrize("smallest", range(3, 40))
def test_the_smallest_class_has_two_validation_images_if_it_can(smallest):
    split = {"val_fraction": val_fraction(smallest), "seed": 0}
    val = len(drawn("a", map(str, range(smallest)), split))
    assert val >= (2 if smallest > 3 else 1)
    assert smallest - val >= 2
    assert smallest < 8 or split["val_fraction"] == 0.2


def test_paths_may_be_relative_or_below_the_home_folder(tmp_path, monkeypatch):
    tree(tmp_path / "home/photos", a=9, b=9)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "home")
    paths = {asked_data(text, tmp_path).section["path"] for text in ("~/photos", "photos/", "../home/photos")}
    assert paths == {str(tmp_path / "home/photos")}


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        (
            {"a": 2, "b": 2, "c": 9},
            r"class 'a' has 2 images, the fewest of 2 such classes, but each class needs 3, 2 to",
        ),
        (
            {"a": 0, "b": 9},
            r"class 'a' has 0 images, but each class needs 3, 2 to train and 1 to validate\. Add images",
        ),
        ({"a": 0, "b": 0}, "it has no images. Put those of each class into a folder of its own"),
        (
            {"train__a": 1, "train__b": 2, "val__a": 1, "val__b": 1},
            "class 'a' has 1 training image, but each class needs",
        ),
        ({"train__a": 3, "train__b": 3, "val__a": 3}, "train/ alone has the class 'b'"),
        (
            {"one__a": 9, "one__b": 9, "two__a": 9},
            "the classes lie deeper|lies in a folder of a class|one level deeper",
        ),
        ({"one": 9}, "sort the images into folders of classes"),
    ],
)
def test_what_is_refused(tmp_path, counts, text):
    with pytest.raises(InputError, match=text) as error:
        asked_data(str(tree(tmp_path / "photos", **counts)), tmp_path)
    assert str(error.value).startswith("DATA: ")
    assert "dataset." not in str(error.value)
    assert not (tmp_path / "results").exists()


def test_what_is_not_there_or_no_archive(tmp_path):
    with pytest.raises(InputError, match=r"^DATA: .*/nowhere does not exist\. Put it there or correct the path\.$"):
        asked_data(str(tmp_path / "nowhere"), tmp_path)
    (tmp_path / "photos.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(InputError, match=r"^DATA: .*neither a folder nor an uncompressed tar, but a zip"):
        asked_data(str(tmp_path / "photos.zip"), tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"^DATA: .*found nothing"):
        asked_data(str(tmp_path / "empty"), tmp_path)


def test_one_class_of_a_split():
    with pytest.raises(InputError, match="its only class is 'a', but a task needs at least 2"):
        check_counts("photos", {"a": {"train": 5, "val": 5}}, False)


def test_names_tell_folders_of_one_name_apart(tmp_path):
    paths = [tree(tmp_path / place / "photos", a=1) for place in ("here", "there")]
    asked = tmp_path / "ask"
    asked.mkdir()
    assert free_name(paths[0], asked) == "photos"
    (asked / "ask_photos.yaml").write_text(f"dataset: {{name: ask_photos, path: {paths[0]}}}\n")
    assert [free_name(path, asked) for path in paths] == ["photos", "photos_2"]
    (asked / "ask_photos_2.yaml").write_text(f"dataset: {{name: ask_photos_2, path: {paths[1]}}}\n")
    assert [free_name(path, asked) for path in paths] == ["photos", "photos_2"]
    os.rename(paths[0], tmp_path / "moved")  # noqa: PTH104
    assert free_name(tmp_path / "moved", asked) == "moved"
    assert free_name(tree(tmp_path / "third" / "photos", a=1), asked) == "photos"
    assert free_name(tree(tmp_path / "\u0444\u043e\u0442\u043e", a=1), asked) == "images"


def test_without_data_it_is_the_drawn_sample():
    data = sample_data({"train_per_class": 80, "val_per_class": 50}, 40)
    assert (data.name, data.section, data.images) == ("sample", {}, {"train": 3200, "val": 2000})
