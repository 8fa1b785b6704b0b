"""A training job that a cluster ends before its time is started again by Snakemake, and goes on."""

import json
import re
import signal
import subprocess
import time

import psutil
import yaml
from helpers import PYTHON, ROOT

TARGET = "results/tiny/networks/random0/seed0/base-A.json"
LOG = "results/tiny/logs/train_base/random0-seed0-A.log"


def trainings(process):
    """The training processes below Snakemake's."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "workflow_scripts.training.train" in child.cmdline()[:4]]


def terminate_when_it_trains(process, log):
    """Send SIGTERM to the training job once it has begun to train."""
    while process.poll() is None and not (log.exists() and "iterations 0 to" in log.read_text()):
        time.sleep(0.02)
    time.sleep(0.5)
    (training,) = trainings(process)
    training.send_signal(signal.SIGTERM)


def test_snakemake_starts_a_terminated_training_again(checkout):
    study = checkout("tiny.yaml")
    config = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    config["training"] |= {"duration": 600, "validate_every": 100}
    (study.folder / "tiny.yaml").write_text(yaml.safe_dump(config))
    study.snakemake("tasks")
    command = [PYTHON, "-m", "snakemake", TARGET, "--cores", "1", "--configfile", "tiny.yaml"]
    with subprocess.Popen(
        command, cwd=study.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        terminate_when_it_trains(process, study.folder / LOG)
        printed, _ = process.communicate()
    assert process.returncode == 0, printed
    assert "Trying to restart" in printed
    assert int(re.search(r"iterations (\d+) to 600", (study.folder / LOG).read_text())[1]) > 0
    (network,) = json.loads((study.folder / TARGET).read_text())["networks"]
    assert [reading["iteration"] for reading in network["readings"]] == [100, 200, 300, 400, 500, 600]
    assert not list((study.folder / TARGET).parent.glob("*resume*"))
