"""The units of torchvision's networks are docs/design.md's, and their chain is the network."""

import pytest
import torch
import torchvision

from workflow_scripts.network.traced import TracedNetwork
from workflow_scripts.network.units import units

# docs/design.md, "Units of today's networks": the units before the head, and the head.
TABLE = {
    "alexnet": ([f"features.{n}" for n in (0, 3, 6, 8, 10)] + ["classifier.1", "classifier.4"], "classifier.6"),
    "vgg16": (
        [f"features.{n}" for n in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)] + ["classifier.0", "classifier.3"],
        "classifier.6",
    ),
    "squeezenet1_1": ([f"features.{n}" for n in (0, 3, 4, 6, 7, 9, 10, 11, 12)], "classifier.1"),
    "resnet18": (["conv1"] + [f"layer{n}.{k}" for n in (1, 2, 3, 4) for k in (0, 1)], "fc"),
    "resnet34": (["conv1"] + [f"layer{n}.{k}" for n, count in enumerate((3, 4, 6, 3), 1) for k in range(count)], "fc"),
    "resnet50": (["conv1"] + [f"layer{n}.{k}" for n, count in enumerate((3, 4, 6, 3), 1) for k in range(count)], "fc"),
    "mobilenet_v2": ([f"features.{n}" for n in range(19)], "classifier.1"),
    "mobilenet_v3_small": ([f"features.{n}" for n in range(13)] + ["classifier.0"], "classifier.3"),
    "mobilenet_v3_large": ([f"features.{n}" for n in range(17)] + ["classifier.0"], "classifier.3"),
    "convnext_tiny": (
        ["features.0"] + [f"features.{n}.{k}" for n, count in ((1, 3), (3, 3), (5, 9), (7, 3)) for k in range(count)],
        "classifier.2",
    ),
    "vit_b_16": (["conv_proj"] + [f"encoder.layers.encoder_layer_{n}" for n in range(12)], "heads.head"),
}


def torchvision_network(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return torchvision.models.get_model(name, weights=None, num_classes=10)


@pytest.mark.parametrize("name", TABLE)
def test_units_are_the_tables(name):
    before_head, head = TABLE[name]
    with torch.device("meta"):
        model = torchvision.models.get_model(name, weights=None)
    found = units(model.eval())
    assert [unit.name for unit in found] == [*before_head, head]
    assert sorted(name for unit in found for name in unit.tensors) == sorted(model.state_dict())


@pytest.mark.parametrize(
    "name", ["alexnet", "squeezenet1_1", "resnet18", "mobilenet_v3_small", "convnext_tiny", "vit_b_16"]
)
def test_the_chain_is_the_network(name):
    model = torchvision_network(name).eval()
    network = TracedNetwork(model, units)
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(network(images), model.eval()(images))
