"""Residual networks for 32-pixel images: CIFAR ResNet-20, and a small one with any norm, with or without shortcuts."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUPS = 4  # of channels in mini_resnet's group norm
TOP_SIDE, TOP_DROPOUT = 3, 0.5  # of the maps before fully connected layers, and in them
NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "group": lambda channels: nn.GroupNorm(GROUPS, channels),
    "none": lambda channels: nn.Identity(),
}


class Shortcut(nn.Module):
    """A shortcut without parameters (He et al. 2015, option A): every `stride`th pixel, further channels zero."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride, self.more = stride, outputs - inputs

    def forward(self, inputs: Tensor) -> Tensor:
        """The shortcut of `inputs` (batch, channels, height, width); the new channels stand on both sides."""
        strided = inputs[:, :, :: self.stride, :: self.stride]
        return functional.pad(strided, (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, each with its norm, and a shortcut around both (unless `skip` is false)."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: str = "batch", skip: bool = True) -> None:
        super().__init__()
        bias = norm == "none"  # a norm takes the bias's place
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=bias)
        self.bn1 = NORMS[norm](outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=bias)
        self.bn2 = NORMS[norm](outputs)
        self.shortcut = (
            (nn.Identity() if stride == 1 and inputs == outputs else Shortcut(inputs, outputs, stride))
            if skip
            else None
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """The block's output (batch, outputs, height / stride, width / stride)."""
        outputs = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(inputs)))))
        return functional.relu(outputs if self.shortcut is None else outputs + self.shortcut(inputs))


class SmallResNet(nn.Module):
    """A stem of `stride`, three groups of `blocks` residual blocks of `width`, 2 `width` and 4 `width` channels, and a
    linear head.

    `fully_connected` above 0 is the width of two layers below the head, with dropout, as in the paper's network. They
    see averages of TOP_SIDE x TOP_SIDE places in place of the global average.

    The weights are He et al.'s Gaussian (fan-out), as in torchvision's ResNets. `width` 16 and 3 blocks are CIFAR
    ResNet-20 (He et al. 2015, section 4.2), whose parameters have the names of the published implementations.
    """

    def __init__(
        self,
        classes: int,
        width: int,
        blocks: int,
        stride: int = 1,
        norm: str = "batch",
        skip: bool = True,
        fully_connected: int = 0,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, stride, padding=1, bias=norm == "none")
        self.bn1 = NORMS[norm](width)
        channels, inputs = (width, 2 * width, 4 * width), width
        for number, outputs in enumerate(channels, start=1):
            strides = [1 if number == 1 else 2] + [1] * (blocks - 1)
            group = [
                BasicBlock(inputs if first == 0 else outputs, outputs, step, norm, skip)
                for first, step in enumerate(strides)
            ]
            setattr(self, f"layer{number}", nn.Sequential(*group))
            inputs = outputs
        self.side = TOP_SIDE if fully_connected else 1
        sizes = [inputs * self.side**2, *([fully_connected] * 2 if fully_connected else [])]
        hidden = [_fully_connected(*pair) for pair in pairwise(sizes)]
        self.top = nn.Sequential(*hidden)
        self.linear = nn.Linear(sizes[-1], classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Scores (batch, classes) of images (batch, 3, height, width)."""
        outputs = functional.relu(self.bn1(self.conv1(images)))
        outputs = self.layer3(self.layer2(self.layer1(outputs)))
        return self.linear(self.top(torch.flatten(functional.adaptive_avg_pool2d(outputs, self.side), 1)))


def _fully_connected(inputs: int, outputs: int) -> nn.Sequential:
    """A layer with ReLU and dropout; its weights are Gaussian after He et al. 2015, its biases 0."""
    layer = nn.Linear(inputs, outputs)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return nn.Sequential(layer, nn.ReLU(), nn.Dropout(TOP_DROPOUT))


def cifar_resnet20(classes: int) -> nn.Module:
    """CIFAR ResNet-20 (He et al. 2015): 0.27 million parameters, 40.6 million multiplications at 32 pixels."""
    return SmallResNet(classes, width=16, blocks=3)


def mini_resnet(classes: int, norm: str, skip: bool, width: int, blocks: int, fully_connected: int) -> nn.Module:
    """A tenth of CIFAR ResNet-20's cost, for the study of what makes co-adaptation: 0.1 million parameters, 3.7 million
    multiplications at 32 pixels, with the usual sizes (study.mini_resnets).

    `norm` is "batch", "group" or "none"; without `skip` it is a chain of convolutions. See SmallResNet.
    """
    return SmallResNet(classes, width, blocks, 2, norm, skip, fully_connected)
