"""Names that stand in the schema and in the code are the same there."""

import re

import pytest
import yaml
from helpers import ROOT

from workflow_scripts.config.resources import SAMPLE_CLASS_COUNT
from workflow_scripts.dataset.sample.classes import SAMPLE_CLASSES
from workflow_scripts.dataset.sources import DATASET_KINDS
from workflow_scripts.dataset.torchvision_sets import SETS
from workflow_scripts.network.architectures import ARCHITECTURES
from workflow_scripts.network.initialisation import initialise
from workflow_scripts.network.networks import CaffeNet
from workflow_scripts.results.given_tables import ALLOWED
from workflow_scripts.study.jobs import LEARNS_AS, PROBE, VARIANT
from workflow_scripts.study.leaves import SCHEDULE_LEAVES

SCHEMA = yaml.safe_load((ROOT / "schemas" / "config.schema.yaml").read_text())["properties"]
COMMON = (ROOT / "rules" / "common.smk").read_text()
TRAINING, ENTRY = SCHEMA["training"]["properties"], SCHEMA["matrix"]["items"]["properties"]


def wildcard(name):
    return set(re.search(rf'^    {name}="(.*)",$', COMMON, re.MULTILINE)[1].split("|"))


def test_architectures_and_kinds_of_datasets():
    names = [
        *ARCHITECTURES,
        "cifar_resnet20",
        "mini_resnet",
        "torchvision:resnet50",
        "timm:vit_tiny.augreg",
    ]
    assert all(re.search(TRAINING["architecture"]["pattern"], name) for name in names)
    assert not any(re.search(TRAINING["architecture"]["pattern"], f"{name} ") for name in names)
    assert set(SCHEMA["dataset"]["properties"]["kind"]["enum"]) == set(DATASET_KINDS)
    assert len(SAMPLE_CLASSES) == SAMPLE_CLASS_COUNT


def test_options_of_torchvisions_datasets():
    options = SCHEMA["dataset"]["properties"]["options"]["properties"]
    known = {}
    for one in SETS.values():
        for name, schema in one.options.items():
            known.setdefault(name, []).append(schema)
    assert set(options) == set(known)
    for name, schemas in known.items():
        stated = {key: value for key, value in options[name].items() if key != "description"}
        assert [stated] == schemas or name == "size"


def test_treatments():
    kinds = ("selffer", "transfer", "random", "pretrained")
    named = {treatment for kind in kinds for treatment in ENTRY[kind]["items"]["enum"]}
    assert named - {PROBE} == wildcard("treatment") == ALLOWED["treatment"] - wildcard("base")
    own_rates = set(TRAINING["learning_rate"]["properties"])
    assert {LEARNS_AS.get(one, one) for one in named - {PROBE} | wildcard("base")} == own_rates


def test_sources_and_targets():
    assert wildcard("target") == set(ENTRY["targets"]["items"]["enum"]) == ALLOWED["target"]
    assert wildcard("source") == ALLOWED["source"]


@pytest.mark.parametrize("init", TRAINING["init"]["enum"])
def test_initial_weights(init):
    assert ENTRY["init"]["enum"] == TRAINING["init"]["enum"]
    assert re.fullmatch(VARIANT, f"-{init}")
    network = CaffeNet(ARCHITECTURES["mini_caffenet"](), 32, 4)
    initialise(network, init, 0)
    assert all(layer.weight.std() > 0 for layer in network.layers.values())


def test_preserved_layers_and_schedules():
    assert all(re.fullmatch(VARIANT, f"-preserve{count}" if count else "") for count in ENTRY["preserve"]["enum"])
    assert set(TRAINING["schedule"]["properties"]["kind"]["enum"]) == set(SCHEDULE_LEAVES)
    used = {leaf for leaves in SCHEDULE_LEAVES.values() for leaf in leaves}
    assert set(TRAINING["schedule"]["properties"]) == used
