"""One network trained by several processes: the same batches, shared; the same losses within rounding."""

import json
import signal
import subprocess
import time

import numpy as np
import psutil
import pytest
import safetensors.torch
import torch
from helpers import PYTHON, ROOT, save_tasks
from test_train_command import SETTINGS

from workflow_scripts.network.architectures import mini_caffenet
from workflow_scripts.network.networks import CaffeNet, Share
from workflow_scripts.plumbing.files import read_json
from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.training.batches import Batches
from workflow_scripts.training.workers import Workers

TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.fixture
def command(store, tasks, tmp_path):
    """A function that gives the command of a training of `depths` by one process or two."""
    save_tasks(tasks, store, tmp_path)

    def build(name, shared, depths=(0,), treatment="base", options=(), **changes):
        return [
            *(PYTHON, *(TORCHRUN if shared else []), "-m", "workflow_scripts.training.train"),
            *("--manifest", str(store), "--task", str(tmp_path / "B.npz"), "--partition", "random0", "--source", "B"),
            *(
                "--target",
                "B",
                "--treatment",
                treatment,
                "--seed",
                "0",
                "--depths",
                *map(str, depths),
                "--threads",
                "2",
            ),
            *("--settings", json.dumps(SETTINGS | {"validate_every": 4} | changes), *options),
            *("--record", str(tmp_path / f"{name}.json"), "--weights", str(tmp_path / f"{name}.safetensors")),
        ]

    return build


def run(command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


def readings(path):
    return [network["readings"] for network in read_json(path)["networks"]]


def test_shares_are_the_batch():
    for batch, size in ((10, 3), (2, 2), (1, 4), (256, 8)):
        shares = [Workers(rank, size).share(batch) for rank in range(size)]
        assert [row for share in shares for row in range(batch)[share.rows]] == list(range(batch))
        counts = [share.stop - share.start for share in shares]
        assert max(counts) - min(counts) <= 1
    assert Workers().share(7) == Share(0, 7, 7)


@pytest.mark.parametrize("size", [2, 3])
def test_the_workers_batches_put_together_are_one_workers(store, tasks, size):
    train, val = PackedSplit(store, "train"), PackedSplit(store, "val")
    device = torch.device("cpu")

    def batches(workers):
        made = Batches(train, val, tasks["A"], tasks["A"].mean_image, 32, 1.0, device, workers=workers)
        return [*made.training(5, 20, 0, 4), *made.validation(21)]

    alone = batches(Workers())
    shared = [batches(Workers(rank, size)) for rank in range(size)]
    for whole, *parts in zip(alone, *shared, strict=True):
        for tensor, pieces in zip(whole, zip(*parts, strict=True), strict=True):
            assert torch.equal(tensor, torch.cat(pieces))


def test_an_images_dropout_does_not_depend_on_who_computes_it():
    network = CaffeNet(mini_caffenet(), 32, 5)
    layer = network.layers["fc6"]
    whole = layer.dropout_mask(Share(0, 12, 12), torch.Generator().manual_seed(1))
    part = layer.dropout_mask(Share(4, 9, 12), torch.Generator().manual_seed(1))
    assert torch.equal(whole[4:9], part)


@pytest.mark.parametrize(
    ("depths", "treatment"),
    [
        pytest.param((0,), "base", marks=pytest.mark.slow),
        ((1, 6), "frozen"),  # which trains a base network too
        pytest.param((3,), "finetuned", marks=pytest.mark.slow),
    ],
)
def test_two_processes_learn_what_one_does(command, tmp_path, depths, treatment):
    options = []
    if treatment != "base":
        run(command("source", False))
        options = ["--source-task", str(tmp_path / "B.npz"), "--source-weights", str(tmp_path / "source.safetensors")]
    for name, shared in (("one", False), ("two", True)):
        run(command(name, shared, depths, treatment, options))
    for alone, together in zip(readings(tmp_path / "one.json"), readings(tmp_path / "two.json"), strict=True):
        for key in ("loss", "train_loss"):
            ours, theirs = ([reading[key] for reading in curve] for curve in (alone, together))
            np.testing.assert_allclose(ours, theirs, rtol=1e-4)
        assert all(reading["top1_per_class_mean"] == reading["top1"] for reading in together)  # of equal classes
    first, second = (safetensors.torch.load_file(tmp_path / f"{name}.safetensors") for name in ("one", "two"))
    for name, tensor in first.items():
        torch.testing.assert_close(tensor, second[name], rtol=1e-3, atol=1e-5)
    assert [read_json(tmp_path / f"{name}.json")["provenance"]["workers"] for name in ("one", "two")] == [1, 2]


@pytest.mark.slow
def test_two_processes_stop_together_and_go_on_to_the_same_bits(command, tmp_path):
    run(command("whole", True, duration=150, validate_every=25))
    arguments = command("broken", True, duration=150, validate_every=25)
    log = tmp_path / "log"
    with log.open("w") as file, subprocess.Popen(arguments, cwd=ROOT, stderr=file) as process:
        while "iteration 25/150" not in log.read_text():
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert process.returncode != 0
    assert (tmp_path / "broken.resume.pt").exists()
    assert "interrupted at iteration" in log.read_text()
    assert "iterations 0 to" not in run(arguments).stderr
    assert readings(tmp_path / "whole.json") == readings(tmp_path / "broken.json")
    assert (tmp_path / "whole.safetensors").read_bytes() == (tmp_path / "broken.safetensors").read_bytes()


@pytest.mark.slow
def test_workers_end_with_a_killed_torchrun(command, tmp_path):
    log = tmp_path / "log"
    with (
        log.open("w") as file,
        subprocess.Popen(command("killed", True, duration=100_000), cwd=ROOT, stderr=file) as process,
    ):
        while "iteration 4/" not in log.read_text():
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    assert len(workers) >= 2
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
