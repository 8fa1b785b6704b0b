"""The images that networks were made for, without torch: the Snakefile asks at parse time.

inputs.csv holds those of pretrained weights, as their libraries state them (`make units` writes it).
"""

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("inputs.csv")
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class NetworkInput:
    """The side of crops and of packed images in pixels, how these are resized (store/decode.py), and channels' `mean`
    and `std` for pixels between 0 and 1; None where the task's mean image is subtracted.
    """

    crop: int
    image_size: int
    resize: str
    mean: tuple[float, ...] | None = IMAGENET_MEAN
    std: tuple[float, ...] | None = IMAGENET_STD


SMALL = NetworkInput(32, 32, "shortest_crop")  # CIFAR's images as they are
OWN = {
    "caffenet": NetworkInput(227, 256, "warp", None, None),
    "mini_caffenet": NetworkInput(32, 36, "warp", None, None),
    "cifar_resnet20": SMALL,
    "mini_resnet": SMALL,
}
USUAL = NetworkInput(224, 256, "shortest_crop_bicubic")  # of timm's networks, where they state nothing else
DEFAULT = "DEFAULT"  # a library's own choice among a network's weights, as torchvision writes it
INSTALLED = "installed"  # the tag of the weights that come with the installation, and their network
INSTALLED_NETWORK = "timm:tf_efficientnet_lite0"


def network_input(architecture: str, weights: str | None = None) -> NetworkInput:
    """The input of an architecture with these `weights` (a tag of its library), or with its default ones."""
    if architecture in OWN:
        return OWN[architecture]
    known = _table()
    return known.get((architecture, weights or DEFAULT)) or known.get((architecture, DEFAULT), USUAL)


@functools.cache
def _table() -> dict[tuple[str, str], NetworkInput]:
    """The rows of inputs.csv by architecture and tag."""
    with open(TABLE, encoding="utf-8", newline="") as file:
        return {(row["network"], row["weights"]): _input(row) for row in csv.DictReader(file)}


def _input(row: dict[str, str]) -> NetworkInput:
    mean, std = (tuple(map(float, row[key].split())) for key in ("mean", "std"))
    return NetworkInput(int(row["crop"]), int(row["image_size"]), row["resize"], mean, std)
