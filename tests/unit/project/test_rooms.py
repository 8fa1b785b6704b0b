"""The rooms of workflow_scripts: each uses rooms above it only, steps are imported by nobody, names resolve."""

import ast
import re
import subprocess

import pytest
import yaml
from helpers import PYTHON, ROOT

PACKAGE = ROOT / "workflow_scripts"
ROOMS = re.findall(
    r"^\| `(\w+)/` \|", (ROOT / "docs" / "design.md").read_text(), re.MULTILINE
)  # in the order of the table
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.stem != "__init__"
}
STEPS = {name for name, path in MODULES.items() if '__name__ == "__main__"' in path.read_text()}
HEAVY = {"numpy", "pandas", "torch", "PIL", "scipy", "matplotlib"}
LIGHT = ("plumbing", "study")  # rooms that import none of HEAVY


def imports(path):
    """All dotted names that a module's import statements mention, the names imported included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, path
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def used(path):
    """The modules of the package that a module imports."""
    names = {name.removeprefix("workflow_scripts.") for name in imports(path) if name.startswith("workflow_scripts.")}
    return {module for module in MODULES for name in names if name == module or name.startswith(f"{module}.")}


def test_every_module_lies_in_a_room():
    assert len(ROOMS) == 12
    assert {name.split(".")[0] for name in MODULES} == set(ROOMS)


@pytest.mark.parametrize("module", MODULES)
def test_no_room_uses_one_below_it(module):
    own = ROOMS.index(module.split(".")[0])
    assert [other for other in used(MODULES[module]) if ROOMS.index(other.split(".")[0]) > own] == []


@pytest.mark.parametrize("module", MODULES)
def test_steps_are_imported_by_nobody(module):
    assert used(MODULES[module]) & STEPS == set()


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("config.")])
def test_the_room_config_is_used_by_rules_only(module):
    users = [name for name, path in MODULES.items() if module in used(path) and not name.startswith("config.")]
    assert users == []


@pytest.mark.parametrize("module", [name for name in MODULES if name.split(".")[0] in LIGHT])
def test_light_rooms_import_nothing_heavy(module):
    assert {name.split(".")[0] for name in imports(MODULES[module])} & HEAVY == set()


def test_parsing_the_workflow_imports_nothing_heavy():
    texts = [(ROOT / "rules" / f"{name}.smk").read_text() for name in ("config", "common")]
    lines = re.findall(r"^from workflow_scripts\S* import .*$", "\n".join(texts), re.MULTILINE)
    names = [line.split()[1] for line in lines]
    assert len(names) > 10
    code = f"import importlib, sys; [importlib.import_module(name) for name in {names}]; print(*sys.modules)"
    done = subprocess.run([PYTHON, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & HEAVY == set()


def texts():
    """The files in which steps are named for people and for rules."""
    yield from [ROOT / "Snakefile", ROOT / "Makefile", *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    yield from [*(ROOT / "rules").glob("*.smk"), *(ROOT / "configs").glob("*.yaml"), *PACKAGE.rglob("*.py")]


@pytest.mark.parametrize("path", list(texts()), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_step_that_is_named_is_there(path):
    for step in re.findall(r"(?:-m|\{params\.launcher\}) workflow_scripts\.([\w.]+)", path.read_text()):
        assert step.rstrip(".") in STEPS | {"report.figures"}, step


def test_every_rule_with_a_command_names_a_step():
    """So that the pattern above misses none: `plot_<figure>` names its figure in a parameter."""
    for rules in (ROOT / "rules").glob("*.smk"):
        text = rules.read_text()
        named = re.findall(r"(?:-m|\{params\.launcher\}) workflow_scripts\.[\w.]+", text)
        assert len(named) == len(re.findall(r"^ +shell:$", text, re.MULTILINE)), rules


@pytest.mark.parametrize("rules", sorted((ROOT / "rules").glob("*.smk")), ids=lambda path: path.stem)
def test_rules_files_are_named_as_rooms_and_say_what_they_need_and_make(rules):
    text = rules.read_text()
    assert rules.stem in {*ROOMS, "common"}
    if rules.stem != "common":
        assert re.match(r"# .+\n#   needs  .+\n(#          .+\n)*#   makes  .+\n", text), text[:300]
    else:
        assert text.count("\n") <= 200
    for rule in re.findall(r"^ *rule[ \w]*:\n(.*)\n", text, re.MULTILINE):
        assert re.fullmatch(r' +""".+"""', rule), rule


def test_unit_tests_mirror_the_rooms():
    folders = {
        path.name for path in (ROOT / "tests" / "unit").iterdir() if path.is_dir() and path.name != "__pycache__"
    }
    assert folders == {*ROOMS, "project"}


@pytest.mark.parametrize("environment", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_environments_are_yaml(environment):
    assert yaml.safe_load(environment.read_text())["channels"] == ["conda-forge", "nodefaults"]
