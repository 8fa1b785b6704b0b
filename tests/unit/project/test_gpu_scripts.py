"""The tests and the benchmark of a GPU, tried on the CPU: what they say there is of no use, but they run."""

import json
import os
import subprocess
import sys

import pytest
from helpers import ROOT


def run(*command, **environment):
    surroundings = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"} | environment
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False, env=surroundings
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_the_tests_of_a_gpu_run_on_a_cpu():
    options = ("-p", "no:cacheprovider", "-k", "not snakemake and not compiled", "tests/gpu")
    status, printed = run("-m", "pytest", *options, TRANSFERABILITY_GPU_TESTS_ON="cpu")
    assert status == 0, printed


def test_without_a_gpu_its_tests_skip_and_say_why():
    options = ("-p", "no:cacheprovider", "tests/gpu/test_gpu_numbers.py", "-k", "masks_are")
    status, printed = run("-m", "pytest", *options, TRANSFERABILITY_GPU_TESTS_ON="cuda", CUDA_VISIBLE_DEVICES="")
    assert status == 0, printed
    assert "torch finds no CUDA device here" in printed


@pytest.mark.slow
def test_the_benchmark_of_a_gpu_runs_on_a_cpu(tmp_path):
    status, printed = run("tests/bench/bench_gpu.py", "--device", "cpu", "--tiny", "--folder", str(tmp_path))
    assert status == 0, printed
    found = json.loads((tmp_path / "bench_gpu.json").read_text())
    assert found["made_on"]["device"] == "cpu"
    assert found["rates"]["fp32"]["images_per_second"] > 0
    assert found["curve"]["frozen"]["ratio"] > 0
    assert found["resnet"]["bf16"]["of_plain_torch"] > 0
    assert found["probes"]["of_bare"] > 0
