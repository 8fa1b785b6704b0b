"""Step: train a base network, or all networks of a curve (or part of its depths) in one process.

Writes a JSON record (one entry per network with its validation readings, and what made it) and, where asked, the
weights as safetensors. On SIGTERM, SIGINT and SIGHUP it saves a resume checkpoint beside the output and ends with
status 75 (try again). A rerun continues from the checkpoint and ends in the same bits.
"""

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import safetensors.torch

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import atomic_path
from workflow_scripts.plumbing.fingerprint import code_fingerprint
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verified, write_record
from workflow_scripts.study.jobs import PRETRAINED
from workflow_scripts.training.checkpoint import ResumeCheckpoint
from workflow_scripts.training.devices import device_name, keep_freed_memory
from workflow_scripts.training.engine import CurveTraining, open_training
from workflow_scripts.training.gpus import take_gpus
from workflow_scripts.training.inputs import (
    add_device_options,
    add_input_options,
    add_job_options,
    check_inputs,
    input_files,
    job_of,
)
from workflow_scripts.training.outcome import saved_weights
from workflow_scripts.training.progress import TensorBoardLog, TrainingProgress
from workflow_scripts.training.workers import join_workers

ENGINE = "training.engine"  # decides the numbers; this module only binds it to files
INTERRUPTED_STATUS = 75  # EX_TEMPFAIL of sysexits.h


def main() -> None:
    """Command line: see the module's docstring."""
    args = _arguments()
    job = job_of(args)
    check_inputs(job, args)
    workers = join_workers(args.settings["device"])
    lease = take_gpus(args.settings["device"], workers, args.jobs_per_gpu)
    keep_freed_memory()
    files = (args.manifest, args.task, args.source_task, args.source_weights)
    training = open_training(job, args.settings, *files, args.threads, workers, bool(args.cuda_graphs))
    checkpoint = ResumeCheckpoint(args.record, determinants(training, args.threads, input_files(args)))
    if state := checkpoint.load():
        training.restore(state)
    _train_or_exit(training, checkpoint, args)
    if workers.rank == 0:
        _write_outputs(training, args)
        checkpoint.delete()
    workers.leave()
    lease.release()


def determinants(training: CurveTraining, threads: int, inputs: list[Verified]) -> dict:
    """Everything that decides the job's bits, the key of its checkpoint (JSON-serialisable)."""
    return {
        "threads": threads if training.settings.device == "cpu" else None,
        "workers": training.workers.size,
        "fused_kernels": training.fused_kernels,
        "job": asdict(training.job),
        "settings": asdict(training.settings),
        "code": code_fingerprint(ENGINE),
        "inputs": [file.sha256 for file in inputs],
    }


def _train_or_exit(training: CurveTraining, checkpoint: ResumeCheckpoint, args: argparse.Namespace) -> None:
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # else it is meant for others, as under nohup
            signal.signal(number, lambda received, _: signals.append(received))
    workers, reports = training.workers, _reports(training, args.tensorboard)

    def report(training: CurveTraining) -> None:
        for one in reports:
            one(training)

    def save(state: dict) -> None:
        if workers.rank == 0:
            checkpoint.save(state)

    if not training.run(save, 60 * args.save_minutes, lambda: workers.any(bool(signals)), report):
        workers.leave()
        if workers.rank == 0:
            print(f"interrupted at iteration {training.iteration}; {checkpoint.path} is kept", file=sys.stderr)
        sys.exit(INTERRUPTED_STATUS)


def _reports(training: CurveTraining, tensorboard: str | None) -> list[Callable[[CurveTraining], None]]:
    """What reports the training's progress: only the first worker reports."""
    if training.workers.rank:
        return []
    job = training.job
    title = f"{job.partition} {job.source}->{job.target} {job.treatment} seed {job.seed}"
    return [TrainingProgress(training, title), *([TensorBoardLog(training, tensorboard)] if tensorboard else [])]


def _write_outputs(training: CurveTraining, args: argparse.Namespace) -> None:
    settings = training.settings
    weights = [args.weights] if args.weights else []
    for path in weights:
        with atomic_path(path) as temporary:
            safetensors.torch.save_file(saved_weights(training.learners), temporary)
    made_by = provenance(ENGINE, asdict(settings)) | {
        "device": device_name(settings.device),
        "threads": args.threads,
        "workers": training.workers.size,
        "cuda_graphs": training.graphs.used,
        "fused_kernels": training.fused_kernels,
        "seconds": round(training.seconds, 3),
        "images_per_second": round(settings.batch_size * settings.last_iteration / training.seconds, 1),
    }
    found = {"networks": training.network_records(), "leaves": args.settings, "provenance": made_by}
    write_record(args.record, found, weights, input_files(args))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_input_options(parser)
    add_job_options(parser)
    add_device_options(parser, "job_leaves")
    parser.add_argument("--cuda-graphs", type=int, choices=(0, 1), default=0, help="whether a GPU replays CUDA graphs")
    parser.add_argument("--save-minutes", type=float, default=10, help="time between resume checkpoints")
    parser.add_argument("--tensorboard", help="folder of TensorBoard event files; empty for none")
    parser.add_argument("--record", type=Path, required=True, help="what was found (.json)")
    parser.add_argument("--weights", type=Path, help="the weights, if they are kept (.safetensors)")
    args = parser.parse_args()
    if bool(args.source_task) != (bool(args.source_weights) and args.source != PRETRAINED):
        parser.error("--source-task and --source-weights go together, but for pretrained weights")
    return args


if __name__ == "__main__":
    cli.run(main)
