"""What a study lacks for a surer answer, with the configuration that would give it."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.effects import FEWEST_TASKS, by_source, of_all_images
from workflow_scripts.results.groups import PRETRAINED_SOURCE, undrawn
from workflow_scripts.results.verdicts import capital_halves, listed

SEEDS = 3


def lacking(results: pd.DataFrame, effects: pd.DataFrame) -> list[str]:
    """Sentences on a study's `results` (groups.load_results) and `effects` (effects.effect_table), without targets of
    drawn images: missing intervals, selffers, fine-tuned networks and untrained features, and the keys that add them.
    """
    rows, effects = undrawn(results), of_all_images(effects)
    curves = rows[rows["group"] != "base"]
    if curves.empty:
        return []
    missing = [line for halves, of_kind in by_source(rows) for line in _of_halves(halves, of_kind)]
    if effects["interval"].str.startswith("none: too few").any():
        seeds = ", ".join(map(str, range(SEEDS)))
        missing.insert(0, f"Some differences have no interval: seeds: [{seeds}], or {FEWEST_TASKS} target tasks.")
    if not (curves["group"] == "random").any():
        missing.append("What untrained features give: {partition: whole, random: [frozen]} in the matrix.")
    return missing


def _of_halves(halves: str, rows: pd.DataFrame) -> Iterator[str]:
    """Which controls of transfer a kind of halves has not."""
    transfer = rows[rows["group"].isin(["AnB", "AnB+"])]
    groups, source = set(rows["group"]), "pretrained" if halves.endswith(PRETRAINED_SOURCE) else "transfer"
    wanted = {
        "what is lost by separating units that learned together": ("AnB", "BnB", "selffer: [frozen]"),
        "what freezing costs": ("AnB+", "AnB", f"{source}: [frozen, finetuned]"),
        "what fine-tuning gives": ("AnB", "AnB+", f"{source}: [frozen, finetuned]"),
        "whether longer training alone gives the boost": ("AnB+", "BnB+", "selffer: [finetuned]"),
    }
    for question, (there, lacks, keys) in wanted.items():
        if there in groups and lacks not in groups:
            partitions = listed(sorted(transfer["partition"].unique()))
            yield f"{capital_halves(halves)}, {question}: {keys} in the matrix's entry of {partitions}."
