"""Networks built from an architecture's layer list; a network is its layers in order, so depth n has one meaning."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

from workflow_scripts.network.architectures import LayerCost, LayerSpec, layer_costs
from workflow_scripts.network.convolution import convolve
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
        else:
            outputs = convolve(inputs, self.weight, self.bias, spec.stride, spec.padding, spec.groups)
        if spec.pool:  # before the ReLU, to the same effect: the ReLU then works on a quarter of the values
            outputs = functional.max_pool2d(outputs, 3, 2, ceil_mode=True)
        if spec.relu:
            outputs = functional.relu(outputs, inplace=True)
        if spec.lrn:
            outputs = LocalResponseNorm.apply(outputs)
        return outputs if mask is None else outputs * mask.to(outputs.dtype)

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


class Network(nn.Module):
    """An ordered list of named layers, ending in one output per class."""

    def __init__(self, layers: Sequence[LayerSpec], crop: int, classes: int) -> None:
        super().__init__()
        costs = layer_costs(layers, crop, classes)
        self.layers = nn.ModuleDict({spec.name: Layer(spec, cost) for spec, cost in zip(layers, costs, strict=True)})

    def forward(
        self, inputs: Tensor, random: torch.Generator | None = None, start: int = 0, share: Share | None = None
    ) -> Tensor:
        """Scores (batch, classes) of `inputs`: images (batch, 3, crop, crop), or the outputs of the first `start`
        layers.

        With `random`, the dropout of training is active and draws its masks from it. `inputs` are then the images of
        `share`, by default a whole batch.
        """
        share = share or Share(0, len(inputs), len(inputs))
        for layer in list(self.layers.values())[start:]:
            inputs = layer(inputs, None if random is None else layer.dropout_mask(share, random))
        return inputs

    def compile_layers(self) -> None:
        """Compile each layer with torch.compile; networks of the same architecture share what is compiled."""
        # Each layer has variants with and without gradients and dropout, and for the last batch of an epoch.
        torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, 16 * len(self.layers))
        for layer in self.layers.values():
            layer.compile(dynamic=False)

    def copy_layers(self, source: dict[str, Tensor], count: int) -> None:
        """Overwrite the weights of the first `count` layers with those of a state dict of the same architecture."""
        with torch.no_grad():
            for name in list(self.layers)[:count]:
                for kind in ("weight", "bias"):
                    getattr(self.layers[name], kind).copy_(source[f"layers.{name}.{kind}"])


def load_weights(path: str | Path) -> dict[str, Tensor]:
    """The weights by name in a safetensors file, on the CPU. Raises InputError for any other file."""
    try:
        return safetensors.torch.load_file(path)
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise InputError(f"{path}: it holds no readable weights ({error}). {remedy(path)}") from None
