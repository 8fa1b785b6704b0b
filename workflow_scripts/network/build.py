"""Networks by the name of their architecture: with weights of any values to be overwritten, or untrained from a seed."""

from workflow_scripts.network.architectures import ARCHITECTURES
from workflow_scripts.network.initialisation import initialise
from workflow_scripts.network.networks import CaffeNet, Network


def build_network(architecture: str, crop: int, classes: int) -> Network:
    """A network whose weights are to be overwritten: they have any values."""
    return CaffeNet(ARCHITECTURES[architecture](), crop, classes)


def new_network(architecture: str, crop: int, classes: int, init: str, seed: int) -> Network:
    """An untrained network, its weights drawn on the CPU from `seed`."""
    network = build_network(architecture, crop, classes)
    initialise(network, init, seed)
    return network
