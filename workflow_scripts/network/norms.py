"""Norm statistics of frozen units: estimated once on the target's images, and copied between networks."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from workflow_scripts.network.networks import Network, Noise

NORM_STATISTICS = ("source", "target", "batch")


@torch.no_grad()
def estimate_statistics(network: Network, batches: Iterable[Tensor], noise: Noise) -> None:
    """Set the running statistics of the frozen units' norms to the means of those of `batches`, without dropout.

    Each unit sees what the units before it make of a batch with its own statistics (Li et al. 2017, "Revisiting
    batch normalization for practical domain adaptation").
    """
    norms = network.norms(network.frozen)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
    with _only_norms_in_training(network):
        for images in batches:
            for number in range(network.frozen):
                images = network.unit(number, images, noise)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@contextmanager
def _only_norms_in_training(network: Network) -> Iterator[None]:
    before = network.frozen_dropout, network.frozen_batch_statistics
    network.frozen_dropout, network.frozen_batch_statistics = False, True
    yield
    network.frozen_dropout, network.frozen_batch_statistics = before


@torch.no_grad()
def copy_statistics(source: Network, target: Network) -> None:
    """Give the norms of the target's frozen units the running statistics of the source's."""
    for one, other in zip(source.norms(target.frozen), target.norms(target.frozen), strict=True):
        for name, tensor in one.named_buffers():
            getattr(other, name).copy_(tensor)
