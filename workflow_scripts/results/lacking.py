"""What a study lacks for a surer answer, with the configuration that would give it."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.effects import FEWEST_TASKS, by_source, of_all_images
from workflow_scripts.results.groups import PRETRAINED_SOURCE, curves_of, main_variant, not_diverged, undrawn
from workflow_scripts.results.verdicts import capital_halves, listed
from workflow_scripts.study.jobs import STAGED

SEEDS = 3
WANTED = {  # group -> what it tells beside which group
    "BnB": ("AnB", "what is lost by separating units that learned together"),
    "AnB": ("AnB+", "what freezing costs"),
    "AnB+": ("AnB", "what fine-tuning gives"),
    "BnB+": ("AnB+", "whether longer training alone gives the boost"),
}


def lacking(results: pd.DataFrame, effects: pd.DataFrame) -> list[str]:
    """Sentences on a study's `results` (groups.load_results) and `effects` (effects.effect_table), without targets of
    drawn images: missing intervals, selffers, fine-tuned networks and untrained features, and the keys that add them.
    """
    rows, effects = main_variant(undrawn(results)), of_all_images(effects)
    curves = curves_of(rows)
    if not_diverged(curves).empty:
        return []
    missing = [line for halves, of_kind in by_source(rows) for line in _of_halves(halves, of_kind)]
    if effects["interval"].str.startswith("none: too few").any():
        seeds = ", ".join(map(str, range(SEEDS)))
        missing.insert(0, f"Some differences have no interval: seeds: [{seeds}], or {FEWEST_TASKS} target tasks.")
    if not (curves["group"] == "random").any():
        missing.append("What untrained features give: {partition: whole, random: [frozen]} in the matrix.")
    return missing


def _of_halves(halves: str, rows: pd.DataFrame) -> Iterator[str]:
    """Which controls of transfer a kind of halves lacks: a line for each key of the matrix, with its whole value."""
    groups, source = set(rows["group"]), "pretrained" if halves.endswith(PRETRAINED_SOURCE) else "transfer"
    partitions = sorted(rows.loc[rows["group"].isin(["AnB", "AnB+"]), "partition"].unique())
    for key, frozen in (("selffer", "BnB"), (source, "AnB")):
        pair = (frozen, f"{frozen}+")
        asked = {one: WANTED[one][1] for one in pair if WANTED[one][0] in groups and one not in groups}
        if asked:
            wanted = {frozen: "frozen", f"{frozen}+": "finetuned", f"{frozen} then +": STAGED}
            value = ", ".join(treatment for one, treatment in wanted.items() if one in groups or one in asked)
            where = f"in the matrix's entry of {listed(partitions)}"
            yield f"{capital_halves(halves)}, {listed(asked.values())}: {key}: [{value}] {where}."
