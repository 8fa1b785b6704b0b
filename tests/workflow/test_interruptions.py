"""A training job that a cluster ends before its time is started again by Snakemake, and goes on.

Not so where Snakemake itself is being stopped: what was just stopped stays so, until a user runs it again.
"""

import contextlib
import copy
import json
import os
import re
import shutil
import signal
import subprocess
import time

import psutil
import pytest
import yaml
from helpers import PYTHON, ROOT

TARGET = "results/tiny/networks/random0/seed0/base-A.json"
LOG = "results/tiny/logs/train_base/random0-seed0-base-A.log"


def trainings(process):
    """The training processes below Snakemake's."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "workflow_scripts.training.train" in child.cmdline()[:4]]


def wait_until_it_trains(process, log):
    """Wait until the training job has begun to train, and give it."""
    while process.poll() is None and not (log.exists() and "iterations 0 to" in log.read_text()):
        time.sleep(0.02)
    time.sleep(0.5)
    (training,) = trainings(process)
    return training


@pytest.fixture(scope="module")
def tasks(checkout):
    """A checkout in which the tasks of the tiny study are made."""
    study = checkout("tiny.yaml")
    shutil.copy(ROOT / "tests/workflow/tiny.yaml", study.folder)
    study.snakemake("tasks")
    return study


@pytest.fixture
def long_study(tasks, tmp_path):
    """A function that makes a checkout whose tasks are made and whose trainings take so many iterations."""

    def make(iterations):
        study = copy.copy(tasks)
        study.folder = shutil.copytree(tasks.folder, tmp_path / "checkout")
        config = yaml.safe_load((study.folder / "tiny.yaml").read_text())
        config["training"] |= {"duration": iterations, "validate_every": iterations // 6}
        (study.folder / "tiny.yaml").write_text(yaml.safe_dump(config))
        return study

    return make


def start(study):
    """Snakemake, which trains one network, in a group of processes of its own as a terminal's jobs are."""
    command = [PYTHON, "-m", "snakemake", TARGET, "--cores", "1", "--configfile", "tiny.yaml"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=study.folder, start_new_session=True, **pipes)


def test_snakemake_starts_a_terminated_training_again(long_study):
    study = long_study(600)
    with start(study) as process:
        wait_until_it_trains(process, study.folder / LOG).send_signal(signal.SIGTERM)
        printed, _ = process.communicate()
    assert process.returncode == 0, printed
    assert "Trying to restart" in printed
    assert int(re.search(r"iterations (\d+) to 600", (study.folder / LOG).read_text())[1]) > 0
    (network,) = json.loads((study.folder / TARGET).read_text())["networks"]
    assert [reading["iteration"] for reading in network["readings"]] == [100, 200, 300, 400, 500, 600]
    assert not list((study.folder / TARGET).parent.glob("*resume*"))


def ctrl_c(process):
    os.killpg(process.pid, signal.SIGINT)


def terminate_all(process):
    os.killpg(process.pid, signal.SIGTERM)


def terminate_jobs_first(process):
    for child in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)


def terminate_snakemake_then_the_job(process):
    process.send_signal(signal.SIGTERM)
    time.sleep(1)
    trainings(process)[0].send_signal(signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [ctrl_c, terminate_all, terminate_jobs_first, terminate_snakemake_then_the_job])
def test_what_was_stopped_with_snakemake_is_not_started_again(long_study, stop):
    study = long_study(60_000)
    with start(study) as process:
        first = wait_until_it_trains(process, study.folder / LOG)
        stop(process)
        later, end = set(), time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(psutil.NoSuchProcess):
                later |= {training.pid for training in trainings(process)} - {first.pid}
            time.sleep(0.05)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        printed, _ = process.communicate()
    assert process.returncode == 1, printed
    assert not later
    assert "Trying to restart" not in printed
    assert not first.is_running()
    assert "interrupted at iteration" in (study.folder / LOG).read_text()  # no shell ended before its training
    assert (study.folder / TARGET.replace(".json", ".resume.pt")).exists()
    assert "Snakemake was stopped." in printed
    assert "train_base failed" not in printed
