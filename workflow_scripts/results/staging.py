"""Findings on staged training in sentences: whether it helps to train the new units before all of them."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.effects import at_deepest_range
from workflow_scripts.results.groups import named_source
from workflow_scripts.results.verdicts import Part, hedge, number, subject, verdict


def staging(effects: pd.DataFrame) -> Iterator[Part]:
    """Whether staged transfer (AnB then +) ends above fine-tuning at once, by kind of halves.

    It trains on the target for two durations and AnB+ for one. The same training of the target's own features is set
    beside it where there is any.
    """
    for halves, _, found in at_deepest_range(effects, "staged_over_finetuned"):
        gain = found["staged_over_finetuned"]
        if pd.isna(gain["points"]):
            continue
        says = {
            1: "Yes, AnB then + ends above AnB+.",
            -1: "No, AnB then + ends below AnB+.",
            0: "This is undecided: AnB then + and AnB+ do not differ measurably.",
        }
        sentences = [
            says[verdict(gain)],
            f"The mean difference is {number(gain)}.",
            _over_selffer(found.get("staged_over_selffer")),
        ]
        text = named_source(" ".join(sentences), halves)
        alone = gain.to_frame().T
        yield halves, f"{subject(halves, alone)} {text}", hedge(alone)


def _over_selffer(boost: pd.Series | None) -> str:
    """What the longer training on the target has to do with it."""
    longer = "AnB then + trains on the target for twice as long as AnB+."
    if boost is None or pd.isna(boost["points"]):
        return f"{longer} Without BnB then +, the share of this in the difference is unknown."
    says = {
        1: "It ends above the same training of the target's own features (BnB then +) by {}.",
        -1: "The same training of the target's own features ends higher: AnB then + less BnB then + is {}.",
        0: "It does not differ measurably from the same training of the target's own features: the difference is {}.",
    }
    return f"{longer} {says[verdict(boost)].format(number(boost))}"
