"""How many units a study's network has, as far as that is known, and depths that are to be all of them.

Light on purpose: the Snakefile calls this at parse time.
"""

from collections.abc import Mapping
from pathlib import Path

from workflow_scripts.network.catalogue import UnitCost, known_architectures, unit_costs
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import read_record
from workflow_scripts.study.leaves import architecture_name, network_leaves

ALL = "all"
CLASSES = 1000  # of the head, where only the units below it matter


def known_units(config: Mapping, description: Path) -> list[UnitCost] | None:
    """The units of the study's network, the head last: those of the catalogue, or of the file `description` if it is
    there and of this network (features of the step describe_network). None where neither knows the network.

    Raises InputError for a crop that a CaffeNet cannot take.
    """
    training = config["training"]
    if (name := architecture_name(training)) in known_architectures():
        try:
            return unit_costs(name, training["crop"], CLASSES)
        except ValueError as error:
            raise InputError(f"configuration: training.crop: {error}. Raise it.") from None
    if not description.exists():
        return None
    found = read_record(description)
    return [UnitCost(**unit) for unit in found["units"]] if found["leaves"] == network_leaves(training) else None


def with_units(config: Mapping, units: list[UnitCost] | None) -> dict:
    """A configuration with numbers in place of depths `all`, and with the costs of `units` that no catalogue holds.

    Where the units are not known yet, 1 stands for `all`.
    """
    count = len(units) if units else 2

    def numbers(depths: object) -> object:
        return list(range(1, count)) if depths == ALL else depths

    matrix = [
        {**entry, "depths": numbers(entry["depths"])} if "depths" in entry else entry for entry in config["matrix"]
    ]
    listed = units and architecture_name(config["training"]) not in known_architectures()
    costs = {"units": [vars(unit) for unit in units]} if listed else {}
    return {**config, "depths": numbers(config["depths"]), "matrix": matrix, **costs}


def asks_for_all(config: Mapping) -> bool:
    """Whether the depths of any curve are to be all that the network has."""
    return ALL in [config["depths"], *(entry.get("depths") for entry in config["matrix"])]


def deepest_unit(config: Mapping) -> int:
    """The number of units that the deepest curves copy, preserved ones too; 0 where the depths are all."""
    wanted = [(entry.get("depths", config["depths"]), entry.get("preserve", 0)) for entry in config["matrix"]]
    return max((max(depths) + preserve for depths, preserve in wanted if depths != ALL), default=0)
