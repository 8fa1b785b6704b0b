"""More than 200 bad configurations, each refused in one line that names the key."""

import copy
import math
import re

import pytest
import yaml
from helpers import ROOT

from workflow_scripts.cli import InputError
from workflow_scripts.config import check_config
from workflow_scripts.config_file import check_config_file

SCHEMA = ROOT / "schemas" / "config.schema.yaml"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
ANY_TYPE = ([], {}, {"a": 1}, [[1]], math.nan, math.inf)
WRONG = {
    bool: ("yes", 1, 0, None),
    int: ("1", 1.5, True, -1, None, "two"),
    float: ("1e-3x", True, -0.5, None),
    str: (5, 1.5, True, "", "\n", "a\nb", None),
}


def leaves(section, path=()):
    for key, value in section.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def changed(path, value):
    config = copy.deepcopy(CONFIG)
    section = config
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value
    return config


def wrong_values(value):
    if value is None:
        return [{"a": 1}, True]
    if isinstance(value, list):
        return [None, "x", 3, {}, [], [None], [value, value]]
    return [*ANY_TYPE, *WRONG[type(value)]]


def bad_values():
    for path, value in leaves(CONFIG):
        yield from ((path, wrong) for wrong in wrong_values(value))


def misspelt():
    for path, _ in leaves(CONFIG):
        yield path, path[-1][0] + path[-1][2:] if len(path[-1]) > 3 else path[-1] + "s"


def refusal(config):
    with pytest.raises(InputError) as caught:
        check_config(config, SCHEMA)
    (line,) = str(caught.value).splitlines()
    return line


def test_there_are_more_than_200():
    assert len([*bad_values(), *misspelt()]) > 200


@pytest.mark.parametrize(("path", "wrong"), bad_values(), ids=lambda value: repr(value)[:40])
def test_a_wrong_value_is_refused_by_its_key(path, wrong):
    assert refusal(changed(path, wrong)).startswith(f"configuration: {'.'.join(path)}")


@pytest.mark.parametrize(("path", "name"), misspelt(), ids=lambda value: repr(value)[:40])
def test_a_misspelt_key_is_refused_with_the_right_one(path, name):
    config = changed((*path[:-1], name), 1)
    line = refusal(config)
    assert line.startswith(f"configuration: unknown key {'.'.join((*path[:-1], name))}")
    if len(path[-1]) > 3:
        assert re.search(r"did you mean '\w+'\?", line)


@pytest.mark.parametrize("path", [path for path, _ in leaves(CONFIG)], ids=".".join)
def test_a_missing_key_is_named(path):
    config = copy.deepcopy(CONFIG)
    section = config
    for key in path[:-1]:
        section = section[key]
    del section[path[-1]]
    assert path[-1] in refusal(config)


def test_a_key_that_stands_twice_is_named_with_its_line(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("study: a\ntraining:\n  crop: 32\n  device: cpu\n  crop: 24\n")
    with pytest.raises(InputError, match=r"study\.yaml, line 5: crop stands here twice"):
        check_config_file(path)
    path.write_text("base: &base {crop: 32}\nmatrix: [{partition: a}, {partition: a}]\ntraining: *base\n")
    check_config_file(path)
