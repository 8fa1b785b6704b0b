"""Step: get pretrained weights, from a file or from the network's library, and check them against the network.

Writes those of all units below the head as safetensors, by the network's own names, and a record. Nothing is unpickled
but by torch's weights-only reader.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from torch import Tensor

from workflow_scripts.network.build import build_network
from workflow_scripts.network.inputs import NetworkInput
from workflow_scripts.network.library_weights import check_tag, library_weights, weights_input
from workflow_scripts.network.networks import load_weights
from workflow_scripts.network.pretrained import matched_weights
from workflow_scripts.network.weights_file import check_weights_file
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import atomic_path
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import write_record

CLASSES = 1000  # of a head that is not used
SAME = 1e-3  # between two means or standard deviations of pixels between 0 and 1; 255 levels are 4e-3 apart


def check_input(what: str, given: Mapping, stated: NetworkInput) -> list[str]:
    """Lines on what `given` (leaves.input_leaves) has other than the weights called `what` were made for.

    Raises InputError for other means or standard deviations of the channels: the weights then see other numbers than
    in their own training.
    """
    right = f"training.channels: {{mean: {list(stated.mean)}, std: {list(stated.std)}}}"
    if given["input"] != "channels":
        raise InputError(
            f"training.input: {given['input']}, but {what} were made with channels. Set training.input: channels and "
            f"{right}."
        )
    for key in ("mean", "std"):
        mine, own = given["channels"][key], list(getattr(stated, key))
        if any(abs(one - other) > SAME for one, other in zip(mine, own, strict=True)):
            raise InputError(f"training.channels: {key} {mine}, but {what} were made with {own}. Set {right}.")
    return [
        f"note: {section}.{key} is {given[key]}; {what} were made with {getattr(stated, key)}"
        for section, key in (("training", "crop"), ("store", "image_size"), ("store", "resize"))
        if given[key] != getattr(stated, key)
    ]


def from_file(path: Path) -> dict[str, Tensor]:
    """The weights in a safetensors file. Raises InputError for any other file."""
    check_weights_file(path)
    return load_weights(path)


def from_library(architecture: str, tag: str, given: Mapping) -> dict[str, Tensor]:
    """The weights of a tag. Raises InputError for an unknown tag, for the input of other weights, and where the weights
    cannot be fetched.
    """
    check_tag(architecture, tag)
    for line in check_input(f"the weights {tag} of {architecture}", given, weights_input(architecture, tag)):
        print(line)
    return library_weights(architecture, tag)


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="architecture and crop as JSON")
    parser.add_argument("--input", type=cli.json_argument, required=True, help="leaves.input_leaves as JSON")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--file", type=Path, help="the weights as safetensors")
    given.add_argument("--tag", help="the weights' name in the network's library")
    parser.add_argument("--output", type=Path, required=True, help="the checked weights (.safetensors)")
    parser.add_argument("--record", type=Path, required=True)
    args = parser.parse_args()
    architecture = args.settings["architecture"]
    network = build_network(architecture, args.settings["crop"], CLASSES)
    found = from_file(args.file) if args.file else from_library(architecture, args.tag, args.input)
    weights = matched_weights(args.file or f"{architecture} {args.tag}", found, network)
    with atomic_path(args.output) as temporary:
        safetensors.torch.save_file({name: one.contiguous() for name, one in weights.items()}, temporary)
    made_by = provenance("network.get_weights", args.settings | {"input": args.input})
    write_record(args.record, {"architecture": architecture, "provenance": made_by}, [args.output], [])


if __name__ == "__main__":
    cli.run(main)
