"""A training job that a cluster ends before its time is started again, and goes on; none while Snakemake stops."""

import json
import os
import re
import signal
import subprocess
import time

import psutil
import pytest
import yaml
from helpers import PYTHON, ROOT

TARGET = "results/tiny/networks/random0/seed0/base-A.json"
LOG = "results/tiny/logs/train_base/random0-seed0-A.log"


def trainings(process):
    """The training processes below Snakemake's."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "workflow_scripts.training.train" in child.cmdline()[:4]]


def wait_until_it_trains(process, log):
    """Return once the training job has begun to train."""
    while process.poll() is None and not (log.exists() and "iterations 0 to" in log.read_text()):
        time.sleep(0.02)
    time.sleep(0.5)


def long_study(checkout):
    """A tiny study whose base networks train for some seconds, with its tasks made."""
    study = checkout("tiny.yaml")
    config = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    config["training"] |= {"duration": 600, "validate_every": 100}
    (study.folder / "tiny.yaml").write_text(yaml.safe_dump(config))
    study.snakemake("tasks")
    return study


def training_of(study):
    """Snakemake, training one base network in a process group of its own."""
    command = [PYTHON, "-m", "snakemake", TARGET, "--cores", "1", "--configfile", "tiny.yaml"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=study.folder, start_new_session=True, **streams)


def test_snakemake_starts_a_terminated_training_again(checkout):
    study = long_study(checkout)
    with training_of(study) as process:
        wait_until_it_trains(process, study.folder / LOG)
        (training,) = trainings(process)
        training.send_signal(signal.SIGTERM)
        printed, _ = process.communicate()
    assert process.returncode == 0, printed
    assert "Trying to restart" in printed
    assert int(re.search(r"iterations (\d+) to 600", (study.folder / LOG).read_text())[1]) > 0
    (network,) = json.loads((study.folder / TARGET).read_text())["networks"]
    assert [reading["iteration"] for reading in network["readings"]] == [100, 200, 300, 400, 500, 600]
    assert not list((study.folder / TARGET).parent.glob("*resume*"))


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["group", "snakemake"])
def test_a_stopping_snakemake_starts_nothing_again(checkout, whom):
    """Ctrl-C goes to the whole group of a terminal. A service manager's SIGTERM goes to Snakemake."""
    study = long_study(checkout)
    with training_of(study) as process:
        wait_until_it_trains(process, study.folder / LOG)
        if whom == "group":
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode != 0
    assert "Trying to restart" not in printed
    assert "Snakemake was stopped." in printed
    kept = list((study.folder / TARGET).parent.glob("*resume*"))
    assert kept or (study.folder / TARGET).exists()
    study.snakemake("--unlock")
    study.snakemake(TARGET, "--rerun-incomplete", cores=1)
    if kept:
        assert int(re.search(r"iterations (\d+) to 600", (study.folder / LOG).read_text())[1]) > 0
