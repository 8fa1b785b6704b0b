"""How far training has moved the parameters of each unit."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from torch import Tensor

from workflow_scripts.network.networks import Network

CHUNK = 2**20  # numbers turned into float64 at a time


def unit_distances(network: Network, start: Mapping[str, Tensor], units: Iterable[int]) -> list[dict]:
    """How far each of `units` (their numbers, from 0) lies from where it began, the state dict `start`.

    An item has `unit_number` (from 1, as depths), `unit` (its name) and `distance`: |w - w0| / |w0|, where w and w0 are
    all parameters of the unit as one vector, biases and those of norms too, and | | is the Euclidean norm. Buffers, as
    running statistics, are no parameters. None where |w0| is 0 or the distance is not finite.
    """
    parameters = dict(network.named_parameters())
    return [
        {
            "unit_number": number + 1,
            "unit": network.names[number],
            "distance": _relative(
                [(parameters[name], start[name]) for name in network.tensors(number) if name in parameters]
            ),
        }
        for number in units
    ]


def _relative(pairs: Iterable[tuple[Tensor, Tensor]]) -> float | None:
    """The distance of parameters from where they began, the second of each of the pairs."""
    moved = began = 0.0
    for after, before in pairs:
        # numpy adds up in one order, whatever the number of threads.
        new, old = (one.detach().cpu().reshape(-1).numpy() for one in (after, before))
        for first in range(0, len(old), CHUNK):
            part = old[first : first + CHUNK].astype(np.float64)
            moved += float(np.square(new[first : first + CHUNK] - part).sum())
            began += float(np.square(part).sum())
    distance = math.sqrt(moved / began) if began else math.nan
    return distance if math.isfinite(distance) else None
