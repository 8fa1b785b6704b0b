"""Weights from elsewhere: names that are understood, and one line for those that are not."""

import re

import pytest
import safetensors.torch
import torch

from workflow_scripts.network.build import build_network, new_network
from workflow_scripts.network.get_weights import from_file
from workflow_scripts.network.pretrained import matched_weights
from workflow_scripts.plumbing.cli import InputError

BELOW_HEAD = 19 * 6  # tensors of CIFAR ResNet-20: each convolution with its norm has six


@pytest.fixture
def network():
    return new_network("cifar_resnet20", 32, 7, "he", 0)


@pytest.fixture
def published():
    return new_network("cifar_resnet20", 32, 10, "he", 1).state_dict()


@pytest.fixture
def matched(network):
    """matched_weights of some tensors for `network`."""
    return lambda tensors: matched_weights("w.safetensors", tensors, network)


def headless(tensors):
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("linear")}


@pytest.mark.parametrize("lead", ["", "module.", "backbone.", "module.model.", "_orig_mod.", "teacher.backbone."])
def test_names_with_wrappers_leads_and_a_foreign_head(network, published, matched, lead):
    weights = matched({lead + name: tensor for name, tensor in published.items()})
    network.copy_units(weights, 10)
    own = network.state_dict()
    assert all(torch.equal(own[name], tensor) for name, tensor in headless(published).items())
    assert own["linear.weight"].shape == (7, 64)


@pytest.mark.parametrize(
    "head",
    [
        {"linear.weight": (10, 64)},
        {"fc.weight": (1000, 512), "fc.bias": (1000,)},
        {"head.fc.weight": (5, 64)},
        {"classifier.1.weight": (3, 2, 1, 1)},
        {},
    ],
)
@pytest.mark.parametrize("lead", ["", "backbone."])
def test_a_head_under_any_name_and_of_any_shape_is_left_out(published, matched, head, lead):
    """Also a head outside the wrapper, as where a backbone was trained alone."""
    body = {lead + name: tensor for name, tensor in headless(published).items()}
    assert set(matched(body | {name: torch.ones(shape) for name, shape in head.items()})) == set(headless(published))


def test_a_file_without_counters(published, matched):
    few = {name: tensor for name, tensor in published.items() if "num_batches" not in name}
    assert matched(few)["bn1.num_batches_tracked"] == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_become_the_networks_own(published, matched, dtype):
    halves = {name: one.to(dtype) if one.is_floating_point() else one for name, one in published.items()}
    weights = matched(halves)
    assert weights["conv1.weight"].dtype == torch.float32
    assert torch.equal(weights["conv1.weight"], halves["conv1.weight"].float())
    assert weights["bn1.num_batches_tracked"].dtype == torch.int64


def changed(name, tensor):
    return lambda tensors: tensors | {name: tensor}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda all: {k: v for k, v in all.items() if k != "layer2.1.conv1.weight"}, "lacks layer2.1.conv1.weight. "),
        (lambda all: {k: v for k, v in all.items() if "layer3" not in k}, "layer3.0.bn1.running_mean and 26 more"),
        (changed("layer4.0.conv1.weight", torch.ones(1)), "the network has no layer4.0.conv1.weight"),
        (changed("conv1.bias", torch.ones(16)), "the network has no conv1.bias"),
        (changed("conv1.weight", torch.ones(16, 3, 5, 5)), "conv1.weight (16, 3, 5, 5) for (16, 3, 3, 3)"),
        (changed("bn1.running_var", torch.full((16,), float("nan"))), "running_var holds values that are not finite"),
        (
            changed("bn1.weight", torch.full((16,), 1e300, dtype=torch.float64)),
            "bn1.weight holds values that are not finite",
        ),
        (changed("bn1.weight", torch.ones(16, dtype=torch.int8)), "holds int8 numbers in place of float32"),
        (lambda all: {}, "it lacks conv1.weight"),
        (lambda all: build_network("torchvision:resnet18", 224, 5).state_dict(), "it lacks layer1.2.conv1.weight"),
    ],
)
def test_what_is_refused_is_named(published, matched, change, text):
    with pytest.raises(InputError, match=re.escape(text)) as error:
        matched(change(dict(published)))
    assert str(error.value).startswith("w.safetensors: ")


def test_files_that_hold_no_weights(tmp_path, published):
    whole = tmp_path / "whole.safetensors"
    safetensors.torch.save_file(published, whole)
    torch.save(published, tmp_path / "pickle.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(whole.read_bytes()[:-1])
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "folder.safetensors").mkdir()
    safetensors.torch.save_file({}, tmp_path / "nothing.safetensors")
    texts = {
        "pickle": "it is a file of torch.save, and a pickle may run any program. Convert it: ",
        "cut": "bytes in place of",
        "empty": "it is no safetensors file",
        "folder": "cannot be read: Is a directory",
        "nothing": "it holds no tensors",
        "missing": "cannot be read: No such file",
    }
    for name, text in texts.items():
        with pytest.raises(InputError, match=text):
            from_file(tmp_path / f"{name}.safetensors")
    assert len(from_file(whole)) == len(published)


def test_torchvisions_and_timms_resnets_have_the_same_names():
    weights = build_network("timm:resnet18", 224, 3).state_dict()
    network = build_network("torchvision:resnet18", 224, 5)
    assert len(matched_weights("w", weights, network)) == len(weights) - 2


def test_the_published_cifar_resnet20_is_read(shared):
    found = from_file(shared / "models/cifar_resnet20_cifar10.safetensors")
    assert len(matched_weights("w", found, build_network("cifar_resnet20", 32, 100))) == BELOW_HEAD
    build_network("cifar_resnet20", 32, 10).load_state_dict(found, strict=True)
