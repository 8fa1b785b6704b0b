"""Networks by name as their libraries build them, and where each is cut into units."""

import difflib
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torchvision
from torch import nn

from workflow_scripts.network import timm_models
from workflow_scripts.network.architectures import ARCHITECTURES
from workflow_scripts.network.resnets import cifar_resnet20, mini_resnet
from workflow_scripts.network.traced import TracedNetwork
from workflow_scripts.network.units import Unit, units
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.study.mini_resnets import NORMS, USUAL, named_variant, variant_name

# The variants of mini_resnet whose units the catalogue holds; those of other sizes are described by a job.
MINI_RESNETS = [variant_name(USUAL | {"norm": norm, "skip": skip}) for skip in (True, False) for norm in NORMS]
OWN: dict[str, Callable[[int], nn.Module]] = {"cifar_resnet20": cifar_resnet20}
OWN |= {name: partial(mini_resnet, **named_variant(name)) for name in MINI_RESNETS}
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
    if not library and (variant := named_variant(name)):
        return mini_resnet(classes, **variant)
    if library == "torchvision" and name in torchvision_names():
        return torchvision.models.get_model(name, weights=None, num_classes=classes, **WITHOUT_SIDES.get(name, {}))
    if library == "timm" and timm_models.is_known(name):
        return timm_models.model(name, classes)
    names = [*ARCHITECTURES, *OWN, *(f"torchvision:{one}" for one in torchvision_names())]
    raise InputError(unknown(architecture, timm_models.names(name) if library == "timm" else names))


def unknown(architecture: str, names: Iterable[str]) -> str:
    """The line for a name that no library has, with those of `names` that are most like it, whatever their library."""
    known = {name.rpartition(":")[2]: name for name in names}
    near = [known[one] for one in difflib.get_close_matches(architecture.rpartition(":")[2].lower(), known, n=3)]
    return f"training.architecture: no network is called {architecture}. Choose {' or '.join(near) or 'a known one'}."


def cut(architecture: str) -> Callable[[nn.Module], Sequence[Unit]]:
    """The function that cuts a model of this architecture into its units."""
    if architecture.startswith("timm:"):
        return partial(units, leaves=timm_models.whole_modules(), functions=timm_models.whole_functions())
    return units


def traced_network(architecture: str, classes: int) -> TracedNetwork:
    """The network of this name as a chain of units. Raises InputError for one that cannot be cut into units."""
    network = model(architecture, classes)
    try:
        return TracedNetwork(network, cut(architecture))
    except (ValueError, TypeError, AttributeError, RuntimeError, NotImplementedError) as error:  # what tracing raises
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(
            f"training.architecture: {architecture} cannot be cut into units: {reason}. Choose a different network."
        ) from None
