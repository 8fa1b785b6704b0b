"""What `auto` means for each network, and depths `all`."""

import numpy as np
import pytest
from helpers import ROOT, default_config
from safetensors.numpy import save_file

from workflow_scripts.config.checks import check_config
from workflow_scripts.config.network_input import fill_auto
from workflow_scripts.config.units import asks_for_all, deepest_unit, known_units, with_units
from workflow_scripts.network.describe_network import describe, record
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.study.leaves import architecture_name, job_leaves, network_leaves, view_leaves
from workflow_scripts.study.matrix import curve_jobs
from workflow_scripts.study.mini_resnets import USUAL, named_variant

SCHEMA = ROOT / "schemas" / "config.schema.yaml"
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def config_of(architecture, store=None, **training):
    """The default study with another network, `auto` not filled."""
    auto = {"crop": "auto", "input": "auto", "channels": {"mean": "auto", "std": "auto"}, "frozen_dropout": "auto"}
    config = default_config()
    config["training"] |= auto | {"architecture": architecture} | training
    config["store"] |= {"image_size": "auto", "resize": "auto"} | (store or {})
    return config


def filled(*args, **training):
    config = config_of(*args, **training)
    fill_auto(config)
    return config


@pytest.mark.parametrize(
    ("architecture", "pretrained", "crop", "image_size", "resize", "view"),
    [
        ("mini_caffenet", None, 32, 36, "warp", "mean_image"),
        ("caffenet", None, 227, 256, "warp", "mean_image"),
        ("cifar_resnet20", "a/b.safetensors", 32, 32, "shortest_crop", "channels"),
        ("torchvision:resnet50", None, 224, 232, "shortest_crop", "channels"),
        ("torchvision:resnet50", "DEFAULT", 224, 232, "shortest_crop", "channels"),
        ("torchvision:resnet50", "IMAGENET1K_V1", 224, 256, "shortest_crop", "channels"),
        ("torchvision:vit_b_16", "IMAGENET1K_SWAG_E2E_V1", 384, 384, "shortest_crop_bicubic", "channels"),
        ("timm:tf_efficientnet_lite0", "w.safetensors", 224, 256, "shortest_crop_bicubic", "channels"),
        ("timm:a_network_of_tomorrow", None, 224, 256, "shortest_crop_bicubic", "channels"),
    ],
)
def test_auto_is_what_the_network_was_made_for(architecture, pretrained, crop, image_size, resize, view):
    config = filled(architecture, pretrained=pretrained)
    training, store = config["training"], config["store"]
    assert (training["crop"], store["image_size"], store["resize"]) == (crop, image_size, resize)
    assert training["input"] == view
    assert training["frozen_dropout"] == (view == "mean_image")
    own = [0.5] * 3 if "lite" in architecture else None
    assert training["channels"] == ({"mean": own, "std": own} if own else IMAGENET)


def test_what_is_given_stays_and_the_margin_follows_the_crop():
    config = filled("torchvision:resnet18", {"resize": "warp"}, crop=64, input="mean_image", frozen_dropout=True)
    assert (config["store"]["image_size"], config["store"]["resize"]) == (73, "warp")
    assert config["training"]["input"] == "mean_image"
    assert config["training"]["frozen_dropout"] is True


@pytest.mark.parametrize("wrong", [{"architecture": 5}, {"crop": "big"}, {"channels": None}, {"pretrained": 3}])
def test_values_of_other_types_are_left_to_the_schema(wrong):
    config = config_of("torchvision:resnet18")
    config["training"] |= wrong
    fill_auto(config)
    assert wrong.items() <= config["training"].items()
    with pytest.raises(InputError, match=next(iter(wrong))):
        check_config(config, SCHEMA)


def test_only_the_keys_of_its_input_decide_a_training():
    leaves = view_leaves(filled("torchvision:resnet18")["training"])
    assert "mean_image" not in leaves and leaves["channels"] == IMAGENET
    assert "channels" not in view_leaves(default_config()["training"])


@pytest.mark.parametrize(
    ("variant", "name"),
    [
        ({}, "mini_resnet"),
        ({"norm": "group"}, "mini_resnet_group"),
        ({"norm": "none", "skip": False}, "mini_resnet_none_plain"),
        ({"skip": False, "width": 8, "fully_connected": 256}, "mini_resnet_plain_w8_fc256"),
        ({"blocks": 3}, "mini_resnet_b3"),
    ],
)
def test_mini_resnets_name_says_its_variant(variant, name):
    training = filled("mini_resnet", mini_resnet=USUAL | variant)["training"]
    assert architecture_name(training) == name
    assert named_variant(name) == USUAL | variant
    assert job_leaves(training, curve_jobs(default_config())[0])["architecture"] == name


def test_all_depths_are_those_below_the_head(tmp_path):
    config = filled("cifar_resnet20") | {"depths": "all"}
    config["matrix"] = [{"partition": "whole", "random": ["frozen"]}, {"partition": "random0", "depths": [2]}]
    assert asks_for_all(config)
    numbers = with_units(config, known_units(config, tmp_path / "none"))
    assert numbers["depths"] == list(range(1, 11))
    assert [entry.get("depths") for entry in numbers["matrix"]] == [None, [2]]
    assert not asks_for_all(numbers)
    check_config(config, SCHEMA)
    assert (deepest_unit(config), deepest_unit(numbers)) == (2, 10)


def test_a_network_outside_the_catalogue_is_known_by_its_description(tmp_path):
    config = filled("timm:unknown") | {"depths": "all"}
    description = tmp_path / "network.json"
    assert known_units(config, description) is None
    assert with_units(config, None)["depths"] == [1]
    leaves = network_leaves(config["training"])
    write_record(description, record(leaves, describe("cifar_resnet20", 32)))
    units = known_units(config, description)
    assert [unit.name for unit in units][::5] == ["conv1", "layer2.1", "linear"]
    assert [unit["name"] for unit in with_units(config, units)["units"]] == [unit.name for unit in units]
    config["training"]["crop"] = 128  # the description is of a different crop
    assert known_units(config, description) is None


def test_a_description_decides_which_depths_there_are(tmp_path):
    config = filled("timm:unknown") | {"depths": [11], "reference": None}
    write_record(tmp_path / "network.json", record(network_leaves(config["training"]), describe("cifar_resnet20", 32)))
    check_config(config, SCHEMA)
    with pytest.raises(InputError, match=r"depths: 11 is too deep. timm:unknown has 11 units, of which 10 can be"):
        check_config(config, SCHEMA, lambda _: str(tmp_path / "network.json"))


@pytest.mark.parametrize(
    ("changes", "entry", "message"),
    [
        ({"architecture": "torchvision:resnet51"}, {}, "is called torchvision:resnet51. Choose torchvision:resnet50"),
        ({"architecture": "resnet18"}, {}, "training.architecture: 'resnet18' does not match"),
        ({"architecture": "torchvision:resnet50", "pretrained": None}, {"pretrained": ["frozen"]}, "names no weights"),
        ({"architecture": "cifar_resnet20", "pretrained": "DEFAULT"}, {}, "belongs to no library that has weights"),
        ({}, {"random": ["frozen"], "norm_statistics": "batch"}, "mini_caffenet has no norm layers with running"),
        (
            {"architecture": "cifar_resnet20"},
            {"selffer": ["finetuned"], "norm_statistics": "batch"},
            "it is for frozen curves only",
        ),
    ],
)
def test_networks_and_sources_that_cannot_be_are_refused(changes, entry, message):
    config = filled(changes.pop("architecture", "mini_caffenet"), **changes)
    config["matrix"] = [{"partition": "whole"} | entry]
    with pytest.raises(InputError, match=message):
        check_config(config, SCHEMA)


def test_several_gpus_and_batch_norm_are_refused():
    config = filled("cifar_resnet20", device="cuda")
    config["running"]["gpus_per_job"] = 2
    with pytest.raises(InputError, match="gpus_per_job: must be 1 while each GPU would have batch statistics"):
        check_config(config, SCHEMA)


def test_each_value_of_norm_statistics_is_a_curve_of_its_own():
    config = filled("cifar_resnet20")
    entry = {"partition": "random0", "targets": ["A"], "depths": [1], "random": ["frozen"], "selffer": ["frozen"]}
    config["matrix"] = [entry, *(entry | {"norm_statistics": one} for one in ("source", "target", "batch"))]
    curves = {(job.kind, job.variant): job for job in curve_jobs(config)}
    assert {name for name, _ in curves} == {"random", "selffer"}
    variants = {kind: sorted(variant for name, variant in curves if name == kind) for kind in ("random", "selffer")}
    assert variants["selffer"] == ["", "-batch_statistics", "-target_statistics"]
    assert variants["random"] == ["", "-batch_statistics", "-source_statistics"]  # plain: the target's
    used = {key: job_leaves(config["training"], job)["norm_statistics"] for key, job in curves.items()}
    assert (used["random", ""], used["selffer", ""]) == ("target", "source")
    assert used["random", "-source_statistics"] == "source"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "it is no safetensors file, but empty"),
        (b"PK\x03\x04" + bytes(60), "a pickle may run any program"),
        (b"\x80\x02" + bytes(60), "a pickle may run any program"),
        (b"\x08\0\0\0\0\0\0\0{}      ", "it holds no tensors"),
        (b"\xff" * 64, "it is no safetensors file"),
        ("cut off", "bytes in place of"),
    ],
)
def test_weights_that_are_no_whole_safetensors_file_are_refused(tmp_path, content, message):
    path = tmp_path / "weights.safetensors"
    if content == "cut off":
        save_file({"a": np.zeros(9)}, path)
        content = path.read_bytes()[:-5]
    if content is not None:
        path.write_bytes(content)
    config = filled("cifar_resnet20", pretrained=str(path))
    with pytest.raises(InputError, match=f"training.pretrained: .*{message}"):
        check_config(config, SCHEMA)
    check_config(config | {"results_table": str(ROOT / "configs/published_results.csv")}, SCHEMA)
