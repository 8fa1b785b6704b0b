"""Staged networks and base networks trained twice as long, in effects and findings of built tables."""

import pytest
from odd_studies import CONTROLS, EVERY, PRETRAINED, loaded, table

from workflow_scripts.results.advice import advice
from workflow_scripts.results.effects import effect_table, per_depth
from workflow_scripts.results.findings import findings
from workflow_scripts.results.table import missing_networks, read_results

STAGED = "Does staged training help?"
LONGER = "Does longer training help by itself?"
TUNED = "Does fine-tuning transferred features help?"


def studied(tmp_path, groups, scores, seeds=(0, 1, 2), partitions=("random0",)):
    """A study's results whose groups have these scores in percent, +0.1 a seed. There is little noise of images."""

    def score(group, target, depth, seed):
        return (scores.get(group, 60) + 0.1 * seed) / 100

    return loaded(table(partitions, groups, seeds=seeds, score=score, val_images=100_000), tmp_path)


def answers(results):
    return {one["question"]: one["answer"] for one in findings(results, effect_table(results))}


def test_effects_compare_with_the_controls_at_every_depth(tmp_path):
    scores = {"base": 60, "base twice": 61, "BnB+": 60.5, "AnB+": 63, "BnB then +": 61.5, "AnB then +": 65}
    effects = effect_table(studied(tmp_path, (*EVERY, *CONTROLS), scores))
    known = {"twice_over_base": 1, "boost_at_equal_training": 2, "boost_over_base": 3, "staged_over_base": 5}
    known |= {"staged_over_finetuned": 2, "staged_over_selffer": 3.5}
    for effect, points in known.items():
        rows = per_depth(effects, effect, "random halves")
        assert list(rows["points"]) == pytest.approx([points] * 3), effect
        assert list(rows.index) == [1, 4, 7]
        assert list(rows["unpaired_points"]) == pytest.approx([points] * 3)
        assert list(rows["pairs"]) == [6] * 3


@pytest.mark.parametrize(
    ("twice", "said"),
    [
        (61, "A base network trained twice as long, equal in total training, ends lower: "),
        (65, "A base network trained twice as long, equal in total training, ends higher: "),
        (63, "equal in total training, does not differ measurably from AnB+: "),
    ],
)
def test_the_boost_stands_beside_a_base_network_of_the_same_total_training(tmp_path, twice, said):
    scores = {"base twice": twice, "AnB+": 63}
    text = answers(studied(tmp_path, (*EVERY, "base twice"), scores))[TUNED]
    assert said in text
    assert f"AnB+ - base twice is {63 - twice:.1f} points" in text


@pytest.mark.parametrize(
    ("tuned", "begins"),
    [(61, "Yes, AnB then + ends above"), (65, "No, AnB then + ends below"), (63, "This is undecid")],
)
def test_staged_transfer_stands_beside_fine_tuning_and_its_selffer(tmp_path, tuned, begins):
    scores = {"AnB+": tuned, "AnB then +": 63, "BnB then +": 62}
    results = studied(tmp_path, (*EVERY, *CONTROLS), scores)
    text = answers(results)[STAGED]
    assert begins in text
    assert "The mean difference over n = 1, 4 and 7 is" in text
    assert "No network here separates what the longer training gives from what the order gives." in text
    assert "The same training of the target's own features (BnB then +) ends lower, by 1.0 points" in text
    alone = answers(studied(tmp_path, ("base", "AnB+", "AnB then +"), scores))[STAGED]
    assert "No network here separates" in alone
    assert "BnB then +" not in alone


def test_staged_networks_without_fine_tuned_ones_stand_beside_base_and_have_advice(tmp_path):
    results = studied(tmp_path, ("base", "AnB then +"), {"base": 60, "AnB then +": 63})
    assert (
        "Yes, AnB then + ends above base. The mean difference over n = 1, 4 and 7 is 3.0 points"
        in answers(results)[STAGED]
    )
    told = advice(effect_table(results))
    assert "Copy the first unit and train the units above first, then all. This gains 3.0 points" in told
    worse = advice(effect_table(studied(tmp_path, ("base", "AnB then +"), {"base": 60, "AnB then +": 58})))
    assert "Staged training of copied units loses at every depth" in worse


@pytest.mark.parametrize(
    ("twice", "said"), [(62, "Yes, base networks trained twice"), (58, "No, base"), (60, "do not differ measurably")]
)
def test_what_longer_training_gives_by_itself_is_said(tmp_path, twice, said):
    results = studied(tmp_path, ("base", "base twice", "BnB"), {"base": 60, "base twice": twice})
    assert said in answers(results)[LONGER]


def test_the_share_of_longer_training_is_known_where_base_twice_is_there(tmp_path):
    scores, unknown = {"base": 60, "base twice": 61, "AnB+": 63}, "the share of the longer training in this is unknown"
    assert unknown in answers(studied(tmp_path, ("base", "AnB+"), scores))[TUNED]
    assert unknown not in answers(studied(tmp_path, ("base", "base twice", "AnB+"), scores))[TUNED]


def test_a_pretrained_source_is_p_and_claims_no_equal_training(tmp_path):
    groups = ("base", "base twice", *PRETRAINED, "PnB then +")
    found = answers(studied(tmp_path, groups, {"PnB+": 70, "PnB then +": 71}, partitions=["whole"]))
    assert "PnB then + ends above PnB+" in found[STAGED]
    assert "A base network trained twice as long ends lower: the difference PnB+ - base twice" in found[TUNED]
    assert "AnB" not in found[STAGED] + found[TUNED]
    assert "equal in total" not in found[TUNED]


def test_studies_without_the_controls_say_nothing_of_them(tmp_path):
    found = answers(studied(tmp_path, EVERY, {}))
    assert STAGED not in found
    assert "twice" not in found[TUNED]


def test_a_base_network_of_twice_the_length_is_no_missing_depth(tmp_path):
    table(groups=("base", "base twice", "AnB+")).to_csv(tmp_path / "results.csv", index=False)
    assert missing_networks(read_results(tmp_path / "results.csv")) == []
