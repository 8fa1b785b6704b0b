"""How fast this machine trains a study's networks, measured on random images."""

import statistics
import time
from collections.abc import Mapping

import torch

from workflow_scripts.cost.operations import operations_per_image
from workflow_scripts.network.build import new_network
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.settings import TrainingSettings
from workflow_scripts.training.devices import device_name, resolved_precision, set_deterministic
from workflow_scripts.training.graphs import Graphs
from workflow_scripts.training.learner import Learner
from workflow_scripts.training.workers import Workers

CLASSES = 100
ROUNDS = 5
INDIFFERENT = {
    **{
        "init": "he",
        "input": "mean_image",
        "iterations": 1,
        "validate_every": 1,
        "stuck_after": 1,
    },
    **{"learning_rate": 0.0, "schedule": {}, "momentum": 0.9, "weight_decay": 0.0, "optimizer": "sgd"},
    **{"norm_statistics": "source", "frozen_dropout": True},
}


def measured(leaves: Mapping, threads: int, seconds: float, cuda_graphs: bool = False) -> dict:
    """The speed of a base network's training with `leaves` (leaves.speed_leaves): images and floating-point operations
    a second, the device and the threads (JSON-serialisable). Must come before the first use of CUDA.
    """
    set_deterministic(threads)
    settings = speed_settings(leaves)
    rate = base_rate(settings, seconds, cuda_graphs)
    return {
        "images_per_second": round(rate, 1),
        "operations_per_second": round(rate * operations_per_image(leaves, CLASSES), -6),
        **{"device": device_name(settings.device), "threads": threads},
    }


def speed_settings(leaves: dict) -> TrainingSettings:
    """The settings of a training that takes as long as one with these leaves. Other leaves do not change its time."""
    leaves = leaves | {"precision": resolved_precision(leaves["precision"], leaves["device"])}
    return TrainingSettings(**leaves, **INDIFFERENT)


def base_rate(settings: TrainingSettings, seconds: float, cuda_graphs: bool) -> float:
    """Images a second that one base network learns from: the median of ROUNDS, `seconds` in all, after a warm-up.

    A GPU replays them from CUDA graphs, if they are wanted.
    """
    network = new_network(settings.architecture, settings.crop, CLASSES, settings.init, 0)
    network.to(settings.device, memory_format=torch.channels_last)
    if settings.compile:
        network.compile_units()
    graphs = Graphs(cuda_graphs and settings.device == "cuda")
    learner = Learner(TrainingJob.base("whole", 0, "whole"), 0, network, settings, Workers(), graphs)
    random = torch.Generator().manual_seed(0)
    images = torch.randn(settings.batch_size, 3, settings.crop, settings.crop, generator=random)
    images = images.to(settings.device).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(CLASSES, (settings.batch_size,), generator=random).to(settings.device)
    _steps_in(learner, images, labels, seconds / ROUNDS)
    return statistics.median(_steps_in(learner, images, labels, seconds / ROUNDS) for _ in range(ROUNDS))


def _steps_in(learner: Learner, images: torch.Tensor, labels: torch.Tensor, seconds: float) -> float:
    """Images a second over at least `seconds` and one iteration.

    A GPU is waited for after 1, 2, 4 and so on iterations, since a training waits for it only at readings.
    """
    started, done, together = time.perf_counter(), 0, 1
    while not done or time.perf_counter() - started < seconds:
        for iteration in range(done, done + together):
            learner.step(iteration, images, labels, 0.0)
        done += together
        learner.loss_sum.item()  # waits for the device
        if images.device.type == "cuda":
            together *= 2
    return done * len(labels) / (time.perf_counter() - started)
