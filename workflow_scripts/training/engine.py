"""The training engine: all networks of a curve on one stream of batches, a frozen prefix computed once for all.

A network ends in the same bits alone or in company. Random numbers are functions of (seed, iteration); a resume
checkpoint therefore holds no generator states.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from workflow_scripts.network.build import new_network
from workflow_scripts.network.gpu_kernels import fused_kernels_run
from workflow_scripts.network.networks import CaffeNet, Network, Noise, load_weights
from workflow_scripts.network.norms import copy_statistics, estimate_statistics
from workflow_scripts.partition.task import Task
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.study.jobs import RANDOM, TrainingJob
from workflow_scripts.study.seeds import derive_seed
from workflow_scripts.study.settings import TrainingSettings, training_settings
from workflow_scripts.training.batches import ALONE, Batch, Batches, input_view, subtracted_mean
from workflow_scripts.training.devices import autocast, resolved_precision, set_deterministic
from workflow_scripts.training.distance import unit_distances
from workflow_scripts.training.graphs import Graphs
from workflow_scripts.training.learner import Learner
from workflow_scripts.training.outcome import network_record
from workflow_scripts.training.workers import Workers

Weights = dict[str, Tensor]


class CurveTraining:
    """A curve's learners, their shared frozen prefix and stream of batches."""

    def __init__(
        self,
        job: TrainingJob,
        settings: TrainingSettings,
        batches: Batches,
        source: Weights | None,
        cuda_graphs: bool = False,
    ) -> None:
        """`source` are the source network's weights; None for base networks and for source "random".

        The processes that share the `batches` train the same networks. One process alone on a GPU replays iterations
        from CUDA graphs, if they are wanted.
        """
        self.job, self.settings, self.batches, self.workers = job, settings, batches, batches.workers
        self.iteration, self.seconds = 0, 0.0
        self.graphs = Graphs(cuda_graphs and settings.device == "cuda" and self.workers.size == 1)
        # One untrained network for all depths of source "random", so that they share its first layers.
        self.source = self._initialised(job.random_source_seed()).state_dict() if job.source == RANDOM else source
        self.learners = [self._learner(depth) for depth in job.depths]
        # The deepest network's first units are every network's first units.
        self.deepest = max(self.learners, key=lambda learner: learner.frozen)
        self.prefix_seed = job.prefix_seed()
        self.noise = Noise(torch.Generator(settings.device), self.workers.share(settings.batch_size))
        training, validation = (partial(self._prefix_outputs, noise=noise) for noise in (self.noise, None))
        self._training_inputs = self.graphs.captured(training, self.noise.random)
        self._validation_inputs = self.graphs.captured(validation)

    def _initialised(self, seed: int) -> Network:
        settings = self.settings
        return new_network(settings.architecture, settings.crop, self.batches.task.classes, settings.init, seed)

    def _learner(self, depth: int) -> Learner:
        settings, job = self.settings, self.job
        network = self._initialised(job.network_seed(depth, "init"))
        self._refuse_several_statistics(network)
        if depth:
            network.copy_units(self.source, depth + job.preserve)
        network.to(settings.device, memory_format=torch.channels_last)
        if settings.compile:
            network.compile_units()
        network.frozen_dropout = settings.frozen_dropout
        network.frozen_batch_statistics = settings.norm_statistics == "batch"
        return Learner(job, depth, network, settings, self.workers, self.graphs)

    def _refuse_several_statistics(self, network: Network) -> None:
        if self.workers.size > 1 and network.norms(len(network.names)):
            raise InputError(
                f"running.gpus_per_job: must be 1 for {self.settings.architecture}, since each GPU would have batch "
                "statistics of its own. Lower it."
            )

    def run(
        self, save: Callable[[dict], None], save_seconds: float, interrupted: Callable[[], bool], report: Callable
    ) -> bool:
        """Train to the end; True if it got there, False if `interrupted` said so (after a `save`).

        `save` is given the resumable state every `save_seconds`; `report(training)` is called after each iteration and
        each reading. `interrupted` is asked after each iteration and each batch of validation images.
        """
        saved = started = time.monotonic()
        if self.iteration == 0 and self.settings.norm_statistics == "target":
            self._estimate_statistics()
        before = self.seconds
        settings = self.settings
        stream = self.batches.training(
            self.job.order_seed(), settings.batch_size, self.iteration, settings.last_iteration
        )
        while not self.finished:
            if self._reading_is_due():
                self._validate(interrupted)
            else:
                if self.iteration == settings.iterations:  # of staged networks
                    self._unfreeze()
                self._step(*next(stream))
            self.seconds = before + time.monotonic() - started
            report(self)
            stop = interrupted() and not self.finished
            if stop or time.monotonic() - saved > save_seconds:
                save(self.state())
                saved = time.monotonic()
            if stop:
                return False
        self._share_statistics()
        return True

    def _estimate_statistics(self) -> None:
        """Set the frozen norms' statistics from one epoch of the target's training batches."""
        network, settings = self.deepest.network, self.settings
        count = math.ceil(len(self.batches.task.train_labels) / settings.batch_size)
        images = (images for images, _ in self.batches.training(self.job.order_seed(), settings.batch_size, 0, count))
        if network.norms(network.frozen):
            with autocast(settings.precision, settings.device):
                estimate_statistics(network, images, self.noise)

    def _share_statistics(self) -> None:
        """Give each network the statistics of the prefix that was computed for it."""
        for learner in self.learners:
            if learner is not self.deepest and self.deepest.frozen and self.settings.norm_statistics != "source":
                copy_statistics(self.deepest.network, learner.network)

    def _unfreeze(self) -> None:
        """Begin the second stage of staged networks: all units learn."""
        self._share_statistics()
        for learner in self.learners:
            learner.unfreeze()

    @property
    def finished(self) -> bool:
        """Whether all iterations are done and the last reading is taken."""
        return self.iteration == self.settings.last_iteration and not self._reading_is_due()

    @property
    def fused_kernels(self) -> bool:
        """Whether kernels of our own compute part of the networks (gpu_kernels.fuses), with a rounding of their own."""
        settings = self.settings
        asked = isinstance(self.learners[0].network, CaffeNet) and settings.precision == "bf16"
        return asked and not settings.compile and fused_kernels_run(settings.device)

    def _reading_is_due(self) -> bool:
        within = self.iteration % self.settings.iterations  # a stage, which ends with a reading
        on_schedule = within % self.settings.validate_every == 0
        return on_schedule and self.learners[0].last_iteration < self.iteration

    def _step(self, images: Tensor, labels: Tensor) -> None:
        images, labels = self.graphs.held(images, labels)
        self.noise.seed(derive_seed(self.prefix_seed, self.iteration))
        inputs = self._training_inputs(images) if self.deepest.frozen else [images]
        rate = self.settings.rate(self.iteration)
        for learner in self.learners:
            if not learner.failed:
                learner.step(self.iteration, inputs[learner.frozen], labels, rate)
        self.iteration += 1

    @torch.no_grad()
    def _prefix_outputs(self, images: Tensor, noise: Noise | None) -> list[Tensor]:
        """The inputs of each depth: the images, then each frozen unit's output (in training, given `noise`)."""
        outputs = [images]
        with autocast(self.settings.precision, self.settings.device):
            for number in range(self.deepest.frozen):
                outputs.append(self.deepest.network.unit(number, outputs[-1], noise))
        return outputs

    def _validate(self, interrupted: Callable[[], bool]) -> None:
        """Add a reading to every learner, or none if `interrupted` says so on the way."""
        task, size = self.batches.task, self.settings.batch_size
        sums = self._sums(self.batches.validation(size), interrupted)
        held_out = sums and self._sums(self.batches.held_out(size), interrupted)
        if held_out is None:
            return
        for place, learner in enumerate(self.learners):
            learner.add_reading(self.iteration, sums[place], task.counts("val"))
            if images := len(task.held_out_labels):
                learner.add_held_out(held_out[place], images)

    @torch.no_grad()
    def _sums(self, batches: Iterator[Batch], interrupted: Callable[[], bool]) -> list[Tensor] | None:
        """Each learner's validation_sums over `batches`, or None if `interrupted` says so on the way."""
        size = 3 + self.batches.task.classes  # of Learner.validation_sums
        sums = [torch.zeros(size, dtype=torch.float64, device=self.settings.device) for _ in self.learners]
        for batch in batches:
            images, labels = self.graphs.held(*batch)
            inputs = self._validation_inputs(images) if self.deepest.frozen else [images]
            for learner, total in zip(self.learners, sums, strict=True):
                total += learner.validation_sums(inputs[learner.frozen], labels)
            if interrupted():
                return None
        self.workers.add(sums)
        return sums

    def state(self) -> dict:
        """All that `restore` needs."""
        self._share_statistics()
        learners = {str(learner.depth): learner.state() for learner in self.learners}
        return {"iteration": self.iteration, "seconds": self.seconds, "learners": learners}

    def restore(self, state: dict) -> None:
        """Continue from what `state` returned."""
        self.iteration, self.seconds = state["iteration"], state["seconds"]
        if self.settings.stages > 1 and self.iteration > self.settings.iterations:
            self._unfreeze()
        for learner in self.learners:
            learner.restore(state["learners"][str(learner.depth)])

    def network_records(self) -> list[dict]:
        """The results of each network (outcome.network_record), with `distances` of units (distance.unit_distances).

        They are of the copied units that learn, from the source's, and of a base network's units but the head, from
        their initial weights. Diverged networks have none.
        """
        records = [network_record(self.job, one, self.batches.task, self.settings) for one in self.learners]
        return [
            record | {"distances": [] if record["diverged"] else self._distances(learner)}
            for record, learner in zip(records, self.learners, strict=True)
        ]

    def _distances(self, learner: Learner) -> list[dict]:
        depth, network = learner.depth, learner.network
        if depth:
            return unit_distances(network, self.source, range(learner.frozen, depth + self.job.preserve))
        initial = self._initialised(self.job.network_seed(depth, "init")).state_dict()
        return unit_distances(network, initial, range(len(network.names) - 1))


def open_training(
    job: TrainingJob,
    leaves: Mapping,
    manifest: Path,
    task: Path,
    source_task: Path | None = None,
    source_weights: Path | None = None,
    threads: int = 1,
    workers: Workers = ALONE,
    cuda_graphs: bool = False,
) -> CurveTraining:
    """The training of `job` with the configuration's `leaves` (study.leaves.job_leaves), at its beginning.

    `manifest`, `task`, `source_task` and `source_weights` are files. The `workers` share the CPU `threads`, which read
    batches ahead where the device is a GPU. `cuda_graphs` is CurveTraining's. Must come before the first use of CUDA.
    Raises InputError where crops are larger than the packed images.
    """
    threads = max(1, threads // workers.size)
    set_deterministic(threads)
    target = Task.load(task)
    if share := leaves.get("held_out_share"):
        target = target.without(share, job.held_out_seed())
    settings = training_settings(leaves, len(target.train_labels))
    settings = replace(settings, precision=resolved_precision(settings.precision, settings.device))
    mean = subtracted_mean(target, source_task, settings.mean_image)
    train, val = PackedSplit(manifest, "train"), PackedSplit(manifest, "val")
    mean, scale = input_view(mean, train.image_size, settings.crop, settings.input_scale, settings.channels)
    device = torch.device(settings.device)
    readers = threads if device.type == "cuda" else 0
    batches = Batches(train, val, target, mean, settings.crop, scale, device, readers, workers)
    weights = load_weights(source_weights) if source_weights else None
    return CurveTraining(job, settings, batches, weights, cuda_graphs)
