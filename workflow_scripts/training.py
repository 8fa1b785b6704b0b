"""The training engine: all networks of a curve on one stream of batches, a frozen prefix computed once for all.

A network ends in the same bits alone or in company. Random numbers are functions of (seed, iteration); a resume
checkpoint therefore holds no generator states.
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from workflow_scripts.architectures import ARCHITECTURES
from workflow_scripts.batches import Batches
from workflow_scripts.devices import autocast
from workflow_scripts.learner import Learner
from workflow_scripts.networks import Network, initialise
from workflow_scripts.schedules import learning_rate_factor
from workflow_scripts.seeds import derive_seed
from workflow_scripts.settings import Curve, TrainingSettings

Weights = dict[str, Tensor]


class CurveTraining:
    """A curve's learners, their shared frozen prefix and stream of batches."""

    def __init__(self, curve: Curve, settings: TrainingSettings, batches: Batches, source: Weights | None) -> None:
        """`source` are the source network's weights; None for base networks and for source "random". The processes that
        share the `batches` train the same networks.
        """
        self.curve, self.settings, self.batches, self.workers = curve, settings, batches, batches.workers
        self.iteration, self.seconds = 0, 0.0
        # One untrained network for all depths of source "random", so that they share its first layers.
        source = self._initialised(curve.random_source_seed()).state_dict() if curve.source == "random" else source
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

    def _learner(self, depth: int, source: Weights | None) -> Learner:
        settings, curve = self.settings, self.curve
        network = self._initialised(curve.network_seed(depth, "init"))
        if depth:
            network.copy_layers(source, depth + curve.preserve)
        network.to(settings.device, memory_format=torch.channels_last)
        if settings.compile:
            network.compile_layers()
        return Learner(curve, depth, network, settings, self.workers)

    def run(
        self, save: Callable[[dict], None], save_seconds: float, interrupted: Callable[[], bool], report: Callable
    ) -> bool:
        """Train to the end; True if it got there, False if `interrupted` said so (after a `save`).

        `save` is given the resumable state every `save_seconds`; `report(training)` is called after each iteration and
        each reading. `interrupted` is asked after each iteration and each batch of validation images.
        """
        saved = started = time.monotonic()
        before = self.seconds
        settings = self.settings
        stream = self.batches.training(
            self.curve.order_seed(), settings.batch_size, self.iteration, settings.iterations
        )
        while not self.finished:
            if self._reading_is_due():
                self._validate(interrupted)
            else:
                self._step(*next(stream))
            self.seconds = before + time.monotonic() - started
            report(self)
            stop = interrupted() and not self.finished
            if stop or time.monotonic() - saved > save_seconds:
                save(self.state())
                saved = time.monotonic()
            if stop:
                return False
        return True

    @property
    def finished(self) -> bool:
        """Whether all iterations are done and the last reading is taken."""
        return self.iteration == self.settings.iterations and not self._reading_is_due()

    def _reading_is_due(self) -> bool:
        on_schedule = self.iteration % self.settings.validate_every == 0 or self.iteration == self.settings.iterations
        return on_schedule and self.learners[0].last_iteration < self.iteration

    def _step(self, images: Tensor, labels: Tensor) -> None:
        if self.prefix:
            self.random.manual_seed(derive_seed(self.prefix_seed, self.iteration))
        inputs = self._prefix_outputs(images, self.random)
        factor = learning_rate_factor(self.settings.schedule, self.iteration, self.settings.iterations)
        for learner in self.learners:
            if not learner.failed:
                learner.step(self.iteration, inputs[learner.first], labels, self.settings.learning_rate * factor)
        self.iteration += 1

    @torch.no_grad()
    def _prefix_outputs(self, images: Tensor, random: torch.Generator | None) -> list[Tensor]:
        """The inputs of each depth: the images, then each frozen layer's output (with dropout, given `random`)."""
        outputs = [images]
        with autocast(self.settings.precision, self.settings.device):
            for layer in self.prefix:
                share = self.workers.share(self.settings.batch_size)
                mask = None if random is None else layer.dropout_mask(share, random)
                outputs.append(layer(outputs[-1], mask))
        return outputs

    @torch.no_grad()
    def _validate(self, interrupted: Callable[[], bool]) -> None:
        """Add a reading to every learner, or none if `interrupted` says so on the way."""
        sums = [torch.zeros(3, dtype=torch.float64, device=self.settings.device) for _ in self.learners]
        for images, labels in self.batches.validation(self.settings.batch_size):
            inputs = self._prefix_outputs(images, None)
            for learner, total in zip(self.learners, sums, strict=True):
                total += learner.validation_sums(inputs[learner.first], labels)
            if interrupted():
                return
        self.workers.add(sums)
        for learner, total in zip(self.learners, sums, strict=True):
            learner.add_reading(self.iteration, total, len(self.batches.task.val_labels))

    def state(self) -> dict:
        """All that `restore` needs."""
        learners = {str(learner.depth): learner.state() for learner in self.learners}
        return {"iteration": self.iteration, "seconds": self.seconds, "learners": learners}

    def restore(self, state: dict) -> None:
        """Continue from what `state` returned."""
        self.iteration, self.seconds = state["iteration"], state["seconds"]
        for learner in self.learners:
            learner.restore(state["learners"][str(learner.depth)])
