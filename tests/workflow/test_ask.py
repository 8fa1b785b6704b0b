"""`make ask` on drawn photographs of three classes, with two small networks: stopped, run again, ranked, fine-tuned."""

import csv
import os
import signal
import subprocess

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
import yaml
from PIL import Image

from workflow_scripts.network.build import build_network

CLASSES, IMAGES = 3, 15
NETWORKS = ["--network", "mini_resnet cifar_resnet20", "--weights", "'two weights/mini.safetensors' b.safetensors"]
ONE = ["--network", "mini_resnet", "--weights", "two weights/mini.safetensors"]
MINI, OTHER = "results/ask_my_photos_mini_resnet_mini", "results/ask_my_photos_cifar_resnet20_b"
WAIT = 300  # seconds for what takes ten

pytestmark = pytest.mark.slow


def draw(folder):
    """Three classes that differ in colour and grain."""
    numbers = np.random.default_rng(0)
    for label in range(CLASSES):
        place = folder / f"class {label}"
        place.mkdir(parents=True)
        for number in range(IMAGES):
            grain = numbers.integers(0, 160, (44 // (label + 1), 44 // (label + 1), 3), dtype=np.uint8)
            grain[..., label] += 60
            Image.fromarray(grain).resize((40, 44)).save(place / f"{number}.png")


def command(study, *options):
    return [study.python, "-m", "workflow_scripts.config.ask", "--data", "my photos/", *options]


def ask(study, *options, status=0):
    """Run the command in a checkout; what it printed."""
    done = subprocess.run(command(study, *options), cwd=study.folder, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def times(folder):
    """When the files of the studies were written, but for logs and benchmarks."""
    kept = [path for path in folder.glob("*/**/*.*") if not {"logs", "benchmarks"} & set(path.parts)]
    return {path: path.stat().st_mtime_ns for path in kept if path.is_file()}


@pytest.fixture(scope="module")
def asked(checkout):
    """A checkout in which the command was stopped once and then ran to its end; and what it printed."""
    study = checkout("")
    draw(study.folder / "my photos")
    (study.folder / "two weights").mkdir()
    torch.manual_seed(1)
    for name, file in (("mini_resnet", "two weights/mini.safetensors"), ("cifar_resnet20", "b.safetensors")):
        safetensors.torch.save_file(build_network(name, 32, 5).state_dict(), study.folder / file)
    stop(study)
    return study, ask(study, *NETWORKS)


def stop(study):
    """Start the command, and stop it when its first features are being computed."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command(study, *NETWORKS), cwd=study.folder, start_new_session=True, **streams)
    for line in process.stdout:
        if "extract_features" in line:
            os.killpg(process.pid, signal.SIGINT)
            break
    printed, _ = process.communicate(timeout=WAIT)
    assert process.returncode == 130, printed
    assert "Stopped. What is finished is kept, and the same command goes on." in printed
    assert not list((study.folder / ".snakemake/locks").glob("*"))


def test_it_says_what_it_costs_and_where_to_cut(asked):
    study, printed = asked
    assert "45 images of 3 classes, 36 to train and 9 to validate (20 % of each class, drawn)." in printed
    assert "mini_resnet (mini.safetensors): 7 cuts, about " in printed
    assert printed.count("Cut after ") == 2
    for results in (MINI, OTHER):
        assert f"The report is {study.folder}/{results}/report.html" in printed
        assert (study.folder / results / "report.html").exists()
        probes = pd.read_csv(study.folder / results / "tables/probes.csv")
        assert set(probes["source"]) == {"pretrained", "random"}
    assert "survey_dataset" not in printed  # it was done before the stop


def test_the_networks_are_ranked(asked):
    study, printed = asked
    (table,) = study.folder.glob("results/ask/*_ranking.csv")
    with open(table, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["network"] for row in rows} == {"mini_resnet (mini.safetensors)", "cifar_resnet20 (b.safetensors)"}
    held_out = [float(row["held_out"]) for row in rows]
    assert held_out == sorted(held_out, reverse=True)
    probes = pd.read_csv(study.folder / MINI / "tables/probes.csv").query("source == 'pretrained'").set_index("depth")
    mini = next(row for row in rows if row["network"].startswith("mini"))
    assert float(mini["points"]) == pytest.approx(100 * probes.loc[int(mini["cut"]), "top1"], abs=1e-3)
    assert float(mini["last_points"]) == pytest.approx(100 * probes.loc[7, "top1"], abs=1e-3)
    assert f"The figure is {table.with_suffix('.png')}" in printed
    assert Image.open(table.with_suffix(".png")).size[0] > 500


def test_the_same_command_again_computes_nothing(asked):
    study, printed = asked
    before = times(study.folder / "results") | times(study.folder / "data")
    again = ask(study, *NETWORKS)
    assert " done, " not in again
    assert times(study.folder / "results") | times(study.folder / "data") == before
    assert again.partition("\n\n")[2] == printed.partition("\n\n")[2]


def test_fine_tuning_goes_on_from_the_probes(asked):
    """Last, as it changes a study."""
    study, _ = asked
    features = times(study.folder / MINI / "features")
    printed = ask(study, *ONE, "--fine-tune", "1")
    assert "extract_features" not in printed
    assert times(study.folder / MINI / "features") == features
    assert "Frozen and fine-tuned at n = " in printed
    results = pd.read_csv(study.folder / MINI / "results.csv")
    matrix = yaml.safe_load((study.folder / "results/ask/ask_my_photos_mini_resnet_mini.yaml").read_text())["matrix"]
    assert len(matrix[1]["depths"]) == 3
    for treatment in ("frozen", "finetuned"):
        assert sorted(results.query(f"treatment == '{treatment}'")["depth"]) == matrix[1]["depths"]
    assert (results["treatment"] == "base").sum() == 1
    again = ask(study, *ONE, "--fine-tune", "1")
    assert " done, " not in again


def test_what_is_refused_leaves_nothing(asked):
    study, _ = asked
    before = sorted((study.folder / "results/ask").iterdir())
    lone = study.folder / "lone"
    lone.mkdir()
    printed = ask(study, "--data", "lone", status=1)
    assert printed.startswith("error: DATA: ")
    assert printed.count("\n") == 1
    assert sorted((study.folder / "results/ask").iterdir()) == before
