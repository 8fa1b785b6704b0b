import csv

import numpy as np
import pytest
from helpers import ROOT

from workflow_scripts.dataset.hierarchy import class_distances, descendants
from workflow_scripts.partition.division import (
    csv_halves,
    distance_halves,
    divided,
    halves_distance,
    natman_halves,
    random_halves,
)
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.study.partition_names import (
    PartitionName,
    drawn_partition,
    parse_partition,
    plain_partition,
)

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
    """docs/design.md, the paper's protocol: sorted(RandomState([seed]).choice(1000, 500, replace=False)) is A."""
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
        ("class,half\na,A\nb,C\n", "half 'C' is not one of"),
        ("class,half\na,A\na,B\n", "class 'a' has two rows"),
        ("class,half\na,A\nb,A\nc,B\n", "class 'd' of the dataset has no row"),
        ("class,half\na,A\nb,A\nc,B\nd,B\ne,B\n", "class 'e' is not a class of the dataset"),
    ],
)
def test_mistakes_in_a_csv_are_named(tmp_path, text, message):
    (tmp_path / "halves.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        csv_halves(list("abcd"), tmp_path / "halves.csv")


@pytest.mark.parametrize("text", ["", "a,b\n1,2,3\n"])
def test_a_file_that_is_no_csv_is_named(tmp_path, text):
    (tmp_path / "halves.csv").write_text(text)
    with pytest.raises(InputError, match=r"halves\.csv: it is empty|has no column"):
        csv_halves(list("abcd"), tmp_path / "halves.csv")


def test_a_class_may_be_called_none(tmp_path):
    (tmp_path / "halves.csv").write_text("class,half\nNA,A\nNone,A\nnan,B\nd,B\n")
    assert csv_halves(["NA", "None", "nan", "d"], tmp_path / "halves.csv") == {"A": ["NA", "None"], "B": ["nan", "d"]}


def test_partitions_by_name(tmp_path):
    (tmp_path / "halves.csv").write_text("superclass,class,half\nx,c,natural\nx,a,manmade\nx,b,natural\nx,d,manmade\n")
    unused = {"csv": None, "artifact": None, "extra_artifacts": None}

    def make(name, **settings):
        return divided(parse_partition(name), list("abcd"), EDGES, **unused | settings)

    assert make("whole") == make("whole_first_3_per_class") == {"whole": list("abcd")}
    assert make("natman", artifact="artifact") == {"A": ["b", "d"], "B": ["a", "c"]}
    assert make("mine", csv=str(tmp_path / "halves.csv")) == {"A": ["b", "c"], "B": ["a", "d"]}
    assert sorted(make("random3")["A"] + make("random3")["B"]) == list("abcd")
    assert make("random3_first_10_per_class") == make("random3")
    with pytest.raises(InputError, match="partition natman: half A has 0 classes"):
        divided(parse_partition("natman"), list("abc"), EDGES, None, "root", None)


def test_the_parts_of_a_partitions_name():
    assert parse_partition("random12") == PartitionName("random", 12, None)
    assert parse_partition("far0_first_25_per_class") == PartitionName("far", 0, 25)
    assert parse_partition("whole_first_1000_per_class") == PartitionName("whole", None, 1000)
    assert parse_partition("far0_draw_25_per_class") == PartitionName("far", 0, 25, drawn=True)
    assert parse_partition("my_halves2") == PartitionName("my_halves2", None, None)
    assert parse_partition("random0_first_0_per_class") == PartitionName("random0_first_0_per_class", None, None)
    assert parse_partition("random0_draw_0_per_class").images_per_class is None
    assert drawn_partition("my_halves2", 7) == "my_halves2_draw_7_per_class"
    for plain in ("random0", "whole_first_5_per_class", "my_halves2"):
        assert plain_partition(drawn_partition(plain, 30)) == plain_partition(plain) == plain
    for wrong in ("2halves", "a-b", "", "_a", "random0 "):
        with pytest.raises(ValueError, match="is not a partition's name"):
            parse_partition(wrong)


# Two trees of two genera each, below one root: siblings 2 edges apart, genera 4, trees 6.
TREE_CLASSES = [f"{tree}{genus}{species}" for tree in "xy" for genus in "12" for species in "abcd"]
TREE_EDGES = [
    *{("root", name[0]) for name in TREE_CLASSES},
    *{(name[0], name[:2]) for name in TREE_CLASSES},
    *{(name[:2], name) for name in TREE_CLASSES},
]


def test_distance_counts_the_edges_of_the_shortest_path():
    distances = class_distances(TREE_CLASSES, TREE_EDGES)
    place = {name: index for index, name in enumerate(TREE_CLASSES)}
    assert distances[place["x1a"], place["x1a"]] == 0
    assert distances[place["x1a"], place["x1b"]] == 2
    assert distances[place["x1a"], place["x2a"]] == 4
    assert distances[place["x1a"], place["y2a"]] == 6
    # A second parent shortens the way, as in WordNet.
    assert class_distances(TREE_CLASSES, [*TREE_EDGES, ("y1", "x1a")])[place["x1a"], place["y1b"]] == 2


def distance_of(halves):
    return halves_distance(TREE_CLASSES, TREE_EDGES, halves)["mean"]


def test_far_halves_part_the_trees_and_near_ones_the_siblings():
    for seed in range(5):
        far, near = (distance_halves(TREE_CLASSES, TREE_EDGES, grade, seed) for grade in ("far", "near"))
        assert {frozenset(name[0] for name in far[half]) for half in "AB"} == {frozenset("x"), frozenset("y")}
        assert distance_of(far) == 6
        genera = [name[:2] for name in near["A"]]
        assert {genera.count(genus) for genus in set(genera)} == {2}  # two of each genus' four
        assert distance_of(near) == pytest.approx(np.mean([2, 2, 4, 4, 6, 6, 6, 6]))


@pytest.mark.parametrize("grade", ["near", "middle", "far"])
def test_graded_halves_are_equal_and_a_function_of_the_seed(grade):
    halves = [distance_halves(TREE_CLASSES, TREE_EDGES, grade, seed) for seed in (0, 0, 1)]
    assert halves[0] == halves[1] != halves[2]
    for half in halves:
        assert sorted(half["A"] + half["B"]) == TREE_CLASSES
        assert len(half["A"]) == len(half["B"]) == 8


@pytest.mark.slow
def test_middle_lies_between(real_hierarchy):
    classes, edges = real_hierarchy
    for seed in (0, 1):
        near, middle, far = (
            halves_distance(classes, edges, distance_halves(classes, edges, grade, seed))["mean"]
            for grade in ("near", "middle", "far")
        )
        random = halves_distance(classes, edges, random_halves(classes, seed))["mean"]
        assert near < random < middle < far
        assert middle == pytest.approx((near + far) / 2, abs=0.01 * (far - near))


def test_halves_cannot_be_graded_without_a_hierarchy():
    with pytest.raises(InputError, match="it has no hierarchy of classes to grade halves by"):
        distance_halves(TREE_CLASSES, [], "far", 0)
    with pytest.raises(InputError, match="class other is not in its hierarchy"):
        distance_halves([*TREE_CLASSES, "other"], TREE_EDGES, "far", 0)
    with pytest.raises(InputError, match="does not connect class"):
        distance_halves([*TREE_CLASSES, "other"], [*TREE_EDGES, ("island", "other")], "far", 0)
    assert halves_distance(TREE_CLASSES, [], {"A": TREE_CLASSES[:8], "B": TREE_CLASSES[8:]}) is None
    assert halves_distance(TREE_CLASSES, TREE_EDGES, {"whole": TREE_CLASSES}) is None


def test_imagenets_natman_from_wordnet_itself(real_hierarchy, shared):
    """The 522 descendants of artifact and the 29 extras, from the 1860 synsets that ILSVRC's devkit has."""
    classes, edges = real_hierarchy
    rows = list(csv.DictReader((shared / "reference" / "imagenet_natural_manmade.csv").open()))
    assert classes == [row["wnid"] for row in rows]
    below = descendants(edges, "n00021939")
    assert [row["wnid"] for row in rows if row["is_artifact_descendant"] == "1"] == [c for c in classes if c in below]
    extras = set((ROOT / "configs" / "imagenet_extra_artifacts.txt").read_text().split())
    halves = natman_halves(classes, edges, "n00021939", extras)
    assert halves["B"] == [row["wnid"] for row in rows if row["half"] == "manmade"]
    assert halves_distance(classes, edges, halves)["mean"] == pytest.approx(14.87, abs=0.01)
