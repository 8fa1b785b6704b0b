"""Conda channels cannot be reached everywhere, so the environments are checked by what their packages are for pip."""

import ast
import re
import subprocess
import sys

import pytest
import yaml
from helpers import PYTHON, ROOT

from workflow_scripts.config.figures import FIGURES

TORCH_ENVIRONMENTS = ("torch_cpu", "torch_cuda")  # of which training.device chooses
PACKAGE = ROOT / "workflow_scripts"
CONDA_NAMES = {"PIL": "pillow", "yaml": "pyyaml"}
CHOSEN = {"TORCH": TORCH_ENVIRONMENTS, "DATASET": ("data", "data_torchvision")}  # dataset.kind chooses of the second
RULE = re.compile(
    r'conda:\s*(?:"\.\./envs/(\w+)\.yaml"|(TORCH|DATASET)_ENVIRONMENT)(.*?)(?=\nrule |\n    rule|\Z)', re.DOTALL
)
TORCH = {"pytorch-cpu": "torch", "pytorch-gpu": "torch"}  # conda-forge's names of its two builds


def source(module):
    """The file of a module, dotted, below PACKAGE."""
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py")


def third_party_imports(module, seen=None):
    """Top-level packages that a step (dotted, below PACKAGE) needs, through all project modules it imports."""
    seen = set() if seen is None else seen
    if module in seen:
        return set()
    seen.add(module)
    found = set()
    for node in ast.walk(ast.parse(source(module).read_text())):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            top, _, rest = name.partition(".")
            if top == "workflow_scripts":
                found |= third_party_imports(rest, seen) if rest and source(rest).is_file() else set()
            elif top not in sys.stdlib_module_names:
                found.add(CONDA_NAMES.get(top, top))
    return found


def environment(name):
    dependencies = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text())["dependencies"]
    of_conda = [one.split("=", 1) for one in dependencies if isinstance(one, str) and one != "pip"]
    of_pip = [one.split("==") for others in dependencies if isinstance(others, dict) for one in others["pip"]]
    return {TORCH.get(package, package): version for package, version in [*of_conda, *of_pip]}


def steps_by_environment():
    steps = []
    for rules in sorted((ROOT / "rules").glob("*.smk")):
        text = rules.read_text()
        for name, body in (
            (one, body) for named, chosen, body in RULE.findall(text) for one in CHOSEN.get(chosen, (named,))
        ):
            for step in re.findall(r"workflow_scripts\.([\w.]+(?:\{params\.figure\})?)", body):
                if step.endswith("{params.figure}"):
                    steps += [(f"report.figures.{figure}", name) for figure in FIGURES]
                else:
                    steps.append((step, name))
    return sorted(set(steps))


def test_every_step_is_found():
    assert {step for step, _ in steps_by_environment()} >= {
        *("dataset.sample.draw_sample", "store.pack_shard", "training.train", "report.figures.figure2")
    }
    assert len(steps_by_environment()) == 60


@pytest.mark.parametrize(("step", "name"), steps_by_environment())
def test_a_steps_environment_has_what_it_imports(step, name):
    other_kinds = {"torchvision"} if name == "data" else set()
    brought = {"triton"}  # by torch for GPUs, where alone fused_pool.py is imported
    assert third_party_imports(step) - other_kinds - brought <= set(environment(name))


# Imports steps where only the named packages, and what they require, can be imported.
WITHIN = """
import importlib, importlib.machinery, importlib.metadata as metadata, re, sys
from packaging.requirements import Requirement

waiting, allowed = sys.argv[1].split(), set()
while waiting:
    name = re.sub("[-_.]+", "-", waiting.pop()).lower()
    if name not in allowed:
        allowed.add(name)
        needed = map(Requirement, metadata.requires(name) or [])
        waiting += [one.name for one in needed if not one.marker or one.marker.evaluate({"extra": ""})]
owners = metadata.packages_distributions()
own = {top for top, names in owners.items() if {re.sub("[-_.]+", "-", name).lower() for name in names} & allowed}

class Allowed(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        top = name.partition(".")[0]
        return None if top in owners and top not in own else super().find_spec(name, path, target)

for name in [name for name in sys.modules if name.partition(".")[0] in owners]:
    del sys.modules[name]
sys.meta_path[:] = [Allowed if one is importlib.machinery.PathFinder else one for one in sys.meta_path]
for name in sys.argv[2].split():
    importlib.import_module(name)
"""
# What a step imports when it is asked to: a list of names, by environment.
LATE = {"torch_cpu": ["torch.utils.tensorboard", "timm"], "data_torchvision": ["torchvision", "scipy.io"]}


def test_the_torch_environments_differ_in_the_build_of_torch_alone():
    assert environment("torch_cpu") == environment("torch_cuda")


@pytest.mark.parametrize("name", ["data", "data_torchvision", "plot", "torch_cpu"])
def test_an_environments_packages_are_enough_to_start_its_steps(name):
    """Also for what packages import of others without requiring it."""
    steps = [f"workflow_scripts.{step}" for step, environment in steps_by_environment() if environment == name]
    packages = set(environment(name)) - {"python"}
    command = [PYTHON, "-c", WITHIN, " ".join(packages), " ".join([*steps, *LATE.get(name, [])])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    without = [
        *command[:3],
        " ".join(packages - {"numpy", "pandas", "torch", "bokeh", "matplotlib", "scipy"}),
        command[4],
    ]
    assert "ModuleNotFoundError" in subprocess.run(without, cwd=ROOT, capture_output=True, text=True).stderr


@pytest.mark.parametrize("name", ["data", "data_torchvision", "plot", *TORCH_ENVIRONMENTS])
def test_environments_pin_the_versions_of_requirements(name):
    lines = (ROOT / "requirements.txt").read_text().split("\n")
    required = dict(line.split("==") for line in lines if "==" in line)
    for package, version in environment(name).items():
        if package != "python":
            assert version == required[package]


def test_every_rule_with_a_command_names_an_environment_a_log_and_a_benchmark():
    for rules in (ROOT / "rules").glob("*.smk"):
        text = rules.read_text()
        counts = {
            word: len(re.findall(rf"^\s+{word}:$", text, re.MULTILINE))
            for word in ("shell", "conda", "log", "benchmark")
        }
        if rules.name in ("cost.smk", "plumbing.smk"):
            counts["benchmark"] += 1  # as its only output, `plan` would print once and never again; so would `verify`
        assert set(counts.values()) == {counts["shell"]}, rules


def pinned(name):
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.lower().split("==") for line in lines if "==" in line)


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-cluster.txt", "requirements-fuzz.txt"]
)
def test_licences_name_every_requirement(name):
    licences = (ROOT / "docs" / "licences.md").read_text()
    for package in pinned(name):
        assert re.search(rf"^\| {package} \| [^|]+ \| [^|]+ \|$", licences, re.MULTILINE)
