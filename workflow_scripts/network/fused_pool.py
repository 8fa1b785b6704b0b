"""What follows a CaffeNet's convolution, in Triton kernels of a GPU: bias, max pool, ReLU and local response norm.

torch's own kernels for these take half of CaffeNet's time on an H200 in bfloat16. Each passes over all values again,
and its max pool writes 8 bytes for each maximum. Here values are read once, and the place of a maximum takes a byte.
Arithmetic is float32, and every sum has one order.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import FunctionCtx

from workflow_scripts.network.local_response_norm import ALPHA, SIZE

BLOCK = 1024  # values of a program
DEAD = tl.constexpr(9)  # in place of the place of a maximum that the ReLU makes zero: it has no gradient
NEAR = tl.constexpr(SIZE // 2)
SHARE = tl.constexpr(ALPHA / SIZE)


class PoolNorm(torch.autograd.Function):
    """y = norm(relu(max_pool(inputs + bias))): a pool of 3 x 3 pixels with stride 2 whose last windows may reach over
    the edge (ceil_mode), and LocalResponseNorm or, without `norm`, nothing.

    Takes inputs (batch, channels, height, width) on a GPU, with a float32 `bias` (channels). Gives outputs in the
    inputs' dtype and the memory format channels_last.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, inputs: Tensor, bias: Tensor, norm: bool) -> Tensor:
        """The normalised maxima."""
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        batch, channels, *sides = inputs.shape
        pooled = _empty(inputs, (batch, channels, *(-(-(side - 3) // 2) + 1 for side in sides)))
        places = torch.empty_like(pooled, dtype=torch.uint8)
        _pool[_grid(pooled)](inputs, bias, pooled, places, *inputs.shape[1:], *pooled.shape[2:], BLOCK)
        ctx.save_for_backward(pooled, places)
        ctx.norm, ctx.shape = norm, inputs.shape
        if not norm:
            return pooled
        outputs = torch.empty_like(pooled)
        _norm[_grid(pooled)](pooled, outputs, channels, pooled[0].numel(), BLOCK)
        return outputs

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """The gradients with respect to the inputs and the bias."""
        pooled, places = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_maxima, sizes = torch.empty_like(pooled), (pooled.shape[1], pooled[0].numel())
        _norm_backward[_grid(pooled)](gradient, pooled, places, of_maxima, *sizes, ctx.norm, BLOCK)
        of_inputs = of_bias = None
        if ctx.needs_input_grad[0]:
            of_inputs = _empty(pooled, ctx.shape)
            _pool_backward[_grid(of_inputs)](of_maxima, places, of_inputs, *ctx.shape[1:], *pooled.shape[2:], BLOCK)
        if ctx.needs_input_grad[1]:
            of_bias = of_maxima.sum((0, 2, 3), dtype=torch.float32)
        return of_inputs, of_bias, None


def _empty(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)


def _grid(values: Tensor) -> tuple[int, int]:
    """Programs by image, and by block of its values."""
    return len(values), triton.cdiv(values[0].numel(), BLOCK)


# Each program has a block of one image's values, in their order in memory: by row, column and channel.


@triton.jit
def _pool(
    inputs,
    bias,
    maxima,
    places,
    channels: tl.constexpr,
    height: tl.constexpr,
    width: tl.constexpr,
    rows: tl.constexpr,
    columns: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The maxima, and which pixel of its window (0 to 8) each is, or DEAD."""
    image, at = tl.program_id(0).to(tl.int64), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    own = at < rows * columns * channels
    channel, column, row = at % channels, at // channels % columns, at // (channels * columns)
    inputs += image * height * width * channels
    best = tl.full((BLOCK,), float("-inf"), tl.float32)
    place = tl.full((BLOCK,), 0, tl.int32)
    for number in tl.static_range(9):
        y, x = 2 * row + number // 3, 2 * column + number % 3
        inside = own & (y < height) & (x < width)
        value = tl.load(inputs + (y * width + x) * channels + channel, mask=inside, other=float("-inf")).to(tl.float32)
        better = (value > best) | (value != value)  # what is not a number wins, as in torch
        best, place = tl.where(better, value, best), tl.where(better, number, place)
    best += tl.load(bias + channel, mask=own, other=0.0)
    alive = ~(best <= 0)
    at += image * rows * columns * channels
    tl.store(maxima + at, tl.where(alive, best, 0.0).to(maxima.dtype.element_ty), mask=own)
    tl.store(places + at, tl.where(alive, place, DEAD).to(tl.uint8), mask=own)


@triton.jit
def _scale(maxima, at, channel, channels: tl.constexpr, own):
    """LocalResponseNorm's s of the values at `at`."""
    total = tl.full(at.shape, 0.0, tl.float32)
    for number in tl.static_range(2 * NEAR + 1):
        near = channel + number - NEAR
        there = own & (near >= 0) & (near < channels)
        value = tl.load(maxima + at + number - NEAR, mask=there, other=0.0).to(tl.float32)
        total += value * value
    return 1.0 + SHARE * total


@triton.jit
def _norm(maxima, outputs, channels: tl.constexpr, size: tl.constexpr, BLOCK: tl.constexpr):
    image, at = tl.program_id(0).to(tl.int64), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    own, channel = at < size, at % channels
    at += image * size
    scale = _scale(maxima, at, channel, channels, own)
    value = tl.load(maxima + at, mask=own, other=0.0).to(tl.float32)
    tl.store(outputs + at, (value * tl.rsqrt(scale * tl.sqrt(scale))).to(outputs.dtype.element_ty), mask=own)


@triton.jit
def _norm_backward(
    gradients,
    maxima,
    places,
    of_maxima,
    channels: tl.constexpr,
    size: tl.constexpr,
    NORM: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The gradient with respect to the maxima before the ReLU."""
    image, at = tl.program_id(0).to(tl.int64), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    own, channel = at < size, at % channels
    at += image * size
    gradient = tl.load(gradients + at, mask=own, other=0.0).to(tl.float32)
    if NORM:
        near = tl.full((BLOCK,), 0.0, tl.float32)
        for number in tl.static_range(2 * NEAR + 1):
            step = number - NEAR
            there = own & (channel + step >= 0) & (channel + step < channels)
            scale = _scale(maxima, at + step, channel + step, channels, there)
            value = tl.load(maxima + at + step, mask=there, other=0.0).to(tl.float32)
            from_there = tl.load(gradients + at + step, mask=there, other=0.0).to(tl.float32)
            near += from_there * value * tl.rsqrt(scale * tl.sqrt(scale)) / scale
        scale = _scale(maxima, at, channel, channels, own)
        value = tl.load(maxima + at, mask=own, other=0.0).to(tl.float32)
        gradient = gradient * tl.rsqrt(scale * tl.sqrt(scale)) - 1.5 * SHARE * value * near
    alive = tl.load(places + at, mask=own, other=DEAD) != DEAD
    tl.store(of_maxima + at, tl.where(alive, gradient, 0.0).to(of_maxima.dtype.element_ty), mask=own)


@triton.jit
def _pool_backward(
    of_maxima,
    places,
    of_inputs,
    channels: tl.constexpr,
    height: tl.constexpr,
    width: tl.constexpr,
    rows: tl.constexpr,
    columns: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The gradient with respect to the inputs: the sum over the windows in which a pixel is the maximum."""
    image, at = tl.program_id(0).to(tl.int64), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    own = at < height * width * channels
    channel, x, y = at % channels, at // channels % width, at // (channels * width)
    of_maxima += image * rows * columns * channels
    places += image * rows * columns * channels
    total = tl.full((BLOCK,), 0.0, tl.float32)
    for number in tl.static_range(4):
        row, column = y // 2 - number // 2, x // 2 - number % 2
        down, right = y - 2 * row, x - 2 * column
        inside = own & (row >= 0) & (row < rows) & (column >= 0) & (column < columns) & (down < 3) & (right < 3)
        window = (row * columns + column) * channels + channel
        place = tl.load(places + window, mask=inside, other=DEAD)
        gradient = tl.load(of_maxima + window, mask=inside, other=0.0).to(tl.float32)
        total += tl.where(place == down * 3 + right, gradient, 0.0)
    tl.store(of_inputs + image * height * width * channels + at, total.to(of_inputs.dtype.element_ty), mask=own)
