"""Networks by the name of their architecture: to be overwritten with weights, or untrained from a seed."""

import torch

from workflow_scripts.network.architectures import ARCHITECTURES
from workflow_scripts.network.initialisation import initialise
from workflow_scripts.network.networks import CaffeNet, Network


def build_network(architecture: str, crop: int, classes: int) -> Network:
    """A network whose weights are to be overwritten: they have any values. Raises InputError for an unknown name."""
    if architecture in ARCHITECTURES:
        return CaffeNet(ARCHITECTURES[architecture](), crop, classes)
    from workflow_scripts.network.models import traced_network  # torchvision: seconds that a CaffeNet need not wait

    return traced_network(architecture, classes)


def new_network(architecture: str, crop: int, classes: int, init: str, seed: int) -> Network:
    """An untrained network, its weights drawn on the CPU from `seed`.

    `init` chooses those of the CaffeNets (initialisation.py). Other networks have their library's initial weights.
    """
    torch.manual_seed(seed)
    network = build_network(architecture, crop, classes)
    if isinstance(network, CaffeNet):
        initialise(network, init, seed)
    return network
