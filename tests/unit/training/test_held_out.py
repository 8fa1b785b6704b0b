"""Training images that are held out to choose a learning rate: no network trains on them, and readings have them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_training import SETTINGS, finish, start

from workflow_scripts.study.columns import HELD_OUT
from workflow_scripts.training.batches import Batches
from workflow_scripts.training.devices import set_deterministic


@pytest.fixture(scope="module", autouse=True)
def deterministic():
    set_deterministic(1)


def with_held_out(batches, share=0.25, seed=3):
    """The same batches but that a share of the training images is held out."""
    task = batches.task.without(share, seed)
    return Batches(batches.train, batches.val, task, task.mean_image, 32, 1 / 64, torch.device("cpu"))


def test_a_share_of_each_class_is_held_out(batches):
    task = batches.task
    less = task.without(0.25, 3)
    whole = np.concatenate([less.train_positions, less.held_out_positions])
    assert sorted(whole) == sorted(task.train_positions)
    counts = task.counts("train")
    assert list(np.bincount(less.held_out_labels)) == list(np.maximum(1, np.round(counts / 4)))
    label_of = dict(zip(task.train_positions, task.train_labels, strict=True))
    for positions, labels in (
        (less.train_positions, less.train_labels),
        (less.held_out_positions, less.held_out_labels),
    ):
        assert [label_of[one] for one in positions] == list(labels)
    assert list(task.without(0.25, 3).held_out_positions) == list(less.held_out_positions)
    assert list(task.without(0.25, 4).held_out_positions) != list(less.held_out_positions)


def test_a_class_keeps_an_image_and_gives_one_if_it_has_two(batches):
    first = [np.flatnonzero(batches.task.train_labels == label) for label in range(batches.task.classes)]
    kept = np.concatenate([rows[: 1 + (label > 0)] for label, rows in enumerate(first)])
    few = replace(
        batches.task, train_positions=batches.task.train_positions[kept], train_labels=batches.task.train_labels[kept]
    )
    less = few.without(0.1, 0)
    assert list(less.counts("train")) == [1] * few.classes
    assert list(np.bincount(less.held_out_labels)) == [0] + [1] * (few.classes - 1)


def test_readings_have_the_plain_accuracy_on_held_out_images(batches):
    held = with_held_out(batches)
    training = start(held, source="B", treatment="base")
    learner = finish(training)[0]
    images, labels = (torch.cat(parts) for parts in zip(*held.held_out(16), strict=True))
    assert len(labels) == len(held.task.held_out_labels) > 0
    with torch.no_grad():
        scores = learner.network(images)
    accuracy = (scores.argmax(1) == labels).float().mean().item()
    assert learner.readings[-1][HELD_OUT] == pytest.approx(accuracy)
    (record,) = training.network_records()
    assert record[HELD_OUT] == pytest.approx(np.mean([reading[HELD_OUT] for reading in learner.readings]))
    assert record["learning_rate"] == "0.01"
    assert record["train_images"] == len(held.task.train_labels)


def test_no_network_trains_on_a_held_out_image(batches):
    held = with_held_out(batches)
    seen = set()
    for iteration in range(3 * len(held.task.train_labels) // 16):
        seen |= set(held._selector.training(5, 16, iteration).positions)
    assert seen == set(held.task.train_positions)
    assert not seen & set(held.task.held_out_positions)


def test_without_held_out_images_nothing_is_read_of_them(batches):
    learner = finish(start(batches, source="B", treatment="base", settings=replace(SETTINGS, iterations=3)))[0]
    assert all(HELD_OUT not in reading for reading in learner.readings)
