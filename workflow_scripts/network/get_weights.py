"""Step: get pretrained weights, from a file or from the network's library, and check them against the network.

Writes those of all units below the head as safetensors, by the network's own names, and a record.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch

from workflow_scripts.network.build import build_network
from workflow_scripts.network.library_weights import library_weights
from workflow_scripts.network.networks import load_weights
from workflow_scripts.network.pretrained import matched_weights
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import atomic_path
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import write_record

CLASSES = 1000  # of a head that is not used


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="architecture and crop as JSON")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--file", type=Path, help="the weights as safetensors")
    given.add_argument("--tag", help="the weights' name in the network's library")
    parser.add_argument("--output", type=Path, required=True, help="the checked weights (.safetensors)")
    parser.add_argument("--record", type=Path, required=True)
    args = parser.parse_args()
    settings: Mapping = args.settings
    network = build_network(settings["architecture"], settings["crop"], CLASSES)
    found = load_weights(args.file) if args.file else library_weights(settings["architecture"], args.tag)
    weights = matched_weights(args.file or f"{settings['architecture']} {args.tag}", found, network)
    with atomic_path(args.output) as temporary:
        safetensors.torch.save_file({name: one.contiguous() for name, one in weights.items()}, temporary)
    made_by = provenance("network.get_weights", settings)
    write_record(args.record, {"architecture": settings["architecture"], "provenance": made_by}, [args.output], [])


if __name__ == "__main__":
    cli.run(main)
