"""One network in training: its weights, optimiser, random numbers and validation readings are its own."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from workflow_scripts.network.networks import Network, Noise
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.seeds import derive_seed
from workflow_scripts.study.settings import TrainingSettings
from workflow_scripts.training.devices import autocast
from workflow_scripts.training.optimizer import Optimizer
from workflow_scripts.training.workers import Workers


class Learner:
    """A network that learns all units but its first `frozen`, which never change and may be computed elsewhere."""

    def __init__(
        self, job: TrainingJob, depth: int, network: Network, settings: TrainingSettings, workers: Workers
    ) -> None:
        self.depth, self.network, self.settings, self.workers = depth, network, settings, workers
        self.frozen = job.frozen_units(depth)
        network.freeze(self.frozen)
        self.optimizer = Optimizer(network.parameter_groups(), settings)
        self.dropout_seed = job.network_seed(depth, "dropout")
        self.noise = Noise(torch.Generator(settings.device), workers.share(settings.batch_size))
        self.readings: list[dict] = []
        self.loss_sum = torch.zeros((), device=settings.device)

    @property
    def failed(self) -> bool:
        """Whether the training loss has ceased to be a number, after which nothing can be learned."""
        return bool(self.readings) and not math.isfinite(self.readings[-1]["train_loss"])

    def step(self, iteration: int, inputs: Tensor, labels: Tensor, rate: float) -> None:
        """One iteration on this process's share of a batch."""
        noise = self.noise.seed(derive_seed(self.dropout_seed, iteration))
        with autocast(self.settings.precision, self.settings.device):
            scores = self.network(inputs, noise, self.frozen)
        loss = functional.cross_entropy(scores.float(), labels) * (len(labels) / noise.share.batch)
        loss.backward()
        loss = loss.detach()
        self.workers.add([loss, *self.optimizer.gradients])
        self.optimizer.step(rate)
        self.loss_sum += loss

    def validation_sums(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Sums over a batch, without dropout (float64, on the device).

        They are how often the label is the best score, how often it is among the best five, and the sum of the losses.
        """
        with autocast(self.settings.precision, self.settings.device):
            scores = self.network(inputs, None, self.frozen)
        scores = scores.float()
        best = scores.topk(min(5, scores.shape[1])).indices == labels[:, None]
        loss = functional.cross_entropy(scores, labels, reduction="sum")
        return torch.stack([best[:, 0].sum(), best.sum(), loss]).double()

    def add_reading(self, iteration: int, sums: Tensor, images: int) -> None:
        """Add a reading at `iteration` from the validation_sums of all `images`.

        It has the top-1 and top-5 accuracy (fractions), the mean loss, and the mean training loss since the last
        reading.
        """
        top1, top5, loss = (sums / images).tolist()
        train_loss = self.loss_sum.item() / (iteration - self.last_iteration)
        if math.isfinite(train_loss):
            self.loss_sum.zero_()
        values = {"iteration": iteration, "top1": top1, "top5": top5, "loss": loss, "train_loss": train_loss}
        self.readings.append(values)

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
