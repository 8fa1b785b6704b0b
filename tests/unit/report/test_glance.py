"""The first screen: what copied units change by unit, the advice marked, what is undecided, and what a study lacks."""

import json
import re

import pandas as pd
import pytest
from odd_studies import diverged, loaded, table, units_of

from workflow_scripts.report.glance import glance
from workflow_scripts.report.write_report import with_notes
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.lacking import lacking
from workflow_scripts.results.units import read_units

LOSSES = {1: 0.0, 4: 0.006, 7: 0.08}  # of frozen transfer by depth; fine-tuning gains 2 points


def score(group, target, depth, seed):
    loss = LOSSES[depth] if group in ("AnB", "PnB") else 0.0
    return 0.6 - loss + 0.02 * group.endswith("+") + 0.001 * seed * (target == "A")


def seen(made, folder, named=True):
    """The glance at a study, the results and the effects."""
    results = loaded(made, folder)
    units_of().to_csv(folder / "units.csv", index=False)
    effects = effect_table(results)
    return glance(effects, read_units(folder / "units.csv") if named else None), results, effects


def test_the_table_has_a_row_a_depth_and_marks_the_advice(tmp_path):
    found, _, _ = seen(table(score=score, seeds=(0, 1, 2), val_images=2000), tmp_path)
    (one,) = found["tables"]
    assert (one["title"], one["frozen"], one["finetuned"]) == ("Random halves", "AnB", "AnB+")
    assert [row["n"] for row in one["rows"]] == [1, 4, 7]
    assert [row["unit"] for row in one["rows"]] == ["conv1", "layer1.2", "layer2.2"]
    assert [row["changes"][0]["text"].split()[0] for row in one["rows"]] == ["0.0", "-0.6", "-8.0"]
    assert {row["changes"][1]["text"].split()[0] for row in one["rows"]} == {"+2.0"}
    assert [row["chosen"] for row in one["rows"]] == [False, True, False]
    # Of 7 equal units, the first saves its gradients and the next one's of its input: 2 of 20; all 7 save 13 of 20.
    assert [row["shares"][1] for row in one["rows"]] == ["10", "40", "65"]


def test_what_noise_hides_is_marked(tmp_path):
    found, _, _ = seen(table(score=score, val_images=400), tmp_path)
    marks = [[cell["undecided"] for cell in row["changes"]] for row in found["tables"][0]["rows"]]
    assert marks == [[True, True], [True, True], [False, True]]
    assert found["tables"][0]["undecided"]


def test_the_chart_has_every_group_with_its_intervals(tmp_path):
    found, _, _ = seen(table(score=score, seeds=(0, 1, 2)), tmp_path)
    text = json.dumps(found["chart"])
    labels = set(re.findall(r'"label": {"type": "value", "value": "([^"]*)"}', text))
    assert labels == {"selffer BnB", "selffer BnB+, fine-tuned", "transfer AnB", "transfer AnB+, fine-tuned"}
    assert text.count('"name":"Whisker"') + text.count('"name": "Whisker"') == 4


def test_kinds_of_halves_have_a_table_each_and_untrained_features_stand_alone(tmp_path):
    made = table(["random0", "natman", "whole"], ("base", "AnB", "random"))
    found, _, _ = seen(made, tmp_path, named=False)
    names = {one["title"]: (one["frozen"], one["finetuned"]) for one in found["tables"]}
    assert names["Natural / man-made halves"] == ("AnB", None)
    assert names["All classes"] == ("random", None)
    assert all(row["shares"] == [] and row["unit"] == "" for one in found["tables"] for row in one["rows"])
    assert not any(row["chosen"] for row in found["tables"][-1]["rows"])


def test_a_pretrained_source_marks_the_deepest_that_is_not_clearly_worse(tmp_path):
    gains = {1: 0.05, 4: 0.2, 7: 0.1}
    made = table(
        groups=("base", "BnB", "PnB", "PnB+"),
        score=lambda group, target, depth, seed: 0.5 + (gains[depth] if group.startswith("P") else 0),
        val_images=2000,
    )
    one = seen(made, tmp_path)[0]["tables"][0]
    assert (one["frozen"], one["finetuned"]) == ("PnB", "PnB+")
    assert [row["n"] for row in one["rows"] if row["chosen"]] == [4]


@pytest.mark.parametrize("groups", [("base",), ("BnB", "AnB")])
def test_without_a_comparison_there_is_no_glance(groups, tmp_path):
    found, _, _ = seen(table(groups=groups), tmp_path)
    assert found == {"chart": None, "tables": []}


def test_what_a_study_lacks_is_said_with_its_keys(tmp_path):
    _, results, effects = seen(table(["natman"], ("base", "AnB", "AnB+")), tmp_path)
    lines = lacking(results, effects)
    assert lines[0] == "Some differences have no interval: seeds: [0, 1, 2], or 3 target tasks."
    assert lines[1].startswith("Natural / man-made halves, what is lost by separating units that learned together and")
    assert lines[1].endswith("selffer: [frozen, finetuned] in the matrix's entry of natman.")
    assert lines[-1].endswith("{partition: whole, random: [frozen]} in the matrix.")
    assert len(lines) == 3


def test_what_is_there_stays_in_the_keys_and_variants_do_not_count(tmp_path):
    made = table(["natman"], ("base", "AnB", "BnB+"), seeds=(0, 1, 2))
    _, results, effects = seen(made, tmp_path)
    selffer, transfer = lacking(results, effects)[:2]
    assert selffer.endswith("that learned together: selffer: [frozen, finetuned] in the matrix's entry of natman.")
    assert transfer.endswith("what fine-tuning gives: transfer: [frozen, finetuned] in the matrix's entry of natman.")
    own = table(["natman"], ("BnB",), seeds=(0, 1, 2)).assign(preserve=1)
    _, results, effects = seen(pd.concat([table(["natman"], ("base", "AnB")), own]), tmp_path)
    assert any("selffer: [frozen] in" in line for line in lacking(results, effects))


def test_staged_networks_stay_in_the_keys(tmp_path):
    made = table(["natman"], ("base", "AnB", "AnB then +", "BnB then +"), seeds=(0, 1, 2))
    _, results, effects = seen(made, tmp_path)
    assert any("selffer: [frozen, staged] in" in line for line in lacking(results, effects))


def test_both_columns_are_of_one_source(tmp_path):
    found, _, _ = seen(table(groups=("base", "AnB", "BnB+")), tmp_path)
    assert (found["tables"][0]["frozen"], found["tables"][0]["finetuned"]) == ("AnB", None)


def test_a_missing_depth_is_a_gap(tmp_path):
    made = table(score=score)
    chosen = (made["depth"] == 4) & (made["source"] != made["target"]) & (made["treatment"] == "frozen")
    one = seen(diverged(made, chosen), tmp_path)[0]["tables"][0]
    assert [row["changes"][0]["text"] == "" for row in one["rows"]] == [False, True, False]


def test_a_whole_study_lacks_nothing(tmp_path):
    made = table(["random0", "whole"], ("base", "BnB", "BnB+", "AnB", "AnB+", "random"), seeds=(0, 1, 2), score=score)
    _, results, effects = seen(made, tmp_path)
    assert lacking(results, effects) == []


def test_a_note_that_several_answers_rest_on_is_said_once():
    found, notes = with_notes([{"basis": "a"}, {"basis": ""}, {"basis": "b"}, {"basis": "a"}])
    assert notes == ["a", "b"]
    assert [one["note"] for one in found] == [1, None, 2, 1]
