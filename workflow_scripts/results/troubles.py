"""Findings on frozen transfer in sentences: how deep features are general, and which trouble dominates where."""

from collections.abc import Iterator, Mapping

import pandas as pd

from workflow_scripts.results.effects import kinds_of_halves, per_depth
from workflow_scripts.results.groups import named_source
from workflow_scripts.results.units import named_depth
from workflow_scripts.results.verdicts import (
    ROUNDING,
    Part,
    capital,
    depths_in_words,
    equals,
    hedge,
    lasting_from,
    negated,
    number,
    subject,
    verdict,
)

ONE_DEPTH = "No other depth was compared."
TROUBLES = {"lost co-adaptation": "coadaptation", "specialisation": "specialisation"}  # name -> effect


def generality(effects: pd.DataFrame, names: Mapping[int, str]) -> Iterator[Part]:
    """From which depth on frozen transfer costs anything, by kind of halves. `names` are from units.unit_names."""
    for halves in kinds_of_halves(effects):
        costs, control = per_depth(effects, "specialisation", halves), "the selffer control BnB"
        costs, drops = costs.dropna(subset="points"), per_depth(effects, "total_drop", halves).dropna(subset="points")
        alone = costs.empty
        if alone:
            costs, control = drops, "the base network"
        if costs.empty:
            continue
        first = lasting_from(costs)
        sentences = [_no_lasting_cost(costs, control) if first is None else _lasting_cost(costs, control, first, names)]
        sentences += _gain(costs, control)
        if alone:
            sentences.append("Without selffers, lost co-adaptation and specialisation cannot be separated.")
        elif others := sorted(set(drops.index) - set(costs.index)):
            sentences.append(f"At {depths_in_words(others)} there is no BnB to compare with.")
        yield halves, named_source(f"{subject(halves, costs)} {' '.join(sentences)}", halves), hedge(costs)


def _lasting_cost(costs: pd.DataFrame, control: str, first: int, names: Mapping[int, str]) -> str:
    deepest, gap = costs.iloc[-1], costs.loc[first]
    if len(costs) == 1:
        at = named_depth(first, names)
        return f"Frozen transfer (AnB) lies below {control} at {at} by {number(gap)}. {ONE_DEPTH}"
    before = costs[costs.index < first]
    if len(before):
        sentences = [f"Frozen transfer (AnB) shows no lasting cost up to {named_depth(before.index[-1], names)}."]
        sentences += _passing(before, control)
        sentences.append(f"AnB {_below_from(first, deepest, control, named_depth(first, names))}.")
    else:
        sentences = ["The features are not general at any measured depth."]
        sentences.append(f"Frozen transfer (AnB) {_below_from(first, deepest, control, f'n = {first}')}.")
    at_last = f" and {number(deepest)} at n = {deepest.name}" if deepest.name != first else ""
    sentences.append(f"The gap is {number(gap)} at n = {first}{at_last}.")
    return " ".join(sentences)


def _below_from(first: int, deepest: pd.Series, control: str, named: str) -> str:
    if deepest.name == first:
        return f"lies below {control} at {named}, the greatest depth"
    return f"stays below {control} from {named} on"


def _passing(before: pd.DataFrame, control: str) -> list[str]:
    """Where AnB lies below its control before the depth from which on it stays there."""
    below = before[[verdict(cost) == 1 for _, cost in before.iterrows()]]
    if below.empty:
        return []
    largest = below.loc[below["points"].idxmax()]
    most = f" (by {number(largest)})" if len(below) == 1 else f", most at n = {largest.name} (by {number(largest)})"
    where = f"at {depths_in_words(below.index)}{most}"
    return [f"It lies below {control} {where}, but not measurably at the next depths."]


def _no_lasting_cost(costs: pd.DataFrame, control: str) -> str:
    if below := [depth for depth, cost in costs.iterrows() if verdict(cost) == 1]:
        largest = costs.loc[costs.loc[below, "points"].idxmax()]
        return (
            f"Frozen transfer (AnB) lies below {control} at {depths_in_words(below)}, but not measurably at the"
            f" greatest depth. The gap is {number(largest)} at n = {largest.name}. A lasting boundary was not found."
        )
    largest = costs.loc[costs["points"].idxmax()]
    if len(costs) == 1:
        none = f"Frozen transfer (AnB) does not lie measurably below {control} at n = {largest.name}."
        return f"{none} {ONE_DEPTH}" if verdict(largest) else f"{none} The difference is {number(largest)}. {ONE_DEPTH}"
    none = f"Frozen transfer (AnB) does not lie measurably below {control} at any depth."
    if largest["points"] <= ROUNDING:
        return none
    return f"{none} The largest cost is {number(largest)} at {equals(costs, largest)}."


def _gain(costs: pd.DataFrame, control: str) -> list[str]:
    """Where frozen transfer beats its control."""
    above = [depth for depth, cost in costs.iterrows() if verdict(cost) == -1]
    if not above:
        return []
    most = costs.loc[above].sort_values("points").iloc[0]
    gain = number(negated(most))
    if len(above) == 1:
        return [f"AnB lies above {control} at n = {most.name} by {gain}."]
    return [f"AnB lies above {control} at {depths_in_words(above)}, most at n = {most.name}: {gain}."]


def dominance(effects: pd.DataFrame) -> Iterator[Part]:
    """Which of the two troubles is larger at which depth, by kind of halves. Without transfer networks of the same
    targets it is what the selffers alone tell: how much co-adaptation is lost.
    """
    for halves in kinds_of_halves(effects):
        difference = per_depth(effects, "dominance", halves).dropna(subset="points")
        costs = {column: per_depth(effects, column, halves) for column in TROUBLES.values()}
        lost = costs["coadaptation"].dropna(subset="points")
        tuned = per_depth(effects, "selffer_boost", halves).dropna(subset="points")
        if not difference.empty:
            sentences = [*_compared(difference, costs), *_restored(costs["coadaptation"], tuned)]
            sentences += _selffer_gain(costs["coadaptation"])
            yield halves, f"{subject(halves, difference)} {' '.join(sentences)}", hedge(difference)
        elif not lost.empty:
            unknown = "Without frozen transfer onto the same targets, specialisation is unknown."
            sentences = [*_lost(lost), *_restored(lost, tuned), *_selffer_gain(lost), unknown]
            yield halves, f"{subject(halves, lost)} {' '.join(sentences)}", hedge(lost)


def _compared(difference: pd.DataFrame, costs: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    places = {name: [] for name in (*TROUBLES, "both alike", "neither")}
    for depth, row in difference.iterrows():
        places[_dominant(row, *(cost.loc[depth] for cost in costs.values()))].append(depth)
    for name, column in TROUBLES.items():
        if places[name]:
            yield _worst(name, places[name], costs[column])
    if tied := places["both alike"]:
        yield f"A cost shows at {depths_in_words(tied)}, but which trouble is larger is undecided."
    if free := places["neither"]:
        yield f"Neither {' nor '.join(TROUBLES)} is measurably above zero at {depths_in_words(free)}."


def _lost(lost: pd.DataFrame) -> Iterator[str]:
    """Where selffers lie below base, and where they do not measurably."""
    below = [depth for depth, cost in lost.iterrows() if verdict(cost) == 1]
    if below:
        worst = lost.loc[below].sort_values("points").iloc[-1]
        most = f" by {number(worst)}" if len(below) == 1 else f", most at n = {worst.name}: {number(worst)}"
        yield f"Co-adaptation is lost: BnB lies below base at {depths_in_words(below)}{most}."
    if free := [depth for depth in lost.index if depth not in below]:
        yield f"Lost co-adaptation is not measurably above zero at {depths_in_words(free)}."


def _restored(lost: pd.DataFrame, tuned: pd.DataFrame) -> Iterator[str]:
    """Whether fine-tuning brings back what selffers lose, at the depths where they lose and BnB+ is `tuned` too."""
    below = {depth for depth, cost in lost.iterrows() if verdict(cost) == 1}
    says = {
        1: "Fine-tuning restores it: BnB+ ends above base",
        0: "Fine-tuned, BnB+ does not differ measurably from base",
        -1: "Fine-tuning does not restore it: BnB+ ends below base",
    }
    for sign, text in says.items():
        alike = tuned[[depth in below and verdict(boost) == sign for depth, boost in tuned.iterrows()]]
        if len(alike):
            least = alike.loc[alike["points"].idxmin()]
            lowest = "" if len(alike) == 1 else f"lowest at n = {least.name}: "
            yield f"{text} at {depths_in_words(alike.index)}. BnB+ - base is {lowest}{number(least)}."


def _worst(trouble: str, depths: list[int], costs: pd.DataFrame) -> str:
    """Where a trouble dominates, and its largest cost there."""
    worst = costs.loc[depths].sort_values("points").iloc[-1]
    dominates = f"{capital(trouble)} dominates at {depths_in_words(depths)}"
    if len(depths) == 1:
        return f"{dominates}, where it costs {number(worst)}."
    return f"{dominates}. Its largest cost there is {number(worst)}, at n = {worst.name}."


def _dominant(difference: pd.Series, coadaptation: pd.Series, specialisation: pd.Series) -> str:
    """Which trouble is larger at one depth. A trouble is named only if its own cost is above zero."""
    costs = verdict(coadaptation) == 1, verdict(specialisation) == 1
    if not any(costs):
        return "neither"
    larger = verdict(difference)
    if larger == 1 and costs[1]:
        return "specialisation"
    return "lost co-adaptation" if larger == -1 and costs[0] else "both alike"


def _selffer_gain(coadaptation: pd.DataFrame) -> list[str]:
    gained = [depth for depth, cost in coadaptation.iterrows() if verdict(cost) == -1]
    if not gained:
        return []
    return [
        f"BnB lies above base at {depths_in_words(gained)}.",
        "Training the upper units a second time helps by itself.",
        "The base networks had therefore not converged, and a loss of co-adaptation may be hidden.",
    ]
