"""The units of a study's network: tables/units.csv as a data frame, and what depth n copies in words."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd


def read_units(path: str | Path) -> pd.DataFrame:
    """units.csv without the head: the units that can be copied, indexed by depth."""
    table = pd.read_csv(path, dtype={"unit": str})
    return table.iloc[:-1].set_index("depth")


def unit_names(units: pd.DataFrame | None) -> dict[int, str]:
    """The name of the unit that depth n copies last, by n; empty where the units are not known."""
    return {} if units is None else units["unit"].to_dict()


def named_depth(depth: int, names: Mapping[int, str]) -> str:
    """As in: n = 3 (layer1.1). The name is left out where `names` (unit_names) lacks it."""
    return f"n = {depth} ({names[depth]})" if depth in names else f"n = {depth}"


def first_units(depth: int, names: Mapping[int, str]) -> str:
    """As in: the first 3 units (up to layer1.1). The name is left out where `names` (unit_names) lacks it."""
    told = "the first unit" if depth == 1 else f"the first {depth} units"
    lead = "" if depth == 1 else "up to "
    return f"{told} ({lead}{names[depth]})" if depth in names else told
