"""How alike the representations of two networks are, unit by unit: linear CKA."""

from collections.abc import Iterator

import torch
from torch import Tensor

from workflow_scripts.features.limits import FEWEST_IMAGES
from workflow_scripts.network.networks import Network

CHUNK = 4096  # features turned into float64 at a time
BATCH = 128  # images


def gram_matrix(features: Tensor) -> Tensor:
    """The inner products (n, n) of the features (n, ...) of n images, each feature less its mean, float64.

    linear_cka does not depend on the means, but subtracting them keeps its digits where a mean is large.
    """
    flat = features.flatten(1)
    gram = torch.zeros(len(flat), len(flat), dtype=torch.float64)
    for chunk in flat.split(CHUNK, dim=1):
        chunk = chunk.double()
        constant = chunk.amax(0) == chunk.amin(0)  # less its mean it would be a rounding error, not 0
        chunk = (chunk - chunk.mean(0)).masked_fill(constant, 0)
        gram += chunk @ chunk.T
    return gram


def linear_cka(first: Tensor, second: Tensor) -> float:
    """Linear centred kernel alignment of two representations of the same n images, from their gram_matrix's.

    1 for representations that differ by a rotation and a scale, about 0 for unrelated ones (Kornblith et al. 2019,
    "Similarity of neural network representations revisited", section 3). It uses the unbiased estimator of HSIC (Song
    et al. 2012, equation 5), as Nguyen et al. (2021) do. The plain one is near 1 for any two representations with more
    features than images. NaN if a representation is constant or not finite, as in a network that diverged, or if there
    are fewer than FEWEST_IMAGES. Raises ValueError for different numbers of images.
    """
    if first.shape != second.shape:
        raise ValueError(f"CKA needs the same images, not {len(first)} and {len(second)}")
    if len(first) < FEWEST_IMAGES:
        return float("nan")
    both = _unbiased_hsic(first, second)
    alone = _unbiased_hsic(first, first) * _unbiased_hsic(second, second)
    return float(both / alone.sqrt()) if 0 < alone < float("inf") else float("nan")


def _unbiased_hsic(first: Tensor, second: Tensor) -> Tensor:
    n = len(first)
    first, second = (matrix - torch.diag(matrix.diagonal()) for matrix in (first, second))
    product = (first * second).sum() + first.sum() * second.sum() / ((n - 1) * (n - 2))
    return (product - 2 / (n - 2) * (first.sum(0) @ second.sum(0))) / (n * (n - 3))


def unit_grams(network: Network, images: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Each unit's name and the gram_matrix of its outputs for `images` (n, 3, crop, crop), in evaluation.

    The head is left out, so that the n-th item is the last unit that a network of depth n copies.
    """
    for number, name in enumerate(network.names[:-1]):
        with torch.no_grad():  # not around the yield, which would set it for the caller too
            images = _outputs(network, number, images)
            gram = gram_matrix(images)
        yield name, gram


def _outputs(network: Network, number: int, inputs: Tensor) -> Tensor:
    """A unit's outputs for all inputs, with no more in memory than both and one batch."""
    first = network.unit(number, inputs[:BATCH])
    outputs = first.new_empty(len(inputs), *first.shape[1:])
    outputs[: len(first)] = first
    for start in range(len(first), len(inputs), BATCH):
        outputs[start : start + BATCH] = network.unit(number, inputs[start : start + BATCH])
    return outputs
