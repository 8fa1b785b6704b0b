"""The optimiser of one network: torch's functional steps, with the state and the groups held here.

torch's optimiser classes would import its compiler, which costs every job over a second.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.sgd import sgd

from workflow_scripts.network.networks import ParameterGroup
from workflow_scripts.study.settings import TrainingSettings


class Optimizer:
    """SGD with momentum on groups of parameters, each with its multiple of the learning rate."""

    def __init__(self, groups: Sequence[ParameterGroup], settings: TrainingSettings) -> None:
        self.groups, self.momentum, self.weight_decay = groups, settings.momentum, settings.weight_decay
        self.parameters = [parameter for group in groups for parameter in group.parameters]
        self.momenta = {parameter: torch.zeros_like(parameter) for parameter in self.parameters}

    @property
    def gradients(self) -> list[Tensor]:
        """The gradients of all parameters, in one order."""
        return [parameter.grad for parameter in self.parameters]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Change all parameters by their gradients at a learning rate, and forget the gradients."""
        for group in self.groups:
            gradients = [parameter.grad for parameter in group.parameters]
            momenta = [self.momenta[parameter] for parameter in group.parameters]
            decay = self.weight_decay if group.decays else 0.0
            options = {"dampening": 0.0, "nesterov": False, "maximize": False, "fused": True}
            sgd(
                group.parameters,
                gradients,
                momenta,
                lr=rate * group.rate,
                weight_decay=decay,
                momentum=self.momentum,
                **options,
            )
            for parameter in group.parameters:
                parameter.grad = None

    def state(self) -> list[Tensor]:
        """All that a resumed run needs."""
        return list(self.momenta.values())

    def restore(self, state: Sequence[Tensor]) -> None:
        """Continue from what `state` returned."""
        for momentum, saved in zip(self.momenta.values(), state, strict=True):
            momentum.copy_(saved)
