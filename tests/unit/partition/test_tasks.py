"""Tasks: which images belong to a half, their labels, the mean image."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers import TRAIN_PER_CLASS, VAL_PER_CLASS

from workflow_scripts.partition.make_task import make_task
from workflow_scripts.partition.task import Task, drawn_per_class, first_per_class, mean_image
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.store.packed import PackedSplit


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
    expected = train.images(positions).mean(axis=0, dtype=np.float64)
    assert tasks["A"].mean_image.dtype == np.float64
    assert np.array_equal(tasks["A"].mean_image, expected)


def test_the_mean_of_many_bright_images_does_not_overflow(tmp_path):
    bright = SimpleNamespace(image_size=4, images=lambda positions: np.full((len(positions), 4, 4, 3), 255, np.uint8))
    assert (mean_image(bright, np.arange(1000)) == 255).all()


def test_the_first_images_of_each_class():
    labels = np.array([0, 0, 0, 1, 2, 2, 0, 1])
    assert first_per_class(labels, 1).tolist() == [0, 3, 4]
    assert first_per_class(labels, 2).tolist() == [0, 1, 3, 4, 5, 7]
    assert first_per_class(labels, 9).tolist() == list(range(8))


def test_a_reduced_task_has_the_first_images_and_all_of_validation(store, halves, tasks):
    reduced = make_task(store, halves["A"], images_per_class=2)
    assert (np.bincount(reduced.train_labels) == 2).all()
    of_first_class = tasks["A"].train_positions[tasks["A"].train_labels == 0]
    assert reduced.train_positions[:2].tolist() == of_first_class[:2].tolist()
    assert np.array_equal(reduced.val_positions, tasks["A"].val_positions)
    expected = PackedSplit(store, "train").images(reduced.train_positions).mean(axis=0, dtype=np.float64)
    assert np.array_equal(reduced.mean_image, expected)


def test_more_images_than_any_class_has_are_refused(store, halves):
    """The paper's whole_first_1300_per_class takes all of a class with fewer, as long as one has so many."""
    assert len(make_task(store, halves["A"], TRAIN_PER_CLASS).train_labels) == TRAIN_PER_CLASS * len(halves["A"])
    with pytest.raises(InputError, match=f"7 training images of each class are wanted.*more than {TRAIN_PER_CLASS}"):
        make_task(store, halves["A"], TRAIN_PER_CLASS + 1)


def test_draws_of_fewer_images_are_among_those_of_more_and_differ_by_seed(store, halves, tasks):
    few, more, others = (make_task(store, halves["A"], images, seed) for images, seed in ((2, 1), (4, 1), (4, 2)))
    for task, images in ((few, 2), (more, 4), (others, 4)):
        assert (np.bincount(task.train_labels) == images).all()
        assert (np.diff(task.train_positions) > 0).all()
        assert np.array_equal(task.val_positions, tasks["A"].val_positions)
    assert set(few.train_positions) < set(more.train_positions)
    assert set(more.train_positions) != set(others.train_positions)
    assert set(more.train_positions) != set(make_task(store, halves["A"], 4).train_positions)  # not the first ones
    expected = PackedSplit(store, "train").images(few.train_positions).mean(axis=0, dtype=np.float64)
    assert np.array_equal(few.mean_image, expected)
    every = make_task(store, halves["A"], TRAIN_PER_CLASS, 1)
    assert np.array_equal(every.train_positions, tasks["A"].train_positions)
    assert np.array_equal(every.mean_image, tasks["A"].mean_image)


def test_every_image_of_a_class_may_be_drawn_and_small_classes_stay_whole():
    labels = np.array([0, 0, 0, 1, 0, 1])
    drawn = [drawn_per_class(labels, 1, seed) for seed in range(60)]
    assert {tuple(labels[positions]) for positions in drawn} == {(0, 1), (1, 0)}
    assert set(np.concatenate(drawn)) == set(range(6))
    assert labels[drawn_per_class(labels, 3, 0)].tolist().count(1) == 2


def test_more_drawn_images_than_any_class_has_are_refused(store, halves):
    with pytest.raises(InputError, match=r"no class has more than 6\. Lower the number in target_images_per_class"):
        make_task(store, halves["A"], TRAIN_PER_CLASS + 1, 0)


def test_a_saved_task_is_the_same(tasks, tmp_path):
    tasks["B"].save(tmp_path / "task.npz")
    loaded = Task.load(tmp_path / "task.npz")
    for name, value in vars(tasks["B"]).items():
        assert np.array_equal(getattr(loaded, name), value)
    assert loaded.classes == 20
