"""Findings on frozen transfer in sentences: how deep features are general, and which trouble dominates where."""

from collections.abc import Iterator, Mapping

import pandas as pd

from workflow_scripts.results.effects import kinds_of_halves, per_depth
from workflow_scripts.results.groups import named_source
from workflow_scripts.results.units import named_depth
from workflow_scripts.results.verdicts import (
    Part,
    capital,
    depths_in_words,
    hedge,
    lasting_from,
    negated,
    number,
    subject,
    verdict,
)

TROUBLES = {"lost co-adaptation": "coadaptation", "specialisation": "specialisation"}  # name -> effect


def generality(effects: pd.DataFrame, names: Mapping[int, str]) -> Iterator[Part]:
    """From which depth on frozen transfer costs anything, by kind of halves. `names` are from units.unit_names."""
    for halves in kinds_of_halves(effects):
        costs, control = per_depth(effects, "specialisation", halves), "the selffer control BnB"
        costs = costs.dropna(subset="points")
        if costs.empty:
            costs, control = per_depth(effects, "total_drop", halves).dropna(subset="points"), "the base network"
        if costs.empty:
            continue
        first = lasting_from(costs)
        cost = _no_lasting_cost(costs, control) if first is None else _lasting_cost(costs, control, first, names)
        sentences = [cost, *_gain(costs, control)]
        if "selffer" not in control:
            sentences.append("Without selffers, lost co-adaptation and specialisation cannot be separated.")
        yield halves, named_source(f"{subject(halves, costs)} {' '.join(sentences)}", halves), hedge(costs)


def _lasting_cost(costs: pd.DataFrame, control: str, first: int, names: Mapping[int, str]) -> str:
    before, deepest = costs.index[costs.index < first], costs.iloc[-1]
    if len(before):
        sentences = [f"Frozen transfer (AnB) shows no lasting cost up to {named_depth(before[-1], names)}."]
        sentences.append(f"AnB stays below {control} from {named_depth(first, names)} on.")
    else:
        sentences = ["The features are not general at any measured depth."]
        sentences.append(f"Frozen transfer (AnB) stays below {control} from n = {first} on.")
    at_last = f" and {number(deepest)} at n = {deepest.name}" if deepest.name != first else ""
    sentences.append(f"The gap is {number(costs.loc[first])} at n = {first}{at_last}.")
    return " ".join(sentences)


def _no_lasting_cost(costs: pd.DataFrame, control: str) -> str:
    below = [depth for depth, cost in costs.iterrows() if verdict(cost) == 1]
    if below:
        return (
            f"Frozen transfer (AnB) lies below {control} at {depths_in_words(below)}, but not measurably at the"
            " greatest depth. A lasting boundary was not found."
        )
    largest = costs.loc[costs["points"].idxmax()]
    return (
        f"Frozen transfer (AnB) does not lie measurably below {control} at any depth."
        f" The largest difference is {number(largest)} at n = {largest.name}."
    )


def _gain(costs: pd.DataFrame, control: str) -> list[str]:
    """Where frozen transfer beats its control."""
    above = [depth for depth, cost in costs.iterrows() if verdict(cost) == -1]
    if not above:
        return []
    most = costs.loc[above].sort_values("points").iloc[0]
    return [f"AnB lies above {control} at {depths_in_words(above)}, most at n = {most.name}: {number(negated(most))}."]


def dominance(effects: pd.DataFrame) -> Iterator[Part]:
    """Which of the two troubles is larger at which depth, by kind of halves."""
    for halves in kinds_of_halves(effects):
        difference = per_depth(effects, "dominance", halves).dropna(subset="points")
        if difference.empty:
            continue
        costs = {column: per_depth(effects, column, halves) for column in TROUBLES.values()}
        places = {name: [] for name in (*TROUBLES, "both alike", "neither")}
        for depth, row in difference.iterrows():
            places[_dominant(row, *(cost.loc[depth] for cost in costs.values()))].append(depth)
        sentences = [_worst(name, places[name], costs[column]) for name, column in TROUBLES.items() if places[name]]
        if tied := places["both alike"]:
            sentences.append(f"A cost shows at {depths_in_words(tied)}, but which trouble is larger is undecided.")
        if free := places["neither"]:
            sentences.append(f"Neither {' nor '.join(TROUBLES)} is measurably above zero at {depths_in_words(free)}.")
        sentences += _selffer_gain(costs["coadaptation"])
        yield halves, f"{subject(halves, difference)} {' '.join(sentences)}", hedge(difference)


def _worst(trouble: str, depths: list[int], costs: pd.DataFrame) -> str:
    """Where a trouble dominates, and its largest cost there."""
    worst = costs.loc[depths].sort_values("points").iloc[-1]
    dominates = f"{capital(trouble)} dominates at {depths_in_words(depths)}."
    return f"{dominates} Its largest cost there is {number(worst)}, at n = {worst.name}."


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
