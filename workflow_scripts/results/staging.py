"""Findings on staged training in sentences: whether it helps to train the new units before all of them."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.effects import deepest_range, kinds_of_halves
from workflow_scripts.results.groups import named_source
from workflow_scripts.results.verdicts import Part, hedge, number, subject, verdict


def staging(effects: pd.DataFrame) -> Iterator[Part]:
    """Whether staged transfer (AnB then +) ends above fine-tuning at once, by kind of halves.

    It trains on the target for two durations and AnB+ for one. So the same training of the target's own features, and
    a base network of two durations, are set beside it where there are any.
    """
    for halves in kinds_of_halves(effects):
        rows = effects[effects["halves"] == halves].set_index(["effect", "layers"])
        if "staged_over_finetuned" not in rows.index:
            continue
        layers = deepest_range(rows.loc["staged_over_finetuned"].index)
        gain = rows.loc[("staged_over_finetuned", layers)]
        if pd.isna(gain["points"]):
            continue
        says = {
            1: "Yes, AnB then + ends above AnB+.",
            -1: "No, AnB then + ends below AnB+.",
            0: "This is undecided: AnB then + and AnB+ do not differ measurably.",
        }
        sentences = [says[verdict(gain)], f"The mean difference is {number(gain)}.", _over_selffer(rows, layers)]
        text = named_source(" ".join(sentences), halves)
        alone = gain.to_frame().T
        yield halves, f"{subject(halves, alone)} {text}", hedge(alone)


def _over_selffer(rows: pd.DataFrame, layers: str) -> str:
    """What the longer training on the target has to do with it."""
    longer = "AnB then + trains on the target for twice as long as AnB+."
    if ("staged_over_selffer", layers) not in rows.index or pd.isna(
        (boost := rows.loc[("staged_over_selffer", layers)])["points"]
    ):
        return f"{longer} Without BnB then +, the share of this in the difference is unknown."
    says = {
        1: "It ends above the same training of the target's own features (BnB then +) by {}.",
        -1: "The same training of the target's own features ends higher: AnB then + less BnB then + is {}.",
        0: "It does not differ measurably from the same training of the target's own features: the difference is {}.",
    }
    return f"{longer} {says[verdict(boost)].format(number(boost))}"
