import csv

import numpy as np
import pytest
from helpers import SIZE, TRAIN_PER_CLASS, VAL_PER_CLASS, pack
from PIL import Image

from workflow_scripts.cli import InputError
from workflow_scripts.files import read_json, sha256_file
from workflow_scripts.images import decode
from workflow_scripts.sources import open_dataset
from workflow_scripts.store import PackedSplit
from workflow_scripts.task import Task, mean_image


def test_the_store_holds_every_image_in_order(archives, store):
    train = PackedSplit(store, "train")
    assert len(train) == 40 * TRAIN_PER_CLASS
    images = open_dataset("sample", str(archives)).train_images(0, 1)
    for position, (_, index, data) in enumerate(images):
        assert np.array_equal(train.image(position), decode(data, SIZE, "warp"))
        assert train.class_indices()[position] == index


def test_shards_are_named_with_their_checksums(store):
    for shards in read_json(store)["shards"].values():
        for shard in shards:
            assert shard["pixels_sha256"] == sha256_file(store.parent / f"{shard['file']}.u8")
            assert shard["index_sha256"] == sha256_file(store.parent / f"{shard['file']}.csv")


def test_class_counts(store):
    rows = list(csv.DictReader((store.parent / "classes.csv").open()))
    assert [int(row["class_index"]) for row in rows] == list(range(40))
    assert {row["train_images"] for row in rows} == {str(TRAIN_PER_CLASS)}
    assert {row["val_images"] for row in rows} == {str(VAL_PER_CLASS)}


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
    manifest = pack("folder", small_tree(tmp_path / "tree", bad=1), tmp_path / "store", 8, 0.1, train_shards=1)
    train = PackedSplit(manifest, "train")
    assert len(train) == 20
    assert (train.class_indices() == np.repeat(range(4), 5)).all()
    record = read_json(tmp_path / "store" / "train-000.json")
    assert record["quarantine"] == [{"name": "b/bad0.png", "reason": "not an image that Pillow recognises"}]


def test_too_many_undecodable_images_stop_the_job_and_leave_nothing(tmp_path):
    with pytest.raises(InputError, match=r"3 of 23 images .*b/bad0.png.*max_bad_fraction"):
        pack("folder", small_tree(tmp_path / "tree", bad=3), tmp_path / "store", 8, 0.1, train_shards=1)
    assert list((tmp_path / "store").iterdir()) == []


def test_more_shards_than_classes_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"train shard 0 of 5 is empty; lower store\.train_shards"):
        pack("folder", small_tree(tmp_path / "tree"), tmp_path / "store", 8, train_shards=5)


def test_a_damaged_shard_is_named(store, tmp_path):
    for file in store.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: -5 if file.name == "train-001.u8" else None])
    with pytest.raises(InputError, match=r"train-001\.u8 is missing or damaged"):
        PackedSplit(tmp_path / "manifest.json", "train")


def test_tasks_divide_the_images(tasks, store):
    train = PackedSplit(store, "train").class_indices()
    together = np.concatenate([task.train_positions for task in tasks.values()])
    assert sorted(together) == list(range(len(train)))
    for task in tasks.values():
        assert task.classes == 20
        assert (np.bincount(task.train_labels) == TRAIN_PER_CLASS).all()
        assert (np.bincount(task.val_labels) == VAL_PER_CLASS).all()
        # Labels follow the dataset's class order.
        assert (np.diff(train[task.train_positions]) >= 0).all()
        assert (np.diff(task.train_labels) >= 0).all()


def test_the_mean_image_is_exact(tasks, store):
    train, positions = PackedSplit(store, "train"), tasks["A"].train_positions
    expected = np.stack([train.image(position) for position in positions]).astype(np.float64).mean(axis=0)
    assert np.array_equal(mean_image(train, positions), expected.astype(np.float32))
    assert np.array_equal(tasks["A"].mean_image, expected.astype(np.float32))


def test_a_saved_task_is_the_same(tasks, tmp_path):
    tasks["B"].save(tmp_path / "task.npz")
    loaded = Task.load(tmp_path / "task.npz")
    for name, value in vars(tasks["B"]).items():
        assert np.array_equal(getattr(loaded, name), value)
    assert loaded.classes == 20
