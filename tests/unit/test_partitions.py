import csv

import numpy as np
import pytest
from helpers import ROOT

from workflow_scripts.cli import InputError
from workflow_scripts.make_partition import csv_halves, make_partition, natman_halves, random_halves

CLASSES = [f"n{number:08d}" for number in range(1000)]
EDGES = [
    ("root", "artifact"),
    ("root", "animal"),
    ("artifact", "tool"),
    ("tool", "a"),
    ("animal", "b"),
    ("artifact", "c"),
]


@pytest.mark.parametrize("seed", range(4))
def test_random_halves_are_the_papers(seed):
    """DESIGN's protocol: sorted(RandomState([seed]).choice(1000, 500, replace=False)) is A."""
    halves = random_halves(CLASSES, seed)
    chosen = sorted(np.random.RandomState([seed]).choice(1000, 500, replace=False))
    assert halves["A"] == [CLASSES[index] for index in chosen]
    assert halves["B"] == [name for name in CLASSES if name not in set(halves["A"])]
    assert halves["A"] != random_halves(CLASSES, seed + 1)["A"]


def test_the_list_around_the_seed_matters():
    plain = sorted(np.random.RandomState(1).choice(1000, 500, replace=False))
    assert random_halves(CLASSES, 1)["A"] != [CLASSES[index] for index in plain]


def test_natman_follows_the_hierarchy_and_the_extra_list():
    classes = ["a", "b", "c", "d"]
    assert natman_halves(classes, EDGES, "artifact", set()) == {"A": ["b", "d"], "B": ["a", "c"]}
    assert natman_halves(classes, EDGES, "artifact", {"d"}) == {"A": ["b"], "B": ["a", "c", "d"]}
    with pytest.raises(InputError, match="zebra"):
        natman_halves(classes, EDGES, "artifact", {"zebra"})
    with pytest.raises(InputError, match=r"natman\.artifact: missing"):
        natman_halves(classes, EDGES, "missing", set())


def test_imagenets_natman_from_its_hierarchy_and_the_29_extras(shared):
    rows = list(csv.DictReader((shared / "reference" / "imagenet_natural_manmade.csv").open()))
    edges = [("artifact", row["wnid"]) for row in rows if row["is_artifact_descendant"] == "1"]
    extras = {row["wnid"] for row in rows if row["half"] == "manmade" and row["is_artifact_descendant"] == "0"}
    committed = ROOT / "configs" / "imagenet_extra_artifacts.txt"
    assert set(committed.read_text().split()) == extras
    halves = natman_halves([row["wnid"] for row in rows], edges, "artifact", extras)
    assert halves["A"] == [row["wnid"] for row in rows if row["half"] == "natural"]
    assert (len(halves["A"]), len(halves["B"])) == (449, 551)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class,group\na,A\n", "no column 'half'"),
        ("class,half\na,A\nb,C\n", "half 'C' is none of"),
        ("class,half\na,A\na,B\n", "class 'a' twice"),
        ("class,half\na,A\nb,A\nc,B\n", "disagree on class 'd'"),
        ("class,half\na,A\nb,A\nc,B\nd,B\ne,B\n", "disagree on class 'e'"),
    ],
)
def test_mistakes_in_a_csv_are_named(tmp_path, text, message):
    (tmp_path / "halves.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        csv_halves(list("abcd"), tmp_path / "halves.csv")


@pytest.mark.parametrize("text", ["", "a,b\n1,2,3\n"])
def test_a_file_that_is_no_csv_is_named(tmp_path, text):
    (tmp_path / "halves.csv").write_text(text)
    with pytest.raises(InputError, match=r"halves\.csv is not a readable CSV|has no column"):
        csv_halves(list("abcd"), tmp_path / "halves.csv")


def test_a_class_may_be_called_none(tmp_path):
    (tmp_path / "halves.csv").write_text("class,half\nNA,A\nNone,A\nnan,B\nd,B\n")
    assert csv_halves(["NA", "None", "nan", "d"], tmp_path / "halves.csv") == {"A": ["NA", "None"], "B": ["nan", "d"]}


def test_partitions_by_name(tmp_path):
    (tmp_path / "hierarchy.csv").write_text("parent,child\n" + "".join(f"{p},{c}\n" for p, c in EDGES))
    (tmp_path / "halves.csv").write_text("superclass,class,half\nx,c,natural\nx,a,manmade\nx,b,natural\nx,d,manmade\n")
    unused = {"csv": None, "artifact": None, "extra_artifacts": None}

    def make(name, **settings):
        return make_partition(name, list("abcd"), tmp_path / "hierarchy.csv", **unused | settings)

    assert make("whole") == {"whole": list("abcd")}
    assert make("natman", artifact="artifact") == {"A": ["b", "d"], "B": ["a", "c"]}
    assert make("mine", csv=str(tmp_path / "halves.csv")) == {"A": ["b", "c"], "B": ["a", "d"]}
    assert sorted(make("random3")["A"] + make("random3")["B"]) == list("abcd")
    with pytest.raises(InputError, match="half A of partition natman has 0 classes"):
        make_partition("natman", list("abc"), tmp_path / "hierarchy.csv", None, "root", None)
