"""Networks by name as their libraries build them, and where each is cut into units."""

import difflib
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torchvision
from torch import nn

from workflow_scripts.network.resnets import cifar_resnet20, mini_resnet
from workflow_scripts.network.traced import TracedNetwork
from workflow_scripts.network.units import Unit, units
from workflow_scripts.plumbing.cli import InputError

OWN: dict[str, Callable[[int], nn.Module]] = {"cifar_resnet20": cifar_resnet20, "mini_resnet": mini_resnet}
# Networks with further classifiers during training, which have no place in a chain of units.
WITHOUT_SIDES = {
    "googlenet": {"aux_logits": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "init_weights": True},
}


def torchvision_names() -> list[str]:
    """Torchvision's networks for classifying images."""
    return torchvision.models.list_models(module=torchvision.models)


def model(architecture: str, classes: int) -> nn.Module:
    """The network of this name with fresh weights, one output a class. torch's default generator decides the weights.

    Raises InputError for a name that its library does not have.
    """
    library, _, name = architecture.rpartition(":")
    if not library and name in OWN:
        return OWN[name](classes)
    if library != "torchvision" or name not in torchvision_names():
        raise InputError(unknown(architecture, [*OWN, *(f"torchvision:{one}" for one in torchvision_names())]))
    return torchvision.models.get_model(name, weights=None, num_classes=classes, **WITHOUT_SIDES.get(name, {}))


def unknown(architecture: str, names: Iterable[str]) -> str:
    """The line for a name that no library has, with those most like it."""
    near = difflib.get_close_matches(architecture, list(names), n=3)
    return f"training.architecture: no network is called {architecture}. Choose {' or '.join(near) or 'a known one'}."


def cut(architecture: str) -> Callable[[nn.Module], Sequence[Unit]]:
    """The function that cuts a model of this architecture into its units."""
    del architecture  # timm's networks have parts that are not to be traced
    return partial(units)


def traced_network(architecture: str, classes: int) -> TracedNetwork:
    """The network of this name as a chain of units. Raises InputError for one that cannot be cut into units."""
    try:
        return TracedNetwork(model(architecture, classes), cut(architecture))
    except ValueError as error:
        raise InputError(
            f"training.architecture: {architecture} cannot be cut into units: {error}. Choose a different network."
        ) from None
