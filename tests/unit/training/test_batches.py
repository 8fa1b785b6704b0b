import itertools
from functools import partial

import numpy as np
import pytest
import torch
from helpers import SIZE

from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.training.batches import Batches

CROP, SCALE = 32, 0.5


@pytest.fixture
def batches(store, tasks):
    task = tasks["A"]
    splits = PackedSplit(store, "train"), PackedSplit(store, "val")
    return Batches(*splits, task, task.mean_image, CROP, SCALE, torch.device("cpu"))


def test_every_epoch_is_a_new_order_of_every_image(batches):
    count = len(batches.task.train_labels)
    orders = [batches._selector._epoch_order(1, epoch) for epoch in range(3)]
    for order in orders:
        assert sorted(order) == list(range(count))
    assert not np.array_equal(orders[0], orders[1])
    # A batch across the border of two epochs: together the batches of two epochs show each label twice as often.
    labels = torch.cat([labels for _, labels in batches.training(1, 7, 0, 2 * count // 7 + 1)])[: 2 * count]
    assert torch.equal(torch.bincount(labels), 2 * torch.bincount(torch.from_numpy(batches.task.train_labels)))


def test_a_batch_is_a_function_of_seed_and_iteration(batches):
    stream = list(batches.training(1, 8, 0, 5))
    (resumed, _), (other, _) = next(batches.training(1, 8, 3, 4)), next(batches.training(2, 8, 3, 4))
    assert torch.equal(stream[3][0], resumed)
    assert not torch.equal(resumed, other)


def read(batches, batch_size, iteration):
    """What is read of the images for a training batch of seed 1."""
    select = partial(batches._selector.training, 1, batch_size)
    return batches._read(batches.train, select, range(iteration, iteration + 1))[:3]


def read_training(batches, batch_size, iteration):
    """Crops, labels, top left corners in the images and mirrors of a training batch of seed 1."""
    images, (mirrored, tops, lefts), labels = read(batches, batch_size, iteration)
    lefts = torch.where(mirrored == 1, SIZE - CROP - lefts, lefts)  # back from the mirrored mean image
    return images.numpy(), labels, torch.stack([tops, lefts], 1).tolist(), mirrored.numpy() == 1


def test_training_crops_are_the_images_minus_the_mean_at_their_place(batches):
    mirrored, offsets = set(), set()
    for iteration in range(8):
        images, labels, places, mirrors = read_training(batches, 64, iteration)
        computed, targets = next(batches.training(1, 64, iteration, iteration + 1))
        assert computed.dtype == torch.float32
        assert computed.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(targets, labels)
        for index, (top, left) in enumerate(places):
            mean = batches.task.mean_image[top : top + CROP, left : left + CROP].astype(np.float32)
            mean = mean[:, ::-1] if mirrors[index] else mean
            expected = (images[index].astype(np.float32) - mean) * np.float32(SCALE)
            assert np.array_equal(computed[index].permute(1, 2, 0).numpy(), expected)
            offsets.add((top, left))
        mirrored.add(int(mirrors.sum()))
    assert offsets == set(itertools.product(range(SIZE - CROP + 1), repeat=2))
    assert 20 < min(mirrored) < max(mirrored) < 44


def test_mirrored_crops_are_mirrored(batches):
    """The pixels of a training batch, found again in the store by their place."""
    count, positions = len(batches.task.train_labels), batches.task.train_positions
    images, _, places, mirrors = read_training(batches, count, 0)
    order = batches._selector._epoch_order(1, 0)
    whole = batches.train.images(positions[order])
    for crop, image, (top, left), mirror in zip(images, whole, places, mirrors, strict=True):
        expected = image[top : top + CROP, left : left + CROP]
        assert np.array_equal(crop, expected[:, ::-1] if mirror else expected)


def test_a_gpus_arithmetic_is_the_same(batches):
    """The expression that runs on a GPU, here on the CPU, against the one that runs there."""
    images, places, _ = read(batches, 64, 3)
    mirrored = places[0] == 1
    assert 0 < mirrored.sum() < 64
    as_read = torch.where(mirrored[:, None, None, None], images.flip(2), images)  # a GPU mirrors by itself
    computed = batches._on_device(as_read, places)
    assert torch.equal(computed, batches._on_cpu(images.numpy(), places.numpy()))


def test_batches_larger_than_the_cache_are_the_same(batches, monkeypatch):
    whole, _ = next(batches.training(1, 100, 0, 1))
    monkeypatch.setattr("workflow_scripts.training.batches.CACHE_BYTES", 7 * CROP * CROP * 3 * 4)
    assert torch.equal(next(batches.training(1, 100, 0, 1))[0], whole)


def test_validation_is_every_image_once_at_the_centre(batches):
    images, labels = (torch.cat(parts) for parts in zip(*batches.validation(7), strict=True))
    assert torch.equal(labels, torch.from_numpy(batches.task.val_labels))
    position, place = batches.task.val_positions[0], slice(2, 2 + CROP)
    image = batches.val.images(np.array([position]))[0].astype(np.float32)
    expected = image[place, place] - batches.task.mean_image[place, place].astype(np.float32)
    assert np.array_equal(images[0].permute(1, 2, 0).numpy(), expected * np.float32(SCALE))


def test_large_images_are_cropped_one_by_one_to_the_same(batches, monkeypatch):
    at_once = [images for images, _ in batches.training(1, 50, 0, 3)]
    monkeypatch.setattr("workflow_scripts.store.packed.LARGE_IMAGE", 1)
    assert all(map(torch.equal, at_once, (images for images, _ in batches.training(1, 50, 0, 3))))


@pytest.mark.parametrize("readers", [0, 1, 3, 9])
def test_reading_ahead_or_many_at_once_changes_nothing(batches, readers):
    one_by_one = [next(batches.training(1, 50, iteration, iteration + 1)) for iteration in range(30)]
    batches.readers = readers
    for (images, labels), (expected, expected_labels) in zip(batches.training(1, 50, 0, 30), one_by_one, strict=True):
        assert torch.equal(images, expected)
        assert torch.equal(labels, expected_labels)
