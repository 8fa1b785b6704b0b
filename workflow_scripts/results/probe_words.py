"""Words that answers on probes share: units, sets of probes, accuracies, and what an answer rests on."""

import math

import pandas as pd

from workflow_scripts.results.groups import target_name
from workflow_scripts.results.probes import OVER_IMAGES, SOURCES, TOGETHER, ProbeSet
from workflow_scripts.results.verdicts import capital_halves, decimal, has_interval, listed

CHOSEN = "The cut and each penalty were chosen on held-out training images, never on validation images."
OTHERS = "Other tasks or draws may differ."


def gap_to_last(table: pd.DataFrame, depth: float) -> pd.Series:
    """The difference to the deepest unit as an effect that verdicts know."""
    return _effect(table.loc[depth], "gap")


def gap_of_together(table: pd.DataFrame, depth: float) -> pd.Series:
    """How far all units together lie above the unit at `depth`, as an effect that verdicts know."""
    return _effect(table.loc[depth], "together")


def _effect(row: pd.Series, gap: str) -> pd.Series:
    names = {"points": gap, **{name: f"{gap}_{name}" for name in ("low", "high", "interval")}}
    return pd.Series({name: row[column] for name, column in names.items()} | {"noise_points": math.nan})


def unit_at(table: pd.DataFrame, depth: float) -> str:
    """As in: layer3.1 (n = 7)."""
    return "all units" if depth == TOGETHER else f"{table.loc[depth, 'unit']} (n = {depth:.0f})"


def percent(row: pd.Series) -> str:
    """An accuracy with its interval, if it has one."""
    interval = f" ({decimal(row['low'])} to {decimal(row['high'])})" if has_interval(row) else ""
    return f"{decimal(row['points'])} %{interval}"


def has_score(table: pd.DataFrame, depth: float) -> bool:
    """Whether any probe at `depth` has a score."""
    return bool(pd.notna(table.loc[depth, "points"]))


def set_name(one: ProbeSet) -> str:
    """The kind of halves and the source. Of a pair only transfer between its halves has both of its names."""
    halves = one.halves if one.group == "AnB" else target_name(one.halves)
    return f"{halves}, {SOURCES[one.group]}"


def lead(one: ProbeSet, sets: list[ProbeSet]) -> str:
    """What begins a line on a set among `sets`: nothing where it is the only one, and on all images."""
    images = "image" if one.amount == 1 else "images"
    drawn = [] if math.isinf(one.amount) else [f"{one.amount:.0f} drawn {images} a class"]
    named = [set_name(one), *drawn] if len(sets) > 1 else drawn
    return f"{capital_halves(', '.join(named))}: " if named else ""


def with_images(*amounts: float) -> str:
    """As in: With 5 and 10 images of each class. All images, if they are an amount, are named last."""
    drawn = [f"{amount:.0f}" for amount in amounts if not math.isinf(amount)]
    of_class = [f"{listed(drawn)} image{'' if drawn == ['1'] else 's'} of each class"] if drawn else []
    return f"With {listed([*of_class, *(['all images'] if len(drawn) < len(amounts) else [])])}"


def basis_of(table: pd.DataFrame, depth: float | None, of: str = "") -> str:
    """What an answer on a depth_table rests on: how a cut at `depth` was chosen, and what the intervals are over.

    These are the intervals of the accuracy or, with `of`, those of a gap of the depth_table ("gap", "together").
    `depth` is None where none was chosen.
    """
    intervals = table[f"{of}_interval" if of else "interval"]
    interval = intervals.loc[depth] if depth is not None else next(filter(None, intervals[::-1]), "")
    ranges = [f"The ranges in parentheses are 95 % intervals {interval}."] if interval else []
    chosen = [] if depth is None else [CHOSEN]
    return " ".join([*chosen, *ranges, *([OTHERS] if interval == OVER_IMAGES else [])])
