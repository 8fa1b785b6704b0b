"""Learning-rate schedules as functions of the iteration."""

import math


def learning_rate_factor(schedule: dict, iteration: int, iterations: int) -> float:
    """What multiplies the base learning rate at `iteration` (from 0) of `iterations`.

    `schedule["kind"]` is "step" (times `gamma` every `step` iterations, the paper's) or "cosine" (linear warm-up over
    `warmup` iterations, then half a cosine to 0).
    """
    if schedule["kind"] == "step":
        return schedule["gamma"] ** (iteration // schedule["step"])
    warmup = schedule["warmup"]
    if iteration < warmup:
        return (iteration + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (iteration - warmup) / max(1, iterations - warmup)))
