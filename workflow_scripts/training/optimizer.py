"""The optimiser of one network: torch's functional steps, with the state and the groups held here.

torch's optimiser classes would import its compiler, which costs every job over a second.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from workflow_scripts.network.networks import ParameterGroup
from workflow_scripts.study.settings import TrainingSettings

BETA2, EPSILON = 0.999, 1e-8  # of AdamW (Loshchilov and Hutter 2019), as in torch


class Optimizer:
    """SGD with momentum, or AdamW, on groups of parameters, each with its multiple of the learning rate.

    AdamW's first beta is the configuration's momentum.
    """

    def __init__(self, groups: Sequence[ParameterGroup], settings: TrainingSettings) -> None:
        self.groups, self.settings = groups, settings
        self.parameters = [parameter for group in groups for parameter in group.parameters]
        # Means of gradients; AdamW's means of their squares and numbers of steps.
        self.means = {one: torch.zeros_like(one) for one in self.parameters}
        adaptive = settings.optimizer == "adamw"
        self.squares = {one: torch.zeros_like(one) for one in self.parameters if adaptive}
        self.steps = {one: torch.zeros((), device=one.device) for one in self.parameters if adaptive}
        self.on_gpu = settings.device == "cuda"
        # A CUDA graph keeps Python's numbers as they were at its capture, but reads tensors anew.
        self.rates: list = [torch.zeros((), device="cuda") if self.on_gpu else 0.0 for _ in groups]

    @property
    def gradients(self) -> list[Tensor]:
        """The gradients of all parameters, in one order."""
        return [parameter.grad for parameter in self.parameters]

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the next steps."""
        for number, group in enumerate(self.groups):
            if self.on_gpu:
                self.rates[number].fill_(rate * group.rate)
            else:
                self.rates[number] = rate * group.rate

    @torch.no_grad()
    def step(self) -> None:
        """Change all parameters by their gradients, and forget the gradients."""
        for group, rate in zip(self.groups, self.rates, strict=True):
            decay = self.settings.weight_decay if group.decays else 0.0
            (self._adamw if self.squares else self._sgd)(group.parameters, rate, decay)
        for parameter in self.parameters:
            parameter.grad = None

    def _sgd(self, parameters: list[Tensor], rate: float | Tensor, decay: float) -> None:
        gradients, means = ([of(one) for one in parameters] for of in (_gradient, self.means.get))
        options = {"dampening": 0.0, "nesterov": False, "maximize": False, "fused": True}
        sgd(parameters, gradients, means, lr=rate, weight_decay=decay, momentum=self.settings.momentum, **options)

    def _adamw(self, parameters: list[Tensor], rate: float | Tensor, decay: float) -> None:
        states = (self.means.get, self.squares.get, self.steps.get)
        gradients, means, squares, steps = ([of(one) for one in parameters] for of in (_gradient, *states))
        options = {"amsgrad": False, "maximize": False, "fused": True, "decoupled_weight_decay": True}
        adam(
            *(parameters, gradients, means, squares, [], steps),
            **{"lr": rate, "weight_decay": decay, "beta1": self.settings.momentum, "beta2": BETA2, "eps": EPSILON},
            **options,
        )

    def state(self) -> list[Tensor]:
        """All that a resumed run needs."""
        return [*self.means.values(), *self.squares.values(), *self.steps.values()]

    def restore(self, state: Sequence[Tensor]) -> None:
        """Continue from what `state` returned."""
        for own, saved in zip(self.state(), state, strict=True):
            own.copy_(saved)


def _gradient(parameter: Tensor) -> Tensor:
    return parameter.grad
