"""Studies of torchvision's datasets, really run: one without files, one that is there already, one that is not."""

import pandas as pd
import pytest
import yaml
from safetensors.torch import save_file
from torchvision_files import eurosat, pets

from workflow_scripts.network.build import new_network
from workflow_scripts.plumbing.files import read_json

SPLIT = {"val_per_class": 3, "seed": 0}
FAKE = {
    "study": "fake",
    "dataset": {
        "kind": "torchvision",
        "name": "FakeData",
        "options": {"size": 90, "image_size": [3, 40, 48], "num_classes": 6, "random_offset": 5},
        "split": SPLIT,
    },
    "depths": [1],
    "matrix": [{"partition": "random0", "transfer": ["frozen"], "targets": ["B"]}],
    "training": {"batch_size": 8, "duration": 4, "validate_every": 2},
}
STORE = "packed_36_warp"


@pytest.fixture(scope="module")
def study(checkout):
    """A checkout with FakeData's study, and EuroSAT's beside its files; nothing is made yet."""
    fake = checkout("fake.yaml")
    (fake.folder / "fake.yaml").write_text(yaml.safe_dump(FAKE))
    eurosat(fake.folder / "root")
    there = FAKE | {"study": "there"}
    there["dataset"] = {"kind": "torchvision", "name": "EuroSAT", "root": "root", "download": True, "split": SPLIT}
    (fake.folder / "there.yaml").write_text(yaml.safe_dump(there))
    return fake


@pytest.mark.slow
def test_fake_data_become_networks(study):
    study.snakemake("packed", "results")
    folder = study.folder / "data/FakeData" / STORE
    manifest = read_json(folder / "manifest.json")
    assert [one["class"] for one in manifest["classes"]] == list("012345")
    assert sum(one["train"] for one in manifest["classes"]) == 72
    assert {one["val"] for one in manifest["classes"]} == {3}
    drawn = pd.read_csv(folder / "split.csv")
    assert drawn["split"].value_counts().to_dict() == {"train": 72, "val": 18}
    assert read_json(folder / "duplicates.json")["duplicates"] == 0
    assert (folder / "logs/find_duplicates.log").read_text() == ""
    results = pd.read_csv(study.folder / "results/fake/results.csv")
    assert sorted(results["treatment"]) == ["base", "base", "frozen"]
    assert "Nothing to be done" in study.snakemake("packed", "results")


@pytest.mark.slow
def test_what_is_there_is_asked_for_once_and_packed(study):
    printed = study.snakemake("packed", study="there.yaml")
    assert printed.count("rule download_dataset:") == 1
    manifest = read_json(study.folder / "data/EuroSAT" / STORE / "manifest.json")
    assert [one["class"] for one in manifest["classes"]] == [f"Class{number}" for number in range(5)]
    assert "Nothing to be done" in study.snakemake("packed", study="there.yaml")
    (study.folder / "root").rename(study.folder / "moved")
    assert "Nothing to be done" in study.snakemake("packed", study="there.yaml")
    moved = yaml.safe_load((study.folder / "there.yaml").read_text())
    moved["dataset"]["root"] = "moved"
    (study.folder / "there.yaml").write_text(yaml.safe_dump(moved))
    assert "Nothing to be done" in study.snakemake("packed", study="there.yaml")


@pytest.mark.slow
def test_what_cannot_be_downloaded_is_said_in_one_line(study, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    dataset = {"kind": "torchvision", "name": "CIFAR10", "root": "empty", "download": True}
    (study.folder / "gone.yaml").write_text(yaml.safe_dump(FAKE | {"study": "gone", "dataset": dataset}))
    printed = study.snakemake("packed", study="gone.yaml", check=False)
    line = next(line for line in printed.split("\n") if "error: torchvision's CIFAR10 in empty: it cannot be" in line)
    assert "downloaded from https://" in line and "Put cifar-10-batches-py there" in line
    assert "Traceback" not in printed
    assert not list((study.folder / "empty").iterdir())


def test_what_is_not_there_is_refused_before_any_work(study):
    (study.folder / "refused.yaml").write_text(
        yaml.safe_dump(
            FAKE | {"study": "refused", "dataset": {"kind": "torchvision", "name": "SVHN", "root": "nowhere"}}
        )
    )
    printed = study.snakemake("--dry-run", study="refused.yaml", check=False)
    last = printed.strip().split("\n")[-1]
    assert last.startswith("error: configuration: dataset.root: nowhere is not a folder in the working directory")
    assert last.endswith("Name the one that has SVHN, or set dataset.download to true.")


@pytest.mark.slow
def test_the_study_of_pets_on_files_of_its_layout(study):
    pets(study.folder / "data/torchvision")
    weights = new_network("torchvision:resnet18", 224, 10, "he", 0).state_dict()
    save_file({name: one.contiguous() for name, one in weights.items()}, study.folder / "resnet18.safetensors")
    override = {"training": {"pretrained": "resnet18.safetensors"}, "seeds": [0], "depths": [1, 9]}
    override["matrix"] = [{"partition": "whole", "pretrained": ["probe"], "target_images_per_class": [1, "all"]}]
    (study.folder / "override.yaml").write_text(yaml.safe_dump(override))
    printed = study.snakemake("--dry-run", "--quiet", "rules", study="configs/pets.yaml")
    assert "train_probes 15" in " ".join(printed.split())
    study.snakemake("results/pets/tables/probes.csv", study=["configs/pets.yaml", "override.yaml"])
    table = pd.read_csv(study.folder / "results/pets/tables/probes.csv")
    assert table["train_images"].tolist() == [12] * 3 + [3] * 3
    assert table["unit"].tolist()[:2] == ["conv1", "layer4.1"]
    assert table["held_out_top1"].isna().tolist() == [False] * 3 + [True] * 3
