"""What curves are called, and what sets them apart from a study's plain ones, in words."""

import pandas as pd

from workflow_scripts.study.columns import VARIANT_COLUMNS
from workflow_scripts.study.jobs import BASE, BASE_TWICE

BASE_NAMES = {BASE: "base network of {}", BASE_TWICE: "base network of {}, trained twice as long"}


def curve_name(source: str, target: str, treatment: str) -> str:
    """A curve of any seed and variant, or a target's base networks: "A to B, frozen", "base network of B"."""
    return BASE_NAMES[treatment].format(target) if treatment in BASE_NAMES else f"{source} to {target}, {treatment}"


def variants_of(networks: pd.DataFrame) -> list[str]:
    """The variant_label of each of the `networks` (table.read_results)."""
    inits = set(networks.loc[networks["treatment"] == BASE, "init"])
    return [variant_label(*values, inits) for values in networks[VARIANT_COLUMNS].itertuples(index=False, name=None)]


def variant_label(preserve: int, init: str, norm_statistics: str, study_inits: set[str]) -> str:
    """What sets a curve apart from the study's plain ones of its group, or "".

    `study_inits` are the initial weights of the base networks.
    """
    named = [f"{preserve} preserved"] if preserve else []
    named += [] if init in study_inits or not study_inits else [f"{init} init"]
    return ", ".join(named + ([statistics_label(norm_statistics)] if norm_statistics else []))


def statistics_label(norm_statistics: str) -> str:
    """The variant_label of a curve that has nothing but these norm statistics of its own."""
    return f"{norm_statistics} statistics"
