"""Architectures as ordered lists of named layers: what depth n means, in one place.

Nothing heavy is imported, so the workflow can count parameters and multiplications at parse time.
Adding an architecture is one function here, entered in ARCHITECTURES.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class LayerSpec:
    """One learned layer and the unlearned operations that follow it, in this order: ReLU, max pool 3/2, LRN, dropout.

    `kernel` is None for a fully connected layer. `caffe_std` and `caffe_bias` are its published Gaussian
    initialisation; `outputs` is None for the last layer, which has one output per class.
    """

    name: str
    outputs: int | None
    kernel: int | None = None
    stride: int = 1
    padding: int = 0
    groups: int = 1
    relu: bool = True
    pool: bool = False
    lrn: bool = False
    dropout: float = 0.0
    caffe_std: float = 0.01
    caffe_bias: float = 0.0


def caffenet() -> tuple[LayerSpec, ...]:
    """The paper's network, Caffe's reference ImageNet model (supplement section 2; its published prototxt files)."""
    return (
        LayerSpec("conv1", 96, kernel=11, stride=4, pool=True, lrn=True),
        LayerSpec("conv2", 256, kernel=5, padding=2, groups=2, pool=True, lrn=True, caffe_bias=1),
        LayerSpec("conv3", 384, kernel=3, padding=1),
        LayerSpec("conv4", 384, kernel=3, padding=1, groups=2, caffe_bias=1),
        LayerSpec("conv5", 256, kernel=3, padding=1, groups=2, pool=True, caffe_bias=1),
        LayerSpec("fc6", 4096, dropout=0.5, caffe_std=0.005, caffe_bias=1),
        LayerSpec("fc7", 4096, dropout=0.5, caffe_std=0.005, caffe_bias=1),
        LayerSpec("fc8", None, relu=False),
    )


def mini_caffenet() -> tuple[LayerSpec, ...]:
    """The same design for 32x32 crops and trainings of seconds.

    It has 0.17 million parameters and 1.4 million multiplications an image. Dropout is 0.1, since with 0.5 a few epochs
    do not converge.
    """
    return (
        LayerSpec("conv1", 16, kernel=5, stride=2, padding=2, pool=True, lrn=True),
        LayerSpec("conv2", 32, kernel=5, padding=2, groups=2, pool=True, lrn=True, caffe_bias=1),
        LayerSpec("conv3", 48, kernel=3, padding=1),
        LayerSpec("conv4", 48, kernel=3, padding=1, groups=2, caffe_bias=1),
        LayerSpec("conv5", 64, kernel=3, padding=1, groups=2, pool=True, caffe_bias=1),
        LayerSpec("fc6", 256, dropout=0.1, caffe_std=0.005, caffe_bias=1),
        LayerSpec("fc7", 256, dropout=0.1, caffe_std=0.005, caffe_bias=1),
        LayerSpec("fc8", None, relu=False),
    )


ARCHITECTURES: dict[str, Callable[[], tuple[LayerSpec, ...]]] = {
    "caffenet": caffenet,
    "mini_caffenet": mini_caffenet,
}


@dataclass(frozen=True)
class LayerCost:
    """Weights shape (outputs, inputs per group, height, width), output shape (channels, side), and counts per image."""

    weight_shape: tuple[int, ...]
    output_shape: tuple[int, int]
    parameters: int
    multiplications: int

    @property
    def outputs(self) -> int:
        """The numbers of an image's output."""
        return self.output_shape[0] * self.output_shape[1] ** 2


def pooled_side(side: int) -> int:
    """The side after a 3x3 max pool of stride 2, rounded up as Caffe does; 0 if nothing is left."""
    return -(-(side - 3) // 2) + 1


def layer_costs(layers: Sequence[LayerSpec], crop: int, classes: int) -> list[LayerCost]:
    """Shapes, parameters and multiply-adds per image of each layer, for square RGB crops of side `crop`.

    Raises ValueError where the crop is too small for the architecture.
    """
    channels, side, costs = 3, crop, []
    for spec in layers:
        outputs = classes if spec.outputs is None else spec.outputs
        if spec.kernel is None:
            weight_shape: tuple[int, ...] = (outputs, channels * side * side)
            side = 1
        else:
            weight_shape = (outputs, channels // spec.groups, spec.kernel, spec.kernel)
            side = (side + 2 * spec.padding - spec.kernel) // spec.stride + 1
        weights = math.prod(weight_shape)
        multiplications = weights * side * side
        if spec.pool:
            side = pooled_side(side)
        if side < 1:
            raise ValueError(f"crop {crop} is too small: nothing is left after {spec.name}")
        channels = outputs
        costs.append(LayerCost(weight_shape, (channels, side), weights + outputs, multiplications))
    return costs
