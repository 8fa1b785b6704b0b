"""Every profile in profiles/ plans a study: its options are Snakemake's, and its resources reach the rules."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from helpers import CLUSTER_PYTHON, PYTHON, ROOT

PROFILES = sorted(path.parent.name for path in ROOT.glob("profiles/*/config.yaml"))
EXECUTORS = {"cluster-generic", "kubernetes", "slurm"}  # the profiles named after their executor; the others are local
PLANNED_WITH_PLUGIN = ("cluster-generic", "slurm")  # that of kubernetes asks the bucket, which is not there
OF_A_PLUGIN = ("cluster-generic-", "container-image", "default-storage-", "kubernetes-", "slurm-")


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
    command = [python, "-m", "snakemake", "--dry-run", "--profile", profile, *cores, "--configfile", "cuda.yaml"]
    done = subprocess.run(command, cwd=study.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_plans_a_study(gpu_study, profile):
    """Without its plugin, whose own options are then left out. The next test has them."""
    printed = plan(gpu_study, PYTHON, without_plugin(gpu_study, profile))
    assert re.search(r"^train_base +5$", printed, re.MULTILINE)
    resources = re.findall(r"rule train_base:.*?resources: ([^\n]*)", printed, re.DOTALL)
    assert len(resources) == 5
    assert all("gpu=1" in line for line in resources)


@pytest.mark.parametrize("profile", PLANNED_WITH_PLUGIN)
def test_a_profile_plans_a_study_with_its_plugin(gpu_study, profile):
    if not Path(CLUSTER_PYTHON).exists():
        pytest.skip("requirements-cluster.txt is not installed: make environment-cluster")
    printed = plan(gpu_study, CLUSTER_PYTHON, f"profiles/{profile}")
    assert re.search(r"^train_base +5$", printed, re.MULTILINE)
    if profile == "slurm":
        partitions = dict(re.findall(r"rule (\w+):.*?slurm_partition=(\w+)", printed, re.DOTALL))
        assert (partitions["train_base"], partitions["train_curve"], partitions["make_task"]) == ("gpu", "gpu", "cpu")


def test_every_profile_is_known_here():
    profiles = {name: yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text()) for name in PROFILES}
    assert {name: profile["executor"] for name, profile in profiles.items() if "executor" in profile} == {
        name: name for name in EXECUTORS
    }
