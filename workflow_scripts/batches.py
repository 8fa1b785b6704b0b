"""Batches of a task, each a pure function of (seed, iteration): training crops with mirrors, and centre crops."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from workflow_scripts.seeds import derive_seed
from workflow_scripts.store import PackedSplit, windows
from workflow_scripts.task import Task

Batch = tuple[Tensor, Tensor]  # float32 images (batch, 3, crop, crop), int64 labels (batch,)
CACHE_BYTES = 2**20  # of floats worked on at a time on a CPU, to stay in a core's second-level cache


class Batches:
    """The batches of one task on one device.

    Images lose the mean image at the place of their crop (as Caffe does) and are multiplied by `scale`. Whole batches
    are cropped and mirrored on the CPU as uint8; all arithmetic runs on `device`. `mean_image` (H x W x 3) is the
    source task's or the target's own.
    """

    def __init__(
        self,
        train: PackedSplit,
        val: PackedSplit,
        task: Task,
        mean_image: np.ndarray,
        crop: int,
        scale: float,
        device: torch.device,
    ) -> None:
        self.train, self.val, self.task = train, val, task
        self.crop, self.scale, self.device = crop, scale, device
        self.margin = train.image_size - crop
        # Every crop of the mean image and of its mirror image, as a view (2, offsets, offsets, crop, crop, 3).
        mean = np.stack([mean_image, mean_image[:, ::-1]]).astype(np.float32)
        on_device = torch.from_numpy(mean).to(device)
        self._mean_crops = on_device.unfold(1, crop, 1).unfold(2, crop, 1).movedim(3, -1)
        self._numpy_mean_crops = windows(mean, crop)
        self._order: tuple[int, int, np.ndarray] | None = None

    def training(self, seed: int, batch_size: int, start: int, stop: int) -> Iterator[Batch]:
        """Batches `start` to `stop` - 1 of the endless stream of `seed`: every epoch a new order, random crops and
        mirrors. A batch may span two epochs, as in Caffe. On a GPU the next batch is read while this one trains.
        """
        read = (self._read_training(seed, batch_size, iteration) for iteration in range(start, stop))
        for batch in prefetched(read) if self.device.type == "cuda" else read:
            yield self._to_device(*batch)

    def validation(self, batch_size: int) -> Iterator[Batch]:
        """All validation images in order, centre crops."""
        centre = self.margin // 2
        for start in range(0, len(self.task.val_labels), batch_size):
            block = slice(start, start + batch_size)
            labels = self.task.val_labels[block]
            offsets = np.full((len(labels), 2), centre)
            mirrored = np.zeros(len(labels), dtype=bool)
            images = self._cropped(self.val, self.task.val_positions[block], offsets, mirrored)
            yield self._to_device(images, labels, offsets, mirrored)

    def _read_training(self, seed: int, batch_size: int, iteration: int) -> tuple[np.ndarray, ...]:
        count = len(self.task.train_labels)
        serial = np.arange(iteration * batch_size, (iteration + 1) * batch_size)
        chosen = np.empty(batch_size, dtype=np.int64)
        for epoch in np.unique(serial // count):
            here = serial // count == epoch
            chosen[here] = self._epoch_order(seed, int(epoch))[serial[here] % count]
        random = np.random.default_rng(derive_seed(seed, "augmentation", iteration))
        offsets = random.integers(0, self.margin + 1, (batch_size, 2))
        mirrored = random.random(batch_size) < 0.5
        images = self._cropped(self.train, self.task.train_positions[chosen], offsets, mirrored)
        return images, self.task.train_labels[chosen], offsets, mirrored

    def _epoch_order(self, seed: int, epoch: int) -> np.ndarray:
        if self._order is None or self._order[:2] != (seed, epoch):
            random = np.random.default_rng(derive_seed(seed, "order", epoch))
            self._order = (seed, epoch, random.permutation(len(self.task.train_labels)))
        return self._order[2]

    def _cropped(
        self, images: PackedSplit, positions: np.ndarray, offsets: np.ndarray, mirrored: np.ndarray
    ) -> np.ndarray:
        """uint8 crops (n, crop, crop, 3), mirrored where `mirrored` says so."""
        crops = images.crops(positions, offsets, self.crop)
        # torch's flip of images in this layout is 7 times as fast as numpy's.
        flipped = torch.from_numpy(crops[mirrored]).permute(0, 3, 1, 2).flip(3)
        crops[mirrored] = flipped.permute(0, 2, 3, 1).numpy()
        return crops

    def _to_device(self, images: np.ndarray, labels: np.ndarray, offsets: np.ndarray, mirrored: np.ndarray) -> Batch:
        lefts = np.where(mirrored, self.margin - offsets[:, 1], offsets[:, 1])
        places = np.stack([mirrored, offsets[:, 0], lefts])  # of the crops of the mean image
        if self.device.type == "cuda":
            floats = self._on_device(self._moved(images), self._moved(places))
        else:
            floats = self._on_cpu(images, places)
        return floats.permute(0, 3, 1, 2), self._moved(labels)

    def _on_device(self, images: Tensor, places: Tensor) -> Tensor:
        return images.float().sub_(self._mean_crops[tuple(places)]).mul_(self.scale)

    def _on_cpu(self, images: np.ndarray, places: np.ndarray) -> Tensor:
        """As _on_device, but a few images at a time, indexed by numpy, which is 5 times as fast as torch there."""
        # numpy puts large arrays on huge pages; the first touch of torch's costs 5 times as long.
        floats = np.empty(images.shape, dtype=np.float32)
        step = max(1, CACHE_BYTES // floats[0].nbytes)
        for start in range(0, len(images), step):
            block, here = floats[start : start + step], places[:, start : start + step]
            block[:] = images[start : start + step]
            # The crop of a single large image is a view; those of many small ones are gathered.
            block -= self._numpy_mean_crops[tuple(here[:, 0] if step == 1 else here)]
            if self.scale != 1:
                block *= np.float32(self.scale)
        return torch.from_numpy(floats)

    def _moved(self, array: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(array)
        if self.device.type == "cuda":
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True)


def prefetched(items: Iterator) -> Iterator:
    """The same items in the same order, the next one computed in a thread while the caller uses this one."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = pool.submit(next, items, None)
            yield item
