"""The training engine: all networks of a curve on one stream of batches, a frozen prefix computed once for all.

Each network's weights, loss, optimiser and random numbers are its own, so a network ends in the same bits alone or in
company. Random numbers are functions of (seed, iteration); a resume checkpoint therefore holds no generator states.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from workflow_scripts.architectures import ARCHITECTURES
from workflow_scripts.batches import Batches
from workflow_scripts.networks import Network, initialise
from workflow_scripts.schedules import learning_rate_factor
from workflow_scripts.seeds import derive_seed

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Curve:
    """The networks of one job: DESIGN's curve, or part of its depths. A base network has treatment "base", depth 0."""

    partition: str
    source: str
    target: str
    treatment: str
    seed: int
    depths: tuple[int, ...]

    def network_seed(self, depth: int, use: str) -> int:
        """The seed of one network's `use` ("init" or "dropout")."""
        names = (self.partition, self.source, self.target, self.treatment, depth)
        return derive_seed(self.seed, *names, use)

    def prefix_seed(self) -> int:
        """The seed of dropout in the frozen layers, which the curve's networks share."""
        return derive_seed(self.seed, self.partition, self.source, self.target, self.treatment, "prefix")

    def order_seed(self) -> int:
        """The seed of the batch stream, the same for every network on this target."""
        return derive_seed(self.seed, self.partition, self.target, "batches")


@dataclass(frozen=True)
class TrainingSettings:
    """The configuration leaves that decide a training; see schemas/config.schema.yaml."""

    architecture: str
    init: str
    crop: int
    input_scale: float
    mean_image: str
    batch_size: int
    iterations: int
    validate_every: int
    learning_rate: float
    schedule: dict
    momentum: float
    weight_decay: float
    device: str


class Learner:
    """One network in training: its weights, optimiser, random numbers and validation readings."""

    def __init__(self, curve: Curve, depth: int, network: Network, settings: TrainingSettings, first: int) -> None:
        """`first` is the number of leading layers that another computes (the frozen prefix) and that never change."""
        self.depth, self.network, self.first = depth, network, first
        learned = list(network.layers.values())[first:]
        for layer in list(network.layers.values())[:first]:
            layer.requires_grad_(False)
        groups = [
            {"params": [layer.weight for layer in learned], "weight_decay": settings.weight_decay, "rate_factor": 1},
            {"params": [layer.bias for layer in learned], "weight_decay": 0.0, "rate_factor": 2},
        ]
        self.optimiser = torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum, fused=True)
        self.dropout_seed = curve.network_seed(depth, "dropout")
        self.random = torch.Generator(settings.device)
        self.readings: list[dict] = []
        self.loss_sum = torch.zeros((), device=settings.device)

    def step(self, iteration: int, inputs: Tensor, labels: Tensor, rate: float) -> None:
        """One iteration of SGD on a batch; biases learn at twice the rate, without decay (the published solvers)."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["rate_factor"]
        self.random.manual_seed(derive_seed(self.dropout_seed, iteration))
        self.optimiser.zero_grad()
        loss = functional.cross_entropy(self.network(inputs, self.random, self.first), labels)
        loss.backward()
        self.optimiser.step()
        self.loss_sum += loss.detach()

    def state(self) -> dict:
        """All that a resumed run needs."""
        return {
            "weights": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "readings": self.readings,
            "loss_sum": self.loss_sum,
        }

    def restore(self, state: dict) -> None:
        """Continue from what `state` returned."""
        self.network.load_state_dict(state["weights"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.readings = state["readings"]
        self.loss_sum.copy_(state["loss_sum"])


class CurveTraining:
    """A curve's learners, their shared frozen prefix and stream of batches."""

    def __init__(self, curve: Curve, settings: TrainingSettings, batches: Batches, source: Weights | None) -> None:
        """`source` are the source network's weights; None for base networks and for source "random"."""
        self.curve, self.settings, self.batches = curve, settings, batches
        self.iteration, self.seconds = 0, 0.0
        # One untrained network for all depths of source "random", so that they share its first layers.
        source = self._random_weights() if curve.source == "random" else source
        self.learners = [self._learner(depth, source) for depth in curve.depths]
        # The deepest network's first layers are every network's first layers.
        frozen = max(self.learners, key=lambda learner: learner.first)
        self.prefix = list(frozen.network.layers.values())[: frozen.first]
        self.prefix_seed = curve.prefix_seed()
        self.random = torch.Generator(settings.device)

    def _initialised(self, seed: int) -> Network:
        settings = self.settings
        network = Network(ARCHITECTURES[settings.architecture](), settings.crop, self.batches.task.classes)
        initialise(network, settings.init, seed)
        return network

    def _random_weights(self) -> Weights:
        return self._initialised(derive_seed(self.curve.seed, self.curve.partition, "random", "init")).state_dict()

    def _learner(self, depth: int, source: Weights | None) -> Learner:
        settings, curve = self.settings, self.curve
        network = self._initialised(curve.network_seed(depth, "init"))
        if depth:
            network.copy_layers(source, depth)
        network.to(settings.device, memory_format=torch.channels_last)
        return Learner(curve, depth, network, settings, depth if curve.treatment == "frozen" else 0)

    def run(
        self, save: Callable[[dict], None], save_seconds: float, interrupted: Callable[[], bool], report: Callable
    ) -> bool:
        """Train to the end; True if it got there, False if `interrupted` said so (after a `save`).

        `save` is given the resumable state every `save_seconds`; `report(training)` is called at each iteration.
        """
        settings = self.settings
        saved = started = time.monotonic()
        before = self.seconds
        stream = self.batches.training(
            self.curve.order_seed(), settings.batch_size, self.iteration, settings.iterations
        )
        for images, labels in stream:
            self._step(images, labels)
            self.iteration += 1
            if self.iteration % settings.validate_every == 0 or self.iteration == settings.iterations:
                self._validate()
            self.seconds = before + time.monotonic() - started
            report(self)
            stop = interrupted() and self.iteration < settings.iterations
            if stop or time.monotonic() - saved > save_seconds:
                save(self.state())
                saved = time.monotonic()
            if stop:
                return False
        return True

    def _step(self, images: Tensor, labels: Tensor) -> None:
        self.random.manual_seed(derive_seed(self.prefix_seed, self.iteration))
        inputs = self._prefix_outputs(images, self.random)
        factor = learning_rate_factor(self.settings.schedule, self.iteration, self.settings.iterations)
        for learner in self.learners:
            learner.step(self.iteration, inputs[learner.first], labels, self.settings.learning_rate * factor)

    @torch.no_grad()
    def _prefix_outputs(self, images: Tensor, random: torch.Generator | None) -> list[Tensor]:
        """The inputs of each depth: the images, then the output of each frozen layer."""
        outputs = [images]
        for layer in self.prefix:
            outputs.append(layer(outputs[-1], random))
        return outputs

    @torch.no_grad()
    def _validate(self) -> None:
        """Add a reading to every learner: top-1, top-5 (fractions), mean loss; no dropout."""
        totals = [torch.zeros(3, dtype=torch.float64) for _ in self.learners]
        for images, labels in self.batches.validation(self.settings.batch_size):
            inputs = self._prefix_outputs(images, None)
            for learner, total in zip(self.learners, totals, strict=True):
                scores = learner.network(inputs[learner.first], None, learner.first)
                best = scores.topk(min(5, scores.shape[1])).indices == labels[:, None]
                loss = functional.cross_entropy(scores, labels, reduction="sum")
                total += torch.stack([best[:, 0].sum(), best.sum(), loss]).double().cpu()
        for learner, total in zip(self.learners, totals, strict=True):
            top1, top5, loss = (total / len(self.batches.task.val_labels)).tolist()
            last = learner.readings[-1]["iteration"] if learner.readings else 0
            train_loss = learner.loss_sum.item() / (self.iteration - last)
            learner.loss_sum.zero_()
            learner.readings.append(
                {"iteration": self.iteration, "top1": top1, "top5": top5, "loss": loss, "train_loss": train_loss}
            )

    def state(self) -> dict:
        """All that `restore` needs."""
        learners = {str(learner.depth): learner.state() for learner in self.learners}
        return {"iteration": self.iteration, "seconds": self.seconds, "learners": learners}

    def restore(self, state: dict) -> None:
        """Continue from what `state` returned."""
        self.iteration, self.seconds = state["iteration"], state["seconds"]
        for learner in self.learners:
            learner.restore(state["learners"][str(learner.depth)])


def set_deterministic(threads: int) -> None:
    """Make torch choose reproducible kernels, in full float32, with `threads` CPU threads.

    On CUDA the caller must set CUBLAS_WORKSPACE_CONFIG before the first use (see workflow_scripts.train).
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads such memory; filling costs 5 %
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
