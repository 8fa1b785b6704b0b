"""Step: describe the units of a study's network, and refuse depths and crops that it does not have.

Writes a table with a row for each unit, the head last, and a record that the Snakefile reads.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from workflow_scripts.network.architectures import ARCHITECTURES
from workflow_scripts.network.catalogue import UnitCost, unit_costs
from workflow_scripts.network.description import described_network, measured_units
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import write_record

CLASSES = 1000  # outputs of the head, which no share counts


def describe(architecture: str, crop: int) -> list[UnitCost]:
    """The units of a network for RGB images of side `crop`. Raises InputError for a crop that it cannot take."""
    if architecture in ARCHITECTURES:
        try:
            return unit_costs(architecture, crop, CLASSES)
        except ValueError as error:
            raise InputError(f"training.crop: {error}. Raise it.") from None
    return measured_units(described_network(architecture, crop, CLASSES), crop)


def unit_table(units: list[UnitCost]) -> pd.DataFrame:
    """A row for each unit with its number n (`depth`), name and costs, and the shares of the parameters and
    multiplications below the head that the first n units have (between 0 and 1). The head has neither.
    """
    table = pd.DataFrame(map(vars, units)).rename(columns={"name": "unit"})
    table.insert(0, "depth", range(1, len(units) + 1))
    for cost in ("parameters", "multiplications"):
        below = table[cost].iloc[:-1]
        table[f"{cost}_share"] = (below.cumsum() / max(1, below.sum())).round(6)
    return table


def check_depth(architecture: str, units: list[UnitCost], deepest: int) -> None:
    """Raise InputError unless the first `deepest` units leave the head."""
    if deepest >= len(units):
        raise InputError(
            f"configuration: depths: {deepest} is too deep. {architecture} has {len(units)} units, of which "
            f"{len(units) - 1} can be copied. Give depths that fit, or all."
        )


def record(leaves: Mapping, units: list[UnitCost]) -> dict:
    """What the record says: the leaves that decide the units, and the units."""
    return {"leaves": dict(leaves), "units": [vars(unit) for unit in units]} | {
        "provenance": provenance("network.describe_network", leaves)
    }


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="architecture and crop as JSON")
    parser.add_argument("--deepest", type=int, required=True, help="the greatest depth of the study")
    parser.add_argument("--output", type=Path, required=True, help="the table (.csv)")
    parser.add_argument("--record", type=Path, required=True)
    args = parser.parse_args()
    units = describe(**args.settings)
    check_depth(args.settings["architecture"], units, args.deepest)
    write_text(args.output, unit_table(units).to_csv(index=False))
    write_record(args.record, record(args.settings, units), [args.output], [])


if __name__ == "__main__":
    cli.run(main)
