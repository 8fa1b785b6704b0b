"""Step: train a base network, or all networks of a curve (or part of its depths) in one process.

Writes a JSON record (one entry per network with its validation readings, and what made it) and, where asked, the
weights as safetensors. SIGTERM and SIGINT save a resume checkpoint beside the output and end with status 75 (try
again); a rerun continues from it and ends in the same bits.
"""

import argparse
import hashlib
import math
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

# Deterministic cuBLAS needs this before CUDA starts (PyTorch notes, "Reproducibility").
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import safetensors.torch
import torch

from workflow_scripts import cli
from workflow_scripts.batches import Batches
from workflow_scripts.checkpoint import ResumeCheckpoint
from workflow_scripts.cli import InputError
from workflow_scripts.files import atomic_path, sha256_file, write_json
from workflow_scripts.fingerprint import code_fingerprint
from workflow_scripts.progress import TrainingProgress
from workflow_scripts.provenance import provenance
from workflow_scripts.store import PackedSplit
from workflow_scripts.task import Task
from workflow_scripts.training import Curve, CurveTraining, Learner, TrainingSettings, Weights, set_deterministic

INTERRUPTED_STATUS = 75  # EX_TEMPFAIL of sysexits.h
BEST_READINGS = 10  # the paper's score is the mean of the ten best validation readings


def open_batches(manifest: Path, task: Path, source_task: Path | None, settings: TrainingSettings) -> Batches:
    """The batches of `task` with the mean image that `settings.mean_image` chooses."""
    own = Task.load(task)
    use_source = source_task is not None and settings.mean_image == "source"
    mean = Task.load(source_task).mean_image if use_source else own.mean_image
    train, val = PackedSplit(manifest, "train"), PackedSplit(manifest, "val")
    if settings.crop > train.image_size:
        raise InputError(f"training.crop {settings.crop} is larger than store.image_size {train.image_size}")
    return Batches(train, val, own, mean, settings.crop, settings.input_scale, torch.device(settings.device))


def weights_sha256(network: torch.nn.Module) -> str:
    """A hash of all weights and their names, equal if and only if the networks' bits are."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def network_record(learner: Learner, iterations: int) -> dict:
    """One network's results: the paper's score, the last reading, all readings (None where not finite)."""
    readings = [{key: _finite(value) for key, value in reading.items()} for reading in learner.readings]
    best = np.sort([reading["top1"] for reading in readings])[-BEST_READINGS:]
    diverged = any(reading["loss"] is None or reading["train_loss"] is None for reading in readings)
    return {
        "depth": learner.depth,
        "iterations": iterations,
        "top1_best10_mean": float(best.mean()),
        **{f"{key}_last": readings[-1][key] for key in ("top1", "top5", "loss")},
        "diverged": diverged,
        "weights_sha256": weights_sha256(learner.network),
        "readings": readings,
    }


def saved_weights(learners: Sequence[Learner]) -> Weights:
    """The weights to keep: a base network's own state dict; for curves each name led by "depth<n>."."""
    named = {}
    for learner in learners:
        lead = f"depth{learner.depth}." if learner.depth else ""
        for name, tensor in learner.network.state_dict().items():
            named[lead + name] = tensor.cpu().contiguous()
    return named


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def main() -> None:
    """Command line: see the module's docstring."""
    args = _arguments()
    settings = TrainingSettings(**args.settings)
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise InputError("training.device is cuda, but torch finds no CUDA device here; set it to cpu")
    set_deterministic(args.threads)
    depths = tuple(args.depths)
    curve = Curve(args.partition, args.source, args.target, args.treatment, args.seed, depths)
    batches = open_batches(args.manifest, args.task, args.source_task, settings)
    source = safetensors.torch.load_file(args.source_weights) if args.source_weights else None
    training = CurveTraining(curve, settings, batches, source)

    inputs = [args.manifest, args.task, args.source_task, args.source_weights]
    determinants = {
        "threads": args.threads if settings.device == "cpu" else None,
        "curve": asdict(curve),
        "settings": asdict(settings),
        "code": code_fingerprint("train"),
        "inputs": [sha256_file(path) for path in inputs if path],
    }
    checkpoint = ResumeCheckpoint(args.output[0], determinants)
    if state := checkpoint.load():
        training.restore(state)
    _train_or_exit(training, checkpoint, args)
    _write_outputs(training, args)
    checkpoint.delete()


def _train_or_exit(training: CurveTraining, checkpoint: ResumeCheckpoint, args: argparse.Namespace) -> None:
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: signals.append(received))
    curve = training.curve
    title = f"{curve.partition} {curve.source}->{curve.target} {curve.treatment} seed {curve.seed}"
    progress = TrainingProgress(training, title)
    if not training.run(checkpoint.save, 60 * args.save_minutes, lambda: bool(signals), progress):
        print(f"interrupted at iteration {training.iteration}; {checkpoint.path} is kept", file=sys.stderr)
        sys.exit(INTERRUPTED_STATUS)


def _write_outputs(training: CurveTraining, args: argparse.Namespace) -> None:
    curve, settings, task = training.curve, training.settings, training.batches.task
    record, *weights = args.output
    for path in weights:
        with atomic_path(path) as temporary:
            safetensors.torch.save_file(saved_weights(training.learners), temporary)
    device = torch.cuda.get_device_name() if settings.device == "cuda" else "cpu"
    made_by = provenance("train", asdict(settings)) | {
        "device": device,
        "threads": args.threads,
        "seconds": round(training.seconds, 3),
        "images_per_second": round(settings.batch_size * settings.iterations / training.seconds, 1),
    }
    names = {key: value for key, value in asdict(curve).items() if key != "depths"}
    counts = {"classes": task.classes, "train_images": len(task.train_labels), "val_images": len(task.val_labels)}
    networks = [names | network_record(learner, training.iteration) | counts for learner in training.learners]
    write_json(record, {"networks": networks, "provenance": made_by})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="the packed store's manifest.json")
    parser.add_argument("--task", type=Path, required=True, help="the target task (.npz)")
    parser.add_argument("--source-task", type=Path, help="the source task, for its mean image")
    parser.add_argument("--source-weights", type=Path, help="the source's base network (.safetensors)")
    for name in ("partition", "source", "target", "treatment"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--depths", type=int, nargs="+", required=True)
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="TrainingSettings as JSON")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save-minutes", type=float, default=10, help="time between resume checkpoints")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="record (.json) and, if kept, weights")
    return parser.parse_args()


if __name__ == "__main__":
    cli.run(main)
