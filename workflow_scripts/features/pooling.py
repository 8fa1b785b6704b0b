"""From a unit's outputs to a vector of at most MOST_FEATURES numbers an image, for linear probes."""

import math

import torch
from torch import Tensor
from torch.nn import functional

MOST_FEATURES = 4096
GRID_FEATURES = 1024  # a map of few channels is averaged to a grid of at most so many numbers
GRIDS = (8, 4, 2)  # sides, before 1


def pool_features(outputs: Tensor) -> Tensor:
    """Features (images, at most MOST_FEATURES), float32, of a unit's outputs for square images.

    Maps (images, channels, side, side), or channels last as in Swin, are averaged to a grid: the largest side of GRIDS
    with channels * side**2 <= GRID_FEATURES, and no larger than the map's, or else to one number a channel. Of tokens
    (images, tokens, channels), the class token stands before the mean of those that make a square; see _pooled_tokens.
    Vectors (images, features) stay. Where this leaves more than MOST_FEATURES numbers, neighbours are averaged. Raises
    ValueError for outputs of any other number of dimensions.
    """
    if outputs.dim() not in (2, 3, 4):
        raise ValueError(f"outputs of {outputs.dim()} dimensions are neither maps, tokens nor vectors")
    outputs = outputs.float()
    pooled = {4: _pooled_map, 3: _pooled_tokens, 2: torch.Tensor.contiguous}[outputs.dim()](outputs)
    return pooled if pooled.shape[1] <= MOST_FEATURES else functional.adaptive_avg_pool1d(pooled, MOST_FEATURES)


def _pooled_map(outputs: Tensor) -> Tensor:
    """The averages (images, channels * side**2) of a grid.

    The images are square, so the two equal sizes are the map's sides. If all three are equal, the channels are first.
    """
    _, first, middle, last = outputs.shape
    if first == middle != last:
        outputs = outputs.permute(0, 3, 1, 2)
    channels, height, width = outputs.shape[1:]
    fits = (side for side in GRIDS if channels * side**2 <= GRID_FEATURES and side <= min(height, width))
    return functional.adaptive_avg_pool2d(outputs, next(fits, 1)).flatten(1)


def _pooled_tokens(outputs: Tensor) -> Tensor:
    """The class token, if there is one, and the mean of the image's tokens: (images, channels or twice as many).

    The last tokens are the image's and make a square. Any before them are the class token, and others (registers, a
    token of distillation) that are left out.
    """
    others = outputs.shape[1] - math.isqrt(outputs.shape[1]) ** 2
    mean = outputs[:, others:].mean(1)
    return torch.cat([outputs[:, 0], mean], 1) if others else mean
