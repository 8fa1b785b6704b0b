"""Step: how fast this machine trains a study's networks, measured on random images for a few seconds."""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

# Deterministic cuBLAS needs this before CUDA starts (PyTorch notes, "Reproducibility").
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import torch

from workflow_scripts import cli
from workflow_scripts.architectures import ARCHITECTURES
from workflow_scripts.costs import operations_per_image
from workflow_scripts.devices import device_name, keep_freed_memory, resolved_precision, set_deterministic
from workflow_scripts.learner import Learner
from workflow_scripts.networks import Network, initialise
from workflow_scripts.provenance import provenance
from workflow_scripts.seals import write_record
from workflow_scripts.settings import Curve, TrainingSettings
from workflow_scripts.train import take_gpus
from workflow_scripts.workers import Workers

CLASSES = 100
ROUNDS = 5
INDIFFERENT = {
    **{
        "init": "he",
        "input_scale": 1.0,
        "mean_image": "target",
        "iterations": 1,
        "validate_every": 1,
        "stuck_after": 1,
    },
    **{"learning_rate": 0.0, "schedule": {}, "momentum": 0.9, "weight_decay": 0.0},
}


def speed_settings(leaves: dict) -> TrainingSettings:
    """The settings of a training that costs what one with these leaves does; the others decide no time."""
    leaves = leaves | {"precision": resolved_precision(leaves["precision"], leaves["device"])}
    return TrainingSettings(**leaves, **INDIFFERENT)


def base_rate(settings: TrainingSettings, seconds: float) -> float:
    """Images a second that one base network learns from: the median of ROUNDS, `seconds` in all, after a warm-up."""
    network = Network(ARCHITECTURES[settings.architecture](), settings.crop, CLASSES)
    initialise(network, settings.init, 0)
    network.to(settings.device, memory_format=torch.channels_last)
    learner = Learner(Curve("whole", "whole", "whole", "base", 0, (0,)), 0, network, settings, Workers())
    random = torch.Generator().manual_seed(0)
    images = torch.randn(settings.batch_size, 3, settings.crop, settings.crop, generator=random)
    images = images.to(settings.device).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(CLASSES, (settings.batch_size,), generator=random).to(settings.device)
    _steps_in(learner, images, labels, seconds / ROUNDS)
    return statistics.median(_steps_in(learner, images, labels, seconds / ROUNDS) for _ in range(ROUNDS))


def _steps_in(learner: Learner, images: torch.Tensor, labels: torch.Tensor, seconds: float) -> float:
    """Images a second over at least `seconds` and one iteration."""
    started, done = time.perf_counter(), 0
    while not done or time.perf_counter() - started < seconds:
        learner.step(done, images, labels, 0.0)
        done += 1
        learner.loss_sum.item()  # waits for the device
    return done * len(labels) / (time.perf_counter() - started)


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="leaves of training as JSON")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--jobs-per-gpu", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    lease = take_gpus(args.settings["device"], Workers(), args.jobs_per_gpu)
    set_deterministic(args.threads)
    keep_freed_memory()
    settings = speed_settings(args.settings)
    rate = base_rate(settings, args.seconds)
    lease.release()
    found = {
        "images_per_second": round(rate, 1),
        "operations_per_second": round(rate * operations_per_image(args.settings, CLASSES), -6),
        **{"device": device_name(settings.device), "threads": args.threads},
    }
    print(json.dumps(found))
    write_record(args.output, found | {"provenance": provenance("calibrate", args.settings)})


if __name__ == "__main__":
    cli.run(main)
