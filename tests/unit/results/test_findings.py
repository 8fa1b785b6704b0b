"""The report's sentences on built tables whose answers are known."""

import re

import numpy as np
import pandas as pd
import pytest
from helpers import ROOT

from workflow_scripts.results import verdicts
from workflow_scripts.results.advice import advice
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.findings import findings
from workflow_scripts.results.groups import load_results

GENERAL, TROUBLE, TUNING = "From which depth", "Which trouble", "Does fine-tuning"
DISTANCE, UNTRAINED = "Does the distance", "Are untrained"
FOUR_TASKS = ("random0", "random1")
NATMAN = {"partition": "natman", "halves": "natural / man-made halves"}


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
    return answer_among(answers(results), start)


def answer_among(found, start):
    return next((entry["answer"] for question, entry in found.items() if question.startswith(start)), None)


@pytest.mark.parametrize(
    ("tuned", "said"),
    [
        (
            0,
            "Fine-tuned, BnB+ does not differ measurably from base at n = 4 and 7. BnB+ - base is lowest at n = 4: 0.0",
        ),
        (2, "Fine-tuning restores it: BnB+ ends above base at n = 4 and 7. BnB+ - base is lowest at n = 4: 2.0 points"),
        (
            -2,
            "Fine-tuning does not restore it: BnB+ ends below base at n = 4 and 7. BnB+ - base is lowest at n = 4: -2.",
        ),
    ],
)
@pytest.mark.parametrize("groups", [("BnB", "AnB"), ("BnB",)])
def test_whether_fine_tuning_restores_what_selffers_lose(tmp_path, tuned, said, groups):
    results = study(tmp_path, lost=(0, 6, 4), tuned=(tuned, 0), groups=groups)
    assert said in answer_among(answers(results), TROUBLE)
    kept = results[(results["group"] != "BnB+") | (results["depth"] == 4)]
    assert re.search(r"base at n = 4\. BnB\+ - base is -?\d", answer_among(answers(kept), TROUBLE))
    nothing_lost = study(tmp_path, tuned=(tuned, 0), groups=groups)
    assert "BnB+" not in answer_among(answers(nothing_lost), TROUBLE)


def test_the_published_study_says_what_the_paper_says():
    results = load_results(ROOT / "configs" / "published_results.csv")
    found = answers(results)
    general = answer_among(found, GENERAL)
    assert "Random halves: Frozen transfer (AnB) shows no lasting cost up to n = 3." in general
    assert "AnB stays below the selffer control BnB from n = 4 on." in general
    assert "The gap is 0.6 points (0.2 to 1.1) at n = 4 and 8.2 points" in general
    trouble = answer_among(found, TROUBLE)
    assert "Lost co-adaptation dominates at n = 4 and 5." in trouble
    assert "Specialisation dominates at n = 6 and 7." in trouble
    assert "Neither lost co-adaptation nor specialisation is measurably above zero at n = 1 to 3." in trouble
    tuning = answer_among(found, TUNING)
    assert "Random halves, in these runs: Yes, AnB+ ends above the base network of its own target." in tuning
    assert "The mean difference over n = 1 to 7 is 1.0 points." in tuning
    assert "unpaired comparison of AnB+ with base gives 1.6 points (10 against 8 networks). Comparing" in tuning
    assert "Comparing different target tasks accounts for +0.6 of these points." in tuning
    assert "No target task has both AnB+ and its control BnB+. The paper's unpaired comparison of" in tuning
    assert "comparison of AnB+ with BnB+ gives 1.4 points (10 against 10 networks)." in tuning
    distance = answer_among(found, DISTANCE)
    assert "It loses 25.0 points between natural / man-made halves. The loss is larger between natural" in distance
    assert "larger between natural / man-made halves than between random halves." in distance
    untrained = answer_among(found, UNTRAINED)
    assert "The units above them did not learn at all at n = 3 to 7." in untrained
    told = advice(effect_table(results))
    assert "random halves: Copy the first 3 units and fine-tune them." in told
    assert "Freezing the first unit gains 0.3" in told and ") over training from scratch" in told
    assert "the most of all depths" not in told  # the next depth may gain as much
    assert "To save time, freeze the first 3 units: this costs 0.6 points (0.3 to 0.9)." in told
    assert "Freezing the first 4 units does 2.8 points worse than the best." in told
    assert "natural / man-made halves: To save time, freeze at most the first unit. This costs 1 point" in told
    assert told.endswith(
        "Freezing the first 2 units does 1.2 points worse. Freezing the first 3 units costs 3.2 points."
    )


def test_the_boundary_is_where_the_cost_begins_to_last(tmp_path):
    assert "from n = 4 on" in answer(study(tmp_path, specialised=(0, 2, 5)), GENERAL)
    text = answer(study(tmp_path, specialised=(2, 2, 5)), GENERAL)
    assert "The features are not general at any measured depth. Frozen transfer (AnB) stays below" in text
    assert "stays below the selffer control BnB from n = 1 on." in text


def test_a_cost_that_goes_away_again_is_no_boundary(tmp_path):
    text = answer(study(tmp_path, specialised=(0, 3, 0)), GENERAL)
    assert "lies below the selffer control BnB at n = 4, but not measurably at the greatest depth." in text
    assert "A lasting boundary was not found." in text


def test_no_cost_is_said_to_be_none(tmp_path):
    text = answer(study(tmp_path), GENERAL)
    assert "Frozen transfer (AnB) does not lie measurably below the selffer control BnB at any depth." in text


def test_the_dominant_trouble_needs_a_cost_and_a_difference(tmp_path):
    text = answer(study(tmp_path, lost=(0, 4, 1), specialised=(0, 1, 6)), TROUBLE)
    assert "Lost co-adaptation dominates at n = 4, where it costs 4.0 points" in text
    assert "Specialisation dominates at n = 7, where it costs 6.0 points" in text
    assert "Neither lost co-adaptation nor specialisation is measurably above zero at n = 1." in text


def test_a_tie_is_called_a_tie(tmp_path):
    text = answer(study(tmp_path, lost=(0, 3, 3), specialised=(0, 3, 3)), TROUBLE)
    assert "A cost shows at n = 4 and 7, but which trouble is larger is undecided." in text
    assert "dominates" not in text


def test_noise_hides_a_small_cost(tmp_path):
    """Half a point between four tasks that vary by three: no boundary, no dominant trouble, no difference."""
    results = study(tmp_path, specialised=(0.5, 0.5, 0.5), jitter=3)
    assert "Frozen transfer (AnB) does not lie measurably below" in answer(results, GENERAL)
    assert "Neither lost co-adaptation nor specialisation is measurably above zero" in answer(results, TROUBLE)


def test_bnb_above_base_is_pointed_out(tmp_path):
    text = answer(study(tmp_path, lost=(0, -2, -2), specialised=(0, 3, 6)), TROUBLE)
    assert "BnB lies above base at n = 4 and 7." in text
    assert "The base networks had therefore not converged" in text


@pytest.mark.parametrize(
    ("depths", "words"),
    [((1, 4, 7), "n = 1, 4 and 7"), ((4, 7), "n = 4 and 7"), ((7,), "n = 7"), ((1, 2, 3), "n = 1 to 3")],
)
def test_the_mean_boost_names_the_depths_that_were_measured(tmp_path, depths, words):
    results = study(tmp_path, tuned=(0, 2))
    kept = results[results["depth"].isin((0, 1, 4, 7)[: len(depths) + 1])]
    table = kept.assign(depth=kept["depth"].map(dict(zip((0, 1, 4, 7), (0, *depths), strict=False))))
    said = f"The difference at {words} is" if len(depths) == 1 else f"The mean difference over {words} is"
    assert f"{said} 2.0 points" in answer(table, TUNING)


def test_few_runs_are_hedged_by_the_validation_noise(tmp_path):
    """One partition, no interval: of 400 validation images 3 points are within two standard errors (4.9), 6 are not."""
    results = study(tmp_path, partitions=["random0"], specialised=(0, 3, 6), val_images=400)
    entry = next(value for question, value in answers(results).items() if question.startswith(GENERAL))
    assert entry["answer"].startswith("Random halves, in these runs:")
    assert "AnB lies below the selffer control BnB at n = 7, the greatest depth." in entry["answer"]
    assert "No interval is given, because there are too few runs (2 target tasks, 1 seed)." in entry["basis"]
    assert "Other tasks or seeds may differ." in entry["basis"]
    assert " to " not in entry["answer"].split("the greatest depth")[1]  # no range is drawn


@pytest.mark.parametrize(
    ("tuned", "over_base", "over_selffer"),
    [
        ((0, 2), "Yes, AnB+ ends above", "Transfer adds 2.0 points"),
        ((2, 2), "Yes, AnB+ ends above", "Most of this may come from the longer training."),
        ((4, 2), "Yes, AnB+ ends above", "The task's own features, trained again (BnB+), end higher."),
        ((0, -2), "No, AnB+ ends below", "end higher"),
        ((0, 0), "This is undecided: AnB+ and the base", "AnB+ and BnB+ do not differ measurably"),
    ],
)
def test_fine_tuning_is_judged_against_both_controls(tmp_path, tuned, over_base, over_selffer):
    text = answer(study(tmp_path, tuned=tuned), TUNING)
    assert over_base in text
    assert over_selffer in text


def test_questions_that_were_not_studied_are_not_answered(tmp_path):
    results = study(tmp_path, groups=())
    assert answers(results) == {}
    results = study(tmp_path, lost=(0, 3, 0), groups=("BnB",))
    (only,) = answers(results).values()
    assert only["answer"].startswith(
        "Random halves: Co-adaptation is lost: BnB lies below base at n = 4 by 3.0 points ("
    )
    assert "Lost co-adaptation is not measurably above zero at n = 1 and 7. Without frozen transfer" in only["answer"]
    told = advice(effect_table(results))
    assert told.endswith("to be compared with. The report therefore gives no advice on what to copy.")
    only_bases = results[results["group"] == "base"]
    assert findings(only_bases, effect_table(only_bases)) == []


def test_without_selffers_the_troubles_are_not_told_apart(tmp_path):
    results = study(tmp_path, lost=(0, 2, 3), specialised=(0, 1, 3), groups=("AnB",))
    text = answer(results, GENERAL)
    assert "AnB stays below the base network from n = 4 on." in text
    assert "Without selffers, lost co-adaptation and specialisation cannot be separated." in text
    assert answer(results, TROUBLE) is None


def test_distance_is_only_claimed_where_it_shows(tmp_path):
    near = study(tmp_path, specialised=(0, 2, 5))
    far = near.assign(partition="natman" + near["partition"].str[-1])
    far["top1_best10_mean"] = far["top1_best10_mean"].where(far["group"] == "base", far["top1_best10_mean"] - 0.1)
    far = far.assign(**NATMAN).drop_duplicates(["partition", "source", "target", "depth", "treatment"])
    assert "The loss is larger between natural / man-made halves" in answer(pd.concat([near, far]), DISTANCE)
    alike = near.assign(**NATMAN).drop_duplicates(["partition", "source", "target", "depth", "treatment"])
    text = answer(pd.concat([near, alike]), DISTANCE)
    assert "Whether the distance matters is undecided: the losses do not differ measurably." in text


def test_advice_names_what_can_be_copied_and_frozen(tmp_path):
    told = advice(effect_table(study(tmp_path, lost=(0, 0, 1), specialised=(0, 0.2, 5), tuned=(0, 2))))
    assert "Copy the first" in told
    assert "This gains 2.0 points" in told
    assert "freeze at most the first 4 units. This costs 1 point or less. Freezing the first 7 units costs 6.0" in told
    none = advice(effect_table(study(tmp_path, specialised=(3, 4, 5))))
    assert "Freeze no unit. Freezing n = 1 already costs 3.0 points" in none
    useless = advice(effect_table(study(tmp_path, tuned=(0, -1))))
    assert "Fine-tuning copied units loses at every depth, the least by 1.0 points" in useless


def test_advice_does_not_speak_of_depths_without_points(tmp_path):
    results = study(tmp_path, specialised=(0, 2, 5), tuned=(0, 2))
    for depth in (1, 4, 7):
        holes = results.assign(diverged=(results["depth"] == depth) & (results["group"] == "AnB"))
        told = advice(effect_table(holes))
        assert "nan" not in told
        assert f"n = {depth} already" not in told


def test_what_rests_on_no_interval_holds_in_these_runs(tmp_path):
    few = study(tmp_path, partitions=["random0"], specialised=(3, 4, 5), tuned=(0, 9), val_images=4000)
    told = advice(effect_table(few))
    assert "over training from scratch in these runs." in told
    assert "Freezing n = 1 already costs 3.0 points in these runs." in told
    far = few.assign(**NATMAN)
    assert answer(pd.concat([few, far]), DISTANCE).startswith("In these runs, frozen transfer (AnB) loses")
    untrained = few.assign(
        source=few["source"].where(few["group"] != "AnB", "random"), group=few["group"].replace("AnB", "random")
    )
    assert answer(untrained, UNTRAINED).startswith("Random halves, in these runs: Untrained features lose")
    assert "in these runs" not in advice(effect_table(study(tmp_path, specialised=(3, 4, 5), tuned=(0, 9))))


def test_what_rounds_to_zero_has_no_sign():
    assert [verdicts.decimal(value) for value in (-0.04, 0.04, -0.06, -1.0)] == ["0.0", "0.0", "-0.1", "-1.0"]
    assert [verdicts.decimal(value, "+.1f") for value in (-0.04, 0.04, 0.06)] == ["0.0", "0.0", "+0.1"]
    effect = pd.Series({"points": -0.01, "low": -0.02, "high": 0.03})
    assert verdicts.number(effect) == "0.0 points (0.0 to 0.0)"


def test_words_survive_numbers_that_are_missing(tmp_path):
    results = study(tmp_path, specialised=(0, 2, 5), tuned=(0, 2))
    holes = results.drop(results[(results["group"] == "AnB") & (results["depth"] == 4)].index)
    for entry in findings(holes, effect_table(holes)):
        assert "nan" not in entry["answer"].lower()
    assert not np.isnan(effect_table(holes)["unpaired_points"]).any()
