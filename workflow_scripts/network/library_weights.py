"""Pretrained weights of a library's networks by their tag: the input that they were made for, and the weights
themselves, fetched once where there is internet.
"""

import contextlib
from collections.abc import Iterator

import torchvision
from torch import Tensor

from workflow_scripts.network import timm_models
from workflow_scripts.network.inputs import DEFAULT, INSTALLED, INSTALLED_NETWORK, NetworkInput, network_input
from workflow_scripts.network.installed_weights import installed_weights
from workflow_scripts.plumbing.cli import InputError

RESIZES = {"bilinear": "shortest_crop", "bicubic": "shortest_crop_bicubic"}  # of store/decode.py


def weights_tags(architecture: str) -> list[str]:
    """The tags of a network's weights, as its library has them."""
    library, _, name = architecture.partition(":")
    if library == "torchvision":
        return list(torchvision.models.get_model_weights(name).__members__)
    if library == "timm":
        return timm_models.tags(name.partition(".")[0])
    return []


def check_tag(architecture: str, tag: str) -> None:
    """Raise InputError for weights that the network's library does not have."""
    known = [*weights_tags(architecture), *([INSTALLED] if architecture == INSTALLED_NETWORK else [])]
    if not known:
        raise InputError(f"training.pretrained: {architecture} has no weights {tag}. Give a safetensors file.")
    if tag not in (DEFAULT, *known):
        raise InputError(f"training.pretrained: {architecture} has no weights {tag}. Choose {' or '.join(known)}.")


def weights_input(architecture: str, tag: str) -> NetworkInput:
    """The input that the weights of a known tag were made for, as their library states it."""
    if tag == INSTALLED:
        return network_input(architecture)
    library, _, name = architecture.partition(":")
    if library == "timm":
        stated = timm_models.weights_config(name, tag)
        crop = stated.input_size[-1]
        size, resize = int(crop / stated.crop_pct), RESIZES.get(stated.interpolation, RESIZES["bicubic"])
        return NetworkInput(crop, size, resize, tuple(stated.mean), tuple(stated.std))
    stated = torchvision.models.get_model_weights(name)[tag].transforms()
    resize = RESIZES[stated.interpolation.value]
    return NetworkInput(stated.crop_size[0], stated.resize_size[0], resize, tuple(stated.mean), tuple(stated.std))


def library_weights(architecture: str, tag: str) -> dict[str, Tensor]:
    """The state dict of a library's pretrained network, read by torch's weights-only reader or as safetensors.

    Those of INSTALLED come from a package. Raises InputError for weights that cannot be fetched or read.
    """
    if tag == INSTALLED:
        return installed_weights()
    library, _, name = architecture.partition(":")
    with _fetching(architecture, tag):
        if library == "timm":
            return timm_models.weights(name, tag)
        weights = torchvision.models.get_model_weights(name)[tag]
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True, map_location="cpu")


@contextlib.contextmanager
def _fetching(architecture: str, tag: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # those of urllib, of Hugging Face's client, and of readers of damaged files
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InputError(
            f"training.pretrained: the weights {tag} of {architecture} cannot be fetched ({reason[:300]}). Run this "
            "rule where there is internet, or give a file."
        ) from None
