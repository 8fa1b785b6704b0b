"""Weights from elsewhere: names that are understood, and one line for those that are not."""

from pathlib import Path

import pytest
import safetensors.torch
import torch

from workflow_scripts.network.build import build_network, new_network
from workflow_scripts.network.pretrained import pretrained_weights
from workflow_scripts.plumbing.cli import InputError

SHARED = Path(__file__).parents[4] / "shared/models"


@pytest.fixture
def network():
    return new_network("cifar_resnet20", 32, 7, "he", 0)


@pytest.fixture
def published():
    return new_network("cifar_resnet20", 32, 10, "he", 1).state_dict()


def written(path, tensors):
    safetensors.torch.save_file({name: one.contiguous() for name, one in tensors.items()}, path / "w.safetensors")
    return path / "w.safetensors"


@pytest.mark.parametrize("lead", ["", "module.", "backbone."])
def test_names_with_a_wrappers_lead_and_a_foreign_head(tmp_path, network, published, lead):
    path = written(tmp_path, {lead + name: tensor for name, tensor in published.items()})
    weights = pretrained_weights(path, network)
    network.copy_units(weights, 10)
    own = network.state_dict()
    assert all(torch.equal(own[name], published[name]) for name in published if not name.startswith("linear"))
    assert own["linear.weight"].shape == (7, 64)


def test_a_file_without_a_head_or_counters(tmp_path, network, published):
    few = {k: v for k, v in published.items() if not k.startswith("linear") and "num_batches" not in k}
    assert "bn1.num_batches_tracked" in pretrained_weights(written(tmp_path, few), network)


def test_what_is_refused_is_named(tmp_path, network, published):
    changes = {
        "it lacks layer2.1.conv1.weight": lambda found: found.pop("layer2.1.conv1.weight"),
        "the network has no layer4.0.conv1.weight": lambda found: found.update(
            {"layer4.0.conv1.weight": torch.ones(1)}
        ),
        "conv1.weight (16, 3, 5, 5) for (16, 3, 3, 3)": lambda found: found.update(
            {"conv1.weight": torch.ones(16, 3, 5, 5)}
        ),
        "bn1.running_var holds values that are not finite": lambda found: found["bn1.running_var"].fill_(float("nan")),
    }
    for text, change in changes.items():
        found = {name: tensor.clone() for name, tensor in published.items()}
        change(found)
        with pytest.raises(InputError, match=text.replace("(", r"\(").replace(")", r"\)")):
            pretrained_weights(written(tmp_path, found), network)


def test_a_pickle_or_a_cut_file_is_refused(tmp_path, network, published):
    pickle = tmp_path / "w.pth"
    torch.save(published, pickle)
    whole = written(tmp_path, published).read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    for path in (pickle, tmp_path / "cut.safetensors"):
        with pytest.raises(InputError, match="no readable weights"):
            pretrained_weights(path, network)


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/models is missing")
def test_the_published_cifar_resnet20_is_read():
    weights = pretrained_weights(
        SHARED / "cifar_resnet20_cifar10.safetensors", build_network("cifar_resnet20", 32, 100)
    )
    assert len(weights) == 19 * 6
