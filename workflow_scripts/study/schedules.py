"""Lengths of training in iterations or epochs, and learning-rate schedules as functions of the iteration.

Light on purpose: the Snakefile calls this at parse time.
"""

import math

# Leaves of `training` and of its `schedule` that are lengths.
TRAINING_LENGTHS = ("duration", "validate_every", "stuck_after")
SCHEDULE_LENGTHS = ("step", "warmup")


def iterations_of(length: int | str, images: int, batch_size: int) -> int:
    """`length` in iterations: itself if it is a number, else "<n> epochs" of a task of `images` images.

    Epochs are rounded to the nearest iteration, but are at least one.
    """
    if isinstance(length, int):
        return length
    epochs = float(length.split()[0])
    return max(1, round(epochs * images / batch_size))


def doubled(length: int | str) -> int | str:
    """Twice a `length` in iterations or "<n> epochs"."""
    if isinstance(length, int):
        return 2 * length
    return f"{2 * float(length.split()[0])!r} epochs".replace(".0 ", " ")


def learning_rate_factor(schedule: dict, iteration: int, iterations: int) -> float:
    """The factor of the base learning rate at `iteration` (from 0) of `iterations`.

    `schedule["kind"]` is "step" (times `gamma` every `step` iterations, the paper's) or "cosine" (linear warm-up over
    `warmup` iterations, then half a cosine to 0). Lengths are in iterations.
    """
    if schedule["kind"] == "step":
        return schedule["gamma"] ** (iteration // schedule["step"])
    warmup = schedule["warmup"]
    if iteration < warmup:
        return (iteration + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (iteration - warmup) / max(1, iterations - warmup)))
