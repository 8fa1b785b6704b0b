"""Every profile in profiles/ plans a study: its options are Snakemake's, and its resources reach the rules."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from helpers import CLUSTER_PYTHON, PYTHON, ROOT

PROFILES = sorted(path.parent.name for path in ROOT.glob("profiles/*/config.yaml"))
PLUGINS = {"cluster-generic": "cluster-generic", "kubernetes": "kubernetes", "slurm": "slurm"}  # of the others: none
OF_A_PLUGIN = ("cluster-generic-", "container-image", "default-storage-", "kubernetes-", "slurm-")


@pytest.fixture(scope="module")
def study(checkout):
    """A study for GPUs, of which nothing is made. Nothing is run either."""
    study = checkout("planned.yaml")
    tiny = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    tiny["training"]["device"] = "cuda"
    (study.folder / "planned.yaml").write_text(yaml.safe_dump(tiny))
    return study


def has_plugins(python, profile):
    """Whether an environment has what a profile's executor, and its storage, need."""
    settings = yaml.safe_load((ROOT / f"profiles/{profile}/config.yaml").read_text())
    names = [f"snakemake_executor_plugin_{settings['executor'].replace('-', '_')}"] if "executor" in settings else []
    names += ["snakemake_storage_plugin_s3"] if "default-storage-provider" in settings else []
    command = [python, "-c", "".join(f"import {name};" for name in names)]
    return Path(python).exists() and subprocess.run(command, capture_output=True, check=False).returncode == 0


def without_plugin(study, profile):
    """A copy of the profile without what only its plugins know, for environments that lack them."""
    settings = yaml.safe_load((ROOT / f"profiles/{profile}/config.yaml").read_text())
    kept = {key: value for key, value in settings.items() if key != "executor" and not key.startswith(OF_A_PLUGIN)}
    copy = study.folder / "profiles" / f"{profile}-without-plugin"
    copy.mkdir(exist_ok=True)
    (copy / "config.yaml").write_text(yaml.safe_dump(kept))
    return f"profiles/{copy.name}"


def plan(study, python, profile):
    cores = [] if profile.endswith("local") else ["--cores", "2"]
    command = [python, "-m", "snakemake", "--dry-run", "--profile", profile, *cores, "--configfile", "planned.yaml"]
    done = subprocess.run(command, cwd=study.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_plans_a_study(study, profile):
    """Without its plugin, whose own options are then left out. The next test has them."""
    printed = plan(study, PYTHON, without_plugin(study, profile))
    assert re.search(r"^train_base +5$", printed, re.MULTILINE)
    resources = re.findall(r"rule train_base:.*?resources: ([^\n]*)", printed, re.DOTALL)
    assert len(resources) == 5
    assert all("gpu=1" in line for line in resources)


@pytest.mark.parametrize("profile", [name for name in PROFILES if name in PLUGINS])
def test_a_profile_plans_a_study_with_its_plugin(study, profile):
    python = next((python for python in (PYTHON, CLUSTER_PYTHON) if has_plugins(python, profile)), None)
    if python is None:
        pytest.skip(f"no environment has the plugins of profiles/{profile}: make environment-cluster has some")
    printed = plan(study, python, f"profiles/{profile}")
    assert re.search(r"^train_base +5$", printed, re.MULTILINE)
    if profile == "slurm":
        partitions = dict(re.findall(r"rule (\w+):.*?slurm_partition=(\w+)", printed, re.DOTALL))
        assert (partitions["train_base"], partitions["train_curve"], partitions["make_task"]) == ("gpu", "gpu", "cpu")


def test_every_profile_with_an_executor_is_known_here():
    named = {
        name: yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text()).get("executor") for name in PROFILES
    }
    assert {name: executor for name, executor in named.items() if executor} == PLUGINS
