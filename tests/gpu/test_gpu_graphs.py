"""CUDA graphs: an iteration that is replayed ends in the bits of the kernels that it was captured from."""

from dataclasses import replace

import pytest
import torch
from gpu_tools import DEEPEST, ON_GPU, different_layers, finish, settings_of, start, weights_of

from workflow_scripts.training import graphs
from workflow_scripts.training.graphs import Graphs

DROPS_BY_ITSELF = "torchvision:efficientnet_b0"  # dropout and stochastic depth of torch's default generator
NETWORKS = ["mini_caffenet", "cifar_resnet20", *(["caffenet", DROPS_BY_ITSELF] if ON_GPU else [])]
OPTIONS = {"iterations": 10, "validate_every": 4}


def settings_for(architecture, **changes):
    known = architecture if architecture in DEEPEST else "cifar_resnet20"
    return replace(settings_of(known, **OPTIONS, **changes), architecture=architecture)


def ends(batches_of, settings, treatment, eager, monkeypatch, **changes):
    """Weights and readings of each network, and how many graphs were captured."""
    with monkeypatch.context() as patch:
        if eager:
            patch.setattr(graphs, "WARM", 10**9)
        known = "caffenet" if settings.architecture == "caffenet" else "mini_caffenet"
        weights = None
        if treatment != "base":
            weights = weights_of(start(batches_of(known), settings).learners[0])
        depths = (0,) if treatment == "base" else (1, 3, 7)
        training = start(batches_of(known), replace(settings, **changes), weights, treatment=treatment, depths=depths)
        learners = finish(training).values()
    captured = sum(len(learner._learn.graphs) for learner in learners) if ON_GPU else 0
    return [(weights_of(learner), learner.readings) for learner in learners], captured


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("treatment", ["base", "frozen", "finetuned"])
@pytest.mark.parametrize("architecture", NETWORKS)
def test_replays_give_the_bits_of_eager_kernels(batches_of, monkeypatch, architecture, treatment, precision):
    settings = settings_for(architecture, precision=precision)
    expected, none = ends(batches_of, settings, treatment, True, monkeypatch)
    found, captured = ends(batches_of, settings, treatment, False, monkeypatch)
    same_ends(found, expected)
    assert (none, captured) == (0, len(found) if ON_GPU else 0)


@pytest.mark.parametrize("changes", [{"optimizer": "adamw", "learning_rate": 1e-3}, {"norm_statistics": "batch"}])
def test_so_do_other_settings(batches_of, monkeypatch, changes):
    settings = settings_for("cifar_resnet20", precision="fp32")
    expected, _ = ends(batches_of, settings, "frozen", True, monkeypatch, **changes)
    found, captured = ends(batches_of, settings, "frozen", False, monkeypatch, **changes)
    same_ends(found, expected)
    assert captured == (len(found) if ON_GPU else 0)


def test_staged_networks_are_captured_again(batches_of, monkeypatch):
    settings = settings_for("mini_caffenet", precision="fp32", staged_learning_rate=0.005)
    expected, _ = ends(batches_of, settings, "staged", True, monkeypatch)
    found, captured = ends(batches_of, settings, "staged", False, monkeypatch)
    same_ends(found, expected)
    assert captured == (len(found) if ON_GPU else 0)


def same_ends(found, expected):
    for (weights, readings), (wanted, as_before) in zip(found, expected, strict=True):
        assert not different_layers(weights, wanted)
        assert readings == as_before


def test_what_cannot_be_captured_stays_eager(capsys):
    if not ON_GPU:
        pytest.skip("only a GPU has CUDA graphs")
    total, undone, pool = torch.zeros((), device="cuda"), [], Graphs(used=True)

    def waits(values):
        total.add_(values.sum().item())
        return total.clone()

    def adds(values):
        total.add_(values.sum())
        return total.clone()

    one, other = pool.captured(waits, undo=lambda: undone.append(1)), pool.captured(adds)
    values = torch.ones(3, device="cuda")
    for number in range(1, 9):
        assert one(values).item() == 6 * number - 3
        assert other(values).item() == 6 * number
    assert undone == [1]
    assert capsys.readouterr().err.count("CUDA graphs: a function stays eager, since it cannot be captured (") == 1
    assert (len(one.graphs), len(other.graphs)) == (0, 1)
