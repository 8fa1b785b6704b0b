"""The training step as a process: its record, its weights, its signals, its one-line errors."""

import json
import os
import random
import re
import signal
import subprocess
import time

import pytest
import safetensors.torch
from helpers import PYTHON, ROOT, save_tasks
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from workflow_scripts.plumbing.files import read_json

SETTINGS = {
    **{
        "architecture": "mini_caffenet",
        "init": "he",
        "crop": 32,
        "input": "mean_image",
        "input_scale": 1 / 64,
        "mean_image": "source",
    },
    **{"batch_size": 32, "duration": 12, "validate_every": 1, "learning_rate": 0.01, "device": "cpu"},
    **{"schedule": {"kind": "step", "step": 5, "gamma": 0.1}, "momentum": 0.9, "weight_decay": 0.0005},
    **{"stuck_after": 13, "precision": "auto", "compile": False},
}
TIMINGS = {"seconds", "images_per_second"}


@pytest.fixture
def command(store, tasks, tmp_path):
    """A function that gives the command of a job named `name` in tmp_path, with changed settings and more options."""
    save_tasks(tasks, store, tmp_path)

    def build(name, *options, depths=(0,), source="B", target="B", treatment="base", **changes):
        return [
            *(
                PYTHON,
                "-m",
                "workflow_scripts.training.train",
                "--manifest",
                str(store),
                "--task",
                str(tmp_path / f"{target}.npz"),
            ),
            *(
                "--partition",
                "random0",
                "--source",
                source,
                "--target",
                target,
                "--treatment",
                treatment,
                "--seed",
                "0",
            ),
            *("--depths", *map(str, depths), "--settings", json.dumps(SETTINGS | changes), *options),
            *("--record", str(tmp_path / f"{name}.json"), "--weights", str(tmp_path / f"{name}.safetensors")),
        ]

    return build


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)


def without_timings(path):
    record = read_json(path)
    record["provenance"] = {key: value for key, value in record["provenance"].items() if key not in TIMINGS}
    record["files"] = list(record["files"].values())  # under whatever name
    del record["seal"]  # of the timings too
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
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "A.json",
        "A.npz",
        "B.json",
        "B.npz",
        "base.json",
        "base.safetensors",
    ]


def test_a_curve_from_a_source(command, tmp_path):
    assert run(command("base", source="A", target="A")).returncode == 0
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


@pytest.mark.slow
def test_random_features_are_comparable_between_initialisations(command, tmp_path):
    """The published Gaussian leaves no signal above a few untrained layers, as in the published runs; He's does."""
    options = {"source": "random", "treatment": "frozen", "depths": (4,)}
    long = {"duration": 300, "validate_every": 30, "stuck_after": 150, "learning_rate": 0.02}
    long["schedule"] = {"kind": "cosine", "warmup": 10}
    for init in ("caffe", "he"):
        done = run(command(init, init=init, **options, **long))
        assert done.returncode == 0, done.stderr
    networks = {init: read_json(tmp_path / f"{init}.json")["networks"][0] for init in ("caffe", "he")}
    assert {init: network["init"] for init, network in networks.items()} == {"caffe": "caffe", "he": "he"}
    assert {init: network["diverged_cause"] for init, network in networks.items()} == {"caffe": "chance", "he": ""}
    assert networks["he"]["top1_best10_mean"] > 0.15
    assert networks["caffe"]["top1_best10_mean"] < 0.1


def test_preserved_layers_and_tensorboard(command, tmp_path):
    assert run(command("base", source="A", target="A")).returncode == 0
    source = ("--source-task", str(tmp_path / "A.npz"), "--source-weights", str(tmp_path / "base.safetensors"))
    options = ("--preserve", "2", "--tensorboard", str(tmp_path / "events"))
    done = run(command("curve", *source, *options, depths=(2, 4), source="A", treatment="frozen"))
    assert done.returncode == 0, done.stderr
    record = read_json(tmp_path / "curve.json")
    assert [network["preserve"] for network in record["networks"]] == [2, 2]
    for network in record["networks"]:
        events = EventAccumulator(str(tmp_path / "events" / f"depth{network['depth']}"))
        events.Reload()
        read = {"top1", "top1_per_class_mean", "top5", "loss", "train_loss"}
        assert set(events.Tags()["scalars"]) == read | {"learning_rate"}
        written = [(event.step, event.value) for event in events.Scalars("top1")]
        assert written == [(one["iteration"], pytest.approx(one["top1"])) for one in network["readings"]]


def test_lengths_in_epochs(command, tmp_path):
    """120 training images in batches of 32."""
    assert run(command("epochs", duration="4 epochs", validate_every="1 epoch")).returncode == 0
    (network,) = read_json(tmp_path / "epochs.json")["networks"]
    assert [reading["iteration"] for reading in network["readings"]] == [4, 8, 12, 15]
    assert network["iterations"] == 15


LONG = {"duration": 900, "validate_every": 150}
KILLS = 8  # make test-faults has more


def kill_at_a_random_moment(command, checkpoint, number, chance):
    """Start the job and send it signal `number`, half of the times while it starts, else a moment after its next resume
    checkpoint. Returns its exit status and what it printed.
    """
    started, in_start = time.time(), chance.random() < 0.5
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        while not in_start and process.poll() is None:
            if checkpoint.exists() and checkpoint.stat().st_mtime > started:
                break
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 3 if in_start else 0.4))
        process.send_signal(number)
        return process.wait(), process.stderr.read()


@pytest.mark.slow
def test_killed_many_times_at_random_moments_gives_the_same_bits(command, tmp_path):
    assert run(command("calm", **LONG)).returncode == 0
    disturbed, checkpoint = command("disturbed", "--save-minutes", "0.001", **LONG), tmp_path / "disturbed.resume.pt"
    chance, reached, statuses = random.Random(0), 0, set()
    for kill in range(KILLS):
        number = (signal.SIGTERM, signal.SIGKILL)[kill % 2]
        status, printed = kill_at_a_random_moment(disturbed, checkpoint, number, chance)
        if status == 0:
            break  # it was faster
        statuses.add(status)
        assert not (tmp_path / "disturbed.json").exists()
        if started := re.search(r"iterations (\d+) to 900", printed):
            assert int(started[1]) >= reached  # nothing is lost but what came after the last checkpoint
            reached = int(started[1])
        if status == 75:
            reached = int(re.search(r"interrupted at iteration (\d+)", printed)[1])
    assert {75, -signal.SIGKILL} <= statuses <= {75, -signal.SIGKILL, -signal.SIGTERM}
    done = run(disturbed)
    assert done.returncode == 0
    assert reached > 0
    assert without_timings(tmp_path / "disturbed.json") == without_timings(tmp_path / "calm.json")
    assert (tmp_path / "disturbed.safetensors").read_bytes() == (tmp_path / "calm.safetensors").read_bytes()
    assert [path.name for path in tmp_path.iterdir() if "resume" in path.name] == []


def test_errors_are_one_line(command, store, tmp_path):
    done = run(command("big", crop=64))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: training.crop: 64 pixels are more than the packed images have (36)")
    done = run(command("gpu", device="cuda"), env=os.environ | {"CUDA_VISIBLE_DEVICES": ""})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "training.device: it is cuda" in done.stderr
    assert not (tmp_path / "big.json").exists()
