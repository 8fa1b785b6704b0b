"""The accuracy of networks on the straight line between the weights of two (Neyshabur, Sedghi and Zhang 2020)."""

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workflow_scripts.network.networks import Network, Noise, Share
from workflow_scripts.network.norms import estimate_statistics
from workflow_scripts.partition.task import Task
from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.study.lines import ALL_UNITS, STATISTICS_IMAGES, share_column
from workflow_scripts.training.batches import Batches, input_view
from workflow_scripts.training.devices import autocast, resolved_precision

Weights = Mapping[str, Tensor]


def set_between(network: Network, first: Weights, second: Weights, share: float, units: range) -> None:
    """Give `network` the weights of `first`, but for `units` those at `share` of the way to `second`.

    `first` and `second` are state dicts of its architecture. At 0 and 1 the weights are theirs to the last bit. Buffers
    that are whole numbers are those of `first`.
    """
    moving = {name for number in units for name in network.tensors(number)}
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            between = name in moving and tensor.is_floating_point()
            tensor.copy_(torch.lerp(first[name], second[name], share) if between else first[name])


def line_rows(
    network: Network, first: Weights, second: Weights, steps: int, accuracy: Callable[[Network], float]
) -> Iterator[dict]:
    """The line of all units together, and of each unit with all others those of `first`: an item a line.

    It has `unit_number` (from 1; 0 of all), `unit`, and the `accuracy` of `network` at each of `steps` + 1 evenly
    spaced points, by share_column.
    """
    set_between(network, first, second, 0.0, range(0))
    start, count = accuracy(network), len(network.names)
    for number in range(count + 1):
        units = range(count) if number == 0 else range(number - 1, number)
        found = [start]
        for step in range(1, steps + 1):
            set_between(network, first, second, step / steps, units)
            found.append(accuracy(network))
        named = {"unit_number": number, "unit": ALL_UNITS if number == 0 else network.names[number - 1]}
        yield named | {share_column(step, steps): top1 for step, top1 in enumerate(found)}


class Accuracy:
    """Measures networks on a task's validation images, as in training."""

    def __init__(self, manifest: Path, task: Task, mean_image: np.ndarray, leaves: Mapping, threads: int) -> None:
        """`leaves` are study.leaves.job_leaves. Raises InputError where crops are larger than the packed images."""
        self.size, self.device = leaves["batch_size"], torch.device(leaves["device"])
        self.precision = resolved_precision(leaves["precision"], leaves["device"])
        train, val = PackedSplit(manifest, "train"), PackedSplit(manifest, "val")
        crop, given = leaves["crop"], (leaves.get("input_scale"), leaves.get("channels"))
        mean, scale = input_view(mean_image, train.image_size, crop, *given)
        readers = threads if self.device.type == "cuda" else 0
        self.batches = Batches(train, val, task, mean, crop, scale, self.device, readers)

    @torch.no_grad()
    def __call__(self, network: Network, seed: int) -> float:
        """The top-1 accuracy of `network`, whose norm statistics are estimated anew on training images first.

        Those between two networks' statistics belong to no network: without this, a line over norm layers has a barrier
        of its own making (Jordan et al. 2023). `seed` is that of the training images' order.
        """
        images = min(STATISTICS_IMAGES, len(self.batches.task.train_labels))
        with autocast(self.precision, self.device.type):
            if network.norms(network.frozen):
                noise = Noise(torch.Generator(self.device), Share(0, self.size, self.size))
                stream = self.batches.training(seed, self.size, 0, math.ceil(images / self.size))
                estimate_statistics(network, (batch for batch, _ in stream), noise)
            validation = self.batches.validation(self.size)
            right = sum((network(batch).argmax(1) == labels).sum() for batch, labels in validation)
        return int(right) / len(self.batches.task.val_labels)
