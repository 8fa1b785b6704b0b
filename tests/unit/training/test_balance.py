"""Accuracy averaged over classes: a reading's, and a network's score."""

import numpy as np
import pytest
import torch
from made_up_store import write_noise
from test_training import SETTINGS, finish, start

from workflow_scripts.partition.task import Task
from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.training.batches import Batches
from workflow_scripts.training.devices import set_deterministic
from workflow_scripts.training.learner import class_mean
from workflow_scripts.training.outcome import network_record


@pytest.fixture(scope="module", autouse=True)
def deterministic():
    set_deterministic(1)


@pytest.mark.parametrize(
    ("right", "images", "mean"),
    [
        ([3, 1], [4, 2], (3 / 4 + 1 / 2) / 2),
        ([90, 0, 1], [90, 9, 1], 2 / 3),  # plain accuracy is 0.91
        ([5, 0, 2], [5, 0, 4], 3 / 4),  # a class without images
        ([0, 0], [7, 1], 0),
    ],
)
def test_the_mean_over_classes_counted_by_hand(right, images, mean):
    assert class_mean(np.array(right, dtype=float), np.array(images)) == pytest.approx(mean, abs=1e-15)


def test_equal_classes_have_the_bits_of_the_plain_accuracy():
    random = np.random.default_rng(0)
    for classes, images in ((2, 7), (3, 10), (7, 3), (1000, 50)):
        right = random.integers(0, images + 1, classes).astype(float)
        assert class_mean(right, np.full(classes, images)) == right.sum() / (classes * images)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The manifest and the task of a store with 3 classes of 10 images."""
    manifest, task = write_noise(tmp_path_factory.mktemp("store"), 36, 3, 30)
    return manifest, Task.load(task)


def trained(manifest, task):
    splits = PackedSplit(manifest, "train"), PackedSplit(manifest, "val")
    batches = Batches(*splits, task, task.mean_image, 32, 1 / 64, torch.device("cpu"))
    training = start(batches, source="B", treatment="base")
    (learner,) = finish(training).values()
    return batches, training, learner


def test_the_score_of_equal_classes_is_its_mean_over_classes(store):
    _, training, learner = trained(*store)
    record = network_record(training.job, learner, store[1], SETTINGS)
    assert record["top1_per_class_mean"] == record["top1_best10_mean"]
    assert 0 < record["top1_best10_mean"] < 1
    assert record["majority_share"] == 1 / 3
    assert [one["top1_per_class_mean"] for one in record["readings"]] == [one["top1"] for one in record["readings"]]
    assert {one["top5"] for one in record["readings"]} == {1.0}  # of three classes


def test_a_reading_of_unequal_classes_is_the_mean_of_each_ones_accuracy(store):
    """Of the validation images all of class 0, four of class 1 and one of class 2 stay, in more than one batch."""
    manifest, task = store
    rank = np.array([(task.val_labels[:place] == label).sum() for place, label in enumerate(task.val_labels)])
    kept = rank < np.array([10, 4, 1])[task.val_labels]
    few = Task(**vars(task) | {"val_positions": task.val_positions[kept], "val_labels": task.val_labels[kept]})
    assert few.counts("val").tolist() == [10, 4, 1]
    batches, training, learner = trained(manifest, few)
    images, labels = (torch.cat(parts) for parts in zip(*batches.validation(4), strict=True))
    with torch.no_grad():
        right = (learner.network(images).argmax(1) == labels).double()
    means = [right[labels == label].mean().item() for label in range(3)]
    last = learner.readings[-1]
    assert last["top1_per_class_mean"] == pytest.approx(np.mean(means), abs=1e-15)
    assert last["top1_per_class_mean"] != last["top1"]
    record = network_record(training.job, learner, few, SETTINGS)
    assert record["majority_share"] == 10 / 15


def test_the_mean_over_classes_is_of_the_readings_that_the_score_is_of(store):
    _, training, learner = trained(*store)
    values = [(0.1 * n, 1 - 0.1 * n) for n in range(1, 10)] + [(0.95, 0.5), (0.05, 1.0), (0.02, 1.0)]
    plain = {"top5": 1.0, "loss": 1.0, "train_loss": 1.0}
    learner.readings = [
        {"iteration": number, "top1": top1, "top1_per_class_mean": mean} | plain
        for number, (top1, mean) in enumerate(values, start=1)
    ]
    record = network_record(training.job, learner, store[1], SETTINGS)
    assert record["top1_best10_mean"] == pytest.approx(np.mean([top1 for top1, _ in values[:10]]))
    assert record["top1_per_class_mean"] == pytest.approx(np.mean([mean for _, mean in values[:10]]))
