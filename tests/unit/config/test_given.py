"""A configuration from what a user gave: defaults below it, text read as YAML, the workflow's own lists found."""

import copy
import shutil
from pathlib import Path

import pytest
import yaml
from helpers import ROOT, alias_bomb, default_config

from workflow_scripts.config.checks import check_config
from workflow_scripts.config.given import config_files, find_shipped, read_texts, study_config, with_defaults
from workflow_scripts.plumbing.cli import InputError, one_line

SCHEMA = ROOT / "schemas" / "config.schema.yaml"
CONFIG = default_config()


def given(values, arguments=()):
    """The default study with `values` merged into it, its texts read."""
    config = with_defaults(ROOT / "config.yaml", values)
    read_texts(config, SCHEMA, arguments)
    return config


@pytest.mark.parametrize(  # as Snakemake hands over --config: lists and sections, but text in them
    ("values", "key", "meant"),
    [
        ({"seeds": ["0", "1"]}, "seeds", [0, 1]),
        ({"seeds": "[0, 1]"}, "seeds", [0, 1]),
        ({"training": {"duration": "20"}}, "training.duration", 20),
        ({"training": {"duration": "20 epochs"}}, "training.duration", "20 epochs"),
        ({"training": {"schedule": {"step": "5", "kind": "step"}}}, "training.schedule.step", 5),
        ({"running": {"tensorboard": "true"}}, "running.tensorboard", True),
        ({"running": {"tensorboard": "yes"}}, "running.tensorboard", True),
        ({"training": {"compile": "off"}}, "training.compile", False),
        ({"training": {"learning_rate": {"base": "1e-3"}}}, "training.learning_rate.base", 0.001),
        ({"training": {"weight_decay": "0"}}, "training.weight_decay", 0),
        ({"plan": {"images_per_second": "null"}}, "plan.images_per_second", None),
        ({"plan": {"images_per_second": "1e3"}}, "plan.images_per_second", 1000.0),
        ({"plan": {"devices": ["1", "4"]}}, "plan.devices", [1, 4]),
        ({"reference": "null"}, "reference", None),
        ({"results_table": "null"}, "results_table", None),
        ({"natman": {"extra_artifacts": ""}}, "natman.extra_artifacts", None),
        ({"dataset": {"name": "7"}}, "dataset.name", "7"),
        ({"dataset": {"name": "null"}}, "dataset.name", "null"),
        ({"dataset": {"path": "1e3"}}, "dataset.path", "1e3"),
        ({"matrix": [{"partition": "random0", "depths": ["1", "2"], "transfer": ["frozen"]}]}, "matrix", [
            {"partition": "random0", "depths": [1, 2], "transfer": ["frozen"]}
        ]),
    ],
    ids=str,
)  # fmt: skip
def test_text_is_read_where_no_text_is_wanted(values, key, meant):
    value = given(values)
    for name in key.split("."):
        value = value[name]
    assert value == meant and type(value) is type(meant)


def test_the_other_defaults_of_a_section_stay():
    config = given({"training": {"duration": "20"}})
    defaults = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert config["training"] == defaults["training"] | {"duration": 20}
    assert {**config, "training": None} == {**defaults, "training": None}
    assert given({}) == defaults


def test_a_name_that_looks_like_a_number_is_text():
    for argument in ("study=2024", "study=007", "study=1e3", "study=true"):
        assert given({"study": 5}, [argument])["study"] == argument.split("=")[1]
    assert given({"seeds": 5}, ["seeds=5"])["seeds"] == 5


@pytest.mark.parametrize("name", ["nan", "inf", "20261126000000000000000"])
def test_a_name_that_looks_like_a_number_which_no_study_has_is_text(name):
    value = float(name) if name.isalpha() else int(name)
    assert given({"study": value}, [f"study={name}"])["study"] == name
    with pytest.raises(InputError, match="study: "):
        given({"study": value})  # of a file


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"seeds": "0,1"}, "seeds: '0,1' is not of type 'array'. Write a list as [a, b]"),
        ({"training": "{duration: 20"}, "training: '{duration: 20' is not of type 'object'. Write"),
        ({"training": {"crop": "big"}}, "training.crop: 'big' is not of type 'integer', nor auto. Correct it."),
        ({"training": {"crop": "-5"}}, "training.crop: -5 is less than the minimum of 8"),
        ({"training": {"crop": "2020-01-01"}}, "training.crop: '2020-01-01' is not of type 'integer'"),
        ({"training": {"crop": "!!python/name:os.system"}}, "training.crop: '!!python/name:os.system' is not"),
        ({"seeds": ["a"]}, "seeds[0]: 'a' is not of type 'integer'"),
        ({"seeds": ["0", "0"]}, "seeds: [0, 0] has non-unique elements"),
        ({"running": {"tensorboard": "2"}}, "running.tensorboard: 2 is not of type 'boolean'"),
        ({"depths": "[&a [*a]]"}, "depths: '[&a [*a]]' is not of type 'array'"),
        ({"depths": "[" * 5000}, "depths: '[[[["),
        ({"depths": alias_bomb("[1, 1]", "[", "]")}, "depths: 'a: &a [1, 1]"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_text_of_the_wrong_type_is_refused_by_its_key(values, line):
    with pytest.raises(InputError) as caught:
        check_config(given(values), SCHEMA)
    assert one_line(caught.value).startswith(f"configuration: {line}")


def test_the_configuration_of_an_importing_workflow_is_not_changed():
    mine = {"study": "mine", "training": {"duration": "20"}, "matrix": [{"partition": "whole", "depths": ["1"]}]}
    before = copy.deepcopy(mine)
    config = study_config(mine, ROOT, True, None)
    assert mine == before
    assert config["training"] == CONFIG["training"] | {"duration": 20}
    assert (config["study"], config["matrix"]) == ("mine", [{"partition": "whole", "depths": [1]}])


def test_lists_are_found_in_the_working_directory_then_beside_the_snakefile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = copy.deepcopy(CONFIG)
    config["matrix"] = [{"partition": "a", "csv": "configs/cifar100_natman.csv"}, {"partition": "b", "csv": "mine.csv"}]
    find_shipped(config, ROOT)
    assert config["reference"]["results"] == str(ROOT / "configs/published_results.csv")
    assert [entry["csv"] for entry in config["matrix"]] == [str(ROOT / "configs/cifar100_natman.csv"), "mine.csv"]
    shutil.copytree(ROOT / "configs", "configs")
    own = copy.deepcopy(CONFIG)
    find_shipped(own, ROOT)
    assert own == CONFIG


def test_what_is_no_path_is_left_to_the_schema(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = {"results_table": 3, "reference": [], "natman": "x", "matrix": [1, {"csv": None}]}
    find_shipped(odd, ROOT)
    assert odd == {"results_table": 3, "reference": [], "natman": "x", "matrix": [1, {"csv": None}]}


def test_a_config_yaml_of_the_working_directory_counts_but_not_for_a_module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    defaults = str(ROOT / "config.yaml")
    assert config_files(ROOT, [], False) == [defaults]
    Path("config.yaml").write_text("study: mine\n")
    assert config_files(ROOT, [], False) == [defaults, "config.yaml"]
    Path("config.yaml").write_text("[1, 2]")
    assert config_files(ROOT, ["nowhere.yaml"], True) == [defaults]
    with pytest.raises(InputError, match=r"^configuration: config.yaml: it has no keys"):
        config_files(ROOT, [], False)
    monkeypatch.chdir(ROOT)
    assert config_files(ROOT, [], False) == ["config.yaml"]
