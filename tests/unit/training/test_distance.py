"""How far units move: numbers by hand, and the same bits alone, in company and after an interruption."""

import itertools
import json
import math
from dataclasses import replace

import pytest
import torch
from test_training import LAYERS, SETTINGS, finish, start, weights_of

from workflow_scripts.network.build import new_network
from workflow_scripts.training import distance
from workflow_scripts.training.checkpoint import ResumeCheckpoint
from workflow_scripts.training.devices import set_deterministic
from workflow_scripts.training.distance import unit_distances

NEVER_STUCK = replace(SETTINGS, stuck_after=100)  # eight iterations teach little


@pytest.fixture(scope="module", autouse=True)
def deterministic():
    set_deterministic(1)


@pytest.fixture(scope="module")
def base(batches):
    return weights_of(finish(start(batches, source="B", treatment="base"))[0])


def records_of(batches, base, **names):
    """The records of a finished training, as they are written."""
    training = start(batches, base, **{"settings": NEVER_STUCK, **names})
    finish(training)
    return {record["depth"]: json.loads(json.dumps(record)) for record in training.network_records()}


def by_unit(record):
    return {item["unit"]: item["distance"] for item in record["distances"]}


@pytest.mark.parametrize("chunk", [1, 7, 2**20])
def test_the_distance_is_relative_and_of_all_parameters_of_a_unit(monkeypatch, chunk):
    monkeypatch.setattr(distance, "CHUNK", chunk)
    network = new_network("mini_caffenet", 32, 10, "he", 0)
    began = {name: torch.zeros_like(tensor) for name, tensor in network.state_dict().items()}
    began["layers.fc8.weight"].view(-1)[0], began["layers.fc8.bias"][1] = 4.0, 3.0  # of length 5
    weights = {name: tensor.clone() for name, tensor in began.items()}
    weights["layers.fc8.weight"].view(-1)[0] = 6.0
    weights["layers.fc8.bias"][0] = 1.0
    network.load_state_dict(weights)
    (moved,) = unit_distances(network, began, [7])
    assert moved == {"unit_number": 8, "unit": "fc8", "distance": pytest.approx(math.sqrt(4 + 1) / 5, rel=1e-15)}
    (from_zero,) = unit_distances(network, began, [0])
    assert from_zero["distance"] is None


def test_running_statistics_are_no_parameters():
    network = new_network("cifar_resnet20", 32, 10, "he", 0)
    began = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.model.bn1.running_mean += 5
    assert [item["distance"] for item in unit_distances(network, began, range(10))] == [0] * 10
    with torch.no_grad():
        network.model.bn1.bias += 1
    assert [item["distance"] > 0 for item in unit_distances(network, began, range(10))] == [True] + [False] * 9


def test_copied_units_that_learn_have_a_distance_from_the_source(batches, base):
    records = records_of(batches, base, treatment="finetuned", depths=(2, 5))
    assert {depth: list(by_unit(record)) for depth, record in records.items()} == {2: LAYERS[:2], 5: LAYERS[:5]}
    assert all(value > 0 for record in records.values() for value in by_unit(record).values())
    training = start(batches, base, treatment="finetuned", depths=(2, 5))
    after = weights_of(finish(training)[5])
    wanted = []
    for one in (after, base):
        wanted.append(torch.cat([one[f"layers.conv3.{kind}"].flatten() for kind in ("weight", "bias")]).double())
    expected = ((wanted[0] - wanted[1]).norm() / wanted[1].norm()).item()
    assert by_unit(records[5])["conv3"] == pytest.approx(expected, rel=1e-12)


def test_preserved_units_have_one_and_frozen_units_none(batches, base):
    assert list(by_unit(records_of(batches, base, depths=(3,), preserve=2)[3])) == LAYERS[3:5]
    assert by_unit(records_of(batches, base, depths=(3,))[3]) == {}
    assert by_unit(records_of(batches, None, source="random", depths=(3,))[3]) == {}


def test_staged_networks_have_the_whole_way_from_the_source(batches, base):
    settings = replace(NEVER_STUCK, staged_learning_rate=0.01)
    record = records_of(batches, base, settings=settings, treatment="staged", depths=(3,))[3]
    assert list(by_unit(record)) == LAYERS[:3]
    assert all(value > 0 for value in by_unit(record).values())


def test_base_networks_have_the_distance_from_their_initial_weights(batches):
    training = start(batches, source="B", treatment="base", settings=NEVER_STUCK)
    initial = weights_of(training.learners[0])
    finish(training)
    (record,) = training.network_records()
    assert list(by_unit(record)) == LAYERS[:7]
    assert record["distances"] == unit_distances(training.learners[0].network, initial, range(7))


def test_diverged_networks_have_none(batches, base):
    training = start(batches, base, treatment="finetuned", depths=(2, 5), settings=NEVER_STUCK)
    training.learners[1].network.layers["fc8"].bias.data.fill_(float("nan"))
    finish(training)
    kept, diverged = training.network_records()
    assert by_unit(kept)
    assert diverged["diverged"] and diverged["distances"] == []


@pytest.mark.parametrize(("treatment", "preserve"), [("finetuned", 0), ("frozen", 2)])
@pytest.mark.parametrize("architecture", ["mini_caffenet", "cifar_resnet20"])
def test_alone_in_company_and_interrupted_it_has_the_same_bits(batches, tmp_path, architecture, treatment, preserve):
    settings = replace(NEVER_STUCK, architecture=architecture, iterations=4, validate_every=2)
    base = weights_of(finish(start(batches, settings=settings, source="B", treatment="base"))[0])
    names = {"settings": settings, "treatment": treatment, "preserve": preserve}
    together = records_of(batches, base, depths=(1, 4), **names)
    assert all(by_unit(record) for record in together.values())
    for depth in (1, 4):
        assert records_of(batches, base, depths=(depth,), **names)[depth] == together[depth]
    checkpoint, asked = ResumeCheckpoint(tmp_path / "job.json", {}), itertools.count(1)
    stopped = start(batches, base, depths=(1, 4), **names)
    assert finish(stopped, checkpoint.save, interrupted=lambda: next(asked) >= 3) is None
    resumed = start(batches, base, depths=(1, 4), **names)
    resumed.restore(checkpoint.load())
    finish(resumed)
    assert {record["depth"]: record for record in resumed.network_records()} == together
