"""The units of known networks and what they cost, without torch: the Snakefile asks at parse time.

units.csv holds torchvision's networks, ours and one of timm, as `make units` writes it (describe_networks.py).
"""

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from workflow_scripts.network.architectures import ARCHITECTURES, layer_costs

TABLE = Path(__file__).with_name("units.csv")
USUAL = "torchvision:resnet50"


@dataclass(frozen=True)
class UnitCost:
    """A unit's name, its parameters, and one image's multiplications and output numbers."""

    name: str
    parameters: int
    multiplications: int
    outputs: int


@dataclass(frozen=True)
class Description:
    """A network's units for RGB images of side `crop` and a head of `classes` outputs; whether it has batch norm."""

    crop: int
    classes: int
    batch_norm: bool
    units: tuple[UnitCost, ...]


def known_architectures() -> list[str]:
    """The names of all networks whose units are known at parse time."""
    return [*ARCHITECTURES, *_rows()]


def has_batch_norm(architecture: str) -> bool | None:
    """Whether a network has norm layers with running statistics; None for one that is not known."""
    if architecture in ARCHITECTURES:
        return False
    return _description(architecture).batch_norm if architecture in _rows() else None


def study_costs(settings: Mapping, classes: int) -> list[UnitCost]:
    """The costs of the units of a study's network, the head last, with `classes` outputs.

    `settings` have the section `training` and, for networks outside the catalogue, `units` (UnitCost as mappings). A
    network that is not described yet is taken for a ResNet-50.
    """
    training = settings["training"]
    name = training["architecture"]
    if name in known_architectures():
        return unit_costs(name, training["crop"], classes)
    if "units" in settings:
        return [UnitCost(**unit) for unit in settings["units"]]
    return unit_costs(USUAL, training["crop"], classes)


def unit_costs(architecture: str, crop: int, classes: int) -> list[UnitCost]:
    """The costs of each unit for square RGB crops of side `crop` and a head of `classes` outputs, the head last.

    For the networks of the table, a crop of a different size scales multiplications and outputs by its area. Raises
    KeyError for a network that is not known, and ValueError where a CaffeNet cannot take the crop.
    """
    if architecture in ARCHITECTURES:
        layers = ARCHITECTURES[architecture]()
        costs = layer_costs(layers, crop, classes)
        pairs = zip(layers, costs, strict=True)
        return [UnitCost(spec.name, one.parameters, one.multiplications, one.outputs) for spec, one in pairs]
    described = _description(architecture)
    area = (crop / described.crop) ** 2
    units = [
        replace(one, multiplications=round(area * one.multiplications), outputs=round(area * one.outputs))
        for one in described.units
    ]
    head, share = described.units[-1], classes / described.classes
    counts = {key: round(share * getattr(head, key)) for key in ("parameters", "multiplications", "outputs")}
    return [*units[:-1], replace(head, **counts)]


@functools.cache
def _rows() -> dict[str, list[str]]:
    """The rows of units.csv by network, as text: a parse needs one network of a hundred."""
    found: dict[str, list[str]] = {}
    for row in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        found.setdefault(row.partition(",")[0], []).append(row)
    return found


@functools.cache
def _description(architecture: str) -> Description:
    """A network of units.csv. Raises KeyError for one that it does not hold."""
    rows = list(csv.reader(_rows()[architecture]))
    units = (UnitCost(row[4], *map(int, row[5:])) for row in rows)
    _, crop, classes, batch_norm, *_ = rows[0]
    return Description(int(crop), int(classes), batch_norm == "True", tuple(units))
