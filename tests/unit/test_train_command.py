"""The training step as a process: its record, its weights, its signals, its one-line errors."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import safetensors.torch
from helpers import ROOT

from workflow_scripts.files import read_json

SETTINGS = {
    **{"architecture": "mini_caffenet", "init": "he", "crop": 32, "input_scale": 0.015625, "mean_image": "source"},
    **{"batch_size": 32, "duration": 12, "validate_every": 1, "learning_rate": 0.01, "device": "cpu"},
    **{"schedule": {"kind": "step", "step": 5, "gamma": 0.1}, "momentum": 0.9, "weight_decay": 0.0005},
    **{"stuck_after": 13, "precision": "auto", "compile": False},
}
TIMINGS = {"seconds", "images_per_second"}


@pytest.fixture
def command(store, tasks, tmp_path):
    """A function that gives the command of a job named `name` in tmp_path, with changed settings and more options."""
    for half, task in tasks.items():
        task.save(tmp_path / f"{half}.npz")

    def build(name, *options, depths=(0,), source="B", treatment="base", **changes):
        return [
            *(
                sys.executable,
                "-m",
                "workflow_scripts.train",
                "--manifest",
                str(store),
                "--task",
                str(tmp_path / "B.npz"),
            ),
            *("--partition", "random0", "--source", source, "--target", "B", "--treatment", treatment, "--seed", "0"),
            *("--depths", *map(str, depths), "--settings", json.dumps(SETTINGS | changes), *options),
            *("--output", str(tmp_path / f"{name}.json"), str(tmp_path / f"{name}.safetensors")),
        ]

    return build


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)


def without_timings(path):
    record = read_json(path)
    record["provenance"] = {key: value for key, value in record["provenance"].items() if key not in TIMINGS}
    return record


def test_record_weights_and_log(command, tmp_path):
    done = run(command("base"))
    assert done.returncode == 0, done.stderr
    record = read_json(tmp_path / "base.json")
    (network,) = record["networks"]
    best = sorted(reading["top1"] for reading in network["readings"])[-10:]
    assert network["top1_best10_mean"] == pytest.approx(sum(best) / 10)
    assert network["iterations"] == 12
    assert network["train_images"] == 20 * 6
    assert not network["diverged"]
    assert record["provenance"]["settings"]["momentum"] == 0.9
    assert record["provenance"]["images_per_second"] > 0
    weights = safetensors.torch.load_file(tmp_path / "base.safetensors")
    assert weights["layers.fc8.weight"].shape == (20, 256)
    assert "iteration 12/12" in done.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["A.npz", "B.npz", "base.json", "base.safetensors"]


def test_a_curve_from_a_source(command, tmp_path):
    assert run(command("base")).returncode == 0
    source = ("--source-task", str(tmp_path / "A.npz"), "--source-weights", str(tmp_path / "base.safetensors"))
    done = run(command("curve", *source, depths=(2, 7), source="A", treatment="frozen"))
    assert done.returncode == 0, done.stderr
    assert [network["depth"] for network in read_json(tmp_path / "curve.json")["networks"]] == [2, 7]
    weights = safetensors.torch.load_file(tmp_path / "curve.safetensors")
    base = safetensors.torch.load_file(tmp_path / "base.safetensors")
    assert weights["depth7.layers.fc7.weight"].equal(base["layers.fc7.weight"])
    assert not weights["depth2.layers.fc7.weight"].equal(base["layers.fc7.weight"])


def test_a_diverged_network_is_reported_not_hidden(command, tmp_path):
    assert run(command("wild", learning_rate=1e6, init="he")).returncode == 0
    (network,) = read_json(tmp_path / "wild.json")["networks"]
    assert network["diverged"]
    assert network["loss_last"] is None


def start_and_kill_after_progress(command, folder, number, wait):
    """Start the job, send it signal `number` a moment after its next resume checkpoint; returns its exit status."""
    checkpoint, started = folder / "disturbed.resume.pt", time.time()
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not (checkpoint.exists() and checkpoint.stat().st_mtime > started):
            time.sleep(0.01)
        time.sleep(wait)
        process.send_signal(number)
        return process.wait()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 75), (signal.SIGKILL, -9)])
def test_killed_in_training_and_run_again_gives_the_same_bits(command, tmp_path, number, status):
    long = {"duration": 200, "validate_every": 40}
    assert run(command("calm", **long)).returncode == 0
    disturbed = command("disturbed", "--save-minutes", "0.001", **long)
    for wait in (0.0, 0.13):
        assert start_and_kill_after_progress(disturbed, tmp_path, number, wait) == status
        assert not (tmp_path / "disturbed.json").exists()
        assert (tmp_path / "disturbed.resume.pt").exists()
    done = run(disturbed)
    assert done.returncode == 0
    assert "iterations 0 to" not in done.stderr
    assert without_timings(tmp_path / "disturbed.json") == without_timings(tmp_path / "calm.json")
    assert (tmp_path / "disturbed.safetensors").read_bytes() == (tmp_path / "calm.safetensors").read_bytes()
    assert not list(tmp_path.glob("*.resume.pt"))


def test_errors_are_one_line(command, store, tmp_path):
    done = run(command("big", crop=64))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: training.crop 64 is larger than store.image_size 36")
    done = run(command("gpu", device="cuda"), env=os.environ | {"CUDA_VISIBLE_DEVICES": ""})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "training.device is cuda" in done.stderr
    assert not (tmp_path / "big.json").exists()
