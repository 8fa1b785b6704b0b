"""What a user reads when a job fails, and that no job is tried again in vain."""

import shutil
from pathlib import Path

import pytest
from helpers import ROOT

pytestmark = pytest.mark.slow

CUDA = ["--config", "training={device: cuda}"]


def tiny(checkout):
    study = checkout("tiny.yaml")
    shutil.copy(ROOT / "tests/workflow/tiny.yaml", study.folder)
    return study


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="a GPU is there")
def test_a_missing_gpu_is_seen_before_any_job(checkout):
    printed = tiny(checkout).snakemake(*CUDA, check=False)
    assert "error: configuration: training.device: it is cuda, but this machine shows no NVIDIA GPU." in printed
    assert "rule draw_sample" not in printed
    assert "Traceback" not in printed


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="a GPU is there")
def test_what_no_attempt_can_cure_is_not_tried_again(checkout, monkeypatch):
    """The variable says that there is a GPU. The training finds none, and would find none again."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    study = tiny(checkout)
    target = "results/tiny/networks/random0/seed0/base-A.json"
    printed = study.snakemake(target, *CUDA, "--resources", "gpu=1", check=False)
    assert "Trying to restart" not in printed
    assert "train_base failed, see results/tiny/logs/train_base/random0-seed0-A.log: error: training.device" in printed


def test_a_quiet_verify_says_what_is_wrong(checkout):
    study = tiny(checkout)
    study.snakemake("packed")
    quiet = ["verify", "--quiet", "progress", "host", "reason", "rules"]
    study.snakemake(*quiet)
    (shard,) = (study.folder / "data/tiny").glob("packed*/val-000.u8")
    shard.write_bytes(shard.read_bytes()[:-1])
    printed = study.snakemake(*quiet, check=False)
    assert f"{shard.relative_to(study.folder)}: its checksum is not the one in" in printed
    shard.unlink()
    printed = study.snakemake("plan", "--quiet", "progress", "--config", "plan={images_per_second: fast}", check=False)
    assert "error: configuration: plan.images_per_second" in printed
