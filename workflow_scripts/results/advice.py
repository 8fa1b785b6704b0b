"""What a study advises: how many units to copy, and how many to freeze."""

from collections.abc import Mapping
from itertools import takewhile

import pandas as pd

from workflow_scripts.results.effects import kinds_of_halves, of_all_images, per_depth
from workflow_scripts.results.groups import PRETRAINED_SOURCE, target_name
from workflow_scripts.results.units import first_units
from workflow_scripts.results.verdicts import (
    UNSURE,
    at_most,
    decimal,
    depths_in_words,
    difference,
    equals,
    has_interval,
    negated,
    number,
    verdict,
)

TOLERANCE = 1.0  # points of top-1 accuracy that freezing may cost in the advice, for the time that it saves
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
        boosts, staged, drops, recoveries = (
            per_depth(effects, name, halves).dropna(subset="points")
            for name in ("boost_over_base", "staged_over_base", "total_drop", "recovery")
        )
        tuned = (_copy_advice, boosts) if len(boosts) else (_staged_advice, staged)
        parts = [give(rows, names or {}) for give, rows in (tuned, (_freeze_advice, drops)) if not rows.empty]
        if parts and halves.endswith(PRETRAINED_SOURCE):
            more = [] if drops.empty else _tuned(drops, recoveries)
            target = target_name(halves.removesuffix(PRETRAINED_SOURCE))
            sentences.append(f"From the pretrained network to {target}: {' '.join([*parts, *more])}")
        elif parts:
            lead = f"From {halves}" if " to " in halves else f"Between tasks like {halves}"
            sentences.append(f"{lead}: {' '.join(parts)}")
    return "\n".join(sentences) or (NO_ADVICE if len(of_all) == len(effects) else BY_IMAGES)


def _copy_advice(boosts: pd.DataFrame, names: Mapping[int, str]) -> str:
    return _copies(boosts, names, "Fine-tuning", "fine-tune {}")


def _staged_advice(boosts: pd.DataFrame, names: Mapping[int, str]) -> str:
    """As _copy_advice, where no network is fine-tuned at once."""
    copies = _copies(boosts, names, "Staged training of", "train the units above first, then all")
    return f"{copies} Staged networks train on the target for twice as long as base."


def _copies(boosts: pd.DataFrame, names: Mapping[int, str], training: str, do: str) -> str:
    """How many units to copy to gain most over training from scratch by a `training`, which is to `do` it."""
    best, signs = _best(boosts, 1), [verdict(boost) for _, boost in boosts.iterrows()]
    if set(signs) == {-1}:
        least = f"the least by {number(negated(best))}, at {equals(boosts, best)}"
        if len(boosts) == 1:
            return f"{training} copied units loses {number(negated(best))}{_hedged(best)}, at n = {best.name}."
        return f"{training} copied units loses at every depth{_hedged(best)}, {least}."
    if verdict(best) != 1:
        none = f"{training} copied units brought no measurable gain{_hedged(best)}."
        sentences = [none, f"The best is {number(best)}, at {equals(boosts, best)}."]
        if losing := [depth for depth, sign in zip(boosts.index, signs, strict=True) if sign == -1]:
            sentences.append(f"It loses at {depths_in_words(losing)}.")
        return " ".join(sentences)
    alike = [
        depth for depth, boost in boosts.iterrows() if depth != best.name and verdict(difference(best, boost)) != 1
    ]
    sentences = [f"Copy {first_units(best.name, names)} and {do.format('it' if best.name == 1 else 'them')}."]
    sentences.append(f"This gains {number(best)} over training from scratch{_hedged(best)}.")
    if alike:
        sentences.append(f"Copying {depths_in_words(alike)} is not measurably worse.")
    return " ".join(sentences)


def _best(effects: pd.DataFrame, sign: int) -> pd.Series:
    """The greatest of the effects that are measurably positive (least and negative if `sign` is -1), else of all."""
    sure = effects[[verdict(effect) == sign for _, effect in effects.iterrows()]]
    among = effects if sure.empty else sure
    return among.loc[(sign * among["points"]).round(9).idxmax()]


def _freeze_advice(drops: pd.DataFrame, names: Mapping[int, str]) -> str:
    """How many units to freeze to gain most, and how many to save time."""
    best, chosen = _best(drops, -1), depth_to_freeze(drops)
    if verdict(best) != -1:
        return _cheap_advice(drops, chosen, names)
    chosen = best.name if chosen is None else chosen
    gain = f"Freezing {first_units(best.name, names)} gains {number(negated(best))} over training from scratch"
    others = [drop for depth, drop in drops.iterrows() if depth != best.name]
    most = others and all(verdict(difference(other, best)) == 1 for other in others)
    sentences = [f"{gain}{_hedged(best)}{', the most of all depths' if most else ''}."]
    if chosen != best.name:
        other, freeze = drops.loc[chosen], f"To save time, freeze {first_units(chosen, names)}"
        says = {
            1: f"{freeze}: this costs {number(other)}.",
            -1: f"{freeze}: this gains {number(negated(other))}.",
            0: f"{freeze}. What this costs is undecided: {number(other)}.",
        }
        sentences.append(says[verdict(other)])
    if beyond := sorted(depth for depth in clearly_worse(drops) if depth > chosen):
        less = drops.loc[beyond[0], "points"] - best["points"]
        sentences.append(f"Freezing {first_units(beyond[0], names)} does {decimal(less)} points worse than the best.")
    return " ".join(sentences)


def depth_to_freeze(drops: pd.DataFrame) -> int | None:
    """The deepest depth that the advice on freezing names, from `drops` by depth (effects.per_depth), or None.

    It costs at most TOLERANCE against training from scratch and against each other depth. Where freezing gains nothing,
    so does each shallower depth, unless the first one costs more.
    """
    sound = drops.drop(index=clearly_worse(drops))
    cheap = {depth for depth, drop in sound.iterrows() if at_most(drop, TOLERANCE)}
    if verdict(_best(drops, -1)) != -1:
        cheap = set(takewhile(cheap.__contains__, drops.index)) or cheap
    return int(max(cheap)) if cheap else None


def clearly_worse(drops: pd.DataFrame) -> set[int]:
    """The depths whose drop is clearly, and by more than TOLERANCE, larger than that of another depth."""
    least = drops.loc[list({drops[column].idxmin() for column in ("points", "high") if drops[column].notna().any()})]
    return {
        depth
        for depth, drop in drops.iterrows()
        if any(
            verdict(gap := difference(drop, other)) == 1 and gap["points"] > TOLERANCE for _, other in least.iterrows()
        )
    }


def _cheap_advice(drops: pd.DataFrame, chosen: int | None, names: Mapping[int, str]) -> str:
    """How many units can be frozen at a cost of TOLERANCE, where freezing gains nothing."""
    worse, least = clearly_worse(drops), drops.loc[drops["points"].round(9).idxmin()]
    if chosen is None and verdict(least) == 1:
        costs = "already costs" if least.name == drops.index[0] else "costs least,"
        return f"Freeze no unit. Freezing n = {least.name} {costs} {number(least)}{_hedged(least)}."
    if chosen is None:
        undecided = f"What freezing costs is undecided: at n = {least.name} it is {number(least)}."
        return " ".join([undecided, *_dear(drops[drops.index > least.name], names)])
    most = "" if any(depth < chosen for depth in worse) else "at most "
    sentences = [f"To save time, freeze {most}{first_units(chosen, names)}."]
    sentences.append(f"This costs {TOLERANCE:.0f} point or less{_hedged(drops.loc[chosen])}.")
    if len(beyond := drops[drops.index > chosen]):
        units, cost = first_units(beyond.index[0], names), beyond.iloc[0]
        if at_most(cost, TOLERANCE):
            sentences.append(f"Freezing {units} does {decimal(cost['points'] - least['points'])} points worse.")
        elif verdict(cost) != 1:
            sentences.append(f"What freezing {units} costs is undecided: {number(cost)}.")
        sentences += _dear(beyond, names)
    return " ".join(sentences)


def _dear(drops: pd.DataFrame, names: Mapping[int, str]) -> list[str]:
    """The first of these depths that measurably costs more than TOLERANCE."""
    dear = [drop for _, drop in drops.iterrows() if verdict(drop) == 1 and not at_most(drop, TOLERANCE)]
    return [f"Freezing {first_units(drop.name, names)} costs {number(drop)}." for drop in dear[:1]]


def _tuned(drops: pd.DataFrame, recoveries: pd.DataFrame) -> list[str]:
    """What fine-tuning gives at the depth where freezing does best."""
    depth = _best(drops, -1).name
    if depth not in recoveries.index:
        return []
    gain = recoveries.loc[depth]
    says = {
        1: f"Fine-tuning the units at n = {depth} in place of freezing them adds {number(gain)}",
        -1: f"Fine-tuning the units at n = {depth} in place of freezing them loses {number(negated(gain))}",
        0: f"At n = {depth}, fine-tuning and freezing do not differ measurably: the difference is {number(gain)}",
    }
    return [f"{says[verdict(gain)]}{_hedged(gain)}."]


def _hedged(effect: pd.Series) -> str:
    """What ends a sentence on the effect: that it holds in these runs, unless an interval says more."""
    return "" if has_interval(effect) else f" {UNSURE}"
