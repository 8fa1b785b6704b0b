"""What holds for the paper's networks holds for any: company, frozen units, interruption."""

from dataclasses import replace

import pytest
import torch
from test_training import SETTINGS, finish, start, weights_of

from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.training.batches import Batches
from workflow_scripts.training.devices import set_deterministic

SLOW = pytest.mark.slow
# Batch norm and shortcuts; group norm without; squeeze-and-excitation and dropout; stochastic depth.
NETWORKS = [
    "cifar_resnet20",
    "mini_resnet",
    pytest.param("torchvision:mobilenet_v3_small", marks=SLOW),
    pytest.param("torchvision:efficientnet_b0", marks=SLOW),
]


@pytest.fixture(scope="module", autouse=True)
def deterministic():
    set_deterministic(1)


@pytest.fixture(scope="module")
def batches(store, tasks):
    splits = PackedSplit(store, "train"), PackedSplit(store, "val")
    return Batches(*splits, tasks["B"], tasks["A"].mean_image, 32, 1 / 64, torch.device("cpu"))


@pytest.fixture(params=NETWORKS)
def settings(request):
    return replace(SETTINGS, architecture=request.param, iterations=4, validate_every=2)


def base_weights(batches, settings):
    return weights_of(finish(start(batches, settings=settings, source="B", treatment="base"))[0])


def same(one, other):
    return [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.parametrize(("source", "treatment"), [("A", "frozen"), ("A", "finetuned"), ("random", "frozen")])
def test_a_network_does_not_depend_on_its_company(batches, settings, source, treatment):
    weights = base_weights(batches, settings)

    def train(depths):
        return finish(start(batches, weights, settings, source=source, treatment=treatment, depths=depths))

    together = train([1, 2, 4])
    for depth in (2, 4):
        alone = train([depth])[depth]
        assert same(weights_of(alone), weights_of(together[depth]))
        assert alone.readings == together[depth].readings


def test_frozen_units_keep_their_parameters_and_buffers(batches, settings):
    weights = base_weights(batches, settings)
    for depth, learner in finish(start(batches, weights, settings, depths=[1, 3])).items():
        after, network = weights_of(learner), learner.network
        frozen = {name for number in range(depth) for name in network.tensors(number)}
        assert all(torch.equal(after[name], weights[name]) for name in frozen)
        learned = {name for name, _ in network.named_parameters()} - frozen
        assert any(not torch.equal(after[name], weights[name]) for name in learned)


def test_an_interrupted_training_ends_in_the_same_bits(batches, settings):
    weights = base_weights(batches, settings)
    whole = finish(start(batches, weights, settings, depths=[2]))[2]
    states = []
    first = start(batches, weights, settings, depths=[2])
    assert finish(first, states.append, 1e9, lambda: first.iteration == 3) is None
    second = start(batches, weights, settings, depths=[2])
    second.restore(states[-1])
    again = finish(second)[2]
    assert same(weights_of(again), weights_of(whole))
    assert again.readings == whole.readings
