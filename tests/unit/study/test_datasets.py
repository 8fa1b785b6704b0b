"""Pairs: which dataset a half is of, which datasets a study uses, and what decides a pair's halves."""

import pytest
from helpers import default_config

from workflow_scripts.study.datasets import HalfOfPair, dataset_of, is_whole, pair_halves, pair_label, study_datasets
from workflow_scripts.study.leaves import cost_leaves, matrix_leaves, partition_leaves

PAIR = {"partition": "cars_birds", "halves": {"A": "cars", "B": "birds/natman.B"}, "transfer": ["frozen"]}


def config(*matrix):
    others = {name: {"name": name, "kind": "folder", "path": f"/{name}"} for name in ("cars", "birds", "unused")}
    return default_config() | {"matrix": list(matrix), "datasets": others}


@pytest.mark.parametrize(
    ("text", "half"),
    [
        ("cars", HalfOfPair("cars")),
        ("a.b-c_1", HalfOfPair("a.b-c_1")),
        ("ilsvrc2012/natman.A", HalfOfPair("ilsvrc2012", "natman", "A")),
        ("ilsvrc2012/random3.B", HalfOfPair("ilsvrc2012", "random3", "B")),
    ],
)
def test_a_half_is_a_dataset_or_a_half_of_its_partition(text, half):
    assert HalfOfPair.named(text) == half


@pytest.mark.parametrize("text", ["", "cars/", "cars/natman", "cars/natman.C", "cars/natman.A.B", "a/b/natman.A"])
def test_anything_else_is_no_half(text):
    with pytest.raises(ValueError, match="is neither"):
        HalfOfPair.named(text)


def test_every_half_has_its_dataset():
    both = config({"partition": "random0", "transfer": ["frozen"]}, PAIR)
    assert [dataset_of(both, "cars_birds", half) for half in "AB"] == ["cars", "birds"]
    assert dataset_of(both, "random0", "A") == "sample"
    assert [is_whole(both, "cars_birds", half) for half in "AB"] == [True, False]
    assert [pair_label(both, "cars_birds", target) for target in "AB"] == [
        "birds/natman.B to cars",
        "cars to birds/natman.B",
    ]
    assert (pair_label(both, "random0", "A"), pair_halves(both, "random0")) == ("", {})


def test_reduced_data_of_a_pair_are_of_the_same_datasets():
    reduced = config(PAIR | {"partition": "cars_birds_first_5_per_class"})
    assert dataset_of(reduced, "cars_birds_first_5_per_class", "B") == "birds"


def test_a_study_uses_the_datasets_of_its_matrix_only():
    assert list(study_datasets(config({"partition": "random0"}))) == ["sample"]
    assert list(study_datasets(config(PAIR))) == ["cars", "birds"]
    own = config(PAIR | {"halves": {"A": "sample", "B": "birds"}})
    assert list(study_datasets(own)) == ["sample", "birds"]
    assert study_datasets(own)["birds"]["dataset"]["path"] == "/birds"


def test_only_what_a_half_of_a_pair_uses_decides_it():
    leaves = partition_leaves(config(PAIR), "cars_birds", "B")
    assert leaves["artifact"] == "n00021939"
    assert leaves["of"] == {"dataset": "birds", "partition": "natman", "half": "B"}
    whole = partition_leaves(config(PAIR), "cars_birds", "A")
    assert whole["artifact"] is None
    assert whole["of"]["dataset"] == "cars"
    assert "of" not in partition_leaves(config({"partition": "random0"}), "random0", "A")


def test_leaves_that_steps_get_tell_the_datasets_of_halves():
    for leaves in (matrix_leaves(config(PAIR)), cost_leaves(config(PAIR))):
        assert dataset_of(leaves, "cars_birds", "B") == "birds"
