"""Findings on trainings of two durations, in sentences: staged networks, and base networks trained twice as long."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.effects import at_deepest_range, kinds_of_halves, within
from workflow_scripts.results.groups import PRETRAINED_SOURCE, named_source
from workflow_scripts.results.verdicts import Part, depths_in_words, hedge, number, subject, verdict

COMPARED = {"staged_over_finetuned": "AnB+", "staged_over_base": "base"}  # the first that there is, with its control
CONTROLS = ("staged_over_twice", "staged_over_selffer")  # effects that are set beside it, with as long a training
LONGER = {
    "AnB+": "A staged network trains on the target for twice as long as AnB+. No fine-tuned network of that length is"
    " there, so what the order of training gives by itself is unknown.",
    "base": "A staged network trains on the target for twice as long as base.",
}


def staging(effects: pd.DataFrame) -> Iterator[Part]:
    """Whether staged transfer (AnB then +) ends above fine-tuning at once (AnB+), or without it above base, by kind of
    halves. Networks that train on the target for as long are set beside it where there are any.
    """
    for halves in kinds_of_halves(effects):
        found = {effect: _measured(effects, halves, effect) for effect in (*COMPARED, *CONTROLS)}
        found = {effect: one for effect, one in found.items() if one is not None}
        name = next((effect for effect in COMPARED if effect in found), None)
        if name is None:
            continue
        (gain, where), controls = found[name], [effect for effect in CONTROLS if effect in found]
        sentences = [_against(COMPARED[name], gain, where), LONGER[COMPARED[name]]]
        sentences += [_beside(effect, *found[effect]) for effect in controls]
        shown = pd.DataFrame([gain, *(found[effect][0] for effect in controls)])
        yield halves, named_source(f"{subject(halves, shown.head(1))} {' '.join(sentences)}", halves), hedge(shown)


def _measured(effects: pd.DataFrame, halves: str, effect: str) -> tuple[pd.Series, str] | None:
    """An effect of a kind of halves at its deepest_range, and its depths there in words; None if it has no points."""
    for _, layers, found in at_deepest_range(effects[effects["halves"] == halves], effect):
        if pd.notna(found[effect]["points"]):
            return found[effect], depths_in_words(within(effects, effect, halves, layers).index)
    return None


def _against(control: str, gain: pd.Series, where: str) -> str:
    says = {
        1: f"Yes, AnB then + ends above {control}.",
        -1: f"No, AnB then + ends below {control}.",
        0: f"This is undecided: AnB then + and {control} do not differ measurably.",
    }
    return f"{says[verdict(gain)]} The mean difference at {where} is {number(gain)}."


def _beside(effect: str, gain: pd.Series, where: str) -> str:
    """How AnB then + compares with a control that trains on the target for as long."""
    control = {
        "staged_over_twice": "base twice, which trains on the target for as long",
        "staged_over_selffer": "BnB then +, the same training of the target's own features",
    }[effect]
    says = {1: "It ends above", -1: "It ends below", 0: "It does not differ measurably from"}
    return f"{says[verdict(gain)]} {control}: the mean difference at {where} is {number(gain)}."


def longer_training(effects: pd.DataFrame) -> Iterator[Part]:
    """Whether a base network gains by twice the training alone, by kind of halves."""
    said = set()
    for halves, _, found in at_deepest_range(effects, "twice_over_base"):
        gain, kind = found["twice_over_base"], halves.removesuffix(PRETRAINED_SOURCE)
        if pd.isna(gain["points"]) or kind in said:
            continue
        said.add(kind)
        says = {
            1: "Yes, base networks trained twice as long end higher",
            -1: "No, base networks trained twice as long end lower",
            0: "This is undecided: base networks trained twice as long do not differ measurably from base",
        }
        alone = gain.to_frame().T
        yield kind, f"{subject(kind, alone)} {says[verdict(gain)]}. The difference is {number(gain)}.", hedge(alone)
