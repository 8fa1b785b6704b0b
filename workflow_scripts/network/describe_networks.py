"""Step: write the table of units that catalogue.py reads, or print the units of one network."""

import argparse
import csv
import io
import sys
import warnings
from pathlib import Path

from workflow_scripts.network.build import build_network
from workflow_scripts.network.catalogue import TABLE
from workflow_scripts.network.description import measured_units
from workflow_scripts.network.models import OWN, torchvision_names
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.progress import progress

COLUMNS = ("network", "crop", "classes", "batch_norm", "unit", "parameters", "multiplications", "outputs")
CROPS = {"torchvision:inception_v3": 299}  # others of torchvision take 224 pixels
CLASSES = 1000


def table_rows(architecture: str, crop: int, classes: int) -> list[dict]:
    """The rows of a network's units, with COLUMNS. Raises InputError for a network without units."""
    network = build_network(architecture, crop, classes)
    norms = bool(network.norms(len(network.names)))
    return [
        {"network": architecture, "crop": crop, "classes": classes, "batch_norm": norms, "unit": cost.name}
        | {key: getattr(cost, key) for key in COLUMNS[5:]}
        for cost in measured_units(network, crop)
    ]


def all_rows(architectures: list[str]) -> list[dict]:
    """The rows of all networks that can be cut into units; the others are named on standard error."""
    rows = []
    for architecture in progress(architectures, "networks", len(architectures), "networks"):
        crop = CROPS.get(architecture, 32 if architecture in OWN else 224)
        try:
            rows += table_rows(architecture, crop, CLASSES)
        except InputError as error:
            print(f"left out: {error}", file=sys.stderr)
    return rows


def as_csv(rows: list[dict]) -> str:
    """The rows as CSV text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", help="the network to print; without it the table is written")
    parser.add_argument("--crop", type=int, default=224, help="the side of its images in pixels")
    parser.add_argument("--classes", type=int, default=CLASSES, help="the outputs of its head")
    parser.add_argument("--output", type=Path, default=TABLE)
    args = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)  # torchvision's, about initial weights of two networks
    if args.network:
        print(as_csv(table_rows(args.network, args.crop, args.classes)), end="")
    else:
        names = [*OWN, *(f"torchvision:{name}" for name in torchvision_names())]
        write_text(args.output, as_csv(all_rows(names)))


if __name__ == "__main__":
    cli.run(main)
