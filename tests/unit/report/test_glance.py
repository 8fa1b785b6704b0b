"""The first screen: what copied units change by unit, the advice marked, what is undecided, and what a study lacks."""

import json

import pytest
from odd_studies import loaded, table, units_of

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
    assert one["rows"][2]["shares"] == ["100", "67"]  # a frozen unit is spared two thirds of its operations


def test_what_noise_hides_is_marked(tmp_path):
    found, _, _ = seen(table(score=score, val_images=400), tmp_path)
    marks = [[cell["undecided"] for cell in row["changes"]] for row in found["tables"][0]["rows"]]
    assert marks == [[True, True], [True, True], [False, True]]
    assert found["tables"][0]["undecided"]


def test_the_chart_has_every_group_with_its_intervals(tmp_path):
    found, _, _ = seen(table(score=score, seeds=(0, 1, 2)), tmp_path)
    text = json.dumps(found["chart"], allow_nan=False)
    assert all(name in text for name in ("selffer BnB", "transfer AnB", "transfer AnB+", "selffer BnB+"))
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
    assert any("selffer: [frozen] in the matrix's entry of natman." in line for line in lines)
    assert any("selffer: [finetuned] in the matrix's entry of natman." in line for line in lines)
    assert lines[-1].endswith("{partition: whole, random: [frozen]} in the matrix.")
    assert not any("transfer: [" in line for line in lines)


def test_a_whole_study_lacks_nothing(tmp_path):
    made = table(["random0", "whole"], ("base", "BnB", "BnB+", "AnB", "AnB+", "random"), seeds=(0, 1, 2), score=score)
    _, results, effects = seen(made, tmp_path)
    assert lacking(results, effects) == []


def test_a_note_that_several_answers_rest_on_is_said_once():
    found, notes = with_notes([{"basis": "a"}, {"basis": ""}, {"basis": "b"}, {"basis": "a"}])
    assert notes == ["a", "b"]
    assert [one["note"] for one in found] == [1, None, 2, 1]
