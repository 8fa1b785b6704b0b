"""Failures that no retry can cure: seen before any work where they can be, else once, and with their reason."""

import re

import pytest
from helpers import ROOT

QUIET = re.search(r"^QUIET := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
MISSING = "error: configuration: training.device: it is cuda, but this machine shows no NVIDIA GPU."
REFUSED = "error: training.device: it is cuda, but torch finds no CUDA device here. Set it to cpu."


@pytest.fixture
def without_gpu(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def test_a_missing_gpu_is_refused_before_any_work(gpu_study, without_gpu):
    printed = gpu_study.snakemake(check=False)
    assert [line for line in printed.splitlines() if "rror" in line] == [printed.splitlines()[-1]]
    assert printed.splitlines()[-1].startswith(MISSING)
    assert not (gpu_study.folder / "data").exists()
    assert not list((gpu_study.folder / ".snakemake/locks").glob("*"))


def test_a_dry_run_needs_no_gpu(gpu_study, without_gpu):
    assert "train_base" in gpu_study.snakemake("--dry-run")


def test_what_needs_no_gpu_runs_without_one(gpu_study, without_gpu):
    gpu_study.snakemake("tasks")


@pytest.mark.slow
def test_a_refused_job_is_not_tried_again(gpu_study, monkeypatch):
    """Here the first check believes the variable, as it does on machines whose driver is broken."""
    gpu_study.snakemake("tasks")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    printed = gpu_study.snakemake("bases", *QUIET, "--keep-going", check=False)
    if "MIG" in printed or REFUSED not in printed:
        pytest.skip("this machine has a GPU")
    assert "Trying to restart" not in printed
    lines = [line for line in printed.splitlines() if line.startswith("train_base failed, see ")]
    assert len(lines) == 5
    assert all(line.endswith(REFUSED) for line in lines)
    assert "Fix the cause and run snakemake again." in printed


def test_quiet_runs_show_the_reason(gpu_study, tmp_path):
    """As `make plan` and `make verify` do."""
    survey = gpu_study.folder / "data/tiny/packed_36_warp/survey.json"
    text = survey.read_text()
    survey.write_text(text[:-9])
    rate = tmp_path / "rate.yaml"
    rate.write_text("plan: {images_per_second: 9}\n")
    try:
        plan = gpu_study.snakemake("plan", *QUIET, study=["cuda.yaml", str(rate)], check=False)
        verify = gpu_study.snakemake("verify", *QUIET, check=False)
    finally:
        survey.write_text(text)
    (line,) = (
        line for line in plan.splitlines() if line.startswith("plan failed, see results/tiny/logs/plan.log: error")
    )
    assert "data/tiny/packed_36_warp/survey.json: it is not a readable JSON file" in line
    assert "survey.json: it is not a readable JSON file" in verify
    assert re.search(r"error: \d+ faults in \d+ files", verify)
    assert "No rule to produce nonsense" in gpu_study.snakemake("nonsense", *QUIET, check=False)


def test_make_hides_no_reason():
    makefile = (ROOT / "Makefile").read_text()
    assert "all" not in QUIET
    assert re.findall(r"--quiet(?! progress)\b", re.sub(r"uv pip compile --quiet", "", makefile)) == []
    assert makefile.count("$(QUIET)") >= 2
