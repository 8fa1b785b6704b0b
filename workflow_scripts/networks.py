"""Networks built from an architecture's layer list; a network is its layers in order, so depth n has one meaning."""

import math
from collections.abc import Sequence
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional

from workflow_scripts.architectures import LayerCost, LayerSpec, layer_costs
from workflow_scripts.cli import InputError
from workflow_scripts.seals import REMEDY
from workflow_scripts.workers import Share

LRN_SIZE, LRN_ALPHA = 5, 1e-4  # beta is .75, see LocalResponseNorm


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
            outputs = functional.conv2d(inputs, self.weight, self.bias, spec.stride, spec.padding, groups=spec.groups)
        if spec.pool:  # before the ReLU, with which a maximum commutes: that then works on a quarter of the values
            outputs = functional.max_pool2d(outputs, 3, 2, ceil_mode=True)
        if spec.relu:
            outputs = functional.relu(outputs, inplace=True)
        if spec.lrn:
            outputs = LocalResponseNorm.apply(outputs)
        return outputs if mask is None else outputs * mask.to(outputs.dtype)

    def dropout_mask(self, share: Share, random: torch.Generator) -> Tensor | None:
        """A mask for the images of `share` from `random`, on its device: 0 with the layer's dropout rate (to 16 bits),
        else 1 / (1 - rate), float32; None where the layer has no dropout. An image's mask depends on its place in the
        whole batch, so that all of it is drawn.
        """
        if not self.spec.dropout:
            return None
        count = share.batch * math.prod(self.output_shape)
        # 64 random bits at a time make four values, at a quarter of the time of torch's own dropout.
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
        self, inputs: Tensor, random: torch.Generator | None = None, first: int = 0, share: Share | None = None
    ) -> Tensor:
        """Scores (batch, classes) of images (batch, 3, crop, crop), or of the activations of the first `first` layers.

        With `random` the dropout of training is active and draws its masks from there; `inputs` are then the images of
        `share`, by default a whole batch.
        """
        share = share or Share(0, len(inputs), len(inputs))
        for layer in list(self.layers.values())[first:]:
            inputs = layer(inputs, None if random is None else layer.dropout_mask(share, random))
        return inputs

    def compile_layers(self) -> None:
        """Compile each layer with torch.compile; networks of the same architecture share what is compiled."""
        # A variant for each layer, with and without gradients and dropout, and for the last batch of an epoch.
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
        raise InputError(f"{path} holds no weights: {error}; {REMEDY}") from None


def initialise(network: Network, init: str, seed: int) -> None:
    """Fill all weights from `seed`, drawn on the CPU layer by layer, so that the values do not depend on the device.

    "caffe" is the architecture's published Gaussian. "he" is N(0, 2 / fan-in) in layers with ReLU, for which He et al.
    (2015) derive it, the published Gaussian in the last layer, and zero biases.
    """
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in network.layers.values():
            fan_in = layer.weight[0].numel()
            published = init == "caffe" or not layer.spec.relu
            std = layer.spec.caffe_std if published else math.sqrt(2 / fan_in)
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=random) * std)
            layer.bias.fill_(layer.spec.caffe_bias if init == "caffe" else 0.0)


class LocalResponseNorm(torch.autograd.Function):
    """y = x * s ** -0.75 with s = 1 + alpha / size * sum of x ** 2 over `size` neighbouring channels (Krizhevsky et al.
    2012, section 3.3).

    Equal to torch's own within rounding, and several times faster on the CPU: the sum is a product with a band matrix
    instead of a 3-D pooling, powers are written with square roots, and the gradient is written out.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, inputs: Tensor) -> Tensor:
        """The normalised activations (batch, channels, height, width)."""
        channel = torch.arange(inputs.shape[1], device=inputs.device)
        near = (channel[:, None] - channel[None, :]).abs() <= LRN_SIZE // 2
        band = (near * (LRN_ALPHA / LRN_SIZE)).to(inputs.dtype)
        scale = _over_channels(inputs.square(), band).add_(1)
        power = scale.sqrt().mul_(scale).rsqrt_()  # scale ** -0.75
        ctx.save_for_backward(inputs, scale, power, band)
        return inputs * power

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        """The gradient with respect to the inputs."""
        inputs, scale, power, band = ctx.saved_tensors
        near = _over_channels((gradient * inputs).mul_(power).div_(scale), band)
        return (gradient * power).addcmul_(inputs, near, value=-1.5)


def _over_channels(values: Tensor, band: Tensor) -> Tensor:
    """The product of the symmetric matrix `band` with the channels (dimension 1)."""
    return functional.linear(values.movedim(1, -1), band).movedim(-1, 1)
