"""The step that gets pretrained weights, with caches of libraries in place of the internet."""

import json
import shutil
import sys
import urllib.error

import pytest
import safetensors.torch
import torch
import torchvision

from workflow_scripts.network import get_weights
from workflow_scripts.network.build import build_network
from workflow_scripts.network.inputs import DEFAULT, IMAGENET_MEAN, IMAGENET_STD
from workflow_scripts.network.library_weights import check_tag, library_weights, weights_input, weights_tags
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import expect, verified

IMAGENET = {"mean": list(IMAGENET_MEAN), "std": list(IMAGENET_STD)}
RIGHT = {"image_size": 256, "resize": "shortest_crop", "crop": 224, "input": "channels", "channels": IMAGENET}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder of torch's downloads, empty, where there is no internet."""

    def unreachable(url, *_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    folder = tmp_path / "torch/hub/checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def step(tmp_path, monkeypatch):
    """A function that runs the step, and gives the path of what it wrote."""

    def run(architecture, *given, **changes):
        output = tmp_path / "out/pretrained.safetensors"
        shutil.rmtree(output.parent, ignore_errors=True)
        settings, pixels = {"architecture": architecture, "crop": 32}, RIGHT | changes
        arguments = ["--settings", json.dumps(settings), "--input", json.dumps(pixels), *map(str, given)]
        arguments += ["--output", str(output), "--record", str(output.with_suffix(".json"))]
        output.parent.mkdir()
        monkeypatch.setattr(sys, "argv", ["get_weights", *arguments])
        get_weights.main()
        return output

    return run


def put(cache, name, tag, weights):
    """Lay weights into torch's cache, where torchvision looks for those of this tag."""
    url = torchvision.models.get_model_weights(name)[tag].url
    torch.save(weights, cache / url.rpartition("/")[2])


def test_a_file_becomes_what_training_reads(tmp_path, step):
    torch.manual_seed(1)
    weights = build_network("cifar_resnet20", 32, 10).state_dict()
    given = tmp_path / "given.safetensors"
    safetensors.torch.save_file({f"module.{name}": tensor for name, tensor in weights.items()}, given)
    output = step("cifar_resnet20", "--file", given)
    found = safetensors.torch.load_file(output)
    assert set(weights) - set(found) == {"linear.weight", "linear.bias"}
    assert all(torch.equal(tensor, weights[name]) for name, tensor in found.items())
    expect(verified(output), architecture="cifar_resnet20")


def test_a_tag_of_torchvision_is_read_from_its_cache(cache, step, capsys):
    weights = build_network("torchvision:squeezenet1_1", 224, 1000).state_dict()
    put(cache, "squeezenet1_1", "DEFAULT", weights)
    found = safetensors.torch.load_file(step("torchvision:squeezenet1_1", "--tag", "DEFAULT", crop=192))
    assert all(torch.equal(tensor, weights[name]) for name, tensor in found.items())
    assert len(found) == len(weights) - 2
    assert "training.crop is 192; the weights DEFAULT of torchvision:squeezenet1_1 were made with 224" in (
        capsys.readouterr().out
    )


def test_weights_that_cannot_be_fetched(cache, step):
    text = r"weights DEFAULT of torchvision:resnet18 cannot be fetched \(.*no route to host.*\)\. Run this rule where"
    with pytest.raises(InputError, match=text):
        step("torchvision:resnet18", "--tag", "DEFAULT")
    assert list(cache.iterdir()) == []


def test_weights_of_timm_that_cannot_be_fetched(tmp_path, monkeypatch):
    huggingface = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(huggingface, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"weights r160_in1k of timm:test_vit cannot be fetched \(.*give a file\.$"):
        library_weights("timm:test_vit", "r160_in1k")


class Payload:
    def __reduce__(self):
        return sys.exit, ("unpickled",)


def test_a_pickle_in_the_cache_is_not_run(cache, step):
    put(cache, "resnet18", "DEFAULT", {"conv1.weight": Payload()})
    with pytest.raises(InputError, match="cannot be fetched"):
        step("torchvision:resnet18", "--tag", "DEFAULT")


def test_weights_of_timm_are_read(monkeypatch):
    """Through timm's own loader, which gets a file in place of a download."""
    import timm

    torch.manual_seed(0)
    there = timm.create_model("test_vit", pretrained=False).state_dict()
    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", lambda *_, **__: dict(there))
    for tag in (DEFAULT, "r160_in1k"):
        found = library_weights("timm:test_vit", tag)
        assert found.keys() == there.keys()
        assert all(torch.equal(found[name], tensor) for name, tensor in there.items())


@pytest.mark.parametrize(
    ("architecture", "tag", "text"),
    [
        ("torchvision:resnet50", "IMAGENET1K_V3", "Choose IMAGENET1K_V1 or IMAGENET1K_V2 or DEFAULT."),
        ("torchvision:resnet50", "imagenet", "torchvision:resnet50 has no weights imagenet"),
        ("timm:test_vit", "in1k", "timm:test_vit has no weights in1k. Choose r160_in1k."),
        ("cifar_resnet20", "DEFAULT", "cifar_resnet20 has no weights DEFAULT. Give a safetensors file."),
        ("caffenet", "DEFAULT", "caffenet has no weights DEFAULT. Give a safetensors file."),
    ],
)
def test_an_unknown_tag(architecture, tag, text):
    with pytest.raises(InputError, match=text):
        check_tag(architecture, tag)


def test_tags_of_timm():
    assert weights_tags("timm:resnet18")[0] == "a1_in1k"  # timm's default comes first
    assert weights_tags("timm:resnet18.tv_in1k") == weights_tags("timm:resnet18")
    assert weights_input("timm:resnet18", DEFAULT) == weights_input("timm:resnet18", "a1_in1k")
    assert weights_input("timm:resnet18.tv_in1k", DEFAULT) == weights_input("timm:resnet18", "tv_in1k")
    assert weights_input("timm:resnet18", "tv_in1k") != weights_input("timm:resnet18", "a1_in1k")
    assert weights_input("timm:test_vit", DEFAULT).mean == (0.5, 0.5, 0.5)


def test_the_input_of_other_weights_is_refused(cache, step):
    put(cache, "resnet18", "DEFAULT", build_network("torchvision:resnet18", 224, 1000).state_dict())
    halves = {"mean": [0.5] * 3, "std": [0.5] * 3}
    right = r"training.channels: \{mean: \[0.485, 0.456, 0.406\], std: \[0.229, 0.224, 0.225\]\}\.$"
    with pytest.raises(InputError, match=rf"^training.channels: mean \[0.5, 0.5, 0.5\], but the weights .*Set {right}"):
        step("torchvision:resnet18", "--tag", "DEFAULT", channels=halves)
    with pytest.raises(InputError, match=rf"^training.input: mean_image, but the weights .*Set .*channels and {right}"):
        step("torchvision:resnet18", "--tag", "DEFAULT", input="mean_image")
    rounded = {"mean": [0.4851, 0.456, 0.406], "std": IMAGENET["std"]}
    assert step("torchvision:resnet18", "--tag", "DEFAULT", channels=rounded).exists()
