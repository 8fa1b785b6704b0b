"""A dataset of kind torchvision before any work: its root, its name, its options, its files, each in one line."""

import copy

import pytest
from helpers import ROOT, default_config
from torchvision_files import eurosat

from workflow_scripts.config.checks import check_config, check_dataset
from workflow_scripts.config.dataset_state import dataset_state
from workflow_scripts.config.given import study_config
from workflow_scripts.config.torchvision_checks import fill_root
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.study.leaves import dataset_leaves, shown_leaves

SCHEMA = ROOT / "schemas" / "config.schema.yaml"
CONFIG = default_config()
SPLIT = {"val_per_class": 3, "seed": 0}


def study(**dataset):
    """The default study with this torchvision dataset, as the Snakefile reads it."""
    config = copy.deepcopy(CONFIG)
    config["dataset"] |= {"kind": "torchvision", **dataset}
    config["matrix"] = [{"partition": "random0", "transfer": ["frozen"]}]
    return study_config(config, ROOT, False, None)


def refusal(check, *arguments):
    with pytest.raises(InputError) as refused:
        check(*arguments)
    return str(refused.value)


def test_the_root_takes_the_place_of_the_path(monkeypatch):
    monkeypatch.setenv("PLACE", "/disk")
    config = study(name="CIFAR100", root="$PLACE/data")
    assert config["dataset"]["path"] == config["dataset"]["root"] == "/disk/data"
    check_config(config, SCHEMA)
    assert dataset_leaves(config["dataset"]) == {"kind": "torchvision", "name": "CIFAR100"}
    assert not {"root", "path"} & set(shown_leaves(config)["dataset"])


def test_options_and_splits_decide_and_downloading_does_not():
    config = study(name="FakeData", options={"size": 50}, split=SPLIT)
    check_config(config, SCHEMA)
    assert dataset_leaves(config["dataset"]) == {
        "kind": "torchvision", "name": "FakeData", "options": {"size": 50}, "split": SPLIT
    }  # fmt: skip
    one, other = (study(name="CIFAR10", root="/data", download=download)["dataset"] for download in (True, False))
    assert dataset_leaves(one) == dataset_leaves(other)


def test_text_of_the_command_line_is_read():
    config = study(name="FakeData", options={"size": "50", "image_size": ["3", "8", "8"]}, split=SPLIT)
    assert config["dataset"]["options"] == {"size": 50, "image_size": [3, 8, 8]}


@pytest.mark.parametrize("section", [None, 3, [], {}, {"kind": ["torchvision"]}, {"kind": "torchvision"}])
def test_sections_of_any_type_are_left_to_the_schema(section):
    fill_root(section)


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        ({"name": "cifar100", "root": "/d"}, "name: torchvision has no dataset cifar100. Did you mean CIFAR100 or CI"),
        ({"name": "VOCDetection", "root": "/d"}, "name: torchvision's VOCDetection does not give one class for each"),
        ({"name": "ImageNet", "root": "/d"}, "name: torchvision's ImageNet cannot be used, since its archives are re"),
        ({"name": "CIFAR100"}, "root: CIFAR100 has files. Name the folder that has them, as torchvision's root."),
        ({"name": "CIFAR100", "root": "/d", "options": {"size": 3}}, "options.size: CIFAR100 has no such option. It"),
        ({"name": "CIFAR100", "root": "/d", "options": {"sise": 3}}, "options.sise: the key is unknown. Did you mean"),
        ({"name": "DTD", "root": "/d", "options": {"partition": 11}}, "options.partition: 11 is greater than the max"),
        ({"name": "Imagenette", "root": "/d", "options": {"size": 3}}, "options.size: 3 is none of Imagenette's. Giv"),
        ({"name": "FakeData", "options": {"size": "full"}, "split": SPLIT}, "options.size: 'full' is none of FakeDat"),
        ({"name": "EMNIST", "root": "/d"}, "options: EMNIST needs split. Give byclass or bymerge or"),
        ({"name": "StanfordCars", "root": "/d", "download": True}, "download: StanfordCars cannot be downloaded by t"),
        ({"name": "FakeData", "download": True}, "download: FakeData has no files. Set it to false."),
        ({"name": "FakeData"}, "split: FakeData has no validation images of its own. Draw some, as with {val_per_cla"),
        ({"name": "CIFAR10", "root": "/d", "split": SPLIT}, "split: CIFAR10 has validation images of its own. Set it"),
        ({"name": "CIFAR10", "root": "/d", "follow_links": True}, "follow_links: it is for kind folder, not torchvis"),
        ({"kind": "folder", "root": "/d"}, "root: it is for kind torchvision, not folder. Remove the key."),
        ({"kind": "folder", "download": True}, "download: it is for kind torchvision, not folder. Remove the key."),
        ({"kind": "ilsvrc", "options": {"size": 3}}, "options: it is for kind torchvision, not ilsvrc. Remove the ke"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused_by_its_key(dataset, words):
    assert refusal(check_config, study(**dataset), SCHEMA).startswith(f"configuration: dataset.{words}")


def test_natman_needs_a_hierarchy():
    config = study(name="CIFAR10", root="/d")
    config["matrix"] = [{"partition": "natman", "transfer": ["frozen"]}]
    assert "needs a hierarchy of classes, which a torchvision dataset" in refusal(check_config, config, SCHEMA)


def test_what_is_not_there_is_named_before_any_work(tmp_path):
    config = study(name="SVHN", root=str(tmp_path / "data"))["dataset"]
    said = refusal(check_dataset, config)
    assert said == (
        f"configuration: dataset.root: {tmp_path}/data is not a folder. Name the one that has SVHN, or set "
        "dataset.download to true."
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train_32x32.mat").touch()
    said = refusal(check_dataset, config)
    assert said == (
        f"configuration: dataset.root: {tmp_path}/data has no test_32x32.mat. Put test_32x32.mat of SVHN there, or set "
        "dataset.download to true."
    )
    check_dataset(config | {"download": True})
    said = refusal(check_dataset, study(name="StanfordCars", root=str(tmp_path / "data"))["dataset"])
    assert said.endswith("cars_test_annos_withlabels.mat of StanfordCars there.")


def test_the_state_of_what_is_there_of_what_is_gone_and_of_what_has_no_files(tmp_path):
    eurosat(tmp_path / "data")
    dataset = study(name="EuroSAT", root=str(tmp_path / "data"), split=SPLIT)["dataset"]
    check_dataset(dataset)
    state = dataset_state(dataset, tmp_path / "store", tmp_path / "notes")
    assert '"name": "EuroSAT"' in state.edition and not state.missing
    (tmp_path / "data").rename(tmp_path / "gone")
    gone = dataset_state(dataset, tmp_path / "store", tmp_path / "notes")
    assert gone.missing == (f"{tmp_path}/data/eurosat/2750",)
    fake = study(name="FakeData", split=SPLIT)["dataset"]
    check_dataset(fake)
    assert not dataset_state(fake, tmp_path / "store", tmp_path / "notes").missing
