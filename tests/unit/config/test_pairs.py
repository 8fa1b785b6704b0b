"""Pairs in a configuration: what is filled in, and refusals in one line that names the key."""

import pytest
from helpers import ROOT, default_config

from workflow_scripts.config.checks import check_config
from workflow_scripts.config.given import study_config
from workflow_scripts.dataset.sample.classes import SAMPLE_CLASSES
from workflow_scripts.plumbing.cli import InputError

SCHEMA = ROOT / "schemas/config.schema.yaml"
PAIR = {"partition": "cars_birds", "halves": {"A": "sample", "B": "birds"}, "transfer": ["frozen"]}

PARTS = ("letters", "digits")  # of EMNIST


@pytest.fixture
def checked(tmp_path):
    """A function that checks a configuration with this matrix and these further datasets."""

    def check(*matrix, **datasets):
        (tmp_path / "images").mkdir(exist_ok=True)
        given = default_config() | {"matrix": list(matrix)}
        given["datasets"] = datasets or {"birds": {"kind": "folder", "path": str(tmp_path / "images")}}
        config = study_config(given, ROOT, False, None)
        check_config(config, SCHEMA)
        return config

    return check


def test_keys_that_a_dataset_lacks_are_those_of_the_default_study(checked):
    config = checked(PAIR, birds={"kind": "folder", "path": "$HOME/birds"}, other={"kind": "sample"})
    assert config["datasets"]["birds"]["name"] == "birds"
    assert set(config["datasets"]["birds"]) == set(config["dataset"])
    assert not config["datasets"]["birds"]["path"].startswith("$")
    assert config["datasets"]["other"]["path"] == "data/other/archives"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"halves": {"A": "sample"}}, "matrix[0].halves: 'B' is a required property"),
        (
            {"halves": {"A": "sample", "B": "bird"}},
            "matrix[0].halves.B: no dataset is called bird. Choose birds, or add",
        ),
        ({"halves": {"A": "sample", "B": "sample"}}, "matrix[0].halves: both are sample"),
        (
            {"halves": {"A": "sample", "B": "birds/natman.B"}},
            "natman needs a hierarchy of classes, which birds does not",
        ),
        ({"halves": {"A": "sample/cars.A", "B": "birds"}}, "matrix[0].halves.A: cars is not random<seed>"),
        (
            {"halves": {"A": "sample/natman_first_5_per_class.A", "B": "birds"}},
            "Give the pair itself the suffix _first_5_per_class.",
        ),
        ({"partition": "natman"}, "matrix[0].halves: partition natman has its halves from its name"),
        ({"partition": "random3"}, "partition random3 has its halves from its name. Choose a different name"),
        ({"csv": "halves.csv"}, "partition cars_birds has its halves from a CSV"),
    ],
)
def test_what_is_no_pair_is_refused(checked, changes, message):
    with pytest.raises(InputError) as caught:
        checked(PAIR | changes)
    told = str(caught.value)
    assert message in told
    assert told.startswith("configuration: matrix[0]")


def test_a_pair_has_one_meaning(checked, tmp_path):
    reduced = PAIR | {"partition": "cars_birds_first_5_per_class"}
    assert checked(PAIR, reduced)
    with pytest.raises(InputError, match="a different entry of partition cars_birds has other halves"):
        checked(PAIR, reduced | {"halves": {"A": "birds", "B": "sample"}})
    halves = "".join(f"{one.wnid},{'AB'[number % 2]}\n" for number, one in enumerate(SAMPLE_CLASSES))
    (tmp_path / "halves.csv").write_text(f"class,half\n{halves}")
    by_csv = {"partition": "cars_birds", "csv": str(tmp_path / "halves.csv")}
    assert checked(by_csv)
    for entries in (PAIR, by_csv), (by_csv, PAIR):
        with pytest.raises(InputError, match="a different entry of partition cars_birds has other halves"):
            checked(*entries)


@pytest.mark.parametrize("name", ["Birds", "BIRDS"])
def test_datasets_of_a_study_share_no_folder_where_capitals_do_not_count(checked, tmp_path, name):
    folders = {one: {"kind": "folder", "path": str(tmp_path)} for one in ("birds", name)}
    with pytest.raises(InputError, match=f"datasets.{name}: the name belongs to a different dataset"):
        checked(PAIR, **folders)


def test_two_parts_of_a_torchvision_dataset_are_refused():
    own, other = ({"kind": "torchvision", "name": "EMNIST", "root": ".", "options": {"split": one}} for one in PARTS)
    given = default_config() | {"dataset": default_config()["dataset"] | own, "datasets": {"EMNIST": other}}
    with pytest.raises(InputError, match=r"datasets\.EMNIST: both parts of EMNIST would lie in data/EMNIST\. Keep one"):
        check_config(study_config(given | {"matrix": [{"partition": "whole"}]}, ROOT, False, None), SCHEMA)


def test_datasets_are_called_differently(checked):
    with pytest.raises(InputError, match=r"datasets\.sample: the name belongs to a different dataset"):
        checked(PAIR, birds={"kind": "folder", "path": "x"}, sample={"kind": "folder", "path": "x"})
    with pytest.raises(InputError, match=r"datasets\.birds: the name belongs"):
        checked(PAIR, birds={"kind": "folder", "path": "x", "name": "doves"})


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"path": "x"}, "datasets.birds: 'kind' is a required property"),
        ({"kind": "folders", "path": "x"}, "datasets.birds.kind"),
        ({"kind": "folder", "path": "x", "pth": "y"}, "datasets.birds.pth: the key is unknown. Did you mean path?"),
        ({"kind": "folder", "path": "a{x}"}, "datasets.birds.path: a{x}: it holds braces"),
        ("folder", "datasets.birds"),
    ],
)
def test_a_dataset_that_cannot_be_is_refused_by_its_key(checked, section, message):
    with pytest.raises(InputError) as caught:
        checked(PAIR, birds=section)
    assert message in str(caught.value)
