"""What a study advises: how many units to copy, and how many to freeze."""

from collections.abc import Mapping
from itertools import takewhile

import pandas as pd

from workflow_scripts.results.effects import kinds_of_halves, of_all_images, per_depth
from workflow_scripts.results.groups import PRETRAINED_SOURCE
from workflow_scripts.results.units import first_units
from workflow_scripts.results.verdicts import (
    UNSURE,
    at_most,
    decimal,
    depths_in_words,
    difference,
    has_interval,
    negated,
    noise_of,
    number,
    verdict,
)

TOLERANCE = 1.0  # points of top-1 accuracy that freezing may cost in the advice
NO_ADVICE = (
    "No trained transfer network has a trained base network to be compared with."
    " The report therefore gives no advice on what to copy."
)

BY_IMAGES = "The targets have few images. The findings say what to copy and what to freeze with how many."


def advice(effects: pd.DataFrame, names: Mapping[int, str] | None = None) -> str:
    """How many units to copy and how many to freeze: a line per kind of halves, or why there is no advice.

    Targets of drawn images are left out. `names` of units are from units.unit_names.
    """
    sentences, of_all = [], of_all_images(effects)
    for halves in kinds_of_halves(of_all):
        boosts, drops, recoveries = (
            per_depth(effects, name, halves).dropna(subset="points")
            for name in ("boost_over_base", "total_drop", "recovery")
        )
        pretrained = halves.endswith(PRETRAINED_SOURCE)
        freeze_advice = _pretrained_freeze_advice if pretrained else _freeze_advice
        parts = [
            give(rows, names or {}) for give, rows in ((_copy_advice, boosts), (freeze_advice, drops)) if not rows.empty
        ]
        if parts and pretrained:
            more = [] if drops.empty else _tuned(drops, recoveries)
            target = halves.removesuffix(PRETRAINED_SOURCE)
            sentences.append(f"From the pretrained network to {target}: {' '.join([*parts, *more])}")
        elif parts:
            sentences.append(f"Between tasks like {halves}: {' '.join(parts)}")
    return "\n".join(sentences) or (NO_ADVICE if len(of_all) == len(effects) else BY_IMAGES)


def _copy_advice(boosts: pd.DataFrame, names: Mapping[int, str]) -> str:
    best = boosts.loc[boosts["points"].idxmax()]
    if verdict(best) != 1:
        none = f"Fine-tuning copied units brought no measurable gain{_hedged(best)}."
        return f"{none} The best is {number(best)}, at n = {best.name}."
    margin = 2 * noise_of(best)
    alike = [
        depth for depth, boost in boosts.iterrows() if boost["points"] > best["points"] - margin and depth != best.name
    ]
    sentences = [f"Copy {first_units(best.name, names)} and fine-tune {'it' if best.name == 1 else 'them'}."]
    sentences.append(f"This gains {number(best)} over training from scratch{_hedged(best)}.")
    if alike:
        sentences.append(f"Copying {depths_in_words(alike)} did about as well.")
    return " ".join(sentences)


def _freeze_advice(drops: pd.DataFrame, names: Mapping[int, str]) -> str:
    best = drops.loc[drops["points"].idxmin()]
    cheap = _cheap_advice(drops, names)
    return f"{_gain(best, names)}. {cheap}" if verdict(best) == -1 else cheap


def depth_to_freeze(drops: pd.DataFrame, pretrained: bool) -> int | None:
    """The deepest depth that the advice on freezing names, from `drops` by depth (effects.per_depth), or None.

    It costs at most TOLERANCE. Where freezing a pretrained network's units gains, it is not clearly below the best.
    """
    if not pretrained:
        return deepest_cheap(drops)
    best, worse = drops.loc[drops["points"].idxmin()], _clearly_worse(drops)
    sound = drops.drop(index=worse)
    return int(sound.index.max()) if verdict(best) == -1 else deepest_cheap(sound)


def _clearly_worse(drops: pd.DataFrame) -> set[int]:
    """The depths whose drop is clearly larger than the least."""
    best = drops.loc[drops["points"].idxmin()]
    return {depth for depth, drop in drops.iterrows() if verdict(difference(drop, best)) == 1}


def _pretrained_freeze_advice(drops: pd.DataFrame, names: Mapping[int, str]) -> str:
    """The best depth to freeze, and the deepest that is not clearly worse than it."""
    best, worse = drops.loc[drops["points"].idxmin()], _clearly_worse(drops)
    if verdict(best) != -1:
        cheap = _cheap_advice(drops.drop(index=worse), names)
        ending = _hedged(best) if verdict(best) else f", which is undecided{_hedged(best)}"
        return f"{cheap} The best depth to freeze is n = {best.name}: it costs {number(best)}{ending}."
    deepest = depth_to_freeze(drops, pretrained=True)
    sentences = [f"{_gain(best, names)}, the most of all depths."]
    if deepest != best.name:
        sentences.append(f"To save time, freeze {first_units(deepest, names)}: this does about as well.")
    if beyond := sorted(depth for depth in worse if depth > deepest):
        less = drops.loc[beyond[0], "points"] - best["points"]
        sentences.append(f"Freezing {first_units(beyond[0], names)} does {decimal(less)} points worse.")
    return " ".join(sentences)


def _gain(best: pd.Series, names: Mapping[int, str]) -> str:
    gain = f"Freezing {first_units(best.name, names)} gains {number(negated(best))} over training from scratch"
    return f"{gain}{_hedged(best)}"


def _cheap_advice(drops: pd.DataFrame, names: Mapping[int, str]) -> str:
    """How many units can be frozen at a cost of TOLERANCE."""
    deepest = deepest_cheap(drops)
    if deepest is None:
        first = drops.iloc[0]
        if first["points"] <= 0:
            return f"What freezing costs is undecided: at n = {first.name} it is {number(first)}."
        return f"Freeze no unit. Freezing n = {first.name} already costs {number(first)}{_hedged(first)}."
    beyond = drops[drops.index > deepest]
    more = f" Freezing {first_units(beyond.index[0], names)} costs {number(beyond.iloc[0])}." if len(beyond) else ""
    costs = f"This costs {TOLERANCE:.0f} point or less{_hedged(drops.loc[deepest])}."
    return f"To save time, freeze at most {first_units(deepest, names)}. {costs}{more}"


def deepest_cheap(drops: pd.DataFrame) -> int | None:
    """The last depth before the first whose drop may exceed TOLERANCE; None if that is the first of `drops`, which are
    rows of effects by depth (effects.per_depth).
    """
    cheap = [*takewhile(lambda row: at_most(row[1], TOLERANCE), drops.iterrows())]
    return int(cheap[-1][0]) if cheap else None


def _tuned(drops: pd.DataFrame, recoveries: pd.DataFrame) -> list[str]:
    """What fine-tuning gives at the depth where freezing does best."""
    depth = drops["points"].idxmin()
    if depth not in recoveries.index:
        return []
    gain = recoveries.loc[depth]
    says = {
        1: f"Fine-tuning the units at n = {depth} in place of freezing them adds {number(gain)}",
        -1: f"Fine-tuning the units at n = {depth} in place of freezing them loses {number(negated(gain))}",
        0: f"At n = {depth}, fine-tuning and freezing do not differ measurably: {number(gain)}",
    }
    return [f"{says[verdict(gain)]}{_hedged(gain)}."]


def _hedged(effect: pd.Series) -> str:
    """What ends a sentence on the effect: that it holds in these runs, unless an interval says more."""
    return "" if has_interval(effect) else f" {UNSURE}"
