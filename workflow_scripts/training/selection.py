"""Which images a batch holds and how they are cropped and mirrored: pure functions of (seed, iteration)."""

from typing import NamedTuple

import numpy as np

from workflow_scripts.partition.task import Task
from workflow_scripts.study.seeds import derive_seed
from workflow_scripts.training.workers import Workers


class Selection(NamedTuple):
    """The images of a batch, or of a process's share of it."""

    positions: np.ndarray  # in the packed split, int64 (n,)
    labels: np.ndarray  # int64 (n,)
    offsets: np.ndarray  # of the crops' top left corners, int64 (n, 2)
    mirrored: np.ndarray  # bool (n,)


class Selector:
    """Selects the images of a task's batches, of each batch this process's share.

    `margin` is by how much images are larger than crops, in pixels.
    """

    def __init__(self, task: Task, margin: int, workers: Workers) -> None:
        self.task, self.margin, self.workers = task, margin, workers
        self._order: tuple[int, int, np.ndarray] | None = None

    def training(self, seed: int, batch_size: int, iteration: int) -> Selection:
        """The training images of batch `iteration` of the endless stream of `seed`.

        Every epoch has a new order, and crops and mirrors are random. A batch may span two epochs, as in Caffe.
        """
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
        return Selection(positions, labels, offsets[mine], mirrored[mine])

    def validation(self, batch_size: int, number: int) -> Selection:
        """The validation images of batch `number`, in order, centre crops; a share of the last batch may be empty."""
        return self.in_order(self.task.val_positions, self.task.val_labels, batch_size, number)

    def in_order(self, positions: np.ndarray, labels: np.ndarray, batch_size: int, number: int) -> Selection:
        """As validation, of the images at these positions in their packed split."""
        start, total = number * batch_size, len(labels)
        block = range(start, min(start + batch_size, total))[self.workers.share(min(batch_size, total - start)).rows]
        rows = slice(block.start, block.stop)
        offsets = np.full((len(labels[rows]), 2), self.margin // 2)
        return Selection(positions[rows], labels[rows], offsets, np.zeros(len(offsets), dtype=bool))

    def _epoch_order(self, seed: int, epoch: int) -> np.ndarray:
        order = self._order  # read once, since several threads may set it
        if order is None or order[:2] != (seed, epoch):
            random = np.random.default_rng(derive_seed(seed, "order", epoch))
            self._order = order = (seed, epoch, random.permutation(len(self.task.train_labels)))
        return order[2]
