"""Features of every unit of a source network in one pass over a task's images, which are seen as by a frozen curve."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workflow_scripts.dataset.dataset import SPLITS
from workflow_scripts.features.feature_file import FeatureFile
from workflow_scripts.features.pooling import pool_features
from workflow_scripts.network.build import build_network, new_network
from workflow_scripts.network.networks import Network, Noise, Share, load_weights
from workflow_scripts.network.norms import estimate_statistics
from workflow_scripts.partition.task import Task
from workflow_scripts.plumbing.progress import progress
from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.study.jobs import RANDOM, TrainingJob
from workflow_scripts.training.batches import Batches, input_view
from workflow_scripts.training.devices import autocast, resolved_precision

LARGEST = 128.0  # of a unit's features of the first batch, as they are stored
LARGEST_HALF = 65504.0  # that float16 holds
TIMED = range(1, 9)  # batches whose time is measured: the first one warms up


@dataclass
class Pass:
    """One pass of a network's units over images: what runs it, and how long each unit took."""

    network: Network
    precision: str
    device: torch.device
    seconds: list[float] = field(default_factory=list)  # of each unit, for the timed images
    timed_images: int = 0

    @torch.no_grad()
    def outputs(self, images: Tensor, timed: bool = False) -> Iterator[Tensor]:
        """Each unit's output for a batch, but for the head's, in evaluation."""
        self.seconds = self.seconds or [0.0] * (len(self.network.names) - 1)
        self.timed_images += len(images) if timed else 0
        for number in range(len(self.seconds)):
            with autocast(self.precision, self.device.type), self._clock(number, timed):
                images = self.network.unit(number, images)
            yield images

    @contextmanager
    def _clock(self, number: int, timed: bool) -> Iterator[None]:
        before = self._now() if timed else 0.0
        yield
        if timed:
            self.seconds[number] += self._now() - before

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    @property
    def milliseconds(self) -> list[float]:
        """How long an image takes through the first unit, the first two, and so on."""
        return [1000 * float(total) / max(1, self.timed_images) for total in np.cumsum(self.seconds)]


class Images:
    """A task's images in order, centre crops, as a source's network sees them."""

    def __init__(self, manifest: Path, task: Task, mean_image: np.ndarray, leaves: Mapping, threads: int) -> None:
        """`leaves` are study.leaves.feature_leaves. Raises InputError where crops are larger than the packed images."""
        self.task, self.leaves, self.device = task, leaves, torch.device(leaves["device"])
        self.splits = {split: PackedSplit(manifest, split) for split in SPLITS}
        size = self.splits["train"].image_size
        mean, scale = input_view(mean_image, size, leaves["crop"], leaves.get("input_scale"), leaves.get("channels"))
        self._made = (mean, leaves["crop"], scale, self.device, threads if self.device.type == "cuda" else 0)
        self.numbers = {"train": len(task.train_labels), "val": len(task.val_labels)}

    def in_order(self, split: str) -> Iterator[Tensor]:
        """Batches of all images of a split, in the order of the task."""
        positions, labels = getattr(self.task, f"{split}_positions"), getattr(self.task, f"{split}_labels")
        task = replace(self.task, val_positions=positions, val_labels=labels)
        batches = Batches(self.splits["train"], self.splits[split], task, *self._made)
        count = math.ceil(len(labels) / self.leaves["batch_size"])
        stream = batches.validation(self.leaves["batch_size"])
        return (images for images, _ in progress(stream, f"features of {split} images", count, "batches"))

    def training(self, seed: int) -> Iterator[Tensor]:
        """One epoch of training batches, cropped and mirrored as in training."""
        batches = Batches(self.splits["train"], self.splits["val"], self.task, *self._made)
        size = self.leaves["batch_size"]
        stream = batches.training(seed, size, 0, math.ceil(len(self.task.train_labels) / size))
        return (images for images, _ in stream)


def source_network(job: TrainingJob, leaves: Mapping, images: Images, weights: Path | None) -> Network:
    """The network whose units a probe `job` reads, frozen below the head, on the device of `images`.

    `weights` is the source's file; None for source "random", whose units are those of its frozen curves.
    """
    made = leaves["architecture"], leaves["crop"], images.task.classes
    if job.source == RANDOM:
        network = new_network(*made, leaves["init"], job.random_source_seed())
    else:
        network = build_network(*made)
        network.copy_units(load_weights(weights), len(network.names) - 1)
    network.freeze(len(network.names) - 1)
    network.to(images.device, memory_format=torch.channels_last)
    if leaves["norm_statistics"] == "target" and network.norms(network.frozen):
        size = leaves["batch_size"]
        noise = Noise(torch.Generator(images.device), Share(0, size, size))
        with autocast(_precision(leaves), images.device.type):
            estimate_statistics(network, images.training(job.order_seed()), noise)
    return network


class FeatureWriter:
    """Writes a pass's features to a FeatureFile, batch by batch.

    A unit's features are multiplied by a power of two, which a probe's standardisation removes, so that float16 holds
    them. Those that are no finite numbers become NaN.
    """

    def __init__(self, path: Path, images: Mapping[str, int]) -> None:
        self.path, self.images = path, images
        self.file: FeatureFile | None = None
        self.scales: list[float] = []
        self.done = dict.fromkeys(images, 0)

    def add(self, split: str, features: Sequence[Tensor]) -> None:
        """Write the features of the next images of a split: a tensor (images, features) for each unit."""
        if self.file is None:
            self.scales = [_scale(one) for one in features]
            self.file = FeatureFile.create(self.path, [one.shape[1] for one in features], self.images)
        start, self.done[split] = self.done[split], self.done[split] + len(features[0])
        for depth, (one, scale) in enumerate(zip(features, self.scales, strict=True), start=1):
            kept = (one * scale).clamp(-LARGEST_HALF, LARGEST_HALF).masked_fill(~one.isfinite(), math.nan)
            self.file.of(depth, split)[start : self.done[split]] = kept.to(torch.float16).cpu().numpy()


def extract(network: Network, images: Images, path: Path) -> list[dict]:
    """Write the features of all units for all images to `path` (FeatureWriter), and return what its record says of each
    unit: `depth`, `unit`, the number of its `features`, and the `milliseconds` that an image takes to its end.
    """
    run, writer = Pass(network, _precision(images.leaves), images.device), FeatureWriter(path, images.numbers)
    one_batch = images.numbers["train"] <= images.leaves["batch_size"]
    for split in SPLITS:
        for number, batch in enumerate(images.in_order(split)):
            timed = split == "train" and (number in TIMED or one_batch)
            writer.add(split, [pool_features(output.float()) for output in run.outputs(batch, timed)])
    units = zip(network.names[:-1], run.milliseconds, strict=True)
    return [
        {
            "depth": depth,
            "unit": unit,
            "features": writer.file.of(depth, "train").shape[1],
            "milliseconds": round(ms, 4),
        }
        for depth, (unit, ms) in enumerate(units, start=1)
    ]


def _precision(leaves: Mapping) -> str:
    return resolved_precision(leaves["precision"], leaves["device"])


def _scale(features: Tensor) -> float:
    largest = float(features.abs().masked_fill(~features.isfinite(), 0).max())
    return 2.0 ** math.floor(math.log2(LARGEST / largest)) if largest else 1.0
