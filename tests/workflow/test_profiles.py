"""Every profile plans the default study, and the Containerfile is what Snakemake prints."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from helpers import CLUSTER_PYTHON, PYTHON, ROOT

PROFILES = sorted(path.name for path in (ROOT / "profiles").iterdir())
MODULES = {
    "slurm": "snakemake_executor_plugin_slurm",
    "cluster-generic": "snakemake_executor_plugin_cluster_generic",
    "kubernetes": "snakemake_executor_plugin_kubernetes",
}


def python_with(executor):
    """The Python whose environment has Snakemake's plugin of this executor."""
    if executor is None:
        return PYTHON
    find = f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{MODULES[executor]}') is None)"
    for python in (PYTHON, CLUSTER_PYTHON):
        if Path(python).exists() and subprocess.run([python, "-c", find], check=False).returncode == 0:
            return python
    return None


@pytest.mark.parametrize("name", PROFILES)
def test_a_dry_run_with_every_profile(checkout, name):
    executor = yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text()).get("executor")
    python = python_with(executor)
    if python is None:
        pytest.skip(f"Snakemake's plugin for {executor} is not installed")
    study = checkout("config.yaml")
    study.python = python
    printed = study.snakemake("-n", "--profile", f"profiles/{name}")
    assert "train_curve" in printed
    assert "This was a dry-run" in printed


def test_the_containerfile_is_what_snakemake_prints(checkout):
    """`make containerfile` writes it again. No image was ever built from it."""
    surroundings = os.environ | {"PATH": os.pathsep.join([str(ROOT / "envs/standin"), os.environ["PATH"]])}
    command = [PYTHON, "-m", "snakemake", "--containerize"]
    folder = checkout("config.yaml").folder
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, env=surroundings)
    assert done.stdout == (ROOT / "Containerfile").read_text()
