"""The units of networks are docs/design.md's, their chain is the network, and their prefixes are its features."""

import subprocess
import warnings

import pytest
import torch
import torchvision
from helpers import PYTHON, ROOT
from torchvision.models.feature_extraction import create_feature_extractor

from workflow_scripts.network.catalogue import known_architectures, unit_costs
from workflow_scripts.network.describe_networks import unit_rows
from workflow_scripts.network.models import MINI_RESNETS, cut, model, torchvision_names, traced_network
from workflow_scripts.network.timm_models import whole_functions, whole_modules
from workflow_scripts.plumbing.cli import InputError


def numbered(text, *numbers):
    return [text.format(number) for number in numbers]


def blocks(text, counts):
    """The names of blocks: the numbers of a group, as in `counts`, and of the block in it."""
    return [text.format(group, block) for group, count in counts.items() for block in range(count)]


RESNETS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
# docs/design.md, "Units of today's networks": how many before the head, what they are called, and the head.
TABLE = {
    "torchvision:alexnet": (
        7,
        [*numbered("features.{}", 0, 3, 6, 8, 10), *numbered("classifier.{}", 1, 4)],
        "classifier.6",
    ),
    "torchvision:vgg16": (
        15,
        [*numbered("features.{}", 0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), "classifier.0", "classifier.3"],
        "classifier.6",
    ),
    "torchvision:squeezenet1_1": (9, numbered("features.{}", 0, 3, 4, 6, 7, 9, 10, 11, 12), "classifier.1"),
    **{
        f"torchvision:resnet{size}": (
            1 + sum(counts),
            ["conv1", *blocks("layer{}.{}", dict(enumerate(counts, start=1)))],
            "fc",
        )
        for size, counts in RESNETS.items()
    },
    "cifar_resnet20": (10, ["conv1", *blocks("layer{}.{}", {1: 3, 2: 3, 3: 3})], "linear"),
    "torchvision:mobilenet_v2": (19, numbered("features.{}", *range(19)), "classifier.1"),
    "torchvision:mobilenet_v3_small": (14, [*numbered("features.{}", *range(13)), "classifier.0"], "classifier.3"),
    "torchvision:mobilenet_v3_large": (18, [*numbered("features.{}", *range(17)), "classifier.0"], "classifier.3"),
    "torchvision:convnext_tiny": (
        19,
        ["features.0", *blocks("features.{}.{}", {1: 3, 3: 3, 5: 9, 7: 3})],
        "classifier.2",
    ),
    "torchvision:vit_b_16": (
        13,
        ["conv_proj", *numbered("encoder.layers.encoder_layer_{}", *range(12))],
        "heads.head",
    ),
    "timm:tf_efficientnet_lite0": (
        18,
        ["conv_stem", *blocks("blocks.{}.{}", {0: 1, 1: 2, 2: 2, 3: 3, 4: 3, 5: 4, 6: 1}), "conv_head"],
        "classifier",
    ),
}
# Where a unit ends, in torchvision's names of nodes, if that is not the end of the module that it is called after.
ENDS = {
    "torchvision:alexnet": {
        **{"features.0": "features.2", "features.3": "features.5", "features.6": "features.7"},
        **{"features.8": "features.9", "features.10": "classifier.0"},
        **{"classifier.1": "classifier.3", "classifier.4": "classifier.5"},
    },
    "torchvision:vgg16": {
        **{f"features.{n}": f"features.{n + 1}" for n in (0, 5, 10, 12, 17, 19, 24, 26)},
        **{f"features.{n}": f"features.{n + 2}" for n in (2, 7, 14, 21)},
        **{"features.28": "flatten", "classifier.0": "classifier.2", "classifier.3": "classifier.5"},
    },
    "torchvision:squeezenet1_1": {
        **{"features.0": "features.2", "features.4": "features.5", "features.7": "features.8"}
    },
    **{f"torchvision:resnet{size}": {"conv1": "maxpool"} for size in RESNETS},
    "cifar_resnet20": {"conv1": "relu"},
    "torchvision:mobilenet_v3_small": {"features.12": "flatten", "classifier.0": "classifier.2"},
    "torchvision:mobilenet_v3_large": {"features.16": "flatten", "classifier.0": "classifier.2"},
    "torchvision:convnext_tiny": {"features.7.2": "classifier.1"},
    "torchvision:vit_b_16": {"conv_proj": "encoder.dropout", "encoder.layers.encoder_layer_11": "getitem_5"},
    "timm:tf_efficientnet_lite0": {"conv_stem": "bn1", "conv_head": "bn2"},
}
QUICK = {"cifar_resnet20", "torchvision:squeezenet1_1", "torchvision:resnet18", "torchvision:mobilenet_v3_small"}
QUICK |= {"timm:tf_efficientnet_lite0"}
NETWORKS = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TABLE]


def crop_of(name):
    return 224 if ":" in name else 32


@pytest.mark.parametrize("name", TABLE)
def test_units_are_the_tables(name):
    count, before_head, head = TABLE[name]
    with torch.device("meta"):
        network = model(name, 1000).eval()
    found = cut(name)(network)
    assert [unit.name for unit in found] == [*before_head, head]
    assert len(found) == count + 1
    assert sorted(name for unit in found for name in unit.tensors) == sorted(network.state_dict())
    assert [unit.name for unit in unit_costs(name, crop_of(name), 10)] == [*before_head, head]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_chain_is_the_network_and_its_prefixes_are_its_features(name):
    """To the bit, in eval mode, with random weights; torchvision's extractor finds the features in its own way."""
    torch.manual_seed(0)
    network = traced_network(name, 10)
    images = torch.randn(2, 3, crop_of(name), crop_of(name))
    names = network.names[:-1]
    nodes = {ENDS.get(name, {}).get(unit, unit): unit for unit in names}
    tracer = {"leaf_modules": list(whole_modules()), "autowrap_functions": list(whole_functions())}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # nodes of training and evaluation differ
        assert torch.equal(network(images), network.model.eval()(images))
        features = create_feature_extractor(network.model.eval(), nodes, tracer_kwargs=tracer)(images)
        outputs = images
        for number, unit in enumerate(names):
            outputs = network.unit(number, outputs)
            assert torch.equal(outputs, features[unit]), unit


@pytest.mark.parametrize("name", torchvision_names())
def test_parameters_are_as_many_as_torchvision_says(name):
    """But for Inception v3, whose classifier during training is left out. GoogLeNet's is not counted by torchvision."""
    if name == "inception_v3":
        aux = torchvision.models.inception.InceptionAux(768, 1000)
        left_out = sum(one.numel() for one in aux.parameters())
    else:
        left_out = 0
    counted = sum(unit.parameters for unit in unit_costs(f"torchvision:{name}", 224, 1000)) + left_out
    # Some networks have weights for other sizes of images, with more positions.
    assert counted in {one.meta["num_params"] for one in torchvision.models.get_model_weights(name)}


def test_all_networks_of_torchvision_have_units():
    assert {f"torchvision:{name}" for name in torchvision_names()} < set(known_architectures())


@pytest.mark.parametrize("name", MINI_RESNETS)
def test_mini_resnets(name):
    units = unit_costs(name, 32, 10)
    assert 3e6 < sum(unit.multiplications for unit in units) < 4e6
    assert len(units) == (14 if name.endswith("plain") else 8)  # without a shortcut, each convolution is a unit
    network = model(name, 10)
    norms = [one for one in network.modules() if isinstance(one, (torch.nn.BatchNorm2d, torch.nn.GroupNorm))]
    kinds = {type(one).__name__ for one in norms}
    assert kinds == ({"GroupNorm"} if "group" in name else set() if "none" in name else {"BatchNorm2d"})
    assert all((one.bias is None) == ("none" not in name) for one in network.modules() if "Conv" in type(one).__name__)


def test_mini_resnets_sizes():
    rows = unit_rows("mini_resnet_none_plain_w8_b1_fc64", crop=24, classes=20)
    convolutions = {"conv1": 224, "layer1.0.conv1": 584, "layer1.0.conv2": 584, "layer2.0.conv1": 1168}
    convolutions |= {"layer2.0.conv2": 2320, "layer3.0.conv1": 4640, "layer3.0.conv2": 9248}
    above = {"top.0": 64 * (9 * 32 + 1), "top.1": 64 * 65, "linear": 20 * 65}
    assert {row["unit"]: row["parameters"] for row in rows} == convolutions | above
    network = model("mini_resnet_w8_b3_fc64", 20)
    assert sum(isinstance(one, torch.nn.Dropout) for one in network.modules()) == 2
    layer = network.top[0][0]
    assert layer.weight.std().item() == pytest.approx((2 / layer.in_features) ** 0.5, rel=0.05)  # He et al. 2015
    assert not layer.bias.any()
    assert len(network.layer2) == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("torchvision:resnet5", "no network is called torchvision:resnet5. Choose torchvision:resnet50 or"),
        ("torchvision:ResNet18", "Choose torchvision:resnet18 or"),
        ("torchvision:fcn_resnet50", "no network is called torchvision:fcn_resnet50"),
        ("resnet50", "no network is called resnet50. Choose torchvision:resnet50 or"),
        ("cifar_resnet", "Choose cifar_resnet20"),
        ("timm:vit_tiny_patch16_225", "Choose timm:vit_tiny_patch16_224 or"),
        ("timm:resnet18.a1_in22k", "Choose timm:resnet18.a1_in1k or"),
        ("timm:", "no network is called timm:. Choose a known one."),
        ("keras:resnet50", "no network is called keras:resnet50"),
    ],
)
def test_unknown_names_are_answered_with_near_ones(name, text):
    with pytest.raises(InputError, match=text.replace(".", r"\.")):
        traced_network(name, 10)


def test_a_tag_in_the_name_is_the_same_network():
    assert traced_network("timm:resnet18.tv_in1k", 10).names == traced_network("torchvision:resnet18", 10).names


@pytest.mark.parametrize("name", ["timm:crossvit_tiny_240", "timm:efficientvim_m1", "timm:gemma4_vit_167m"])
def test_networks_that_cannot_be_cut(name):
    with (
        torch.device("meta"),
        pytest.raises(InputError, match=f"{name} cannot be cut into units: .*Choose a different network.$") as error,
    ):
        traced_network(name, 10)
    assert "\n" not in str(error.value)


def test_timm_is_imported_for_its_own_networks_only():
    """It takes seconds."""
    code = (
        "import sys; from workflow_scripts.network.build import build_network; "
        "build_network('cifar_resnet20', 32, 2); print('timm' in sys.modules)"
    )
    done = subprocess.run([PYTHON, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
