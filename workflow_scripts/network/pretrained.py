"""Pretrained weights from elsewhere, matched to a network's units."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from workflow_scripts.network.networks import Network
from workflow_scripts.plumbing.cli import InputError

WRAPPERS = ("module.", "model.", "backbone.", "encoder.")  # what training frameworks put before every name
SIDES = ("aux1.", "aux2.", "AuxLogits.")  # classifiers during training that our networks leave out
SHOWN = 4  # names in a message
COUNTER = "num_batches_tracked"  # of a norm layer; not used with a fixed momentum, and left out by some files


def matched_weights(path: str | Path, weights: Mapping[str, Tensor], network: Network) -> dict[str, Tensor]:
    """Those of the `weights` from `path` that are of units of `network` below its head, by the network's names.

    A wrapper's lead before all names is dropped, and a head of any shape is left out. Raises InputError for a file that
    cannot be read, and names missing, surplus or misshaped tensors and those with values that are not finite.
    """
    found = _unwrapped(weights, network)
    wanted = {name: tensor for name, tensor in network.state_dict().items() if name not in _head(network)}
    found |= {name: tensor for name, tensor in wanted.items() if name.endswith(COUNTER) and name not in found}
    _refuse(path, "it lacks", [name for name in wanted if name not in found], network)
    surplus = set(found) - set(wanted) - _head(network)
    _refuse(path, "the network has no", sorted(name for name in surplus if not name.startswith(SIDES)), network)
    _refuse(path, "another shape has", _misshaped(found, wanted), network)
    chosen = {name: found[name] for name in wanted}
    if bad := [name for name, tensor in chosen.items() if not torch.isfinite(tensor).all()]:
        raise InputError(f"{path}: {bad[0]} holds values that are not finite. Get a sound copy of the file.")
    return chosen


def _head(network: Network) -> set[str]:
    return set(network.tensors(len(network.names) - 1))


def _unwrapped(found: Mapping[str, Tensor], network: Network) -> dict[str, Tensor]:
    """The tensors under names without a wrapper's lead, where all names have the same one and the network's do not."""
    for lead in WRAPPERS:
        own = any(name.startswith(lead) for name in network.state_dict())
        if found and not own and all(name.startswith(lead) for name in found):
            return {name.removeprefix(lead): tensor for name, tensor in found.items()}
    return dict(found)


def _misshaped(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    return [
        f"{name} {tuple(found[name].shape)} for {tuple(tensor.shape)}"
        for name, tensor in wanted.items()
        if found[name].shape != tensor.shape
    ]


def _refuse(path: str | Path, what: str, names: Sequence[str], network: Network) -> None:
    """Raise InputError if there are `names`."""
    if names:
        shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        raise InputError(
            f"{path}: {what} {shown}. Its weights are not of the network with the units "
            f"{_shown_units(network.names)}. Correct training.architecture or training.pretrained."
        )


def _shown_units(names: Iterable[str]) -> str:
    first, *_, last = names
    return f"{first} to {last}"
