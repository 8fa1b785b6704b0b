"""The step that says what input timm's weights were made for."""

import json
import sys

import pytest

from workflow_scripts.network import state_input
from workflow_scripts.plumbing.cli import InputError


def test_it_prints_what_timm_states(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["state_input", "--network", "timm:test_vit"])
    state_input.main()
    said = json.loads(capsys.readouterr().out)
    assert (said["crop"], said["mean"], said["std"]) == (160, [0.5] * 3, [0.5] * 3)


def test_a_tag_has_its_own_and_a_file_that_of_the_default():
    of = [
        state_input.stated_input("timm:resnet18", weights)["resize"]
        for weights in ("tv_in1k", "a1_in1k", "w.safetensors")
    ]
    assert of[0] != of[1] == of[2]


def test_an_unknown_name():
    with pytest.raises(InputError, match=r"no network is called timm:resnt18\. Choose timm:resnet18"):
        state_input.stated_input("timm:resnt18", "DEFAULT")
