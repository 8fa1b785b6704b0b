"""Batches of a task on a device: images read from the packed store, cropped, mirrored, less the mean image."""

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from workflow_scripts.partition.task import Task
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.thread_map import thread_map
from workflow_scripts.store.packed import PackedSplit, windows
from workflow_scripts.training.selection import Selection, Selector
from workflow_scripts.training.workers import Workers

Batch = tuple[Tensor, Tensor]  # float32 images (batch, 3, crop, crop), int64 labels (batch,)
ALONE = Workers()
# Bytes of pixels that are read in one go where no threads read ahead. Small batches read one by one cost twice as much,
# since an iteration of training drives what reading needs out of the processor's caches.
TOGETHER_BYTES = 2**21
QUEUED = 8  # batches that may wait for a GPU. Each holds memory there, and CUDA graphs launch faster than it computes.
CACHE_BYTES = 2**20  # of floats worked on at a time on a CPU, to stay in a core's second-level cache


class Read(NamedTuple):
    """Some batches' images: on the CPU, or on their way to a GPU."""

    images: Tensor  # uint8 (n, crop, crop, 3), mirrored but for a GPU
    places: Tensor  # int64 (3, n), in the mean image's crops
    labels: Tensor  # int64 (n,)
    sizes: list[int]  # of each batch
    sent: torch.cuda.Event | None = None  # after which they are on the GPU


class Batches:
    """The batches of one task on one device.

    Images lose the mean image at the place of their crop (as Caffe does) and are multiplied by `scale`, one number or
    one for each channel (channel_view gives both for given means of channels). Whole batches
    are cropped on the CPU as uint8. All arithmetic runs on `device`, and so does mirroring. `mean_image` (H x W x 3) is
    the source task's or the target's own.

    `readers` threads read batches ahead. Where the device is a GPU, they send them there while it computes. With 0
    readers, a few batches are read when the first of them is asked for. Each of the `workers` gets its own share of
    every batch.
    """

    def __init__(
        self,
        train: PackedSplit,
        val: PackedSplit,
        task: Task,
        mean_image: np.ndarray,
        crop: int,
        scale: float | np.ndarray,
        device: torch.device,
        readers: int = 0,
        workers: Workers = ALONE,
    ) -> None:
        self.workers = workers
        self.train, self.val, self.task, self.readers = train, val, task, readers
        self.crop, self.device = crop, device
        self._scale = np.float32(scale)
        self._scale_there = None if np.all(self._scale == 1) else torch.as_tensor(self._scale, device=device)
        self.margin = train.image_size - crop
        self._on_gpu = device.type == "cuda"
        self._copies = torch.cuda.Stream() if self._on_gpu else None
        self._queued: deque[torch.cuda.Event] = deque()
        # Every crop of the mean image and of its mirror image, as a view (2, offsets, offsets, crop, crop, 3).
        mean = np.stack([mean_image, mean_image[:, ::-1]]).astype(np.float32)
        on_device = torch.from_numpy(mean).to(device)
        self._mean_crops = on_device.unfold(1, crop, 1).unfold(2, crop, 1).movedim(3, -1)
        self._numpy_mean_crops = windows(mean, crop)
        self._selector = Selector(task, self.margin, workers)

    def training(self, seed: int, batch_size: int, start: int, stop: int) -> Iterator[Batch]:
        """Batches `start` to `stop` - 1 of the stream of `seed` (Selector.training)."""
        select = partial(self._selector.training, seed, batch_size)
        return self._batches(self.train, select, range(start, stop), batch_size)

    def validation(self, batch_size: int) -> Iterator[Batch]:
        """All validation images in order, centre crops (Selector.validation)."""
        count = math.ceil(len(self.task.val_labels) / batch_size)
        return self._batches(self.val, partial(self._selector.validation, batch_size), range(count), batch_size)

    def held_out(self, batch_size: int) -> Iterator[Batch]:
        """The training images that the task has held out, in order, centre crops."""
        labels = self.task.held_out_labels
        select = partial(self._selector.in_order, self.task.held_out_positions, labels, batch_size)
        return self._batches(self.train, select, range(math.ceil(len(labels) / batch_size)), batch_size)

    def _batches(
        self, split: PackedSplit, select: Callable[[int], Selection], numbers: range, batch_size: int
    ) -> Iterator[Batch]:
        """The batches of these numbers, as `select` chooses them."""
        together = 1 if self.readers else max(1, TOGETHER_BYTES // (batch_size * self.crop**2 * 3))
        parts = (numbers[first : first + together] for first in range(0, len(numbers), together))
        for read in thread_map(partial(self._read, split, select), parts, self.readers):
            images, labels = self._to_device(read)
            yield from zip(images.split(read.sizes), labels.split(read.sizes), strict=True)

    def _read(self, split: PackedSplit, select: Callable[[int], Selection], numbers: range) -> Read:
        selections = [select(number) for number in numbers]
        positions, labels, offsets, mirrored = map(np.concatenate, zip(*selections, strict=True))
        images = self._buffer(len(positions))
        split.crops(positions, offsets, self.crop, images.numpy())
        if not self._on_gpu:
            _mirror(images.numpy(), mirrored)
        lefts = np.where(mirrored, self.margin - offsets[:, 1], offsets[:, 1])
        places = torch.from_numpy(np.stack([mirrored, offsets[:, 0], lefts]))
        read = Read(images, places, torch.from_numpy(labels), [len(one.labels) for one in selections])
        return self._sent(read) if self._on_gpu else read

    def _buffer(self, count: int) -> Tensor:
        """Room for `count` crops, in pinned memory where the device is a GPU."""
        shape = (count, self.crop, self.crop, 3)
        if self._on_gpu:
            return torch.empty(shape, dtype=torch.uint8, pin_memory=True)
        return torch.from_numpy(np.empty(shape, dtype=np.uint8))

    def _sent(self, read: Read) -> Read:
        """The batches on the GPU, as soon as the copies' stream gets there. A thread that reads ahead does not wait."""
        with torch.cuda.stream(self._copies):
            sent = [tensor.pin_memory().to(self.device, non_blocking=True) for tensor in read[:3]]
            return Read(*sent, read.sizes, self._copies.record_event())

    def _to_device(self, read: Read) -> Batch:
        images, places, labels = read[:3]
        if not self._on_gpu:
            return self._on_cpu(images.numpy(), places.numpy()).permute(0, 3, 1, 2), labels
        if len(self._queued) == QUEUED:
            self._queued.popleft().synchronize()
        stream = torch.cuda.current_stream()
        stream.wait_event(read.sent)
        for tensor in (images, places, labels):
            tensor.record_stream(stream)  # their memory is free when this stream has used them
        floats = self._on_device(images, places)
        self._queued.append(stream.record_event(torch.cuda.Event(blocking=True)))
        return floats.permute(0, 3, 1, 2), labels

    def _on_device(self, images: Tensor, places: Tensor) -> Tensor:
        """As _on_cpu, of crops that are not mirrored yet."""
        mirrored = places[0].bool().view(-1, 1, 1, 1)
        floats = torch.where(mirrored, images.flip(2), images) - self._mean_crops[tuple(places)]
        return floats if self._scale_there is None else floats.mul_(self._scale_there)

    def _on_cpu(self, images: np.ndarray, places: np.ndarray) -> Tensor:
        """Crops less the mean image, scaled, a few at a time. numpy indexes 5 times as fast as torch here."""
        # numpy puts large arrays on huge pages; the first touch of torch's costs 5 times as long.
        floats = np.empty(images.shape, dtype=np.float32)
        step = max(1, CACHE_BYTES // (floats.itemsize * floats[:1].size or 1))
        for start in range(0, len(images), step):
            block, here = floats[start : start + step], places[:, start : start + step]
            block[:] = images[start : start + step]
            # The crop of a single large image is a view; those of many small ones are gathered.
            block -= self._numpy_mean_crops[tuple(here[:, 0] if step == 1 else here)]
            if self._scale_there is not None:
                block *= self._scale
        return torch.from_numpy(floats)


def subtracted_mean(task: Task, source_task: Path | None, mean_image: str | None) -> np.ndarray:
    """The mean image (H x W x 3) of the source's task where the leaf `mean_image` says "source" and there is one, else
    that of `task`, the target's.
    """
    source = mean_image == "source" and source_task
    return Task.load(source).mean_image if source else task.mean_image


def input_view(
    mean_image: np.ndarray, image_size: int, crop: int, scale: float | None, channels: Mapping | None
) -> tuple[np.ndarray, float | np.ndarray]:
    """The mean image and the scale for Batches: those given, or for given `channels` their channel_view.

    Raises InputError for a `crop` larger than the packed images of `image_size`.
    """
    if crop > image_size:
        raise InputError(
            f"training.crop: {crop} pixels are more than the packed images have ({image_size}). Lower training.crop."
        )
    return channel_view(channels, image_size) if channels else (mean_image, scale)


def channel_view(channels: Mapping, image_size: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean image (image_size x image_size x 3) and the scale (3) that subtract from each channel its `mean` and
    divide by its `std`, both for pixels between 0 and 1. Their pixels are between 0 and 255.
    """
    mean, std = (255 * np.array(channels[key], dtype=np.float64) for key in ("mean", "std"))
    return np.broadcast_to(mean.astype(np.float32), (image_size, image_size, 3)), 1 / std


def _mirror(crops: np.ndarray, mirrored: np.ndarray) -> None:
    """Mirror those of the crops (n, crop, crop, 3), in place."""
    # torch's flip of images in this layout is 7 times as fast as numpy's.
    flipped = torch.from_numpy(crops[mirrored]).permute(0, 3, 1, 2).flip(3)
    crops[mirrored] = flipped.permute(0, 2, 3, 1).numpy()
