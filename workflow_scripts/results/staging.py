"""Findings on trainings of two durations, in sentences: staged networks, and base networks trained twice as long."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.effects import at_deepest_range, per_depth
from workflow_scripts.results.groups import named_source
from workflow_scripts.results.verdicts import Part, depths_in_words, hedge, number, subject, verdict

NO_CONTROL = (
    "A staged network trains on the target for twice as long as a fine-tuned one. No network here separates what the"
    " longer training gives from what the order gives."
)


def staging(effects: pd.DataFrame) -> Iterator[Part]:
    """Whether staged transfer (AnB then +) ends above fine-tuning at once (AnB+), or without it above base, by kind of
    halves. The same training of the target's own features is set beside it where there is any.
    """
    for halves, layers, found in at_deepest_range(effects, "staged_over_base"):
        compared = {"staged_over_finetuned": "AnB+", "staged_over_base": "base"}
        name = next((one for one in compared if one in found and pd.notna(found[one]["points"])), None)
        if name is None:
            continue
        shown, sentences = (
            [found[name]],
            [_against(compared[name], found[name], _depths(effects, halves, layers, name))],
        )
        own = found.get("staged_over_selffer")
        if own is not None and pd.notna(own["points"]):
            shown.append(own)
            sentences.append(_over_selffer(own))
        shown = pd.DataFrame(shown)
        text = named_source(" ".join([*sentences, NO_CONTROL]), halves)
        yield halves, f"{subject(halves, shown)} {text}", hedge(shown)


def _against(control: str, gain: pd.Series, where: str) -> str:
    says = {
        1: f"Yes, AnB then + ends above {control}.",
        -1: f"No, AnB then + ends below {control}.",
        0: f"This is undecided: AnB then + and {control} do not differ measurably.",
    }
    without = "" if control == "AnB+" else " AnB+ was not trained."
    return f"{says[verdict(gain)]} The {where} is {number(gain)}.{without}"


def _depths(effects: pd.DataFrame, halves: str, layers: str, effect: str) -> str:
    """What a difference over the depths of `layers` is, in words."""
    first, *_, last = map(int, layers.split("-") * 2)
    depths = per_depth(effects, effect, halves).dropna(subset="points").index
    inside = [depth for depth in depths if first <= depth <= last]
    return f"{'mean difference over' if len(inside) > 1 else 'difference at'} {depths_in_words(inside)}"


def _over_selffer(gain: pd.Series) -> str:
    """What the source's features have to do with it."""
    says = {
        1: "The same training of the target's own features (BnB then +) ends lower, by {}.",
        -1: "The same training of the target's own features (BnB then +) ends higher: the difference is {}.",
        0: "It does not differ measurably from the same training of the target's own features (BnB then +): by {}.",
    }
    return says[verdict(gain)].format(number(gain))


def longer_training(effects: pd.DataFrame) -> Iterator[Part]:
    """Whether a base network gains by twice the training alone, by kind of halves."""
    for halves, _, found in at_deepest_range(effects, "twice_over_base"):
        gain = found["twice_over_base"]
        if pd.isna(gain["points"]):
            continue
        says = {
            1: "Yes, base networks trained twice as long end higher",
            -1: "No, base networks trained twice as long end lower",
            0: "Base networks trained twice as long do not differ measurably",
        }
        alone = gain.to_frame().T
        yield halves, f"{subject(halves, alone)} {says[verdict(gain)]}: by {number(gain)}.", hedge(alone)
