"""Pairs of datasets in results: groups, effects and findings keep their two directions apart, and from halves."""

import re

import pandas as pd
import pytest
from odd_studies import table

from workflow_scripts.report.figures.hierarchy import plot_hierarchy
from workflow_scripts.report.figures.pairs import plot_pairs
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.findings import findings
from workflow_scripts.results.groups import equal_halves, load_results
from workflow_scripts.results.verdicts import capital_halves

TO = {"A": "birds to cars", "B": "cars to birds"}


def loaded(tmp_path):
    pair, halves = table(("cars_birds",), seeds=(0, 1)), table(("random0",), seeds=(0, 1))
    pair["pair"] = pair["target"].map(TO)
    pd.concat([pair, halves]).to_csv(tmp_path / "results.csv", index=False)
    return load_results(tmp_path / "results.csv")


def test_the_two_directions_of_a_pair_are_kinds_of_their_own(tmp_path):
    results = loaded(tmp_path)
    effects = effect_table(results)
    assert set(effects["halves"]) == {"random halves", *TO.values()}
    assert set(effects[effects["halves"] == "cars to birds"]["tasks"]) == {1}
    assert set(equal_halves(results)["partition"]) == {"random0"}


def test_findings_name_the_direction_and_the_shared_classes(tmp_path):
    results = loaded(tmp_path)
    cars = {"partition": "cars_birds", "dataset": "cars", "halves": {"A": ["crane", "truck"]}}
    birds = {"partition": "cars_birds", "dataset": "birds", "halves": {"B": ["crane", "owl"]}}
    found = {one["question"]: one["answer"] for one in findings(results, effect_table(results), pairs=[cars, birds])}
    assert "from cars to birds" in found["Does the distance between the tasks matter?"]
    shared = found["Do source and target share classes?"]
    assert shared.startswith(
        "cars and birds: 1 class stands in both halves ('crane'). Source and target are not disjoint."
    )
    none = findings(results, effect_table(results), pairs=[cars, birds | {"halves": {"B": ["owl"]}}])
    assert any("No class of one half has the name of a class of the other." in one["answer"] for one in none)


def test_names_of_datasets_keep_their_letters(tmp_path):
    results = loaded(tmp_path)
    answers = "\n".join(one["answer"] for one in findings(results, effect_table(results)))
    assert re.search(r"^birds to cars\b.*: ", answers, re.MULTILINE)
    assert re.search(r"^Random halves\b.*: ", answers, re.MULTILINE)
    assert not re.search("(Birds|Cars) to", answers)


@pytest.mark.parametrize(
    ("halves", "start"),
    [
        ("near halves, pretrained source", "Near halves, pretrained source"),
        ("all classes, 5 images a class", "All classes, 5 images a class"),
        ("mine halves", "mine halves"),
        ("random to near", "random to near"),
        ("cifar100 to tiny_imagenet", "cifar100 to tiny_imagenet"),
    ],
)
def test_our_own_words_begin_with_a_capital(halves, start):
    assert capital_halves(halves) == start


def test_figures_show_each_direction(tmp_path):
    results = loaded(tmp_path)
    titles = [axes.get_title() for axes in plot_pairs(results).axes]
    assert any("cars to birds" in title for title in titles)
    assert any("birds to cars" in title for title in titles)
    near, named = plot_hierarchy(results, {"random0": 12.0}).axes
    assert {written(label) for label in named.get_xticklabels()} == set(TO.values())
    assert near.get_xlabel().startswith("mean distance")
    (alone,) = plot_hierarchy(results, {}).axes
    assert {written(label) for label in alone.get_xticklabels()} == {"random halves", *TO.values()}


def written(label):
    return label.get_text().replace("\n", " ")
