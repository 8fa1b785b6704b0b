"""Batches of a task, each a pure function of (seed, iteration): training crops with mirrors, and centre crops."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from workflow_scripts.seeds import derive_seed
from workflow_scripts.store import PackedSplit, windows
from workflow_scripts.task import Task
from workflow_scripts.workers import Workers

Batch = tuple[Tensor, Tensor]  # float32 images (batch, 3, crop, crop), int64 labels (batch,)
# uint8 crops (batch, crop, crop, 3), int64 places in the mean image's crops (3, batch), int64 labels (batch,)
Read = tuple[Tensor, Tensor, Tensor]
ALONE = Workers()
CACHE_BYTES = 2**20  # of floats worked on at a time on a CPU, to stay in a core's second-level cache


class Batches:
    """The batches of one task on one device.

    Images lose the mean image at the place of their crop (as Caffe does) and are multiplied by `scale`. Whole batches
    are cropped and mirrored on the CPU as uint8; all arithmetic runs on `device`. `mean_image` (H x W x 3) is the
    source task's or the target's own. `readers` threads read batches ahead, into pinned memory where the device is a
    GPU; with 0 each batch is read when it is asked for. Each of the `workers` gets its own share of every batch.
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
        readers: int = 0,
        workers: Workers = ALONE,
    ) -> None:
        self.workers = workers
        self.train, self.val, self.task, self.readers = train, val, task, readers
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
        mirrors. A batch may span two epochs, as in Caffe.
        """
        reads = (partial(self._read_training, seed, batch_size, iteration) for iteration in range(start, stop))
        for read in read_ahead(reads, self.readers):
            yield self._to_device(*read)

    def validation(self, batch_size: int) -> Iterator[Batch]:
        """All validation images in order, centre crops; shares of a last small batch may be empty."""
        total = len(self.task.val_labels)
        blocks = [range(start, min(start + batch_size, total)) for start in range(0, total, batch_size)]
        shares = (block[self.workers.share(len(block)).rows] for block in blocks)
        reads = (partial(self._read_validation, slice(share.start, share.stop)) for share in shares)
        for read in read_ahead(reads, self.readers):
            yield self._to_device(*read)

    def _read_training(self, seed: int, batch_size: int, iteration: int) -> Read:
        count = len(self.task.train_labels)
        serial = np.arange(iteration * batch_size, (iteration + 1) * batch_size)
        chosen = np.empty(batch_size, dtype=np.int64)
        for epoch in np.unique(serial // count):
            here = serial // count == epoch
            chosen[here] = self._epoch_order(seed, int(epoch))[serial[here] % count]
        random = np.random.default_rng(derive_seed(seed, "augmentation", iteration))
        offsets = random.integers(0, self.margin + 1, (batch_size, 2))
        mirrored = random.random(batch_size) < 0.5
        mine = self.workers.share(batch_size).rows
        positions, labels = self.task.train_positions[chosen[mine]], self.task.train_labels[chosen[mine]]
        return self._read(self.train, positions, labels, offsets[mine], mirrored[mine])

    def _read_validation(self, block: slice) -> Read:
        labels = self.task.val_labels[block]
        offsets = np.full((len(labels), 2), self.margin // 2)
        return self._read(self.val, self.task.val_positions[block], labels, offsets, np.zeros(len(labels), dtype=bool))

    def _read(
        self, split: PackedSplit, positions: np.ndarray, labels: np.ndarray, offsets: np.ndarray, mirrored: np.ndarray
    ) -> Read:
        images = self._cropped(split, positions, offsets, mirrored)
        lefts = np.where(mirrored, self.margin - offsets[:, 1], offsets[:, 1])
        places = np.stack([mirrored, offsets[:, 0], lefts])
        return tuple(map(self._pinned, (images, places, labels)))

    def _pinned(self, array: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(array)
        return tensor.pin_memory() if self.device.type == "cuda" else tensor

    def _epoch_order(self, seed: int, epoch: int) -> np.ndarray:
        order = self._order  # once, since several threads may read
        if order is None or order[:2] != (seed, epoch):
            random = np.random.default_rng(derive_seed(seed, "order", epoch))
            self._order = order = (seed, epoch, random.permutation(len(self.task.train_labels)))
        return order[2]

    def _cropped(
        self, images: PackedSplit, positions: np.ndarray, offsets: np.ndarray, mirrored: np.ndarray
    ) -> np.ndarray:
        """uint8 crops (n, crop, crop, 3), mirrored where `mirrored` says so."""
        crops = images.crops(positions, offsets, self.crop)
        # torch's flip of images in this layout is 7 times as fast as numpy's.
        flipped = torch.from_numpy(crops[mirrored]).permute(0, 3, 1, 2).flip(3)
        crops[mirrored] = flipped.permute(0, 2, 3, 1).numpy()
        return crops

    def _to_device(self, images: Tensor, places: Tensor, labels: Tensor) -> Batch:
        if self.device.type == "cuda":
            images, places, labels = (tensor.to(self.device, non_blocking=True) for tensor in (images, places, labels))
            floats = self._on_device(images, places)
        else:
            floats = self._on_cpu(images.numpy(), places.numpy())
        return floats.permute(0, 3, 1, 2), labels

    def _on_device(self, images: Tensor, places: Tensor) -> Tensor:
        return images.float().sub_(self._mean_crops[tuple(places)]).mul_(self.scale)

    def _on_cpu(self, images: np.ndarray, places: np.ndarray) -> Tensor:
        """As _on_device, but a few images at a time, indexed by numpy, which is 5 times as fast as torch there."""
        # numpy puts large arrays on huge pages; the first touch of torch's costs 5 times as long.
        floats = np.empty(images.shape, dtype=np.float32)
        step = max(1, CACHE_BYTES // (floats.itemsize * floats[:1].size or 1))
        for start in range(0, len(images), step):
            block, here = floats[start : start + step], places[:, start : start + step]
            block[:] = images[start : start + step]
            # The crop of a single large image is a view; those of many small ones are gathered.
            block -= self._numpy_mean_crops[tuple(here[:, 0] if step == 1 else here)]
            if self.scale != 1:
                block *= np.float32(self.scale)
        return torch.from_numpy(floats)


def read_ahead(reads: Iterator[Callable[[], Read]], readers: int) -> Iterator[Read]:
    """The results of `reads` in their order, `readers` of them computed in threads while the caller uses one."""
    if not readers:
        yield from (read() for read in reads)
        return
    with ThreadPoolExecutor(readers) as pool:
        waiting = deque(pool.submit(read) for read in islice(reads, readers))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(read) for read in islice(reads, 1))
            yield result
