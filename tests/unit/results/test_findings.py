"""The report's sentences on built tables whose answers are known."""

import numpy as np
import pandas as pd
import pytest
from helpers import ROOT

from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.findings import advice, findings
from workflow_scripts.results.groups import load_results

GENERAL, TROUBLE, TUNING = "From which depth", "Which trouble", "Does fine-tuning"
DISTANCE, UNTRAINED = "Does the distance", "Are untrained"
FOUR_TASKS = ("random0", "random1")


def study(tmp_path, partitions=FOUR_TASKS, lost=(0, 0, 0), specialised=(0, 0, 0), tuned=None, **options):
    """Results at depths 1, 4 and 7 with these costs in points, `jitter` points between tasks, `tuned` boosts."""
    jitter, groups = options.get("jitter", 0.1), options.get("groups", ("BnB", "AnB"))
    rows = []
    for number, (partition, target) in enumerate((name, half) for name in partitions for half in "AB"):
        other = "B" if target == "A" else "A"
        rows.append((partition, target, target, 0, "base", 0.6))
        for place, depth in enumerate((1, 4, 7)):
            shift = jitter * (-1) ** number / 100
            selffer = 0.6 - lost[place] / 100 + shift
            scores = {"BnB": selffer, "AnB": selffer - specialised[place] / 100 + shift}
            if tuned is not None:
                scores |= {"BnB+": 0.6 + tuned[0] / 100 + shift, "AnB+": 0.6 + tuned[1] / 100 - shift}
            for group in (*groups, *(("BnB+", "AnB+") if tuned is not None else ())):
                treatment = "finetuned" if group.endswith("+") else "frozen"
                source = target if group.startswith("B") else other
                rows.append((partition, source, target, depth, treatment, scores[group]))
    columns = ["partition", "source", "target", "depth", "treatment", "top1_best10_mean"]
    table = pd.DataFrame(rows, columns=columns)
    if val_images := options.get("val_images"):
        table["val_images"] = val_images
    table.to_csv(tmp_path / "study.csv", index=False)
    return load_results(tmp_path / "study.csv")


def answers(results):
    return {entry["question"]: entry for entry in findings(results, effect_table(results))}


def answer(results, start):
    return next((entry["answer"] for question, entry in answers(results).items() if question.startswith(start)), None)


def test_the_published_study_says_what_the_paper_says():
    results = load_results(ROOT / "configs" / "published_results.csv")
    general = answer(results, GENERAL)
    assert "Random halves: no lasting cost up to n = 3; from n = 4 on AnB stays below the selffer control" in general
    assert "0.6 points (0.2 to 1.1) at n = 4, 8.2 points" in general
    trouble = answer(results, TROUBLE)
    assert "lost co-adaptation at n = 4 and 5" in trouble
    assert "specialisation at n = 6 and 7" in trouble
    assert "n = 1, 2 and 3 neither cost can be told from zero" in trouble
    tuning = answer(results, TUNING)
    assert "yes, AnB+ ends above the base network of its own target: 1.0 points, mean over n = 1 to 7" in tuning
    assert "unpaired way gives 1.6 points (10 against 8 networks), of which +0.6" in tuning
    assert "Over BnB+ no target task has both; the paper's unpaired way gives 1.4 points" in tuning
    assert "25.0 points between natural / man-made halves: most between natural / man-made" in answer(results, DISTANCE)
    assert "n = 3, 4, 5, 6 and 7 the layers above did not learn at all" in answer(results, UNTRAINED)
    told = advice(effect_table(results))
    assert "random halves: copy the first 3 layers and fine-tune" in told
    assert "freeze at most the first 3, which costs 1 point or less (the first 4 cost 2.5 points (2.2 to 2.8))" in told
    assert "natural / man-made halves: to save time freeze at most the first 2" in told


def test_the_boundary_is_where_the_cost_begins_to_last(tmp_path):
    assert "from n = 4 on" in answer(study(tmp_path, specialised=(0, 2, 5)), GENERAL)
    assert "not general at any depth measured: from n = 1 on" in answer(study(tmp_path, specialised=(2, 2, 5)), GENERAL)


def test_a_cost_that_goes_away_again_is_no_boundary(tmp_path):
    text = answer(study(tmp_path, specialised=(0, 3, 0)), GENERAL)
    assert "AnB lies below the selffer control BnB at n = 4 but not at the deepest layers; no lasting boundary" in text


def test_no_cost_is_said_to_be_none(tmp_path):
    text = answer(study(tmp_path), GENERAL)
    assert "at no depth can AnB be told from the selffer control BnB" in text


def test_the_dominant_trouble_needs_a_cost_and_a_difference(tmp_path):
    text = answer(study(tmp_path, lost=(0, 4, 1), specialised=(0, 1, 6)), TROUBLE)
    assert "lost co-adaptation at n = 4 (up to 4.0 points" in text
    assert "specialisation at n = 7 (up to 6.0 points" in text
    assert "at n = 1 neither cost can be told from zero" in text


def test_a_tie_is_called_a_tie(tmp_path):
    text = answer(study(tmp_path, lost=(0, 3, 3), specialised=(0, 3, 3)), TROUBLE)
    assert "at n = 4 and 7 there is a cost but neither can be said to be larger" in text
    assert "lost co-adaptation at" not in text
    assert "specialisation at" not in text


def test_noise_hides_a_small_cost(tmp_path):
    """Half a point between four tasks that vary by three: no boundary, no dominant trouble, no difference."""
    results = study(tmp_path, specialised=(0.5, 0.5, 0.5), jitter=3)
    assert "at no depth can AnB be told from" in answer(results, GENERAL)
    assert "neither cost can be told from zero" in answer(results, TROUBLE)


def test_bnb_above_base_is_pointed_out(tmp_path):
    text = answer(study(tmp_path, lost=(0, -2, -2), specialised=(0, 3, 6)), TROUBLE)
    assert "At n = 4 and 7 BnB lies above base" in text
    assert "had not converged" in text


def test_few_runs_are_hedged_by_the_validation_noise(tmp_path):
    """One partition, no interval: of 400 validation images 3 points are within two standard errors (4.9), 6 are not."""
    results = study(tmp_path, partitions=["random0"], specialised=(0, 3, 6), val_images=400)
    entry = next(value for question, value in answers(results).items() if question.startswith(GENERAL))
    assert entry["answer"].startswith("Random halves, in these runs:")
    assert "from n = 7 on" in entry["answer"]
    assert "No interval, too few runs (2 target tasks, 1 seed)" in entry["basis"]
    assert "other tasks or seeds may differ" in entry["basis"]
    assert " to " not in entry["answer"].split("from n = 7 on")[1]  # no range is drawn


@pytest.mark.parametrize(
    ("tuned", "over_base", "over_selffer"),
    [
        ((0, 2), "yes, AnB+ ends above", "Transfer adds 2.0 points"),
        ((2, 2), "yes, AnB+ ends above", "Most of it may be the longer training"),
        ((4, 2), "yes, AnB+ ends above", "the task's own features, trained again (BnB+), end higher"),
        ((0, -2), "no, AnB+ ends below", "end higher"),
        ((0, 0), "AnB+ cannot be told from", "cannot be told from zero"),
    ],
)
def test_fine_tuning_is_judged_against_both_controls(tmp_path, tuned, over_base, over_selffer):
    text = answer(study(tmp_path, tuned=tuned), TUNING)
    assert over_base in text
    assert over_selffer in text


def test_questions_that_were_not_studied_are_not_answered(tmp_path):
    results = study(tmp_path, groups=("BnB",))
    assert answers(results) == {}
    assert advice(effect_table(results)) == "No transfer was measured, so there is no advice on what to copy."
    only_bases = results[results["group"] == "base"]
    assert findings(only_bases, effect_table(only_bases)) == []


def test_without_selffers_the_troubles_are_not_told_apart(tmp_path):
    results = study(tmp_path, lost=(0, 2, 3), specialised=(0, 1, 3), groups=("AnB",))
    text = answer(results, GENERAL)
    assert "from n = 4 on AnB stays below the base network (without selffers its two troubles cannot be told" in text
    assert answer(results, TROUBLE) is None


def test_distance_is_only_claimed_where_it_shows(tmp_path):
    near = study(tmp_path, specialised=(0, 2, 5))
    far = near.assign(partition="natman" + near["partition"].str[-1])
    far["top1_best10_mean"] = far["top1_best10_mean"].where(far["group"] == "base", far["top1_best10_mean"] - 0.1)
    far = far.assign(partition="natman").drop_duplicates(["partition", "source", "target", "depth", "treatment"])
    assert "most between natural / man-made halves" in answer(pd.concat([near, far]), DISTANCE)
    alike = near.assign(partition="natman").drop_duplicates(["partition", "source", "target", "depth", "treatment"])
    assert "too small to be told apart" in answer(pd.concat([near, alike]), DISTANCE)


def test_advice_names_what_can_be_copied_and_frozen(tmp_path):
    told = advice(effect_table(study(tmp_path, lost=(0, 0, 1), specialised=(0, 0.2, 5), tuned=(0, 2))))
    assert "copy the first" in told
    assert "2.0 points" in told
    assert "freeze at most the first 4, which costs 1 point or less (the first 7 cost 6.0 points" in told
    none = advice(effect_table(study(tmp_path, specialised=(3, 4, 5))))
    assert "freeze none: freezing n = 1 already costs 3.0 points" in none
    useless = advice(effect_table(study(tmp_path, tuned=(0, -1))))
    assert "brought nothing certain" in useless


def test_words_survive_numbers_that_are_missing(tmp_path):
    results = study(tmp_path, specialised=(0, 2, 5), tuned=(0, 2))
    holes = results.drop(results[(results["group"] == "AnB") & (results["depth"] == 4)].index)
    for entry in findings(holes, effect_table(holes)):
        assert "nan" not in entry["answer"].lower()
    assert not np.isnan(effect_table(holes)["unpaired_points"]).any()
