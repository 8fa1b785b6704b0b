"""The networks of `make ask`, and where their weights come from. Light on purpose: it builds none."""

import difflib
import re
import shlex
from collections import Counter
from dataclasses import dataclass

from workflow_scripts.config.network_input import is_weights_file
from workflow_scripts.config.paths import expanded
from workflow_scripts.network.catalogue import known_architectures
from workflow_scripts.network.inputs import DEFAULT, INSTALLED, INSTALLED_NETWORK
from workflow_scripts.plumbing.cli import InputError


@dataclass(frozen=True)
class AskedNetwork:
    """A network: training.architecture, training.pretrained, and a short name of both; "" for the usual ones."""

    architecture: str
    weights: str
    label: str

    @property
    def name(self) -> str:
        """The network and its weights in words."""
        return f"{self.architecture} ({self.weights.rpartition('/')[2]})"


def asked_networks(names: str, weights: str) -> list[AskedNetwork]:
    """The networks in the text `names`, separated by blanks or commas, and their `weights`.

    Without names it is the network that comes with the installation. Weights are a file or a tag: one for one network,
    else one for each, quoted where there are blanks in it. Raises InputError for other numbers of them, for a network
    that has no weights, and for one that is named twice.
    """
    architectures = re.split(r"[\s,]+", names.strip()) if names.strip() else [INSTALLED_NETWORK]
    for name in architectures:
        _check_library(name)
    given = _weights(weights.strip(), architectures)
    found = [
        AskedNetwork(one, own or _own_weights(one), _label(one, own))
        for one, own in zip(architectures, given, strict=True)
    ]
    if twice := [label for label, count in Counter(one.label for one in found).items() if count > 1]:
        raise InputError(f"NETWORK: {twice[0]} stands there twice. Keep one.")
    usual = not names.strip() and not weights.strip()
    return [AskedNetwork(INSTALLED_NETWORK, INSTALLED, "")] if usual else found


def _check_library(name: str) -> None:
    """Raise InputError, with the names most like it, for a name that says no library and is none of ours."""
    known = {one.rpartition(":")[2]: one for one in known_architectures()}
    if ":" not in name and known.get(name) != name:
        near = [known[one] for one in difflib.get_close_matches(name.lower(), known, n=3)]
        raise InputError(
            f"NETWORK: no network is called {name}. Choose {' or '.join([*near, 'a name of timm, as timm:resnet18'])}."
        )


def _weights(text: str, architectures: list[str]) -> list[str]:
    """The weights of each network as the user gave them; "" for those of its own."""
    if not text:
        return [""] * len(architectures)
    try:
        given = [text] if len(architectures) == 1 else shlex.split(text)
    except ValueError:
        raise InputError(f"WEIGHTS: {text}: a quote does not close. Close it.") from None
    if len(given) != len(architectures):
        raise InputError(
            f"WEIGHTS: there are {len(given)} for {len(architectures)} networks. Name weights for each in the same "
            "order, as files or tags, and quote a path with blanks."
        )
    return [expanded("WEIGHTS", one) if is_weights_file(one) else one for one in given]


def _own_weights(architecture: str) -> str:
    if architecture == INSTALLED_NETWORK:
        return INSTALLED
    if ":" not in architecture:
        raise InputError(
            f"NETWORK: {architecture} has no weights of its own. Name a safetensors file, as WEIGHTS=file.safetensors."
        )
    return DEFAULT


def _label(architecture: str, weights: str) -> str:
    stem = re.sub(r"\.safetensors$", "", weights.rpartition("/")[2]) if is_weights_file(weights) else weights
    name = architecture.rpartition(":")[2]
    words = stem if stem.startswith(name) else "_".join(filter(None, [name, stem]))
    return re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_")[:50].strip("_")
