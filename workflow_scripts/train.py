"""Step: train a base network, or all networks of a curve (or part of its depths) in one process.

Writes a JSON record (one entry per network with its validation readings, and what made it) and, where asked, the
weights as safetensors. SIGTERM and SIGINT save a resume checkpoint beside the output and end with status 75 (try
again); a rerun continues from it and ends in the same bits.
"""

import argparse
import os
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path

# Deterministic cuBLAS needs this before CUDA starts (PyTorch notes, "Reproducibility").
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import safetensors.torch
import torch

from workflow_scripts import cli
from workflow_scripts.batches import ALONE, Batches
from workflow_scripts.checkpoint import ResumeCheckpoint, load_weights
from workflow_scripts.cli import InputError
from workflow_scripts.devices import check_device, device_name, keep_freed_memory, resolved_precision, set_deterministic
from workflow_scripts.files import atomic_path, sha256_file
from workflow_scripts.fingerprint import code_fingerprint
from workflow_scripts.gpu_lease import Lease, lease_gpus, visible_devices
from workflow_scripts.lineage import check_base, check_task
from workflow_scripts.progress import TensorBoardLog, TrainingProgress
from workflow_scripts.provenance import provenance
from workflow_scripts.records import network_record, saved_weights
from workflow_scripts.seals import verified, write_record
from workflow_scripts.settings import Curve, TrainingSettings, training_settings
from workflow_scripts.store import PackedSplit
from workflow_scripts.task import Task
from workflow_scripts.training import CurveTraining
from workflow_scripts.workers import Workers, join_workers

INTERRUPTED_STATUS = 75  # EX_TEMPFAIL of sysexits.h


def open_batches(
    manifest: Path,
    task: Task,
    source_task: Path | None,
    settings: TrainingSettings,
    readers: int = 0,
    workers: Workers = ALONE,
) -> Batches:
    """The batches of `task` with the mean image that `settings.mean_image` chooses."""
    use_source = source_task is not None and settings.mean_image == "source"
    mean = Task.load(source_task).mean_image if use_source else task.mean_image
    train, val = PackedSplit(manifest, "train"), PackedSplit(manifest, "val")
    if settings.crop > train.image_size:
        raise InputError(f"training.crop {settings.crop} is larger than store.image_size {train.image_size}")
    device = torch.device(settings.device)
    return Batches(train, val, task, mean, settings.crop, settings.input_scale, device, readers, workers)


def main() -> None:
    """Command line: see the module's docstring."""
    args = _arguments()
    check_inputs(args)
    workers = join_workers(args.settings["device"])
    threads = max(1, args.threads // workers.size)
    lease = take_gpus(args.settings["device"], workers, args.jobs_per_gpu)
    set_deterministic(threads)
    keep_freed_memory()
    task = Task.load(args.task)
    settings = training_settings(args.settings, len(task.train_labels))
    settings = replace(settings, precision=resolved_precision(settings.precision, settings.device))
    names = {name: getattr(args, name) for name in ("partition", "source", "target", "treatment", "seed", "preserve")}
    curve = Curve(depths=tuple(args.depths), **names)
    readers = threads if settings.device == "cuda" else 0
    batches = open_batches(args.manifest, task, args.source_task, settings, readers, workers)
    source = load_weights(args.source_weights) if args.source_weights else None
    training = CurveTraining(curve, settings, batches, source)

    determinants = {
        "threads": threads if settings.device == "cpu" else None,
        "workers": workers.size,
        "curve": asdict(curve),
        "settings": asdict(settings),
        "code": code_fingerprint("train"),
        "inputs": [sha256_file(path) for path in input_files(args)],
    }
    checkpoint = ResumeCheckpoint(args.output[0], determinants)
    if state := checkpoint.load():
        training.restore(state)
    _train_or_exit(training, checkpoint, args)
    if workers.rank == 0:
        _write_outputs(training, args)
        checkpoint.delete()
    workers.part()
    lease.release()


def input_files(args: argparse.Namespace) -> list[Path]:
    """The files that decide a training's bits."""
    return [path for path in (args.manifest, args.task, args.source_task, args.source_weights) if path]


def check_inputs(args: argparse.Namespace) -> None:
    """Raise InputError unless tasks and source network are what the command line says, and of this study."""
    check_task(args.task, args.manifest, args.partition, args.target)
    if args.source_weights:
        check_task(args.source_task, args.manifest, args.partition, args.source)
        check_base(args.source_weights, args.source_task, args.partition, args.seed, args.source, args.settings)


def take_gpus(device: str, workers: Workers, jobs_per_gpu: int) -> Lease:
    """Lease a GPU for each of the workers and make this process's own the current one; on a CPU there is nothing to do.

    The first worker leases for all, since workers that each waited for their own could wait for each other. Must come
    before the first use of CUDA.
    """
    if device != "cuda":
        return Lease([], [])
    leased = Lease([], [])
    if not (visible := visible_devices(os.environ)):
        check_device(device)
    if workers.rank == 0:
        leased = lease_gpus(visible, workers.size, jobs_per_gpu, os.environ)
    devices = workers.tell(leased.devices)
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(devices)
    check_device(device)
    torch.cuda.set_device(workers.rank)
    return leased


def _train_or_exit(training: CurveTraining, checkpoint: ResumeCheckpoint, args: argparse.Namespace) -> None:
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: signals.append(received))
    curve = training.curve
    title = f"{curve.partition} {curve.source}->{curve.target} {curve.treatment} seed {curve.seed}"
    workers, reports = training.workers, []
    if workers.rank == 0:
        reports.append(TrainingProgress(training, title))
        if args.tensorboard:
            reports.append(TensorBoardLog(training, args.tensorboard))

    def report(training: CurveTraining) -> None:
        for one in reports:
            one(training)

    def save(state: dict) -> None:
        if workers.rank == 0:
            checkpoint.save(state)

    if not training.run(save, 60 * args.save_minutes, lambda: workers.any(bool(signals)), report):
        workers.part()
        if workers.rank == 0:
            print(f"interrupted at iteration {training.iteration}; {checkpoint.path} is kept", file=sys.stderr)
        sys.exit(INTERRUPTED_STATUS)


def _write_outputs(training: CurveTraining, args: argparse.Namespace) -> None:
    settings = training.settings
    record, *weights = args.output
    for path in weights:
        with atomic_path(path) as temporary:
            safetensors.torch.save_file(saved_weights(training.learners), temporary)
    made_by = provenance("train", asdict(settings)) | {
        "device": device_name(settings.device),
        "threads": args.threads,
        "workers": training.workers.size,
        "seconds": round(training.seconds, 3),
        "images_per_second": round(settings.batch_size * settings.iterations / training.seconds, 1),
    }
    networks = [network_record(training.curve, one, training.batches.task, settings) for one in training.learners]
    found = {"networks": networks, "leaves": args.settings, "provenance": made_by}
    write_record(record, found, weights, input_files(args))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=verified, required=True, help="the packed store's manifest.json")
    parser.add_argument("--task", type=verified, required=True, help="the target task (.npz)")
    parser.add_argument("--source-task", type=verified, help="the source task, for its mean image")
    parser.add_argument("--source-weights", type=verified, help="the source's base network (.safetensors)")
    for name in ("partition", "source", "target", "treatment"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--depths", type=int, nargs="+", required=True)
    parser.add_argument("--preserve", type=int, default=0, help="layers above the frozen ones that are copied too")
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="configuration leaves as JSON")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--jobs-per-gpu", type=int, default=1, help="training jobs that may share a GPU")
    parser.add_argument("--save-minutes", type=float, default=10, help="time between resume checkpoints")
    parser.add_argument("--tensorboard", help="folder of TensorBoard event files; empty for none")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="record (.json) and, if kept, weights")
    args = parser.parse_args()
    if bool(args.source_task) != bool(args.source_weights):
        parser.error("--source-task and --source-weights go together")
    return args


if __name__ == "__main__":
    cli.run(main)
