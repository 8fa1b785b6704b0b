"""What every network is, an ordered list of named units, so that depth n has one meaning; and the paper's CaffeNets."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

from workflow_scripts.network.architectures import LayerCost, LayerSpec, layer_costs
from workflow_scripts.network.convolution import convolve
from workflow_scripts.network.gpu_kernels import fuses
from workflow_scripts.network.local_response_norm import LocalResponseNorm
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import remedy


@dataclass(frozen=True)
class Share:
    """Images `start` to `stop` - 1 of a batch of `batch` images: the part of one process."""

    start: int
    stop: int
    batch: int

    @property
    def rows(self) -> slice:
        """The images as a slice of the batch."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class Noise:
    """The random numbers of dropout in training, for the images of `share`; `seed` before each pass decides them."""

    random: torch.Generator
    share: Share

    def seed(self, seed: int) -> "Noise":
        """Begin at `seed`, and return the noise. Modules that draw by themselves use torch's default generators."""
        self.random.manual_seed(seed)
        # torch.manual_seed would also note down, call by call, what each kind of device is to do when it is first used.
        torch.default_generator.manual_seed(seed)
        if self.random.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        return self


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters with a common multiple of the learning rate, and whether weight decay applies to them."""

    parameters: list[nn.Parameter]
    rate: float
    decays: bool


class Network(nn.Module):
    """An ordered list of named units, the head last. Subclasses say how a unit runs and what it holds.

    The first `frozen` units never change (docs/design.md, rule 9). Their dropout is active in training if
    `frozen_dropout`. Their norm layers use the statistics they hold, or with `frozen_batch_statistics` those of each
    training batch, which change what they hold.
    """

    names: Sequence[str]
    bias_rate = 1.0  # the multiple of the learning rate at which biases learn
    frozen = 0
    frozen_dropout = True
    frozen_batch_statistics = False

    def unit(self, number: int, inputs: Tensor, noise: Noise | None = None) -> Tensor:
        """The output of the unit of this number (from 0) for the outputs of the unit before it, or for images.

        With `noise` the unit is in training. If frozen, only its dropout and norms can be, as said above.
        """
        raise NotImplementedError

    def tensors(self, number: int) -> list[str]:
        """The names of a unit's parameters and buffers in the network's state dict."""
        raise NotImplementedError

    def norms(self, count: int) -> list[nn.modules.batchnorm._BatchNorm]:
        """The norm layers with running statistics in the first `count` units."""
        return []

    def compile_units(self) -> None:
        """Compile each unit with torch.compile."""
        raise NotImplementedError

    def forward(self, inputs: Tensor, noise: Noise | None = None, start: int = 0) -> Tensor:
        """Scores (batch, classes) of images (batch, 3, crop, crop), or of the outputs of the first `start` units.

        With `noise` the units are in training. `inputs` are then the images of its share.
        """
        for number in range(start, len(self.names)):
            inputs = self.unit(number, inputs, noise)
        return inputs

    def copy_units(self, source: Mapping[str, Tensor], count: int) -> None:
        """Overwrite the first `count` units with those of a state dict of the same architecture, buffers too."""
        own = self.state_dict()
        with torch.no_grad():
            for number in range(count):
                for name in self.tensors(number):
                    own[name].copy_(source[name])

    def freeze(self, count: int) -> None:
        """Keep the first `count` units as they are: nothing in them learns."""
        self.frozen = count
        names = {name for number in range(count) for name in self.tensors(number)}
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(name not in names)

    def parameter_groups(self) -> list[ParameterGroup]:
        """The parameters that learn. Weight decay is for those of two or more dimensions, bias_rate for biases."""
        learning = [(name, one) for name, one in self.named_parameters() if one.requires_grad]
        weights = [one for _, one in learning if one.dim() > 1]
        vectors = [(name, one) for name, one in learning if one.dim() <= 1]
        groups = [ParameterGroup(weights, 1.0, True)]
        for rate in sorted({self._rate(name) for name, _ in vectors}):
            groups.append(ParameterGroup([one for name, one in vectors if self._rate(name) == rate], rate, False))
        return groups

    def _rate(self, name: str) -> float:
        return self.bias_rate if name.endswith("bias") else 1.0


class Layer(nn.Module):
    """One learned layer with the unlearned operations that follow it."""

    def __init__(self, spec: LayerSpec, cost: LayerCost) -> None:
        super().__init__()
        self.spec = spec
        channels, side = cost.output_shape
        self.output_shape = (channels,) if spec.kernel is None else (channels, side, side)
        self.weight = nn.Parameter(torch.empty(cost.weight_shape))
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """The layer's output; in training it is multiplied by a dropout `mask` (see dropout_mask)."""
        spec = self.spec
        if spec.kernel is None:
            outputs = functional.linear(inputs.flatten(1), self.weight, self.bias)
        elif spec.pool and spec.relu and mask is None and fuses(inputs):
            return self._fused(inputs)
        else:
            outputs = convolve(inputs, self.weight, self.bias, spec.stride, spec.padding, spec.groups)
        if spec.pool:  # before the ReLU, to the same effect: the ReLU then works on a quarter of the values
            outputs = functional.max_pool2d(outputs, 3, 2, ceil_mode=True)
        if spec.relu:
            outputs = functional.relu(outputs, inplace=True)
        if spec.lrn:
            outputs = LocalResponseNorm.apply(outputs)
        return outputs if mask is None else outputs * mask.to(outputs.dtype)

    def _fused(self, inputs: Tensor) -> Tensor:
        from workflow_scripts.network.fused_pool import PoolNorm  # here, as torch for CPUs lacks Triton

        spec = self.spec
        outputs = convolve(inputs, self.weight, None, spec.stride, spec.padding, spec.groups)
        return PoolNorm.apply(outputs, self.bias, spec.lrn)

    def dropout_mask(self, share: Share, random: torch.Generator) -> Tensor | None:
        """A dropout mask (float32) for the images of `share`, on the device of `random`; None where the layer has no
        dropout.

        It is 0 with the layer's dropout rate (to 16 bits), else 1 / (1 - rate). The whole batch's mask is drawn, since
        an image's mask depends on its place in the batch.
        """
        if not self.spec.dropout:
            return None
        count = share.batch * math.prod(self.output_shape)
        # 64 random bits at a time make four values, in a quarter of the time of torch's own dropout.
        words = torch.empty(-(-count // 4), dtype=torch.int64, device=random.device)
        bits = words.random_(-(2**63), None, generator=random).view(torch.int16)[:count]
        kept = bits >= round(self.spec.dropout * 2**16) - 2**15
        return kept.view(share.batch, *self.output_shape)[share.rows].to(torch.float32) / (1 - self.spec.dropout)


class CaffeNet(Network):
    """A network of the paper's kind, from an architecture's list of layers: each layer is a unit."""

    bias_rate = 2.0  # as in the published solvers

    def __init__(self, layers: Sequence[LayerSpec], crop: int, classes: int) -> None:
        super().__init__()
        costs = layer_costs(layers, crop, classes)
        self.layers = nn.ModuleDict({spec.name: Layer(spec, cost) for spec, cost in zip(layers, costs, strict=True)})
        self.names = list(self.layers)

    def unit(self, number: int, inputs: Tensor, noise: Noise | None = None) -> Tensor:
        """See Network.unit."""
        layer = self.layers[self.names[number]]
        quiet = noise is None or (number < self.frozen and not self.frozen_dropout)
        return layer(inputs, None if quiet else layer.dropout_mask(noise.share, noise.random))

    def tensors(self, number: int) -> list[str]:
        """See Network.tensors."""
        return [f"layers.{self.names[number]}.{kind}" for kind in ("weight", "bias")]

    def compile_units(self) -> None:
        """Compile each layer with torch.compile; networks of the same architecture share what is compiled."""
        # Each layer has variants with and without gradients and dropout, and for the last batch of an epoch.
        torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, 16 * len(self.layers))
        for layer in self.layers.values():
            layer.compile(dynamic=False)


def load_weights(path: str | Path) -> dict[str, Tensor]:
    """The weights by name in a safetensors file, on the CPU. Raises InputError for any other file."""
    try:
        return safetensors.torch.load_file(path)
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise InputError(f"{path}: it holds no readable weights ({error}). {remedy(path)}") from None
