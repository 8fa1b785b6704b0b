"""A study's findings in sentences, made from its table of effects and no surer than the intervals allow."""

from collections.abc import Iterable, Mapping

import pandas as pd

from workflow_scripts.results.balance import majority, unequal_halves
from workflow_scripts.results.benefits import distance, fine_tuning, untrained
from workflow_scripts.results.effects import of_all_images
from workflow_scripts.results.frozen_norms import frozen_norms
from workflow_scripts.results.groups import curves_of, not_diverged
from workflow_scripts.results.line_findings import BETWEEN_SEEDS, between_seeds
from workflow_scripts.results.probe_findings import probe_findings
from workflow_scripts.results.rate_words import chosen_in_words, of_base_networks, of_drawn_images
from workflow_scripts.results.shared_classes import shared_classes
from workflow_scripts.results.staging import longer_training, staging
from workflow_scripts.results.target_advice import target_images
from workflow_scripts.results.troubles import dominance, generality
from workflow_scripts.results.verdicts import common_basis


def findings(
    results: pd.DataFrame,
    effects: pd.DataFrame,
    statistics: pd.DataFrame | None = None,
    names: Mapping[int, str] | None = None,
    pairs: Iterable[Mapping] = (),
    probes: pd.DataFrame | None = None,
    rates: pd.DataFrame | None = None,
    lines: pd.DataFrame | None = None,
) -> list[dict[str, str]]:
    """The study's answers, each with `question`, `answer` (a line per kind of halves) and `basis` (what it rests on).

    `results` are from groups.load_results, `effects` from effects.effect_table. `statistics` are from
    norm_statistics.statistics_table, if the study varies them, and `names` of units from units.unit_names. `pairs`
    are the records of the halves of pairs, `probes` are from probes.read_probes, `rates` from rates.rate_table, and
    `lines` from interpolation.read_lines, if there are any. Questions that the study's networks cannot answer are left
    out. Targets of drawn images have a question of their own.
    """
    drawn, every, effects = target_images(results, names or {}), effects, of_all_images(effects)
    few, which = "With few target images: train from scratch, freeze or fine-tune?", "Which trouble dominates where?"
    notes = {few: of_drawn_images(results), which: of_base_networks(rates)}
    asked = {} if probes is None else probe_findings(probes, results)
    asked |= {
        "Does the largest class explain a score?": [*majority(results)],
        "From which depth do features stop being general?": [*generality(effects, names or {})],
        which: [*dominance(effects)],
        "Does fine-tuning transferred features help?": [*fine_tuning(effects)],
        "Does staged training help?": [*staging(effects)],
        "Does longer training help by itself?": [*longer_training(effects)],
        BETWEEN_SEEDS: [] if lines is None else [*between_seeds(lines)],
        "Does the distance between the tasks matter?": [*distance(effects)],
        "Are the scores of both halves comparable?": [*unequal_halves(results)],
        "Do source and target share classes?": [*shared_classes(pairs)],
        "Are untrained features enough?": [*untrained(results, effects)],
        few: [*drawn],
        "Which learning rates were chosen?": [] if rates is None else [*chosen_in_words(rates)],
        "What do the norm statistics of frozen units change?": (
            [] if statistics is None else [*frozen_norms(every, statistics)]
        ),
    }
    return [
        {
            "question": question,
            "answer": "\n".join(text for _, text, _ in parts),
            "basis": f"{common_basis(parts)} {notes.get(question, '')}".strip(),
        }
        for question, parts in asked.items()
        if parts
    ]


def unanswered(results: pd.DataFrame) -> str:
    """Why a study's networks answer no question, in sentences."""
    trained = not_diverged(results)
    if results.empty:
        return "No network was trained. There is nothing to compare."
    if trained.empty:
        return f"No network trained: {'all ' * (len(results) > 1)}{len(results)} diverged. There is nothing to compare."
    if not len(curves_of(results)):
        return "No curve was measured. These networks therefore answer none of the paper's questions."
    if not len(curves_of(trained)):
        return "All networks of curves diverged. The base networks alone answer none of the paper's questions."
    return (
        "No target has the trained networks that one of the paper's questions needs: frozen curves and their base"
        " networks, or fine-tuned transfer."
    )
