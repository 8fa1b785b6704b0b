"""The workflow runs with what `make run` installs: it imports only packages that requirements.txt names, and no test
runs Snakemake or a step with the developers' tools in reach.
"""

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import PYTHON, ROOT
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NAMES = ("requirements", "requirements-dev", "requirements-cluster", "requirements-fuzz")
LOCKED = re.compile(r"^(\S+)==(\S+?)(?: ; (.+?))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)
DISTRIBUTIONS = importlib.metadata.packages_distributions()
BROUGHT = {"triton"}  # by torch for GPUs, where alone fused_pool.py is imported
OWN = {"workflow_scripts", *(path.stem for path in (ROOT / "tests").rglob("*.py"))}
# What runs with the developers' tools: fuzzers, and pip for a test's own data.
DEVELOPERS_OWN = {"fuzz.py", "test_fuzz.py", "conftest.py", "test_commands.py", Path(__file__).name}
DEVELOPERS_OWN |= {"test_gpu_scripts.py"}  # it runs pytest


def required(name):
    """The packages that a file of requirements names, with their versions."""
    lines = [line.split("#")[0].strip() for line in (ROOT / f"{name}.txt").read_text().splitlines()]
    parsed = [Requirement(line) for line in lines if line and not line.startswith("-r")]
    return {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in parsed}


def locked(name):
    """The packages that a lock file names, with their versions, markers and hashes."""
    return {found[0]: found[1:] for found in LOCKED.findall((ROOT / f"{name}.lock").read_text())}


def imported(path):
    """The packages, by their names for pip, that a Python file or a Snakefile imports. Those in functions count."""
    text = path.read_text()
    if path.suffix == ".py":
        tree = list(ast.walk(ast.parse(text)))
        names = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module for node in tree if isinstance(node, ast.ImportFrom) and node.level == 0}
    else:
        names = set(re.findall(r"^\s*(?:from|import) ([\w.]+)", text, re.MULTILINE))
    tops = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - OWN - BROUGHT
    assert tops <= set(DISTRIBUTIONS), f"{path}: of no installed package"
    return {canonicalize_name(distribution) for top in tops for distribution in DISTRIBUTIONS[top]}


def test_the_workflow_imports_only_what_requirements_name():
    files = [*(ROOT / "workflow_scripts").rglob("*.py"), *(ROOT / "rules").glob("*.smk"), ROOT / "Snakefile"]
    assert {"torch", "pandas", "jsonschema"} <= {name for path in files for name in imported(path)}
    assert {str(path): unnamed for path in files if (unnamed := imported(path) - set(required("requirements")))} == {}


def test_tests_import_only_what_requirements_name():
    named = set(required("requirements")) | set(required("requirements-dev"))
    files = [path for path in (ROOT / "tests").rglob("*.py") if path.name != "fuzz.py"]  # it alone needs atheris
    assert {str(path): unnamed for path in files if (unnamed := imported(path) - named)} == {}


def test_what_snakemakes_report_needs_is_named():
    """Snakemake leaves it to an extra, so that a run does without and `snakemake --report` does not."""
    needed = map(Requirement, importlib.metadata.requires("snakemake"))
    extra = {canonicalize_name(one.name) for one in needed if one.marker and one.marker.evaluate({"extra": "reports"})}
    assert extra and extra <= set(required("requirements"))


@pytest.mark.parametrize("name", NAMES)
def test_locks_are_whole_and_in_step(name):
    """Each package has hashes, and one version in all environments: `make lock` makes the files."""
    entries = locked(name)
    assert len(entries) == len(re.findall(r"^\S+==", (ROOT / f"{name}.lock").read_text(), re.MULTILINE))
    assert {package: entries[package][0] for package in required(name)} == required(name)
    others = [locked(other) for other in NAMES]
    assert [one for one in entries for other in others if one in other and other[one][0] != entries[one][0]] == []


def test_the_environment_of_make_run_holds_its_lock_and_nothing_else():
    """So nothing that only tests bring can be what a feature runs on."""
    made = ROOT / ".venv/installed"
    if not made.exists() or made.read_text() != (ROOT / "requirements.lock").read_text():
        pytest.skip(".venv is not what make environment makes")
    code = "import importlib.metadata as m, json; print(json.dumps([d.metadata['Name'] for d in m.distributions()]))"
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True)
    entries = locked("requirements")
    expected = {name for name, (_, marker, _) in entries.items() if not marker or Marker(marker).evaluate()}
    assert set(map(canonicalize_name, json.loads(done.stdout))) - {"pip"} == expected


def test_tests_run_the_workflow_with_the_environment_of_make_run():
    """`sys.executable` is pytest's Python, which has what a user lacks."""
    files = [path for path in (ROOT / "tests").rglob("*.py") if "bench" not in path.parts]
    assert [path for path in files if "sys.executable" in path.read_text() and path.name not in DEVELOPERS_OWN] == []
