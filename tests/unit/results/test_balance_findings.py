"""Findings on unequal classes and halves: said with numbers where the largest class explains a score, else nothing."""

import pytest
from odd_studies import table, where

from workflow_scripts.results.balance import explained, majority, unequal_halves
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.findings import findings
from workflow_scripts.results.groups import load_results

UNEQUAL = "Does the largest class explain a score?"
HALVES = "Are the scores of both halves comparable?"


def loaded(made, tmp_path):
    made.to_csv(tmp_path / "results.csv", index=False)
    return load_results(tmp_path / "results.csv")


def asked(made, tmp_path):
    results = loaded(made, tmp_path)
    return {one["question"]: one for one in findings(results, effect_table(results))}


def scored(top1, **columns):
    return table(score=lambda *_: top1, **columns)


def test_the_largest_class_is_named_with_the_numbers(tmp_path):
    made = scored(0.701, classes=3, majority_share=0.62, top1_per_class_mean=0.413)
    made.loc[made["target"] == "B", "majority_share"] = 1 / 3
    found = asked(made, tmp_path)[UNEQUAL]
    assert found["answer"] == (
        "random0 A: 62.0 % of the validation images are of one class. The base network's top-1 of 70.1 % is 41.3 % "
        "averaged over classes. Compare this target's networks by top1_per_class_mean in results.csv."
    )
    assert found["basis"].startswith("A network that always answers with the largest class")


def test_several_seeds_give_one_line_a_target(tmp_path):
    made = scored(0.5, seeds=(0, 1), classes=10, majority_share=0.4, top1_per_class_mean=0.2)
    lines = [text for _, text, _ in majority(loaded(made, tmp_path))]
    assert [line.split(":")[0] for line in lines] == ["random0 A", "random0 B"]
    assert all("The base networks' mean top-1 of 50.0 % is 20.0 %" in line for line in lines)


@pytest.mark.parametrize(
    ("score", "share", "images", "told"),
    [
        (0.19, 0.1, 10_000, True),  # less than twice the share
        (0.21, 0.1, 10_000, False),
        (0.80, 0.62, 10_000, True),  # less than half of the way to all right
        (0.82, 0.62, 10_000, False),
        (0.99, 0.98, 40, True),  # within the noise of 40 images
        (0.99, 0.62, 10_000, False),
        (0.40, 0.1, 4, True),
        (0.40, 0.1, float("nan"), False),
    ],
)
def test_what_the_largest_class_explains(score, share, images, told):
    assert explained(score, share, images) == told


def test_nothing_is_said_of_equal_classes_or_a_better_score(tmp_path):
    assert UNEQUAL not in asked(scored(0.3, classes=5, majority_share=0.2), tmp_path)  # however low
    assert UNEQUAL not in asked(scored(0.3, classes=5, majority_share=0.24), tmp_path)  # 1.2 times as many
    assert UNEQUAL in asked(scored(0.3, classes=5, majority_share=0.25), tmp_path)
    assert UNEQUAL not in asked(scored(0.9, classes=5, majority_share=0.25), tmp_path)


def test_a_table_from_elsewhere_may_lack_the_columns(tmp_path):
    assert UNEQUAL not in asked(scored(0.3), tmp_path)
    assert UNEQUAL not in asked(scored(0.3, classes="", majority_share=""), tmp_path)
    answer = asked(scored(0.3, classes=3, majority_share=0.5), tmp_path)[UNEQUAL]["answer"]
    assert "The base network's top-1 is 30.0 %. Its mean over classes is not known" in answer


def test_unequal_halves_are_named_where_both_are_targets(tmp_path):
    made = table(("random0", "random1", "whole"), classes=5)
    assert not list(unequal_halves(loaded(made, tmp_path)))
    made.loc[where(made, target="B"), "classes"] = 6
    (part,) = unequal_halves(loaded(made, tmp_path))
    assert part[1] == ("'random0', 'random1': A has 5 classes and B has 6. Accuracies of A and B are not comparable.")
    assert HALVES in asked(made, tmp_path)
    of_one = made[(made["target"] == "A") | (made["treatment"] == "base")]
    assert not list(unequal_halves(loaded(of_one, tmp_path)))
    assert not list(unequal_halves(loaded(made.drop(columns="classes"), tmp_path)))
