"""Step: write the tables that the Snakefile reads, of networks' units (catalogue.py) and of their input (inputs.py), or
print the units of one network.
"""

import argparse
import csv
import io
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from workflow_scripts.network import catalogue, inputs
from workflow_scripts.network.description import described_network, measured_units
from workflow_scripts.network.inputs import DEFAULT
from workflow_scripts.network.library_weights import weights_input, weights_tags
from workflow_scripts.network.models import OWN, torchvision_names
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.progress import progress
from workflow_scripts.study.mini_resnets import named_variant

UNIT_COLUMNS = ("network", "crop", "classes", "batch_norm", "unit", "parameters", "multiplications", "outputs")
INPUT_COLUMNS = ("network", "weights", "crop", "image_size", "resize", "mean", "std")
CROPS = {"torchvision:inception_v3": 299}  # others of libraries take 224 pixels
TIMM = ("timm:tf_efficientnet_lite0",)  # those of timm that the tables hold
CLASSES = 1000


def library_networks() -> list[str]:
    """The networks of libraries that the tables hold."""
    return [*(f"torchvision:{name}" for name in torchvision_names()), *TIMM]


def unit_rows(architecture: str, crop: int | None = None, classes: int = CLASSES) -> list[dict]:
    """The rows of a network's units, with UNIT_COLUMNS; the crop is by default the network's own. Raises InputError for
    a network without units.
    """
    crop = crop or CROPS.get(architecture, 32 if architecture in OWN or named_variant(architecture) else 224)
    network = described_network(architecture, crop, classes)
    norms = bool(network.norms(len(network.names)))
    return [
        {"network": architecture, "crop": crop, "classes": classes, "batch_norm": norms, "unit": cost.name}
        | {key: getattr(cost, key) for key in UNIT_COLUMNS[5:]}
        for cost in measured_units(network, crop)
    ]


def all_unit_rows(architectures: list[str]) -> list[dict]:
    """The rows of all networks that can be cut into units; the others are named on standard error."""
    rows = []
    for architecture in progress(architectures, "networks", len(architectures), "networks"):
        try:
            rows += unit_rows(architecture)
        except InputError as error:
            print(f"left out: {error}", file=sys.stderr)
    return rows


def input_rows(architecture: str) -> list[dict]:
    """The rows of the input of a library network's weights, by tag, with INPUT_COLUMNS."""
    rows = []
    for tag in dict.fromkeys([DEFAULT, *weights_tags(architecture)]):
        one = weights_input(architecture, tag)
        channels = {key: " ".join(map(str, getattr(one, key))) for key in ("mean", "std")}
        rows.append({"network": architecture, "weights": tag} | vars(one) | channels)
    return rows


def as_csv(rows: Iterable[dict], columns: Sequence[str]) -> str:
    """The rows as CSV text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", help="the network to print; without it the tables are written")
    parser.add_argument("--crop", type=int, help="the side of its images in pixels")
    parser.add_argument("--classes", type=int, default=CLASSES, help="the outputs of its head")
    parser.add_argument("--units", type=Path, default=catalogue.TABLE)
    parser.add_argument("--inputs", type=Path, default=inputs.TABLE)
    args = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)  # torchvision's, about initial weights of two networks
    if args.network:
        print(as_csv(unit_rows(args.network, args.crop, args.classes), UNIT_COLUMNS), end="")
    else:
        libraries = library_networks()
        write_text(args.units, as_csv(all_unit_rows([*OWN, *libraries]), UNIT_COLUMNS))
        rows = (row for architecture in libraries for row in input_rows(architecture))
        write_text(args.inputs, as_csv(rows, INPUT_COLUMNS))


if __name__ == "__main__":
    cli.run(main)
