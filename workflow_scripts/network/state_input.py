"""Step: print, as JSON, the images that a network's weights were made for, as its library states it."""

import argparse
import json
from dataclasses import asdict

from workflow_scripts.network import timm_models
from workflow_scripts.network.inputs import DEFAULT
from workflow_scripts.network.library_weights import weights_input, weights_tags
from workflow_scripts.network.models import unknown
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError


def stated_input(architecture: str, weights: str) -> dict:
    """NetworkInput as a mapping, for a network of timm and a tag of its weights; for other weights that of the default.

    Raises InputError for a name that timm does not have.
    """
    name = architecture.partition(":")[2]
    if not timm_models.is_known(name):
        raise InputError(unknown(architecture, timm_models.names(name)))
    return asdict(weights_input(architecture, weights if weights in weights_tags(architecture) else DEFAULT))


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", required=True, help="timm:<name>")
    parser.add_argument("--weights", default=DEFAULT, help="their tag or file")
    args = parser.parse_args()
    print(json.dumps(stated_input(args.network, args.weights)))


if __name__ == "__main__":
    cli.run(main)
