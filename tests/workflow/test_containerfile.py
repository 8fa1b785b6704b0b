"""Containerfile is what `snakemake --containerize` prints for the default study. No image of it was ever built."""

import os
import re
import subprocess

import pytest
import yaml
from helpers import PYTHON, ROOT

ENVIRONMENTS = ("envs/data.yaml", "envs/plot.yaml", "envs/torch_cpu.yaml")


@pytest.fixture(scope="module")
def containerized(checkout):
    """A function that gives what Snakemake prints for a configuration, with the stand-in for conda of the Makefile."""
    study = checkout("config.yaml")

    def printed(*options):
        environment = os.environ | {"PATH": f"{study.folder}/envs/standin{os.pathsep}{os.environ['PATH']}"}
        command = [PYTHON, "-m", "snakemake", "--containerize", *options]
        return subprocess.run(
            command, cwd=study.folder, env=environment, capture_output=True, text=True, check=True
        ).stdout

    return printed


def test_the_file_is_up_to_date(containerized):
    """`make containerfile` writes it."""
    written = (ROOT / "Containerfile").read_text()
    assert written == containerized()
    assert tuple(re.findall(r"^COPY (\S+) ", written, re.MULTILINE)) == ENVIRONMENTS
    packages = [line for name in ENVIRONMENTS for line in yaml.safe_load((ROOT / name).read_text())["dependencies"]]
    of_pip = [package for group in packages if isinstance(group, dict) for package in group["pip"]]
    assert all(f"- {package}\n" in written for package in [*of_pip, *(one for one in packages if isinstance(one, str))])


def test_a_study_on_gpus_has_an_image_of_its_own(containerized):
    assert "COPY envs/torch_cuda.yaml " in containerized("--config", "training={device: cuda}")


def test_the_makefile_uses_the_stand_in():
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^containerfile: environment\n\tPATH=\"\$\(CURDIR\)/envs/standin:", makefile, re.MULTILINE)
    assert os.access(ROOT / "envs/standin/conda", os.X_OK)
