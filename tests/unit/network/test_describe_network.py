"""The step that describes a study's network: units, shares, and what is refused before any training."""

import json
import sys

import pandas as pd
import pytest

from workflow_scripts.network import describe_network
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import read_record


@pytest.fixture
def step(tmp_path, monkeypatch):
    """A function that runs the step, and gives its table and its record."""

    def run(architecture, crop, deepest):
        table, record = tmp_path / "units.csv", tmp_path / "network.json"
        settings = json.dumps({"architecture": architecture, "crop": crop})
        options = ["--settings", settings, "--deepest", deepest, "--output", table, "--record", record]
        monkeypatch.setattr(sys, "argv", ["describe_network", *map(str, options)])
        describe_network.main()
        return pd.read_csv(table), read_record(record)

    return run


@pytest.mark.parametrize(("architecture", "crop", "units"), [("timm:resnet18", 64, 10), ("caffenet", 227, 8)])
def test_units_and_their_shares(step, architecture, crop, units):
    table, record = step(architecture, crop, units - 1)
    assert list(table.depth) == list(range(1, units + 1))
    assert record["leaves"] == {"architecture": architecture, "crop": crop}
    assert [unit["name"] for unit in record["units"]] == list(table.unit)
    for cost in ("parameters", "multiplications"):
        below = table[cost][:-1]
        assert table[f"{cost}_share"][:-1].tolist() == pytest.approx((below.cumsum() / below.sum()).tolist(), abs=1e-6)
        assert pd.isna(table[f"{cost}_share"].iloc[-1])


@pytest.mark.parametrize(
    ("architecture", "crop", "deepest", "text"),
    [
        ("timm:resnet18", 64, 10, "depths: 10 is too deep. timm:resnet18 has 10 units, of which 9 can be copied."),
        ("caffenet", 20, 1, "training.crop: crop 20 is too small: nothing is left after "),
        ("timm:resnet81", 64, 1, "no network is called timm:resnet81"),
        ("timm:crossvit_tiny_240", 240, 1, "timm:crossvit_tiny_240 cannot be cut into units"),
        ("torchvision:vit_b_16", 225, 1, "training.crop: the network cannot take images of 225 pixels"),
    ],
)
def test_what_is_refused_leaves_no_file(step, tmp_path, architecture, crop, deepest, text):
    with pytest.raises(InputError, match=text):
        step(architecture, crop, deepest)
    assert list(tmp_path.iterdir()) == []
