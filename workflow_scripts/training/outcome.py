"""What a trained network leaves behind: its results, whether it diverged, and its weights."""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.special import betainc

from workflow_scripts.partition.task import Task
from workflow_scripts.study.columns import HELD_OUT, PER_CLASS, RATE, SCORE
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.settings import TrainingSettings, rate_label
from workflow_scripts.training.learner import Learner

BEST_READINGS = 10  # the paper's score is the mean of the ten best validation readings
ABOVE_CHANCE = 0.0027  # probability of three standard errors or more, for a score that chance seldom reaches
HALF_LEARNED = 0.05  # probability below which a score is too low for half of the way from chance to all right


def network_record(job: TrainingJob, learner: Learner, task: Task, settings: TrainingSettings) -> dict:
    """One network's results: its names, the paper's score, the last reading, divergence, all readings (JSON values).

    Of a staged network the score and divergence by chance are those of its last stage.
    """
    readings = [{key: _finite(value) for key, value in reading.items()} for reading in learner.readings]
    before = settings.last_iteration - settings.iterations
    last_stage = [reading for reading in readings if reading["iteration"] > before]
    best = sorted(last_stage, key=lambda reading: reading["top1"])[-BEST_READINGS:]
    majority = chance_accuracy(task.val_labels)
    cause = divergence(readings, before + settings.stuck_after, majority, len(task.val_labels))
    return {
        **job.network(learner.depth),
        "init": settings.init,
        RATE: rate_label(settings.learning_rate, settings.staged_learning_rate),
        "iterations": readings[-1]["iteration"],
        SCORE: float(np.mean([reading["top1"] for reading in best])),
        PER_CLASS: float(np.mean([reading[PER_CLASS] for reading in best])),
        HELD_OUT: held_out_score(last_stage),
        **{f"{key}_last": readings[-1][key] for key in ("top1", "top5", "loss")},
        "diverged": bool(cause),
        "diverged_cause": cause,
        **{"classes": task.classes, "train_images": len(task.train_labels), "val_images": len(task.val_labels)},
        "majority_share": majority,
        "weights_sha256": weights_sha256(learner.network),
        "readings": readings,
    }


def held_out_score(readings: Sequence[dict]) -> float | None:
    """The mean of the best readings of top-1 accuracy on held-out training images, None where there are none."""
    best = sorted(reading[HELD_OUT] for reading in readings if HELD_OUT in reading)[-BEST_READINGS:]
    return float(np.mean(best)) if best else None


def chance_accuracy(labels: np.ndarray) -> float:
    """The best accuracy without looking at the images: the share of the most frequent of `labels`."""
    return float(np.bincount(labels).max() / len(labels))


def divergence(readings: Sequence[dict], stuck_after: int, chance: float, images: int) -> str:
    """Why a network with these readings does not count as trained, or "".

    "loss": a loss was not a number (None). "chance": there are readings from iteration `stuck_after` on, and their mean
    top-1 accuracy on `images` images is that of `chance` (at_chance).
    """
    if any(reading["loss"] is None or reading["train_loss"] is None for reading in readings):
        return "loss"
    late = [reading["top1"] for reading in readings if reading["iteration"] >= stuck_after]
    return "chance" if late and at_chance(float(np.mean(late)), chance, images) else ""


def at_chance(accuracy: float, chance: float, images: int) -> bool:
    """Whether chance explains this accuracy on so many images, and half of the way from chance to all right does not.

    Both are tails of the binomial distribution, exact for few images too (Clopper and Pearson 1934). Where the images
    are too few to tell the two apart, nothing is said against the network.
    """
    right, half = accuracy * images, (1 + chance) / 2
    by_chance = float(betainc(right, images - right + 1, chance)) if right else 1.0  # so many right, or more
    if chance == 1 or by_chance <= ABOVE_CHANCE:
        return False
    return right < images and float(betainc(images - right, right + 1, 1 - half)) < HALF_LEARNED  # so many, or fewer


def weights_sha256(network: torch.nn.Module) -> str:
    """A hash of all weights and their names, equal if and only if the networks' bits are."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def saved_weights(learners: Sequence[Learner]) -> dict[str, torch.Tensor]:
    """The weights to keep: a base network's own state dict; for curves each name led by "depth<n>."."""
    named = {}
    for learner in learners:
        lead = f"depth{learner.depth}." if learner.depth else ""
        for name, tensor in learner.network.state_dict().items():
            named[lead + name] = tensor.cpu().contiguous()
    return named


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
