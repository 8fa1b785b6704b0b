"""Local response normalisation, the norm of the paper's network, several times as fast on a CPU as torch's own."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional

SIZE, ALPHA = 5, 1e-4  # Krizhevsky et al. 2012; beta is .75, see LocalResponseNorm


class LocalResponseNorm(torch.autograd.Function):
    """y = x * s ** -0.75 with s = 1 + alpha / size * sum of x ** 2 over `size` neighbouring channels.

    This is section 3.3 of Krizhevsky et al. 2012. It equals torch's own within rounding, but is several times faster on
    the CPU. The sum is a product with a band matrix instead of a 3-D pooling, powers are square roots, and the gradient
    is written out.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, inputs: Tensor) -> Tensor:
        """The normalised activations (batch, channels, height, width)."""
        channel = torch.arange(inputs.shape[1], device=inputs.device)
        near = (channel[:, None] - channel[None, :]).abs() <= SIZE // 2
        band = (near * (ALPHA / SIZE)).to(inputs.dtype)
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
