"""`~` and variables in every path of a configuration."""

import copy
import shutil
from pathlib import Path

import pytest
import yaml
from helpers import ROOT, default_config

from workflow_scripts.config.checks import check_config, check_dataset
from workflow_scripts.config.paths import expand_paths, expanded
from workflow_scripts.plumbing.cli import InputError

CONFIG = default_config()


@pytest.fixture(autouse=True)
def places(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LISTS", str(tmp_path / "lists"))
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("NOWHERE", raising=False)
    monkeypatch.chdir(tmp_path)


def test_every_path_is_expanded(tmp_path):
    config = {
        "results_table": "~/results.csv",
        "matrix": [{"partition": "mine", "csv": "$LISTS/halves.csv"}, {"partition": "whole"}],
        "dataset": {"path": "${LISTS}/tree"},
        "natman": {"extra_artifacts": "$LISTS"},
        "reference": {"results": "~", "printed": "as/it/is.csv"},
    }
    expand_paths(config)
    assert config == {
        "results_table": f"{tmp_path}/results.csv",
        "matrix": [{"partition": "mine", "csv": f"{tmp_path}/lists/halves.csv"}, {"partition": "whole"}],
        "dataset": {"path": f"{tmp_path}/lists/tree"},
        "natman": {"extra_artifacts": f"{tmp_path}/lists"},
        "reference": {"results": str(tmp_path), "printed": "as/it/is.csv"},
    }


def test_no_path_leaf_of_the_schema_is_forgotten():
    """All that share the pattern of dataset.path are expanded."""
    schema = yaml.safe_load((ROOT / "schemas" / "config.schema.yaml").read_text())
    pattern = schema["properties"]["dataset"]["properties"]["path"]["pattern"]

    def leaves(section, place):
        for name, value in section.get("properties", {}).items():
            if value.get("pattern") == pattern:
                yield f"{place}{name}"
            yield from leaves(value, f"{place}{name}.")
            yield from leaves(value.get("items", {}), f"{place}{name}[0].")

    for key in (found := list(leaves(schema, ""))):
        config = copy.deepcopy(CONFIG) | {"matrix": [{}]}
        *sections, leaf = key.replace("[0]", ".0").split(".")
        place = config
        for name in sections:
            place = place[int(name) if name == "0" else name]
        place[leaf] = "~/a"
        expand_paths(config)
        assert place[leaf] == str(Path("~/a").expanduser()), key
    assert len(found) == 8


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("$NOWHERE/a.csv", "the variable $NOWHERE is not set or is empty"),
        ("a/${NOWHERE}", "the variable ${NOWHERE} is not set or is empty"),
        ("$EMPTY/a.csv", "the variable $EMPTY is not set or is empty"),
        ("~nobody_at_all/a.csv", "~nobody_at_all has no home here"),
        ("a{b}.csv", "it holds braces, which are Snakemake's"),
        ("-rf", "it begins with a dash, as an option does. Write ./-rf"),
    ],
)
def test_what_cannot_be_expanded_is_refused_by_name(path, reason):
    with pytest.raises(InputError) as caught:
        expanded("dataset.path", path)
    assert str(caught.value).startswith(f"configuration: dataset.path: {path}: {reason}")


def test_a_dollar_in_the_name_of_a_file_that_is_there_stays(tmp_path):
    (tmp_path / "a$NOWHERE.csv").write_text("")
    assert expanded("results_table", "a$NOWHERE.csv") == "a$NOWHERE.csv"
    assert expanded("results_table", "cost in $.csv") == "cost in $.csv"


def test_what_is_no_path_is_left_to_the_schema():
    for config in ({}, {"dataset": None, "matrix": 3, "results_table": 5}, {"matrix": ["x", None, {"csv": []}]}):
        before = copy.deepcopy(config)
        expand_paths(config)
        assert config == before


def test_a_missing_file_is_said_to_be_missing_in_the_working_directory(tmp_path):
    with pytest.raises(InputError, match=f"nowhere does not exist in the working directory {tmp_path}"):
        check_dataset({"kind": "folder", "path": "nowhere"})
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    config = copy.deepcopy(CONFIG) | {"results_table": "nowhere.csv"}
    with pytest.raises(InputError, match=f"nowhere.csv: the file does not exist in the working directory {tmp_path}"):
        check_config(config, ROOT / "schemas" / "config.schema.yaml")
