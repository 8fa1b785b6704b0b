"""One network in training: its weights, optimiser, random numbers and validation readings are its own."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from workflow_scripts.network.networks import Network, Noise
from workflow_scripts.study.columns import HELD_OUT, PER_CLASS
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.seeds import derive_seed
from workflow_scripts.study.settings import TrainingSettings
from workflow_scripts.training.devices import autocast
from workflow_scripts.training.graphs import Graphs
from workflow_scripts.training.optimizer import Optimizer
from workflow_scripts.training.workers import Workers


class Learner:
    """A network that learns all units but its first `frozen`, which do not change and may be computed elsewhere."""

    def __init__(
        self,
        job: TrainingJob,
        depth: int,
        network: Network,
        settings: TrainingSettings,
        workers: Workers,
        graphs: Graphs,
    ) -> None:
        self.depth, self.network, self.settings, self.workers = depth, network, settings, workers
        self.graphs = graphs
        self.frozen = job.frozen_units(depth)
        network.freeze(self.frozen)
        self.dropout_seed = job.network_seed(depth, "dropout")
        self.noise = Noise(torch.Generator(settings.device), workers.share(settings.batch_size))
        self.readings: list[dict] = []
        self.loss_sum = torch.zeros((), device=settings.device)
        self._begin()

    def _begin(self) -> None:
        self.optimizer = Optimizer(self.network.parameter_groups(), self.settings)
        self._learn = self.graphs.captured(self._learn_from, self.noise.random)
        self._sums = self.graphs.captured(self._sums_of)

    def unfreeze(self) -> None:
        """Let all units learn from here on, with an optimiser that has no past."""
        self.frozen = 0
        self.network.freeze(0)
        self._begin()

    @property
    def failed(self) -> bool:
        """Whether the training loss has ceased to be a number, after which nothing can be learned."""
        return bool(self.readings) and not math.isfinite(self.readings[-1]["train_loss"])

    def step(self, iteration: int, inputs: Tensor, labels: Tensor, rate: float) -> None:
        """One iteration on this process's share of a batch."""
        self.noise.seed(derive_seed(self.dropout_seed, iteration))
        self.optimizer.set_rate(rate)
        self._learn(inputs, labels)

    def _learn_from(self, inputs: Tensor, labels: Tensor) -> None:
        with autocast(self.settings.precision, self.settings.device):
            scores = self.network(inputs, self.noise, self.frozen)
        loss = functional.cross_entropy(scores.float(), labels) * (len(labels) / self.noise.share.batch)
        loss.backward()
        loss = loss.detach()
        self.workers.add([loss, *self.optimizer.gradients])
        self.optimizer.step()
        self.loss_sum += loss

    def validation_sums(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Sums over a batch, without dropout (float64, on the device).

        They are how often the label is the best score, how often it is among the best five (of fewer classes: always),
        and the sum of the losses. Then, for each class, how often its images' label is the best score.
        """
        return self._sums(inputs, labels)

    @torch.no_grad()
    def _sums_of(self, inputs: Tensor, labels: Tensor) -> Tensor:
        with autocast(self.settings.precision, self.settings.device):
            scores = self.network(inputs, None, self.frozen)
        scores = scores.float()
        best = scores.topk(min(5, scores.shape[1])).indices == labels[:, None]
        loss = functional.cross_entropy(scores, labels, reduction="sum")
        # Sums of whole numbers are exact in any order.
        right = torch.zeros(scores.shape[1], dtype=torch.float64, device=scores.device)
        right.index_add_(0, labels, best[:, 0].double())
        return torch.cat([torch.stack([best[:, 0].sum(), best.sum(), loss]).double(), right])

    def add_reading(self, iteration: int, sums: Tensor, images: np.ndarray) -> None:
        """Add a reading at `iteration` from the validation_sums of all images, of which `images` has the number by
        class.

        It has the top-1 and top-5 accuracy (fractions), the top-1 accuracy averaged over classes, the mean loss, and
        the mean training loss since the last reading.
        """
        sums = sums.cpu().numpy()
        top1, top5, loss = (sums[:3] / images.sum()).tolist()
        by_class = class_mean(sums[3:], images)
        train_loss = self.loss_sum.item() / (iteration - self.last_iteration)
        if math.isfinite(train_loss):
            self.loss_sum.zero_()
        values = {"iteration": iteration, "top1": top1, PER_CLASS: by_class, "top5": top5, "loss": loss}
        self.readings.append(values | {"train_loss": train_loss})

    def add_held_out(self, sums: Tensor, images: int) -> None:
        """Add to the last reading the top-1 accuracy from the validation_sums of so many held-out images."""
        self.readings[-1][HELD_OUT] = sums[0].item() / images

    @property
    def last_iteration(self) -> int:
        """The iteration of the last reading, 0 where there is none."""
        return self.readings[-1]["iteration"] if self.readings else 0

    def state(self) -> dict:
        """All that a resumed run needs."""
        return {
            "weights": self.network.state_dict(),
            "optimizer": self.optimizer.state(),
            "readings": self.readings,
            "loss_sum": self.loss_sum,
        }

    def restore(self, state: dict) -> None:
        """Continue from what `state` returned."""
        self.network.load_state_dict(state["weights"])
        self.optimizer.restore(state["optimizer"])
        self.readings = state["readings"]
        self.loss_sum.copy_(state["loss_sum"])


def class_mean(right: np.ndarray, images: np.ndarray) -> float:
    """The mean over classes of right answers / images, from both by class. Classes without images are left out.

    Where all classes have equally many images it has the bits of the plain accuracy: classes of the same size are
    added up before the division.
    """
    by_size = np.bincount(images, weights=right)[1:]
    return float((by_size / (np.arange(1, len(by_size) + 1) * np.count_nonzero(images))).sum())
