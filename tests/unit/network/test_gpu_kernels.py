"""Whether kernels of our own run, where there is no GPU to ask."""

import sys

import pytest
import torch

from workflow_scripts.network.architectures import LayerCost, LayerSpec
from workflow_scripts.network.gpu_kernels import fused_kernels_run, fuses
from workflow_scripts.network.networks import Layer


@pytest.fixture(autouse=True)
def asked_anew():
    fused_kernels_run.cache_clear()
    yield
    fused_kernels_run.cache_clear()


def test_a_cpu_runs_torchs_kernels(capsys):
    assert not fuses(torch.zeros(1, 1, 3, 3))
    assert not fused_kernels_run("cpu")
    assert capsys.readouterr().err == ""


def test_where_they_cannot_be_built_a_line_says_so_once(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "workflow_scripts.network.fused_pool", None)  # as without Triton
    assert not fused_kernels_run("cuda")
    assert not fused_kernels_run("cuda")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Triton cannot build kernels here (import of workflow_scripts.network.fused_pool halted")
    assert line.endswith("). torch's kernels run in their place.")


@pytest.mark.parametrize(
    ("changes", "masked", "fused"),
    [
        ({}, False, True),
        ({"lrn": True}, False, True),
        ({"relu": False}, False, False),
        ({}, True, False),
        ({"pool": False}, False, False),
    ],
)
def test_only_what_the_kernels_compute_is_left_to_them(monkeypatch, changes, masked, fused):
    asked = []
    monkeypatch.setattr("workflow_scripts.network.networks.fuses", lambda inputs: True)
    monkeypatch.setattr(Layer, "_fused", lambda self, inputs: asked.append(1) or inputs)
    spec = LayerSpec("one", 4, kernel=3, **{"pool": True} | changes)
    layer = Layer(spec, LayerCost((4, 3, 3, 3), (4, 2), 0, 0))
    layer(torch.zeros(1, 3, 7, 7), torch.ones(1) if masked else None)
    assert bool(asked) is fused
