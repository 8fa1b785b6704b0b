"""The packed store: packing, reading, what cannot be decoded, what is damaged."""

import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import FOLDER, SAMPLE, SIZE, TRAIN_PER_CLASS, VAL_PER_CLASS, pack
from PIL import Image

from workflow_scripts.dataset.folder import FolderDataset
from workflow_scripts.dataset.sources import open_dataset
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import read_json, sha256_file
from workflow_scripts.store.decode import decode
from workflow_scripts.store.pack_manifest import quarantine_table
from workflow_scripts.store.pack_shard import pack_shard
from workflow_scripts.store.packed import PackedSplit


def test_the_store_holds_every_image_in_order(archives, store):
    train = PackedSplit(store, "train")
    assert len(train) == 40 * TRAIN_PER_CLASS
    sources = open_dataset(SAMPLE, str(archives)).images("train", 0, 1)
    images = train.images(np.arange(len(train)))
    for position, source in enumerate(sources):
        assert np.array_equal(images[position], decode(source.read(), SIZE, "warp"))
        assert train.class_indices()[position] == source.class_index
    assert train.names() == [source.name for source in sources]


def test_crops_come_from_any_shard_in_the_order_asked(store):
    train = PackedSplit(store, "train")
    random = np.random.default_rng(0)
    positions = random.permutation(len(train))[:50]
    offsets = random.integers(0, SIZE - 20 + 1, (50, 2))
    crops = train.crops(positions, offsets, 20)
    for crop, image, (top, left) in zip(crops, train.images(positions), offsets, strict=True):
        assert np.array_equal(crop, image[top : top + 20, left : left + 20])


def test_shards_are_named_with_their_checksums(store):
    for shards in read_json(store)["shards"].values():
        for shard in shards:
            assert set(shard["files"]) == {f"{shard['file']}.{suffix}" for suffix in ("u8", "csv", "crc")}
            assert all(sha256_file(store.parent / name) == checksum for name, checksum in shard["files"].items())


def test_the_manifest_has_the_classes_in_order_with_counts(archives, store):
    names = open_dataset(SAMPLE, str(archives)).class_list().names
    expected = [{"class": name, "train": TRAIN_PER_CLASS, "val": VAL_PER_CLASS} for name in names]
    assert read_json(store)["classes"] == expected
    assert read_json(store)["resize"] == "warp"


def small_tree(root, bad=0):
    for split in ("train", "val"):
        for name in "abcd":
            (root / split / name).mkdir(parents=True)
            for number in range(5):
                Image.new("RGB", (9, 9), (number, 0, 0)).save(root / split / name / f"{number}.png")
    for number in range(bad):
        (root / "train" / "b" / f"bad{number}.png").write_bytes(b"broken")
    return root


def test_undecodable_images_are_left_out_and_listed(tmp_path):
    manifest = pack(FOLDER, small_tree(tmp_path / "tree", bad=1), tmp_path / "store", 8, 0.1, train_shards=1)
    train = PackedSplit(manifest, "train")
    assert len(train) == 20
    assert (train.class_indices() == np.repeat(range(4), 5)).all()
    record = read_json(tmp_path / "store" / "train-000.json")
    assert record["quarantine"] == [{"name": "b/bad0.png", "reason": "text, not an image; get it again"}]


def test_too_many_undecodable_images_stop_the_job_and_leave_nothing(tmp_path, capsys):
    message = r"train shard 0: 3 images, above 0\.1 of 23, cannot be decoded: b/bad0\.png .*max_bad_fraction to 0\.1305"
    tree = small_tree(tmp_path / "tree", bad=3)
    with pytest.raises(InputError, match=message):
        pack(FOLDER, tree, tmp_path / "store", 8, 0.1, train_shards=1)
    assert list((tmp_path / "store").iterdir()) == []
    listed = [f"train: b/bad{number}.png: text, not an image; get it again" for number in range(3)]
    assert capsys.readouterr().err.splitlines()[-3:] == listed
    pack(FOLDER, tree, tmp_path / "store", 8, 0.1305, train_shards=1)  # the way on that the message names


def test_the_list_of_undecodable_images_has_a_limit(tmp_path, monkeypatch, capsys):
    for module in ("pack_shard", "undecodable"):
        monkeypatch.setattr(f"workflow_scripts.store.{module}.MOST_LISTED", 2)
    with pytest.raises(InputError, match=r"more than 2 images, above 0 of 24.*max_bad_fraction to leave"):
        pack(FOLDER, small_tree(tmp_path / "tree", bad=4), tmp_path / "store", 8, 0, train_shards=1)
    printed = capsys.readouterr().err
    assert len(re.findall("^train: b/bad", printed, re.MULTILINE)) == 2
    assert "There may be more. To list those of all shards in one run: snakemake --keep-going" in printed


@pytest.mark.parametrize(("seconds", "threads"), [(60, 1), (60, 3), (-1, 1)])
def test_undecodable_images_of_other_shards_are_listed_too(tmp_path, monkeypatch, capsys, seconds, threads):
    """Snakemake runs no other shard after one that fails. After a minute the list ends."""
    monkeypatch.setattr("workflow_scripts.store.undecodable.LOOK_SECONDS", seconds)
    tree = small_tree(tmp_path / "tree", bad=1)
    (tree / "train" / "d" / "page.png").write_bytes(b"<html>not found</html>")
    (tree / "val" / "a" / "empty.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"train shard 0: 1 image, above 0 of 11, .*fraction to 0\.091 "):
        pack_shard(FolderDataset(tree), "train", 0, 2, 8, "warp", 0.0, threads, str(tmp_path / "store" / "train-000"))
    printed = [line for line in capsys.readouterr().err.splitlines() if "images/s" not in line and "?" not in line]
    there = ["train: d/page.png: an HTML page, not an image; get it again", "val: a/empty.png: 0 bytes; get it again"]
    more = ["There may be more. To list those of all shards in one run: snakemake --keep-going"]
    own = ["train: b/bad0.png: text, not an image; get it again"]
    assert printed[-3:] == own + there if seconds > 0 else printed[-2:] == own + more
    assert list((tmp_path / "store").iterdir()) == []


def test_quarantine_lists_every_bad_image(tmp_path):
    pack(FOLDER, small_tree(tmp_path / "tree", bad=2), tmp_path / "store", 8, 0.2)
    table = quarantine_table(sorted((tmp_path / "store").glob("*-*.json")))
    assert table["name"].tolist() == ["b/bad0.png", "b/bad1.png"]
    assert set(table["split"]) == {"train"}
    assert set(table["reason"]) == {"text, not an image; get it again"}


def test_classes_with_no_decodable_image_are_refused(tmp_path):
    tree = small_tree(tmp_path / "tree")
    for file in [*(tree / "val" / "a").iterdir(), *(tree / "val" / "c").iterdir()]:
        file.write_bytes(b"broken")
    with pytest.raises(InputError, match="class a, c: none of its val images can be decoded"):
        pack(FOLDER, tree, tmp_path / "store", 8, 1.0)


def test_a_full_disk_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    tree = small_tree(tmp_path / "tree")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=20 * 8 * 8 * 3 - 1))
    with pytest.raises(InputError, match=r"3\.84e-06 GB are needed, but .*store\.image_size"):
        pack(FOLDER, tree, tmp_path / "store", 8, train_shards=1)
    assert not (tmp_path / "store").exists()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=20 * 8 * 8 * 3))
    pack(FOLDER, tree, tmp_path / "store", 8, train_shards=1)


def test_the_same_shard_for_any_number_of_threads(archives, tmp_path):
    dataset = open_dataset(SAMPLE, str(archives))
    records = [
        pack_shard(dataset, "train", 1, 3, 20, "warp", 0.0, threads, str(tmp_path / f"{threads}")) for threads in (1, 3)
    ]
    assert [*records[0]["files"].values()] == [*records[1]["files"].values()]
    assert (tmp_path / "1.u8").read_bytes() == (tmp_path / "3.u8").read_bytes()


def test_more_shards_than_classes_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"store\.train_shards: train shard 0 of 5 is empty"):
        pack(FOLDER, small_tree(tmp_path / "tree"), tmp_path / "store", 8, train_shards=5)


def test_a_damaged_shard_is_named(store, tmp_path):
    for file in store.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: -5 if file.name == "train-001.u8" else None])
    with pytest.raises(InputError, match=r"train-001\.u8: the file is missing or damaged"):
        PackedSplit(tmp_path / "manifest.json", "train")
