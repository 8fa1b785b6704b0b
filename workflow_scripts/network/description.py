"""What each unit of a network holds and costs."""

import re

import torch
from torch.utils.flop_counter import FlopCounterMode

from workflow_scripts.network.build import build_network
from workflow_scripts.network.catalogue import UnitCost
from workflow_scripts.network.networks import Network
from workflow_scripts.plumbing.cli import InputError

PROXY = re.compile(r"Proxy\(\w+\)")  # where a network writes a size into a message while it is traced


def described_network(architecture: str, crop: int, classes: int) -> Network:
    """A network without weights' values, on torch's meta device. Raises InputError as build_network does."""
    try:
        with torch.device("meta"):
            return build_network(architecture, crop, classes)
    except (RuntimeError, NotImplementedError):  # its constructor asks for the value of a tensor
        return build_network(architecture, crop, classes).to("meta")


def measured_units(network: Network, crop: int) -> list[UnitCost]:
    """The costs of each unit of a network on torch's meta device, for RGB images (3, crop, crop).

    Multiplications are those of convolutions and matrix products (torch's FlopCounterMode).
    Raises InputError where the network cannot take images of this size.
    """
    sizes = {name: tensor.numel() for name, tensor in network.named_parameters()}
    inputs, costs = torch.empty(1, 3, crop, crop, device="meta"), []
    for number, name in enumerate(network.names):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            try:
                inputs = network.unit(number, inputs)
            except (RuntimeError, AssertionError, ValueError) as error:
                reason = PROXY.sub("another", " ".join(str(error).split())).rstrip(".") or "an assertion of its library"
                raise InputError(
                    f"training.crop: the network cannot take images of {crop} pixels: {name} fails ({reason}). "
                    "Change training.crop."
                ) from None
        parameters = sum(sizes.get(tensor, 0) for tensor in network.tensors(number))
        costs.append(UnitCost(name, parameters, counter.get_total_flops() // 2, inputs[0].numel()))
    return costs
