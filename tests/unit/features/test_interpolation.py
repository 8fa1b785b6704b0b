"""Networks on the line between two: known weights, known accuracies, and statistics of norms that are their own."""

from functools import partial

import pandas as pd
import pytest
import torch
from made_up_store import write_noise

from workflow_scripts.features.interpolation import Accuracy, line_rows, set_between
from workflow_scripts.network.build import build_network, new_network
from workflow_scripts.partition.task import Task
from workflow_scripts.results.interpolation import line_table
from workflow_scripts.study.lines import LINE_KEYS
from workflow_scripts.training.devices import set_deterministic

LEAVES = {"architecture": "mini_caffenet", "crop": 32, "batch_size": 16, "device": "cpu", "precision": "fp32"}
LEAVES |= {"input_scale": 1 / 64, "mean_image": "target"}
UNITS = 8


@pytest.fixture(scope="module", autouse=True)
def deterministic():
    set_deterministic(1)


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    return write_noise(tmp_path_factory.mktemp("noise"), 36, 4, 64)


def ends(architecture="mini_caffenet", classes=4):
    """An empty network, and the state dicts of two untrained ones."""
    two = [new_network(architecture, 32, classes, "he", seed).state_dict() for seed in (0, 1)]
    network = build_network(architecture, 32, classes)
    network.freeze(len(network.names))
    return network, *two


def measure(noise, **changes):
    manifest, task = noise
    task = Task.load(task)
    return partial(Accuracy(manifest, task, task.mean_image, LEAVES | changes, 1), seed=0)


def test_the_midpoint_of_chosen_units_is_their_mean_and_the_ends_are_exact():
    network, first, second = ends()
    set_between(network, first, second, 0.5, range(2, 3))
    for name, tensor in network.state_dict().items():
        wanted = (first[name] + second[name]) / 2 if "conv3" in name else first[name]
        torch.testing.assert_close(tensor, wanted)
        assert "conv3" in name or torch.equal(tensor, first[name])
    for share, end in ((0.0, first), (1.0, second)):
        set_between(network, first, second, share, range(UNITS))
        assert all(torch.equal(tensor, end[name]) for name, tensor in network.state_dict().items())


def test_a_line_has_the_accuracies_of_all_units_and_of_each():
    """The `accuracy` of this test is the length of the way that each unit has gone."""
    network, first, second = ends()
    ways = {name: (second[name] - first[name]).double().norm() for name in first}

    def gone(network):
        moved = [
            (tensor - first[name]).double().norm() / ways[name]
            for name, tensor in network.state_dict().items()
            if ways[name]
        ]
        return float(sum(moved))

    rows = list(line_rows(network, first, second, 4, gone))
    assert [row["unit"] for row in rows] == ["all units", *network.names]
    assert [row["unit_number"] for row in rows] == [*range(UNITS + 1)]
    for row in rows:
        tensors = sum(1 for way in ways.values() if way) if row["unit_number"] == 0 else 1
        for share in (0, 0.25, 0.5, 0.75, 1):
            assert row[f"top1_at_{share:g}"] == pytest.approx(share * tensors, abs=1e-6)


@pytest.mark.parametrize("architecture", ["mini_caffenet", "cifar_resnet20"])
def test_two_equal_ends_have_a_flat_line(noise, architecture):
    network, first, _ = ends(architecture)
    rows = list(line_rows(network, first, first, 2, measure(noise, architecture=architecture)))
    assert {row[f"top1_at_{share}"] for row in rows for share in ("0", "0.5", "1")} == {rows[0]["top1_at_0"]}
    keys = dict.fromkeys(LINE_KEYS[:11], 0) | {"val_images": 64, "partition": "random0"}
    study = {"matrix": [{"partition": "random0"}], "dataset": {"name": "own"}}
    table = line_table([pd.DataFrame([keys | row for row in rows])], study)
    assert (table[["barrier_points", "drop_points"]] == 0).all(axis=None)


def test_the_accuracy_is_that_of_the_scores(noise):
    network, first, _ = ends()
    network.load_state_dict(first)
    images, labels = (torch.cat(parts) for parts in zip(*measure(noise).func.batches.validation(16), strict=True))
    with torch.no_grad():
        right = (network(images).argmax(1) == labels).sum().item()
    assert measure(noise)(network) == right / 64


def test_norm_statistics_are_of_training_images_at_each_point(noise):
    """Between two networks' statistics lie those of no network; whatever the ends hold does not count."""
    network, first, second = ends("cifar_resnet20")
    spoiled = {name: tensor + 100 if "running" in name else tensor for name, tensor in second.items()}
    accuracy = measure(noise, architecture="cifar_resnet20")
    found = []
    for end in (second, spoiled):
        set_between(network, first, end, 0.5, range(len(network.names)))
        found.append(accuracy(network))
    assert found[0] == found[1]
    outputs = [network.model.conv1(images) for images, _ in accuracy.func.batches.training(0, 16, 0, 4)]
    mean = torch.stack([output.double().mean((0, 2, 3)) for output in outputs]).mean(0)
    torch.testing.assert_close(network.model.bn1.running_mean.double(), mean, atol=1e-4, rtol=1e-3)
