"""Training jobs on a real GPU: leases, one-line errors, a study through Snakemake, several GPUs."""

import json
import os
import re
import signal
import subprocess
import time

import pandas as pd
import pytest
import torch
import yaml
from gpu_tools import DEVICE
from helpers import PYTHON, ROOT, save_tasks

from workflow_scripts.plumbing.files import read_json

LEAVES = {
    **{
        "architecture": "mini_caffenet",
        "init": "he",
        "crop": 32,
        "input": "mean_image",
        "input_scale": 1 / 64,
        "mean_image": "source",
    },
    **{"batch_size": 32, "duration": 12, "validate_every": 4, "learning_rate": 0.01, "device": DEVICE},
    **{"schedule": {"kind": "step", "step": 5, "gamma": 0.1}, "momentum": 0.9, "weight_decay": 0.0005},
    **{"stuck_after": 1000, "precision": "auto", "compile": False},
}
LONG = {"duration": 1_000_000, "validate_every": 1000}
MEGABYTE = 2**20
# Takes all of the GPU's memory but some megabytes, says so, and keeps it.
HOG = """
import sys, time, torch
torch.zeros(1, device="cuda")
free = torch.cuda.mem_get_info()[0] - int(sys.argv[1]) * 2**20
held = torch.empty(free, dtype=torch.uint8, device="cuda")
print("held", flush=True)
time.sleep(600)
"""
only_gpu = pytest.mark.skipif(DEVICE != "cuda", reason="a CPU has no leases and no memory of its own")


@pytest.fixture
def folder(store, tasks, tmp_path):
    save_tasks(tasks, store, tmp_path)
    return tmp_path


@pytest.fixture
def job(store, folder):
    """A function that starts the training job `name`; its printed lines go to <name>.log."""
    started = []

    def start(name, *options, launcher=("-m",), environment=(), **changes):
        words = {"partition": "random0", "source": "B", "target": "B", "treatment": "base", "seed": 0, "depths": 0}
        names = [part for key, value in words.items() for part in (f"--{key}", str(value))]
        files = ["--manifest", str(store), "--task", str(folder / "B.npz"), "--record", str(folder / f"{name}.json")]
        settings = ["--settings", json.dumps(LEAVES | changes), "--threads", "2"]
        command = [PYTHON, *launcher, "workflow_scripts.training.train", *names, *files, *settings, *options]
        with open(folder / f"{name}.log", "w") as log:
            surroundings = os.environ | {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"} | dict(environment)
            started.append(subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=surroundings))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def printed(folder, name, text, seconds=120):
    """Wait until the job `name` has printed `text`; whether it did."""
    end = time.monotonic() + seconds
    while text not in (log := (folder / f"{name}.log").read_text()) and time.monotonic() < end:
        time.sleep(0.1)
    assert text in log, log
    return True


def test_a_job_records_its_device(job, folder):
    assert job("base").wait(300) == 0, (folder / "base.log").read_text()
    record = read_json(folder / "base.json")
    assert record["provenance"]["device"] == (torch.cuda.get_device_name() if DEVICE == "cuda" else "cpu")
    assert record["provenance"]["settings"]["precision"] == ("bf16" if DEVICE == "cuda" else "fp32")
    assert record["networks"][0]["iterations"] == 12


@only_gpu
def test_two_jobs_share_the_gpu_and_a_killed_ones_place_is_free(job, folder):
    here = {"CUDA_VISIBLE_DEVICES": "0"}
    two = [job(name, "--jobs-per-gpu", "2", environment=here, **LONG) for name in ("one", "two")]
    assert all(printed(folder, name, "iteration 1000/") for name in ("one", "two"))
    third, alone = job("three", "--jobs-per-gpu", "2", environment=here, **LONG), job("alone", environment=here, **LONG)
    assert all(printed(folder, name, "waiting for 1 free of the GPUs 0") for name in ("three", "alone"))
    assert all(process.poll() is None for process in (*two, third, alone))
    two[0].send_signal(signal.SIGKILL)
    assert printed(folder, "three", "iterations 0 to 1000000")
    assert "iterations 0" not in (folder / "alone.log").read_text()
    for process, status in ((two[1], 75), (third, 75)):
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == status
    assert printed(folder, "alone", "iterations 0 to 1000000")


def one_line(folder, name):
    """The only line that the job printed, but for one of its progress."""
    lines = (folder / f"{name}.log").read_text().splitlines()
    lines = [line for line in lines if not re.match(r"random0 B->B base seed 0: iterations|waiting for", line)]
    assert len(lines) == 1, "\n".join(lines)
    return lines[0]


@only_gpu
@pytest.mark.parametrize("number", ["", "7777"])
def test_a_missing_gpu_is_named_in_one_line(job, folder, number):
    assert job("missing", environment={"CUDA_VISIBLE_DEVICES": number}).wait(120) == 1
    assert one_line(folder, "missing").startswith("error: training.device: it is cuda, but torch finds no CUDA device")


@only_gpu
@pytest.mark.parametrize(("megabytes", "batch"), [(64, 32), (2500, 500_000)], ids=["busy", "too small"])
def test_too_little_memory_is_named_in_one_line(job, folder, megabytes, batch):
    with subprocess.Popen([PYTHON, "-c", HOG, str(megabytes)], stdout=subprocess.PIPE, text=True) as hog:
        try:
            assert hog.stdout.readline() == "held\n"
            status = job("full", batch_size=batch).wait(200)
        finally:
            hog.kill()
    assert status == 1
    assert one_line(folder, "full").startswith("error: GPU memory: too little is free")


def test_several_gpus_learn_what_one_learns(job, folder):
    if torch.cuda.device_count() < 2:
        pytest.skip("NCCL needs two GPUs")
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")
    assert job("one", precision="fp32").wait(300) == 0
    for name in ("two", "again"):
        assert job(name, launcher=launcher, precision="fp32").wait(300) == 0, (folder / f"{name}.log").read_text()
    one, two, again = (read_json(folder / f"{name}.json")["networks"][0] for name in ("one", "two", "again"))
    assert two["loss_last"] == pytest.approx(one["loss_last"], rel=1e-3)
    assert two["weights_sha256"] == again["weights_sha256"]


def test_a_tiny_study_through_snakemake(checkout):
    study = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    study["training"] |= {"device": DEVICE}
    study["running"] = {"jobs_per_gpu": 4}
    tiny = checkout("tiny.yaml")
    (tiny.folder / "tiny.yaml").write_text(yaml.safe_dump(study))
    said = tiny.snakemake("--resources", "gpu=4", cores=os.cpu_count())
    results = pd.read_csv(tiny.folder / "results/tiny/results.csv")
    assert (tiny.folder / "results/tiny/report.html").is_file(), said
    assert len(results) > 20
    assert results["loss_last"].notna().all()
    records = [read_json(path) for path in (tiny.folder / "results/tiny/curves").rglob("depths-*.json")]
    expected = torch.cuda.get_device_name() if DEVICE == "cuda" else "cpu"
    assert {record["provenance"]["device"] for record in records} == {expected}
    assert read_json(tiny.folder / "results/tiny/calibration.json")["device"] == expected
    memory = [
        pd.read_csv(path, sep="\t")["max_rss"].max()
        for path in (tiny.folder / "results/tiny/benchmarks").rglob("*.tsv")
        if "train_" in str(path)
    ]
    print(f"a training job's peak of host memory: {max(memory):.0f} MB")
