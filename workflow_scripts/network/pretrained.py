"""Pretrained weights from elsewhere, matched to a network's units."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from workflow_scripts.network.networks import Network
from workflow_scripts.plumbing.cli import InputError

# What training frameworks put before every name, and Lightning, DDP, torch.compile and self-supervision among them.
WRAPPERS = ("module.", "model.", "_orig_mod.", "net.", "network.", "backbone.", "encoder.", "student.", "teacher.")
# The modules by which networks call their classifier, and classifiers during training that our networks leave out.
HEADS = {"fc", "head", "heads", "head_dist", "classifier", "classif", "linear", "last_linear", "logits", "projector"}
SIDES = {"aux1", "aux2", "AuxLogits", "aux_head"}
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SHOWN = 4  # names in a message
COUNTER = "num_batches_tracked"  # of a norm layer; not used with a fixed momentum, and left out by some files


def matched_weights(path: str | Path, weights: Mapping[str, Tensor], network: Network) -> dict[str, Tensor]:
    """Those of the `weights` from `path` that are of units of `network` below its head, by the network's names, with
    the network's type of numbers.

    Wrappers' leads before all names are dropped, and a head under any usual name, of any shape, is left out. Raises
    InputError that names missing, surplus or misshaped tensors, and those with values that are not finite numbers.
    """
    found = _unwrapped(weights, network)
    wanted = {name: tensor for name, tensor in network.state_dict().items() if name not in _head(network)}
    found |= {name: tensor for name, tensor in wanted.items() if name.endswith(COUNTER) and name not in found}
    _refuse(path, "it lacks", [name for name in wanted if name not in found], network)
    surplus = set(found) - set(wanted) - _head(network)
    _refuse(path, "the network has no", sorted(name for name in surplus if _top(name) not in HEADS | SIDES), network)
    _refuse(path, "another shape has", _misshaped(found, wanted), network)
    return {name: _converted(path, name, found[name], tensor.dtype) for name, tensor in wanted.items()}


def _head(network: Network) -> set[str]:
    return set(network.tensors(len(network.names) - 1))


def _top(name: str) -> str:
    return name.partition(".")[0]


def _unwrapped(found: Mapping[str, Tensor], network: Network) -> dict[str, Tensor]:
    """The tensors under names without wrappers' leads, which all names but those of a head have and the network's have
    not.
    """
    own = {_top(name) for name in network.state_dict()}
    while (lead := _lead(found)) and _top(lead) not in own:
        found = {name.removeprefix(lead): tensor for name, tensor in found.items()}
    return dict(found)


def _lead(found: Iterable[str]) -> str:
    """The wrapper's lead that all names but those of a head have; empty if there is none."""
    names = [name for name in found if _top(name) not in HEADS]
    return next((lead for lead in WRAPPERS if names and all(name.startswith(lead) for name in names)), "")


def _misshaped(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    return [
        f"{name} {tuple(found[name].shape)} for {tuple(tensor.shape)}"
        for name, tensor in wanted.items()
        if found[name].shape != tensor.shape
    ]


def _converted(path: str | Path, name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """A tensor with numbers of the type that the network has. Raises InputError for other numbers than it can hold."""
    if tensor.dtype != dtype and not (tensor.dtype in FLOATS and dtype in FLOATS):
        kinds = [str(one).removeprefix("torch.") for one in (tensor.dtype, dtype)]
        raise InputError(f"{path}: {name} holds {kinds[0]} numbers in place of {kinds[1]}. Get weights of floats.")
    tensor = tensor.to(dtype)
    if not torch.isfinite(tensor).all():
        raise InputError(f"{path}: {name} holds values that are not finite. Get a sound copy of the file.")
    return tensor


def _refuse(path: str | Path, what: str, names: Sequence[str], network: Network) -> None:
    """Raise InputError if there are `names`."""
    if names:
        shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        first, *_, last = network.names
        raise InputError(
            f"{path}: {what} {shown}. Its weights are not of the network with the units {first} to {last}. Correct "
            "training.architecture or training.pretrained."
        )
