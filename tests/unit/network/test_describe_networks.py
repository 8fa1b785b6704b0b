"""The committed tables of units and of input are what torchvision and timm say now."""

import csv

import pytest

from workflow_scripts.network import catalogue, inputs
from workflow_scripts.network.catalogue import UnitCost, has_batch_norm, known_architectures, unit_costs
from workflow_scripts.network.describe_networks import (
    INPUT_COLUMNS,
    UNIT_COLUMNS,
    as_csv,
    input_rows,
    library_networks,
    unit_rows,
)
from workflow_scripts.network.inputs import network_input
from workflow_scripts.network.library_weights import weights_input
from workflow_scripts.network.models import OWN
from workflow_scripts.plumbing.cli import InputError

QUICK = ["cifar_resnet20", "mini_resnet", "mini_resnet_none_plain", "torchvision:resnet18", "torchvision:alexnet"]
QUICK += ["torchvision:mobilenet_v3_small", "timm:tf_efficientnet_lite0"]
NETWORKS = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in [*OWN, *library_networks()]
]


def committed(table, network):
    with open(table, encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["network"] == network]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_table_of_units_is_the_networks_own(network):
    rows = committed(catalogue.TABLE, network)
    assert as_csv(rows, UNIT_COLUMNS) == as_csv(unit_rows(network), UNIT_COLUMNS)


@pytest.mark.parametrize("network", library_networks())
def test_the_table_of_input_is_what_libraries_state(network):
    rows = committed(inputs.TABLE, network)
    assert as_csv(rows, INPUT_COLUMNS) == as_csv(input_rows(network), INPUT_COLUMNS)


def test_the_tables_hold_these_networks_and_no_others():
    assert known_architectures() == ["caffenet", "mini_caffenet", *OWN, *library_networks()]
    with open(inputs.TABLE, encoding="utf-8", newline="") as file:
        assert {row["network"] for row in csv.DictReader(file)} == set(library_networks())


def test_another_crop_and_another_head_are_counted_as_measured():
    """In networks that only convolutions and pools make smaller, by the area."""
    for network, crop, tolerance in (("cifar_resnet20", 64, 0), ("torchvision:resnet18", 448, 0.01)):
        for row, cost in zip(unit_rows(network, crop, 10), unit_costs(network, crop, 10), strict=True):
            assert (row["unit"], row["parameters"]) == (cost.name, cost.parameters)
            if cost.name not in ("linear", "fc"):
                assert cost.multiplications == pytest.approx(row["multiplications"], rel=tolerance)
                assert cost.outputs == pytest.approx(row["outputs"], rel=tolerance)


def test_known_numbers():
    """He et al. 2015: CIFAR ResNet-20 has 0.27 million parameters and 40.6 million multiplications."""
    units = unit_costs("cifar_resnet20", 32, 10)
    assert sum(unit.parameters for unit in units) == 269_722  # the published file's, with norms
    assert sum(unit.multiplications for unit in units) == pytest.approx(40.6e6, rel=0.002)
    assert unit_costs("torchvision:resnet50", 224, 1000)[-1] == UnitCost("fc", 2_049_000, 2_048_000, 1000)
    assert sum(unit.multiplications for unit in unit_costs("torchvision:resnet50", 224, 1000)) == pytest.approx(
        4.09e9, rel=0.001
    )  # torchvision's meta["_ops"]
    assert (has_batch_norm("torchvision:resnet50"), has_batch_norm("torchvision:alexnet")) == (True, False)
    assert has_batch_norm("timm:resnet18") is None


def test_a_crop_that_a_network_cannot_take():
    reasons = {
        "torchvision:alexnet": r"features.10 fails \(Given input size",
        "torchvision:vit_b_16": r"conv_proj fails \(Wrong image height! Expected 224 but got another!\)",
        "timm:swin_tiny_patch4_window7_224": r"patch_embed fails \(Input height \(another\) doesn't",
    }
    for network, reason in reasons.items():
        text = rf"^training.crop: the network cannot take images of 32 pixels: {reason}.* Change training.crop.$"
        with pytest.raises(InputError, match=text):
            unit_rows(network, 32)


def test_input_of_networks_and_weights():
    assert network_input("torchvision:resnet50", "IMAGENET1K_V2").image_size == 232
    assert network_input("torchvision:resnet50", "IMAGENET1K_V1").image_size == 256
    assert network_input("torchvision:resnet50") == network_input("torchvision:resnet50", "/data/my.safetensors")
    assert network_input("timm:tf_efficientnet_lite0") == weights_input("timm:tf_efficientnet_lite0", "in1k")
    assert network_input("timm:anything") == inputs.USUAL
    assert network_input("caffenet").mean is None
