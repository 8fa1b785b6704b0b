"""The studies that `make ask` writes, the networks that it takes, and what it says."""

from pathlib import Path

import pytest
import safetensors.torch
import torch
import yaml
from helpers import ROOT

from workflow_scripts.config import ask, ask_run
from workflow_scripts.config.ask_data import AskedData
from workflow_scripts.config.ask_networks import AskedNetwork, asked_networks
from workflow_scripts.config.ask_price import probe_minutes, tuning_minutes
from workflow_scripts.config.ask_study import best_cuts, study_text, written_cuts
from workflow_scripts.config.ask_words import ABOVE, CUT, in_the_commands_words, minutes_in_words, ranking_text
from workflow_scripts.config.file import check_config_file
from workflow_scripts.config.units import known_units, with_units
from workflow_scripts.network.inputs import INSTALLED, INSTALLED_NETWORK
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.results.probe_findings import WHERE_TO_CUT
from workflow_scripts.study.matrix import base_jobs, curve_jobs, probe_jobs

RESNET = AskedNetwork("torchvision:resnet18", "DEFAULT", "resnet18")


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """A function that gives an Ask, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    section = {"name": "ask_photos", "kind": "folder", "path": "/a b", "split": {"val_fraction": 0.2, "seed": 0}}
    data = AskedData("photos", section, 10, {"train": 2400, "val": 600})
    return lambda network=RESNET, seeds=1, stated=(): ask.Ask(data, network, seeds, 2, "cpu", dict(stated))


def test_the_network_that_comes_with_the_installation():
    assert asked_networks("", "") == [AskedNetwork(INSTALLED_NETWORK, INSTALLED, "")]


def test_names_and_weights_of_several_networks():
    found = asked_networks("torchvision:resnet18, timm:resnet18.a1_in1k", "")
    assert [(one.weights, one.label) for one in found] == [("DEFAULT", "resnet18"), ("DEFAULT", "resnet18_a1_in1k")]
    (one,) = asked_networks("cifar_resnet20", "my weights/cifar_resnet20 b.safetensors")
    assert (one.weights, one.label) == ("my weights/cifar_resnet20 b.safetensors", "cifar_resnet20_b")
    found = asked_networks("torchvision:resnet18 cifar_resnet20", "IMAGENET1K_V1 'a b/x.safetensors'")
    assert [one.weights for one in found] == ["IMAGENET1K_V1", "a b/x.safetensors"]
    assert [one.name for one in found] == ["torchvision:resnet18 (IMAGENET1K_V1)", "cifar_resnet20 (x.safetensors)"]


@pytest.mark.parametrize(
    ("names", "weights", "text"),
    [
        ("cifar_resnet20", "", r"^NETWORK: cifar_resnet20 has no weights of its own\. Name a safetensors file"),
        (
            "resnet18",
            "",
            r"^NETWORK: no network is called resnet18\. Choose torchvision:resnet18 or .* as timm:resnet18\.$",
        ),
        ("torchvision:resnet18 torchvision:resnet18", "", r"^NETWORK: resnet18 stands there twice\. Keep one\.$"),
        ("torchvision:resnet18 torchvision:vgg11", "a.safetensors", r"^WEIGHTS: there are 1 for 2 networks\. Name"),
        ("torchvision:resnet18 torchvision:vgg11", "'a b", r"^WEIGHTS: 'a b: a quote does not close"),
    ],
)
def test_networks_that_are_refused(names, weights, text):
    with pytest.raises(InputError, match=text):
        asked_networks(names, weights)


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (
            ("torchvision:resnt18", "DEFAULT"),
            r"^NETWORK: no network .* called torchvision:resnt18\. Choose torchvision",
        ),
        (("torchvision:resnet18", "no/such.safetensors"), r"^WEIGHTS: no/such\.safetensors cannot be read"),
        (("torchvision:resnet18", INSTALLED), r"^WEIGHTS: installed is for timm:tf_efficientnet_lite0"),
    ],
)
def test_studies_that_are_refused(asked, network, text):
    with pytest.raises(InputError, match=text):
        asked(AskedNetwork(*network, "x")).config()
    assert list(Path().iterdir()) == []


def test_the_study_is_whole_and_says_how_to_run_it_again(asked):
    one = asked()
    one.write()
    text = one.file.read_text()
    assert one.file == Path("results/ask/ask_photos_resnet18.yaml")
    assert "for the images of /a b?" in text
    assert "--configfile results/ask/ask_photos_resnet18.yaml" in text
    check_config_file(one.file)
    assert yaml.safe_load(text) == one.study()
    config = one.config()
    assert (config["training"]["crop"], config["store"]["image_size"]) == (224, 256)
    config = with_units(config, known_units(config, Path("none")))
    assert [(job.source, job.depths) for job in probe_jobs(config)] == [
        ("pretrained", tuple(range(1, 10))),
        ("random", tuple(range(1, 10))),
    ]
    assert base_jobs(config) == curve_jobs(config) == []
    before = one.file.stat().st_mtime_ns
    one.write()
    assert one.file.stat().st_mtime_ns == before


def test_fine_tuning_adds_curves_and_leaves_what_decides_the_probes(asked):
    one = asked(seeds=2)
    config, plain = one.config([3, 7, 9]), one.config()
    assert {(job.treatment, job.depths) for job in curve_jobs(config)} == {
        ("frozen", (3, 7, 9)),
        ("finetuned", (3, 7, 9)),
    }
    assert len(base_jobs(config)) == 2
    for key in ("crop", "input", "channels", "batch_size", "device", "precision", "architecture", "pretrained"):
        assert config["training"][key] == plain["training"][key]
    assert config["store"] == plain["store"]
    one.write([3, 7, 9])
    assert written_cuts(one.file) == [3, 7, 9]
    one.write()
    assert written_cuts(one.file) == written_cuts(Path("none.yaml")) == []


def test_what_timm_states_takes_the_place_of_auto(asked):
    stated = {"crop": 160, "image_size": 168, "resize": "shortest_crop_bicubic", "mean": (0.5,) * 3, "std": (0.5,) * 3}
    config = asked(AskedNetwork("timm:test_vit", "DEFAULT", "test_vit"), stated=stated).config()
    assert (config["training"]["crop"], config["store"]["image_size"]) == (160, 168)
    assert config["training"]["channels"] == {"mean": [0.5] * 3, "std": [0.5] * 3}


def test_the_heading_of_the_drawn_sample(asked):
    assert "for the images of the drawn sample?" in study_text({**asked().study(), "dataset": {}}, Path("a.yaml"))


def test_cuts_are_chosen_on_held_out_training_images(tmp_path):
    rows = ["source,depth,held_out_top1,top1"]
    rows += ["pretrained,1,0.5,0.9", "pretrained,2,0.7,0.1", "pretrained,3,0.8,0.1", "pretrained,4,0.8,0.1"]
    rows += [
        "pretrained,5,0.9,0.1",
        "pretrained,5,0.4,0.1",
        "pretrained,,0.99,0.9",
        "random,1,0.99,0.9",
        "pretrained,6,,0.9",
    ]
    (tmp_path / "probes.csv").write_text("\n".join(rows) + "\n")
    assert best_cuts(tmp_path / "probes.csv") == [2, 3, 4]


def test_the_price_counts_images_networks_and_cuts(asked):
    one, three = asked().config(), asked(seeds=3).config()
    data, units = asked().data, known_units(one, Path("none"))
    price = probe_minutes(one, data, units, packed=True)
    assert 1 < price < probe_minutes(one, data, units, packed=False) < probe_minutes(three, data, units, packed=False)
    assert probe_minutes(one, data, units, packed=False) < 10  # README: 3,000 images, two cores
    tuned = [with_units(asked().config(cuts), units) for cuts in ([1], [9], [1, 2, 9])]
    shallow, deep, several = (tuning_minutes(config, data, units) for config in tuned)
    assert deep < shallow < several  # a frozen unit costs a third


def test_a_run_without_data_weights_or_sense(asked, capsys):
    for text in ("2", "yes"):
        with pytest.raises(InputError, match=f"^FINE_TUNE: {text} is neither 0 nor 1"):
            ask._flag(text)
    for text in ("0", "many", "-1"):
        with pytest.raises(InputError, match=f"^SEEDS: {text} is no number of repetitions"):
            ask._count(text)
    assert (ask._flag(""), ask._flag("1"), ask._count(""), ask._count("3")) == (False, True, 1, 3)


def test_a_study_of_refused_weights_does_not_stay(asked, monkeypatch):
    def fail(*_):
        raise ask_run.Failed("no internet")

    monkeypatch.setattr(ask_run, "run_study", fail)
    with pytest.raises(ask_run.Failed):
        ask._get_network(asked())
    assert list(Path("results/ask").iterdir()) == []


def test_reasons_are_one_line():
    lines = [
        "Building DAG",
        "error: training.pretrained: none. Run this rule, or give a file.",
        "x failed, see y: error: b",
    ]
    assert ask_run._reason(lines) == "training.pretrained: none. Run this rule, or give a file."
    assert ask_run._reason(["get_weights failed, see a.log: error: b."]) == "b."
    said = "train_probes failed, see a.log: no error line. The last line is: ImportError: b"
    assert ask_run._reason(["Traceback:", said, "WorkflowError:"]) == said
    assert "--unlock" in ask_run._reason(["LockException:", "Error: Directory cannot be locked."])
    assert in_the_commands_words("training.pretrained: none. Run this rule, or give a file.") == (
        "WEIGHTS: none. Run this rule, or give a file: make ask WEIGHTS=file.safetensors."
    )
    assert [minutes_in_words(one) for one in (0.1, 1.2)] == ["about 1 minute", "about 2 minutes"]


def test_the_questions_are_those_of_the_findings():
    source = (ROOT / "workflow_scripts/results/probe_findings.py").read_text()
    assert CUT == WHERE_TO_CUT
    assert f'"{ABOVE}": [' in source


def test_the_ranking_as_text(tmp_path):
    (tmp_path / "r.csv").write_text(
        "network,cut,unit,points,low,high,milliseconds,last_points,last_low,last_high,last_milliseconds\n"
        "a (b),7,layer3.1,91.234,90.1,92.4,12.345,88,,,20\n"
    )
    header, row = ranking_text(tmp_path / "r.csv").splitlines()
    assert " ".join(row.split()) == "1. a (b) layer3.1 (n = 7) 91.2 (90.1 to 92.4) 12.3 88.0 20"
    assert header.index("accuracy") == row.index("91.2")


def test_a_file_of_torch_is_refused_with_what_to_do(asked, tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(InputError, match=r"^WEIGHTS: .*w\.pth: it is a file of torch\.save.* Convert it"):
        asked(AskedNetwork("torchvision:resnet18", str(tmp_path / "w.pth"), "x")).config()
    safetensors.torch.save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors")
    asked(AskedNetwork("torchvision:resnet18", str(tmp_path / "w.safetensors"), "x")).config()


def test_the_makefile_hands_over_what_the_user_wrote():
    makefile = (ROOT / "Makefile").read_text()
    for name in ("DATA", "NETWORK", "WEIGHTS", "FINE_TUNE", "SEEDS"):
        assert f"ask: export ASK_{name} = $({name})\n" in makefile
        assert f'"$$ASK_{name}"' in makefile
