"""What norm statistics of frozen units change, on built tables with known answers."""

import pandas as pd
import pytest
from odd_studies import loaded, table, with_statistics

from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.findings import findings
from workflow_scripts.results.groups import load_results, main_variant
from workflow_scripts.results.norm_statistics import of_quantity, statistics_table
from workflow_scripts.results.table import read_readings

HALVES = "random halves"
QUESTION = "What do the norm statistics of frozen units change?"


def answer(made, folder):
    results = loaded(made, folder)
    found = findings(results, effect_table(results), statistics_table(results))
    return next((entry["answer"] for entry in found if entry["question"] == QUESTION), None)


def careless(seeds=(0, 1, 2), lost=0.04):
    """Two tasks and three seeds with some spread; batch statistics cost AnB `lost` at n = 4, and nothing else."""
    spread = {0: 0.0, 1: 0.002, 2: -0.002}

    def score(group, target, depth, seed):
        return 0.6 - 0.01 * depth * (group == "AnB") + spread[seed] * (1 + (group == "AnB"))

    made = table(seeds=seeds, score=score, val_images=4000)
    worse = made[made["treatment"] == "frozen"].assign(norm_statistics="batch")
    chosen = (worse["source"] != worse["target"]) & (worse["depth"] == 4)
    shift = worse["seed"].map(spread) / 2
    worse["top1_best10_mean"] = worse["top1_best10_mean"] - lost * chosen + shift
    return pd.concat([made, worse], ignore_index=True)


def test_each_choice_is_compared_with_the_plain_curves(tmp_path):
    made = with_statistics(table(seeds=(0, 1, 2)), "target", "batch")
    found = statistics_table(loaded(made, tmp_path))
    assert set(found["statistics"]) == {"target", "batch"}
    for statistics, change in (("target", -2), ("batch", -4)):
        for group in ("BnB", "AnB"):
            rows = of_quantity(found, HALVES, statistics, group)
            assert list(rows.index) == [1, 4, 7]
            assert list(rows["points"]) == pytest.approx([change] * 3)
            assert set(rows["pairs"]) == {6}
            assert set(rows["difference"]) == {f"{group} {statistics} - {group}"}
    reported = of_quantity(found, HALVES, "batch", "total_drop")
    assert list(reported["points"]) == pytest.approx([1 + 4, 4 + 4, 7 + 4])
    assert set(reported["difference"]) == {"base - AnB batch"}
    apart = of_quantity(found, HALVES, "batch", "specialisation change")
    assert list(apart["points"]) == pytest.approx([0, 0, 0])
    assert set(apart["difference"]) == {"BnB batch + AnB - AnB batch - BnB"}
    assert "1-7" in set(found["layers"])


def test_a_pretrained_source_has_its_own_name(tmp_path):
    made = with_statistics(table(["whole"], ("base", "PnB", "random")), "batch")
    found = statistics_table(loaded(made, tmp_path))
    assert set(found["halves"]) == {"all classes, pretrained source"}
    assert {"PnB", "random"} <= set(found["quantity"])
    assert not found["difference"].str.contains("AnB").any()


def test_variants_are_in_no_plain_effect(tmp_path):
    plain, varied = table(), with_statistics(table(), "batch")
    effects = effect_table(loaded(plain, tmp_path))
    pd.testing.assert_frame_equal(effect_table(loaded(varied, tmp_path)), effects)
    assert statistics_table(loaded(plain, tmp_path)).empty
    assert set(main_variant(load_results(tmp_path / "results.csv"))["norm_statistics"]) == {""}
    labels = set(loaded(varied, tmp_path)["variant"])
    assert labels == {"", "batch statistics"}


def test_the_report_says_what_a_careless_freeze_would_have_reported(tmp_path):
    text = answer(careless(), tmp_path)
    assert "Batch statistics lower AnB at n = 4 by 4.0 points" in text
    assert "Batch statistics do not change BnB measurably." in text
    assert "would have reported BnB - AnB as 8.0 points at n = 4, where it is 4.0." in text
    assert "would have reported base - AnB as 8.0 points at n = 4, where it is 4.0." in text


def test_what_is_not_measurable_is_not_claimed(tmp_path):
    text = answer(careless(lost=0), tmp_path)
    assert "Batch statistics do not change AnB measurably." in text
    assert "would not have reported BnB - AnB or base - AnB measurably differently." in text


def test_a_study_with_one_choice_has_no_such_finding(tmp_path):
    assert answer(table(), tmp_path) is None


def test_readings_of_plain_curves_keep_their_names(tmp_path):
    made = pd.DataFrame({"init": ["he", "he"], "norm_statistics": ["", "batch"], "top1": [0.1, 0.2]})
    made.to_csv(tmp_path / "learning_curves.csv", index=False)
    assert list(read_readings(tmp_path / "learning_curves.csv")["norm_statistics"]) == ["", "batch"]
    made[:1].to_csv(tmp_path / "learning_curves.csv", index=False)
    assert list(read_readings(tmp_path / "learning_curves.csv")["norm_statistics"]) == [""]
