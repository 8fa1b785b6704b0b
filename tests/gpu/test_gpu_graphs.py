"""CUDA graphs: an iteration that is replayed ends in the bits of the kernels that it was captured from."""

import re
import subprocess
from dataclasses import replace

import pytest
from gpu_tools import DEEPEST, ON_GPU, different_layers, finish, settings_of, start, weights_of
from helpers import PYTHON, ROOT

DROPS_BY_ITSELF = "torchvision:efficientnet_b0"  # dropout and stochastic depth of torch's default generator
NETWORKS = ["mini_caffenet", "cifar_resnet20", *(["caffenet", DROPS_BY_ITSELF] if ON_GPU else [])]
OPTIONS = {"iterations": 10, "validate_every": 4}
SYNCHRONISES = """
import torch
from workflow_scripts.plumbing.cli import run
from workflow_scripts.training.graphs import Graphs

def main():
    waits, ones = Graphs(used=True).captured(lambda values: values * values.sum().item()), torch.ones(3, device="cuda")
    for _ in range(9):
        print(waits(ones).sum().item())

run(main)
"""


def settings_for(architecture, **changes):
    known = architecture if architecture in DEEPEST else "cifar_resnet20"
    return replace(settings_of(known, **OPTIONS, **changes), architecture=architecture)


def ends(batches_of, settings, treatment, cuda_graphs):
    """Weights and readings of each network, and how many graphs were captured."""
    known = "caffenet" if settings.architecture == "caffenet" else "mini_caffenet"
    weights, depths = None, (0,)
    if treatment != "base":
        weights, depths = weights_of(start(batches_of(known), settings).learners[0]), (1, 3, 7)
    options = {"treatment": treatment, "depths": depths, "cuda_graphs": cuda_graphs}
    learners = finish(start(batches_of(known), settings, weights, **options)).values()
    captured = sum(len(learner._learn.graphs) for learner in learners) if ON_GPU and cuda_graphs else 0
    return [(weights_of(learner), learner.readings) for learner in learners], captured


def check(batches_of, settings, treatment):
    """Two trainings with graphs end in the bits of one without."""
    expected, _ = ends(batches_of, settings, treatment, cuda_graphs=False)
    for _ in range(2):
        found, captured = ends(batches_of, settings, treatment, cuda_graphs=True)
        assert captured == (len(found) if ON_GPU else 0)
        for (weights, readings), (wanted, as_before) in zip(found, expected, strict=True):
            different = different_layers(weights, wanted)
            assert not different, f"{different}: {readings} for {as_before}"
            assert readings == as_before


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("treatment", ["base", "frozen", "finetuned"])
@pytest.mark.parametrize("architecture", NETWORKS)
def test_replays_give_the_bits_of_eager_kernels(batches_of, architecture, treatment, precision):
    check(batches_of, settings_for(architecture, precision=precision), treatment)


@pytest.mark.parametrize("changes", [{"optimizer": "adamw", "learning_rate": 1e-3}, {"norm_statistics": "batch"}])
def test_so_do_other_settings(batches_of, changes):
    check(batches_of, settings_for("cifar_resnet20", precision="fp32", **changes), "frozen")


def test_staged_networks_are_captured_again(batches_of):
    check(batches_of, settings_for("mini_caffenet", precision="fp32", staged_learning_rate=0.005), "staged")


def test_what_cannot_be_captured_is_named_in_one_line():
    """In a process of its own, since torch's allocator and generators stay in the capture."""
    if not ON_GPU:
        pytest.skip("only a GPU has CUDA graphs")
    done = subprocess.run([PYTHON, "-c", SYNCHRONISES], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert done.stdout.split() == ["9.0"] * 3
    assert re.search(r"running.cuda_graphs: this network cannot be captured \(.+\). Set it to false.$", done.stderr)
