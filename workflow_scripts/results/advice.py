"""What a study advises: how many units to copy, and how many to freeze."""

from collections.abc import Mapping

import pandas as pd

from workflow_scripts.results.effects import kinds_of_halves, per_depth
from workflow_scripts.results.groups import PRETRAINED_SOURCE
from workflow_scripts.results.units import first_units
from workflow_scripts.results.verdicts import UNSURE, at_most, depths_in_words, has_interval, noise_of, number, verdict

TOLERANCE = 1.0  # points of top-1 accuracy that freezing may cost in the advice
NO_ADVICE = (
    "No trained transfer network has a trained base network to be compared with."
    " The report therefore gives no advice on what to copy."
)


def advice(effects: pd.DataFrame) -> str:
    """How many units to copy and how many to freeze: a line per kind of halves, or why there is no advice."""
    sentences = []
    for halves in kinds_of_halves(effects):
        boosts, drops = (
            per_depth(effects, name, halves).dropna(subset="points") for name in ("boost_over_base", "total_drop")
        )
        parts = [give(rows) for give, rows in ((_copy_advice, boosts), (_freeze_advice, drops)) if not rows.empty]
        if parts:
            sentences.append(f"Between tasks like {halves}: {' '.join(parts)}")
    return "\n".join(sentences) or NO_ADVICE


def _copy_advice(boosts: pd.DataFrame) -> str:
    best = boosts.loc[boosts["points"].idxmax()]
    if verdict(best) != 1:
        none = f"Fine-tuning copied units brought no measurable gain{_hedged(best)}."
        return f"{none} The best is {number(best)}, at n = {best.name}."
    margin = 2 * noise_of(best)
    alike = [
        depth for depth, boost in boosts.iterrows() if boost["points"] > best["points"] - margin and depth != best.name
    ]
    sentences = [f"Copy {_first_units(best.name)} and fine-tune {'it' if best.name == 1 else 'them'}."]
    sentences.append(f"This gains {number(best)} over training from scratch{_hedged(best)}.")
    if alike:
        sentences.append(f"Copying {depths_in_words(alike)} did about as well.")
    return " ".join(sentences)


def _freeze_advice(drops: pd.DataFrame) -> str:
    cheap = []
    for depth, drop in drops.iterrows():
        if not at_most(drop, TOLERANCE):
            break
        cheap.append(depth)
    if not cheap:
        first = drops.iloc[0]
        return f"Freeze no unit. Freezing n = {first.name} already costs {number(first)}{_hedged(first)}."
    beyond = drops[drops.index > cheap[-1]]
    more = f" Freezing {_first_units(beyond.index[0])} costs {number(beyond.iloc[0])}." if len(beyond) else ""
    costs = f"This costs {TOLERANCE:.0f} point or less{_hedged(drops.loc[cheap[-1]])}."
    return f"To save time, freeze at most {_first_units(cheap[-1])}. {costs}{more}"


def _hedged(effect: pd.Series) -> str:
    """What ends a sentence on the effect: that it holds in these runs, unless an interval says more."""
    return "" if has_interval(effect) else f" {UNSURE}"
