"""profiles/cluster-generic with a stand-in for qsub, which runs the job script at once."""

import os
import re

import pytest
import yaml
from helpers import ROOT

QSUB = """#!/bin/bash
echo "$@" >> {folder}/submitted
setsid bash "${{@: -1}}" > /dev/null 2>&1 &
echo 17.stand-in
"""


@pytest.fixture
def submitted(monkeypatch, tmp_path):
    """The file of what the stand-in for qsub, which is on the PATH, was given."""
    qsub = tmp_path / "qsub"
    qsub.write_text(QSUB.format(folder=tmp_path))
    qsub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "submitted"


def test_jobs_are_submitted_with_what_they_need(plugins, checkout, submitted):
    study = checkout("small.yaml")
    study.python = plugins
    (study.folder / "small.yaml").write_text(
        "study: small\ndataset: {sample: {train_per_class: 2, val_per_class: 1}}\n"
    )
    options = ["--profile", "profiles/cluster-generic", "--latency-wait", "5", "--seconds-between-status-checks", "1"]
    options += ["--set-resources", "pack_shard:gpu=2"]
    study.snakemake("packed", *options)
    lines = submitted.read_text().splitlines()
    packed = [line for line in lines if "-N pack_shard" in line]
    assert len(packed) == 3
    for line in packed:
        assert re.search(r"-l select=1:ncpus=1:mem=950mb:ngpus=2 -l walltime=\d+:00 ", line)
    assert any("-N survey_dataset" in line and "ngpus=0" in line for line in lines)


def test_the_plan_needs_no_data_on_a_cluster_either(plugins, checkout, submitted):
    """The calibration is submitted. Its process has a command line of its own, which does not name the plan."""
    study = checkout("far.yaml")
    study.python = plugins
    (study.folder / "far.yaml").write_text("study: far\ndataset: {name: far, kind: ilsvrc, path: /nowhere}\n")
    options = ["--profile", "profiles/cluster-generic", "--latency-wait", "5", "--seconds-between-status-checks", "1"]
    printed = study.snakemake("plan", *options, "--config", "seeds=[0, 1]", "training={duration: 20}")
    assert "-N calibrate" in submitted.read_text()
    assert "Study far: 164 networks in 32 jobs, 0 of them done." in printed


@pytest.fixture(scope="module")
def with_tasks(plugins, checkout):
    """A checkout in which the tasks of the small study are made."""
    study = checkout("small.yaml")
    study.python = plugins
    (study.folder / "small.yaml").write_text((ROOT / "tests/cluster/small.yaml").read_text())
    study.snakemake("tasks")
    return study


@pytest.mark.parametrize("cause", ["a GPU that is not there", "an end by SIGTERM"])
def test_a_refused_job_is_submitted_once_and_an_interrupted_one_again(with_tasks, submitted, monkeypatch, cause):
    """The process of a submitted job leaves it to the first process whether the job is tried again."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    study = with_tasks
    small = yaml.safe_load((ROOT / "tests/cluster/small.yaml").read_text())
    small |= {"running": {"retries": 2}}
    small["training"]["device"] = "cuda" if cause == "a GPU that is not there" else "cpu"
    (study.folder / "small.yaml").write_text(yaml.safe_dump(small))
    step = (ROOT / "workflow_scripts/training/train.py").read_text()
    if small["training"]["device"] == "cpu":  # a training that ends as one does that SIGTERM has interrupted
        step = step.replace("    args = _arguments()\n", "    sys.exit(INTERRUPTED_STATUS)\n", 1)
    (study.folder / "workflow_scripts/training/train.py").write_text(step)
    options = ["--profile", "profiles/cluster-generic", "--latency-wait", "5", "--seconds-between-status-checks", "1"]
    target = "results/small/networks/random0/seed0/base-A.json"
    printed = study.snakemake(target, *options, check=False)
    count = submitted.read_text().count("-N train_base")
    assert count == (1 if small["training"]["device"] == "cuda" else 3)
    assert "train_base failed, see results/small/logs/train_base/random0-seed0-base-A.log" in printed
    if count == 1:
        assert "Trying to restart" not in printed
        assert "it is cuda, but torch finds no CUDA device here. Set it to cpu." in printed
