"""Step: linear classifiers on the features of each depth, and on those of all depths together.

Writes a JSON record with a row for each probe, and as safetensors the classifiers and which validation images each of
them gets right.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional

from workflow_scripts.features.feature_file import FeatureFile
from workflow_scripts.features.logistic import Probe, fit_probe
from workflow_scripts.partition.task import Task
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import atomic_path
from workflow_scripts.plumbing.progress import progress
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verified, Verifier, expect, write_record
from workflow_scripts.study.columns import PER_CLASS
from workflow_scripts.study.jobs import PROBE, TrainingJob
from workflow_scripts.training.devices import device_name, set_deterministic
from workflow_scripts.training.gpus import take_gpus
from workflow_scripts.training.learner import class_mean
from workflow_scripts.training.outcome import chance_accuracy
from workflow_scripts.training.workers import Workers

ALL_UNITS = "all units"  # of the probe on all depths together


def train_probes(
    features: FeatureFile, rows: np.ndarray, task: Task, depths: Sequence[int], device: str, seed: int
) -> Iterator[tuple[dict, dict[str, Tensor]]]:
    """For each of `depths` and, if there are several, for all together: what is said of the probe, and its tensors.

    `rows` are the training images of `task` among those of `features`. `seed` chooses the held-out training images.
    A probe on features that are no finite numbers has `diverged`, and no tensors.
    """
    train, val = (torch.from_numpy(labels).to(device) for labels in (task.train_labels, task.val_labels))
    groups = _groups(depths)
    for group in progress(groups, "probes", len(groups), "probes"):
        seen, unseen = (_joined(features, group, split, device) for split in ("train", "val"))
        seen = seen[torch.from_numpy(rows).to(device)]
        said = {"depth": group[0] if len(group) == 1 else None, "features": seen.shape[1]}
        if not (seen.isfinite().all() and unseen.isfinite().all()):
            yield said | {"diverged": True}, {}
            continue
        probe = fit_probe(seen, train, task.classes, seed)
        scores = probe.scores(unseen)
        fitted = {"penalty": probe.penalty, "held_out_top1": probe.held_out_top1, "iterations": probe.iterations}
        yield said | fitted | measured(scores, val, task) | {"diverged": False}, _tensors(probe, scores, val)


def _groups(depths: Sequence[int]) -> list[tuple[int, ...]]:
    return [*((depth,) for depth in depths), *([tuple(depths)] if len(depths) > 1 else [])]


def _joined(features: FeatureFile, depths: Sequence[int], split: str, device: str) -> Tensor:
    """The features of these depths side by side, float16."""
    blocks = [torch.from_numpy(np.array(features.of(depth, split))) for depth in depths]
    return torch.cat(blocks, dim=1).to(device)


def measured(scores: Tensor, labels: Tensor, task: Task) -> dict[str, float]:
    """How good `scores` (images, classes) are on validation images, as fractions, and their mean cross-entropy."""
    best = (scores.topk(min(5, scores.shape[1])).indices == labels[:, None]).cpu().numpy()
    right = np.bincount(task.val_labels[best[:, 0]], minlength=task.classes).astype(np.float64)
    return {
        "top1": float(best[:, 0].mean()),
        PER_CLASS: class_mean(right, task.counts("val")),
        "top5": float(best.any(axis=1).mean()),
        "loss": float(functional.cross_entropy(scores, labels)),
    }


def _tensors(probe: Probe, scores: Tensor, labels: Tensor) -> dict[str, Tensor]:
    tensors = {name: getattr(probe, name) for name in ("weight", "bias", "mean", "std")}
    tensors["right"] = (scores.argmax(1) == labels).to(torch.uint8)
    return {name: tensor.contiguous().cpu() for name, tensor in tensors.items()}


def rows_of(some: np.ndarray, every: np.ndarray, path: Verified) -> np.ndarray:
    """The places of the positions `some` among `every` (both sorted). Raises InputError naming `path` if one is not."""
    places = np.searchsorted(every, some)
    if places.max(initial=-1) >= len(every) or not np.array_equal(every[places], some):
        raise InputError(f"{path}: it has images without features. Delete the features and run snakemake again.")
    return places


def main() -> None:
    """Command line: see the module's docstring."""
    args = _arguments()
    job = TrainingJob(args.partition, args.seed, args.source, args.target, PROBE, depths=tuple(args.depths))
    check_inputs(job, args)
    lease = take_gpus(args.device, Workers(), args.jobs_per_gpu)
    set_deterministic(args.threads)
    task, features = Task.load(args.task), FeatureFile.open(args.features)
    rows = rows_of(task.train_positions, Task.load(args.features_task).train_positions, args.task)
    units = {unit["depth"]: unit for unit in args.features.record["units"]}
    found, tensors = [], {}
    for said, arrays in train_probes(features, rows, task, job.depths, args.device, job.held_out_seed()):
        depth = said["depth"]
        found.append(said | ({"unit": ALL_UNITS} if depth is None else _of_unit(units[depth])))
        tensors |= {f"{depth or 'all'}.{name}": tensor for name, tensor in arrays.items()}
    lease.release()
    with atomic_path(args.output) as temporary:
        safetensors.torch.save_file(tensors, temporary)
    record = {
        **{name: getattr(job, name) for name in ("partition", "seed", "source", "target")},
        **{"classes": task.classes, "majority_share": chance_accuracy(task.val_labels)},
        **{"train_images": len(task.train_labels), "val_images": len(task.val_labels)},
        "probes": found,
        "provenance": provenance("features.train_probes", {}) | {"device": device_name(args.device)},
    }
    write_record(args.record, record, [args.output], [args.features, args.task, args.features_task])


def _of_unit(unit: dict) -> dict:
    return {name: unit[name] for name in ("unit", "milliseconds")}


def check_inputs(job: TrainingJob, args: argparse.Namespace) -> None:
    """Raise InputError unless features and tasks are those of the command line."""
    of = job.of_features
    names = {"partition": of.partition, "source": job.source, "target": job.target}
    expect(args.features, args.features_task, **names)
    expect(args.features_task, **of.task_names)
    expect(args.task, **job.task_names)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    verified = Verifier().verified
    parser.add_argument("--features", type=verified, required=True, help="of the source network (.npy)")
    parser.add_argument("--features-task", type=verified, required=True, help="the task that they are of (.npz)")
    parser.add_argument("--task", type=verified, required=True, help="the target task, perhaps of drawn images (.npz)")
    for name in ("partition", "source", "target"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--depths", type=int, nargs="+", required=True)
    parser.add_argument("--device", choices=("cpu", "cuda"), required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--jobs-per-gpu", type=int, default=1, help="jobs that may share a GPU")
    parser.add_argument("--output", type=Path, required=True, help="the classifiers (.safetensors)")
    parser.add_argument("--record", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    cli.run(main)
