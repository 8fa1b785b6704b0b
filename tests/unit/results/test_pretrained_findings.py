"""Findings and advice on a pretrained source, on built tables whose answers are known."""

import numpy as np
import pandas as pd
import pytest
from odd_studies import loaded, table, units_of

from workflow_scripts.results.advice import advice
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.findings import findings
from workflow_scripts.results.units import first_units, read_units, unit_names

GENERAL, TUNING, UNTRAINED = "From which depth", "Does fine-tuning", "Are untrained"


def pretrained(folder, groups=("base", "BnB", "BnB+", "PnB", "PnB+", "random"), **scores):
    """A study of all classes with three seeds; PnB is better than base at n = 1 and 4, and worse at n = 7."""
    change = {"base": 0, "BnB": 0, "BnB+": 0.01, "random": -0.3, "PnB+": 0.07} | scores
    frozen = {1: 0.05, 4: 0.03, 7: -0.04}
    spread = {0: 0.0, 1: 0.003, 2: -0.003}

    def score(group, _, depth, seed):
        own = spread[seed] * (1 + 0.3 * (group > "C") + len(group) / 4)  # differences vary too
        return 0.6 + (frozen[depth] if group == "PnB" else change[group]) + own

    return loaded(table(["whole"], groups, seeds=(0, 1, 2), score=score, val_images=9000), folder)


def answers(results, names=None):
    return {entry["question"]: entry["answer"] for entry in findings(results, effect_table(results), None, names)}


def answer(results, start, names=None):
    return next((text for question, text in answers(results, names).items() if question.startswith(start)), None)


def names(folder):
    units_of(7).to_csv(folder / "units.csv", index=False)
    return unit_names(read_units(folder / "units.csv"))


def test_the_pretrained_network_is_called_p(tmp_path):
    results = pretrained(tmp_path)
    for text in [*answers(results).values(), advice(effect_table(results))]:
        assert "AnB" not in text
    general = answer(results, GENERAL)
    assert general.startswith(
        "All classes, pretrained source: Frozen transfer (PnB) shows no lasting cost up to n = 4."
    )
    assert "PnB lies below the selffer control BnB at n = 7, the greatest depth." in general
    assert "PnB lies above the selffer control BnB at n = 1 and 4, most at n = 1: 5.0 points" in general
    assert "Yes, PnB+ ends above the base network of its own target." in answer(results, TUNING)
    assert "Transfer adds 6.0 points" in answer(results, TUNING)


def test_boundaries_are_named_by_their_units(tmp_path):
    results = pretrained(tmp_path)
    general = answer(results, GENERAL, names(tmp_path))
    assert "no lasting cost up to n = 4 (layer1.2)." in general
    assert "at n = 7 (layer2.2), the greatest depth." in general


def test_without_a_selffer_the_report_says_what_cannot_be_told_apart(tmp_path):
    for groups in (("base", "PnB"), ("base", "PnB", "random")):
        text = answer(pretrained(tmp_path, groups), GENERAL)
        assert "lies below the base network at n = 7, the greatest depth." in text
        assert "Without selffers, lost co-adaptation and specialisation cannot be separated." in text
    assert "Without BnB+" in answer(pretrained(tmp_path, ("base", "PnB+")), TUNING)


def test_without_a_base_network_nothing_is_advised(tmp_path):
    results = pretrained(tmp_path, ("PnB", "PnB+"))
    assert answer(results, GENERAL) is None
    assert "gives no advice" in advice(effect_table(results))


def test_untrained_features_are_told_once(tmp_path):
    text = answer(pretrained(tmp_path), UNTRAINED)
    assert text.startswith("All classes: Untrained features lose 30.0 points")
    assert "\n" not in text


def test_advice_says_how_deep_to_copy_and_to_freeze(tmp_path):
    told = advice(effect_table(pretrained(tmp_path)), names(tmp_path))
    assert told.startswith("From the pretrained network to all classes: Copy the first unit (conv1) and fine-tune it.")
    assert "Freezing the first unit (conv1) gains 5.0 points" in told
    assert "over training from scratch, the most of all depths. Freezing the first 4 units (up to layer1.2) " in told
    assert "does 2.0 points worse than the best. Fine-tuning" in told
    assert "Fine-tuning the units at n = 1 in place of freezing them adds 2.0 points" in told


def drops(*rows):
    """Effects of which only total_drop is there: points, low and high of each depth."""
    columns = {"halves": "all classes, pretrained source", "effect": "total_drop", "noise_points": 0.5}
    table = pd.DataFrame(rows, columns=["points", "low", "high"]).assign(**columns)
    return table.assign(layers=[str(depth) for depth in range(1, len(rows) + 1)])


def test_no_depth_is_advised_that_is_clearly_worse_than_the_best():
    """As in configs/cifar_resnet20_measured.yaml: both of its last depths gain, the last one much less."""
    nan = float("nan")
    told = advice(drops((-15, -18, -12), (-23, -26, -20), (-22, -25, -19), (-12, -15, -9)))
    assert "Freezing the first 2 units gains 23.0 points (20.0 to 26.0)" in told
    assert "To save time, freeze the first 3 units: this gains 22.0 points (19.0 to 25.0)." in told
    assert told.endswith("Freezing the first 4 units does 11.0 points worse than the best.")
    alike = advice(drops((-15, -18, -12), (-23, -26, -20)))
    assert "To save time" not in alike
    assert "worse" not in alike
    unsure = advice(drops((-15, nan, nan), (-23, nan, nan), (-22, nan, nan), (-21, nan, nan)))
    assert "freeze the first 3 units: this gains 22.0 points. Freezing the first 4 units does 2.0 points" in unsure
    little = advice(drops((-0.4, -1.1, 0.3), (0.9, 0.8, 1.0)))
    assert "freeze at most the first unit. " in little
    assert little.endswith("This costs 1 point or less. Freezing the first 2 units does 1.3 points worse.")


def test_the_head_is_no_unit_to_copy(tmp_path):
    assert list(names(tmp_path)) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("number", [int, np.int64])
def test_the_first_units_end_with_the_name_of_the_last(number):
    names = {1: "conv1", 2: "layer1.0"}
    assert first_units(number(1), names) == "the first unit (conv1)"
    assert first_units(number(2), names) == "the first 2 units (up to layer1.0)"
    assert first_units(number(3), names) == "the first 3 units"
