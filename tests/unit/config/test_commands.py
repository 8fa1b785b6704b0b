"""Parts of the rules' commands: the environment of steps, how a training is started."""

import os
import subprocess
import sys

import pytest
from helpers import PYTHON, ROOT

from workflow_scripts.config.commands import step_environment, training_launcher, variant_options
from workflow_scripts.study.jobs import TrainingJob


def test_the_users_pythonpath_counts_for_a_module_only(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/of/mine", "", "/root/of/it"]))
    assert step_environment("/root/of/it", False)["PYTHONPATH"] == "/root/of/it"
    assert step_environment("/root/of/it", True)["PYTHONPATH"].split(os.pathsep) == ["/root/of/it", "/of/mine"]
    monkeypatch.delenv("PYTHONPATH")
    assert step_environment("/root/of/it", True)["PYTHONPATH"] == "/root/of/it"
    monkeypatch.setattr(sys, "executable", "/its/own/bin/python")
    assert step_environment("/", False)["PATH"].split(os.pathsep)[0] == "/its/own/bin"


def test_a_training_is_told_every_digit_of_its_rate():
    job = TrainingJob("random0", 0, "A", "B", "finetuned", rate=0.1234567)
    assert variant_options(job) == "--preserve 0 --rate 0.1234567"


@pytest.mark.slow
@pytest.mark.parametrize("gpus", [1, 2])
def test_no_module_of_the_working_directory_is_imported(tmp_path, gpus):
    """Neither by the training nor, for several GPUs, by torchrun and the processes that it starts."""
    for name in ("queue.py", "random.py", "workflow_scripts.py"):
        (tmp_path / name).write_text("raise SystemExit('imported from the working directory')\n")
    launcher = training_launcher({"running": {"gpus_per_job": gpus}, "training": {"device": "cuda"}})
    command = [PYTHON, *launcher.split(), "workflow_scripts.training.train", "--help"]
    environment = os.environ | step_environment(str(ROOT), False)
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("folder of TensorBoard event files") == gpus
