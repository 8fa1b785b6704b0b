"""What each unit of a network holds and costs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from workflow_scripts.network.networks import Network
from workflow_scripts.plumbing.cli import InputError


@dataclass(frozen=True)
class UnitCost:
    """A unit's name, its parameters, and the multiplications and output numbers of one image."""

    name: str
    parameters: int
    multiplications: int
    outputs: int


def unit_costs(network: Network, crop: int) -> list[UnitCost]:
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


def rows(costs: Sequence[UnitCost]) -> list[dict]:
    """The costs as rows of a table."""
    return [asdict(cost) for cost in costs]
