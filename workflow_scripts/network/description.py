"""What each unit of a network holds and costs."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from workflow_scripts.network.catalogue import UnitCost
from workflow_scripts.network.networks import Network
from workflow_scripts.plumbing.cli import InputError


def measured_units(network: Network, crop: int) -> list[UnitCost]:
    """The costs of each unit for RGB images (3, crop, crop). The network is moved to torch's meta device.

    Multiplications are those of convolutions and matrix products (torch's FlopCounterMode).
    Raises InputError where the network cannot take images of this size.
    """
    network.to("meta")
    sizes = {name: tensor.numel() for name, tensor in network.named_parameters()}
    inputs, costs = torch.empty(1, 3, crop, crop, device="meta"), []
    for number, name in enumerate(network.names):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            try:
                inputs = network.unit(number, inputs)
            except (RuntimeError, AssertionError) as error:
                raise InputError(
                    f"training.crop: the network cannot take images of {crop} pixels: {name} fails ({error}). "
                    "Change training.crop."
                ) from None
        parameters = sum(sizes.get(tensor, 0) for tensor in network.tensors(number))
        costs.append(UnitCost(name, parameters, counter.get_total_flops() // 2, inputs[0].numel()))
    return costs
