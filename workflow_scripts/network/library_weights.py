"""Pretrained weights of torchvision's networks by their tag, fetched once where there is internet."""

import torchvision
from torch import Tensor

from workflow_scripts.plumbing.cli import InputError


def library_weights(architecture: str, tag: str) -> dict[str, Tensor]:
    """The state dict of a library's pretrained network. Raises InputError for an unknown tag, or without internet."""
    library, _, name = architecture.partition(":")
    if library != "torchvision":
        raise InputError(f"training.pretrained: {architecture} has no weights {tag}. Give a safetensors file.")
    known = torchvision.models.get_model_weights(name)
    if tag not in known.__members__:
        raise InputError(
            f"training.pretrained: {architecture} has no weights {tag}. Choose {' or '.join(known.__members__)}."
        )
    return known[tag].get_state_dict(check_hash=True)
