"""Studies of networks with norm layers and of pretrained sources, really run, and what is refused before training."""

import pandas as pd
import pytest
import yaml
from helpers import ROOT
from safetensors.torch import load_file, save_file

from workflow_scripts.network.build import new_network
from workflow_scripts.plumbing.files import read_json

pytestmark = pytest.mark.slow

TINY = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
RESNET = {
    **{"architecture": "cifar_resnet20", "pretrained": "weights.safetensors"},
    **{"batch_size": 32, "duration": 6, "validate_every": 3, "stuck_after": 100},
}
MATRIX = [
    {"partition": "random0", "targets": ["A"], "transfer": ["frozen"], "selffer": ["frozen"], "depths": [1, 10]},
    {"partition": "random0", "targets": ["A"], "pretrained": ["frozen", "finetuned"], "random": ["frozen"]},
    {"partition": "random0", "targets": ["A"], "pretrained": ["frozen"], "norm_statistics": "batch"},
    {"partition": "random0", "targets": ["A"], "pretrained": ["frozen"], "norm_statistics": "target"},
]
STUDY = {"dataset": TINY["dataset"], "training": RESNET, "matrix": MATRIX, "depths": [2, 10]}
STUDY |= {"plan": {"images_per_second": 100}, "running": {"keep_curve_weights": True}}


@pytest.fixture(scope="module")
def study(checkout):
    """A checkout with weights of a CIFAR ResNet-20, as a training framework saves them, with a head of ten classes."""
    made = checkout("resnet.yaml")
    weights = new_network("cifar_resnet20", 32, 10, "he", 5).state_dict()
    save_file({f"module.{name}": one for name, one in weights.items()}, made.folder / "weights.safetensors")
    write(made, "resnet", {})
    return made


def write(study, name, changes):
    """Write a study's configuration; its file."""
    config = {"study": name} | STUDY | changes
    config["training"] = RESNET | changes.get("training", {})
    (study.folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    return f"{name}.yaml"


@pytest.fixture(scope="module")
def results(study):
    """The results directory of the finished study."""
    study.snakemake()
    return study.folder / "results/resnet"


def test_every_curve_is_in_the_results_and_the_report_is_made(results):
    table = pd.read_csv(results / "results.csv", keep_default_na=False)
    kinds = table.groupby(["source", "treatment", "norm_statistics"])["depth"].agg(list).to_dict()
    frozen = {("pretrained", "frozen", statistics): [2, 10] for statistics in ("", "batch", "target")}
    assert kinds == frozen | {
        ("A", "base", ""): [0],
        ("B", "base", ""): [0],
        ("A", "frozen", ""): [1, 10],
        ("B", "frozen", ""): [1, 10],
        ("pretrained", "finetuned", ""): [2, 10],
        ("random", "frozen", ""): [2, 10],
    }
    assert (results / "report.html").exists()
    assert all((results / f"figures/{figure}.png").exists() for figure in ("pretrained", "norm_statistics"))
    units = pd.read_csv(results / "tables/units.csv")
    assert list(units["unit"]) == ["conv1", *(f"layer{a}.{b}" for a in (1, 2, 3) for b in (0, 1, 2)), "linear"]


def test_frozen_units_are_the_sources_and_statistics_what_the_curve_says(results):
    source = load_file(results.parent.parent / "weights.safetensors")

    def kept(curve):
        (path,) = (results / "curves/random0/seed0" / curve).glob("depths-*.safetensors")
        saved = load_file(path)
        units = ("conv1", "bn1", "layer1.0")
        found = {name: one for name, one in saved.items() if name.split(".", 1)[1].startswith(units)}
        assert found
        return {
            name.split(".", 1)[1]: bool((one == source["module." + name.split(".", 1)[1]]).all())
            for name, one in found.items()
            if "num_batches" not in name
        }

    assert all(kept("pretrained-A-frozen").values())
    for statistics in ("batch", "target"):
        same = kept(f"pretrained-A-frozen-{statistics}_statistics")
        assert {name: equal for name, equal in same.items() if "running" in name} == {
            name: False for name in same if "running" in name
        }
        assert all(equal for name, equal in same.items() if "running" not in name)
    assert not any(equal for name, equal in kept("pretrained-A-finetuned").items() if "running" not in name)


def test_a_second_run_has_nothing_to_do_and_other_weights_retrain_only_their_curves(study, results):
    assert "Nothing to be done" in study.snakemake("--dry-run")
    weights = study.folder / "weights.safetensors"
    before = weights.read_bytes()
    tensors = load_file(weights)
    save_file({name: one + 1 if one.is_floating_point() else one for name, one in tensors.items()}, weights)
    try:
        planned = study.snakemake("--dry-run", "--quiet", "rules")
    finally:
        weights.write_bytes(before)
    jobs = dict(line.split()[:2] for line in planned.splitlines() if line[:1].isalpha() and len(line.split()) == 2)
    assert jobs["get_weights"] == "1"
    assert jobs["train_curve"] == "4"
    assert "train_base" not in jobs


def test_all_depths_of_a_network_that_no_table_knows_wait_for_its_description(study):
    config = {"training": {"architecture": "timm:test_resnet", "pretrained": None, "crop": 32}, "depths": "all"}
    config["matrix"] = [{"partition": "whole", "random": ["frozen"]}]
    name = write(study, "unknown", config)
    planned = study.snakemake("curves", "--dry-run", "--quiet", "rules", study=name)
    assert "describe_network" in planned
    assert "train_curve" not in planned
    study.snakemake("curves", study=name)
    units = read_json(study.folder / "results/unknown/tables/units.json")["units"]
    (record,) = (study.folder / "results/unknown/curves").glob("*/*/*/depths-*.json")
    assert [network["depth"] for network in read_json(record)["networks"]] == list(range(1, len(units)))
    assert "Nothing to be done" in study.snakemake("curves", "--dry-run", study=name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"training": {"architecture": "timm:resnet_of_tomorrow"}},
            "training.architecture: no network is called timm:",
        ),
        (
            {"training": {"architecture": "timm:test_resnet", "crop": 32}, "depths": [60]},
            "configuration: depths: 60",
        ),
        ({"training": {"architecture": "torchvision:vit_b_16", "crop": 32}, "depths": [1]}, "training.crop: "),
        ({"training": {"architecture": "mini_resnet"}, "depths": [1]}, "weights.safetensors: "),
    ],
)
def test_what_only_the_network_itself_knows_is_refused_before_training(study, changes, message):
    matrix = [{"partition": "whole", "pretrained": ["frozen"]}]
    printed = study.snakemake("curves", study=write(study, "refused", {"matrix": matrix} | changes), check=False)
    assert "Fix the cause and run snakemake again" in printed
    assert "Trying to restart" not in printed
    assert [line for line in printed.splitlines() if "failed, see" in line and f"error: {message}" in line] != []
    assert not list((study.folder / "results/refused").glob("**/base-*"))
