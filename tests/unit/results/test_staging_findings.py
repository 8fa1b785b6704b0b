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
    known |= {"staged_over_finetuned": 2, "staged_over_twice": 4, "staged_over_selffer": 3.5}
    for effect, points in known.items():
        rows = per_depth(effects, effect, "random halves")
        assert list(rows["points"]) == pytest.approx([points] * 3), effect
        assert list(rows.index) == [1, 4, 7]
        assert list(rows["unpaired_points"]) == pytest.approx([points] * 3)
        assert list(rows["pairs"]) == [6] * 3


@pytest.mark.parametrize(
    ("twice", "said"),
    [
        (61, "A base network trained twice as long, for the durations of the source and AnB+ together, ends lower: "),
        (65, "for the durations of the source and AnB+ together, ends higher: "),
        (63, "for the durations of the source and AnB+ together, does not differ measurably from AnB+: "),
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
    assert "The mean difference at n = 1, 4 and 7 is" in text
    assert "No fine-tuned network of that length is there" in text
    assert "It ends above BnB then +, the same training of the target's own features: the mean difference" in text
    assert "It ends above base twice, which trains on the target for as long: the mean difference" in text
    alone = answers(studied(tmp_path, ("base", "AnB+", "AnB then +"), scores))[STAGED]
    assert "No fine-tuned network of that length is there" in alone
    assert "BnB then +" not in alone and "base twice" not in alone


def test_staged_networks_without_fine_tuned_ones_stand_beside_base_and_have_advice(tmp_path):
    results = studied(tmp_path, ("base", "AnB then +"), {"base": 60, "AnB then +": 63})
    text = answers(results)[STAGED]
    assert "Yes, AnB then + ends above base. The mean difference at n = 1, 4 and 7 is 3.0 points" in text
    assert "trains on the target for twice as long as base." in text and "fine-tuned" not in text
    told = advice(effect_table(results))
    assert "Copy the first unit and train the units above first, then all. This gains 3.0 points" in told
    assert told.endswith("Staged networks train on the target for twice as long as base.")
    worse = advice(effect_table(studied(tmp_path, ("base", "AnB then +"), {"base": 60, "AnB then +": 58})))
    assert "Staged training of copied units loses at every depth" in worse


def test_fine_tuned_networks_of_other_depths_are_no_control(tmp_path):
    made = table(["random0"], ("base", "AnB+", "AnB then +"), seeds=(0, 1, 2))
    apart = made[(made["treatment"] == "base") | ((made["treatment"] == "finetuned") == (made["depth"] == 1))]
    text = answers(loaded(apart, tmp_path))[STAGED]
    assert "AnB then + and base" in text or "ends above base" in text or "ends below base" in text
    assert "at n = 4 and 7 is" in text
    assert "AnB+" not in text


def test_staged_networks_stand_beside_fine_tuned_ones_without_base(tmp_path):
    text = answers(studied(tmp_path, ("AnB+", "AnB then +"), {"AnB+": 60, "AnB then +": 63}))[STAGED]
    assert "Yes, AnB then + ends above AnB+. The mean difference at n = 1, 4 and 7 is 3.0 points" in text


def test_what_holds_in_these_runs_says_so_though_a_control_has_an_interval(tmp_path):
    made = table(["random0"], ("base", "AnB+", "AnB then +", "BnB then +"), seeds=(0, 1, 2), val_images=100_000)
    one = made[(made["seed"] == 0) | (made["treatment"] != "finetuned")]
    one = one[(one["target"] == "A") | ~one["treatment"].isin(["finetuned"])]
    assert answers(loaded(one, tmp_path))[STAGED].startswith("Random halves, in these runs:")


@pytest.mark.parametrize(
    ("twice", "said"),
    [(62, "Yes, base networks trained twice"), (58, "No, base"), (60, "do not differ measurably from base")],
)
def test_what_longer_training_gives_by_itself_is_said(tmp_path, twice, said):
    results = studied(tmp_path, ("base", "base twice", "BnB"), {"base": 60, "base twice": twice})
    assert said in answers(results)[LONGER]


def test_longer_training_is_said_once_for_both_kinds_of_sources(tmp_path):
    groups = ("base", "base twice", "BnB", "AnB", "PnB")
    text = answers(studied(tmp_path, groups, {"base twice": 62}))[LONGER]
    assert text.count("Yes, base networks trained twice as long end higher") == 1


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
    assert "durations of the source" not in found[TUNED]


def test_studies_without_the_controls_say_nothing_of_them(tmp_path):
    found = answers(studied(tmp_path, EVERY, {}))
    assert STAGED not in found
    assert "twice" not in found[TUNED]


def test_a_base_network_of_twice_the_length_is_no_missing_depth(tmp_path):
    table(groups=("base", "base twice", "AnB+")).to_csv(tmp_path / "results.csv", index=False)
    assert missing_networks(read_results(tmp_path / "results.csv")) == []
