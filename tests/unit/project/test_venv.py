"""envs/venv.sh, which `make` installs with, on what machines do to it. What it installs here is there already."""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers import PYTHON, ROOT

LOCK = re.search(r"^tqdm==(?:.*\n)(?:    --hash.*\n)+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)[0]
VARIABLES = ("PYTHON", "INSTALL", "HASHES", "PIP_FIND_LINKS")


@pytest.fixture
def make_environment(tmp_path):
    """A function that runs envs/venv.sh for an environment `new` on .venv; gives its status and what it says."""
    folder = tmp_path / "it's my study é"
    folder.mkdir()
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (folder / "one.lock").write_text(LOCK)

    def make(*words, **variables):
        environment = {name: value for name, value in os.environ.items() if name not in VARIABLES} | variables
        command = ["sh", ROOT / "envs/venv.sh", *(words or ("new", "one.lock", ".venv"))]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)
        return done.returncode, done.stderr

    make.folder = folder
    return make


def sees(folder, code, **variables):
    """What the Python of an environment prints."""
    command = [folder / "bin/python", "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | variables
    ).stdout.strip()


def test_it_sees_its_base_and_is_made_once(make_environment):
    new = make_environment.folder / "new"
    status, said = make_environment()
    assert (status, said) == (0, "Installing one.lock into new with pip ...\n")
    assert sees(new, "import sys, yaml; print(sys.prefix)") == str(new)
    assert make_environment() == (0, "")


@pytest.mark.slow
def test_what_an_interruption_left_is_made_anew(make_environment):
    new = make_environment.folder / "new"
    (new / "bin").mkdir(parents=True)
    (new / "bin/python").write_text("half written")
    (new / ".hidden").touch()
    assert make_environment()[0] == 0
    assert sees(new, "import tqdm; print(1)") == "1"
    assert not (new / ".hidden").exists()
    (new / "bin/python").unlink()  # as where the Python that it was made with has been removed
    (new / "bin/python").symlink_to("/nowhere/python3")
    assert make_environment()[1].startswith("Installing")
    assert sees(new, "import tqdm; print(1)") == "1"


@pytest.mark.slow
def test_a_changed_lock_is_installed(make_environment):
    assert make_environment()[0] == 0
    with (make_environment.folder / "one.lock").open("a") as file:
        file.write("# changed\n")
    assert make_environment()[1].startswith("Installing")


def test_a_moved_checkout_needs_nothing_new(make_environment):
    assert make_environment()[0] == 0
    moved = make_environment.folder.with_name("moved")
    make_environment.folder.rename(moved)
    command = ["sh", ROOT / "envs/venv.sh", "new", "one.lock", ".venv"]
    assert subprocess.run(command, cwd=moved, capture_output=True, text=True).stderr == ""
    assert sees(moved / "new", "import yaml; print(1)") == "1"


def test_settings_for_other_pythons_do_not_count(make_environment, tmp_path):
    (tmp_path / "tqdm.py").write_text("raise SystemExit('of another Python')\n")
    settings = {"PYTHONHOME": "/nowhere", "PYTHONPATH": str(tmp_path), "HOME": "/nowhere"}
    settings |= {"PIP_USER": "1", "PIP_TARGET": "/nowhere", "PIP_PREFIX": "/nowhere", "PIP_REQUIRE_VIRTUALENV": "1"}
    assert make_environment(**settings) == (0, "Installing one.lock into new with pip ...\n")


def test_other_packages_than_the_locked_are_refused(make_environment):
    """An index that gives another file for the version: here no file of the lock's hashes is anywhere."""
    wheel = re.sub(r"sha256:\w+", f"sha256:{'0' * 64}", LOCK).replace("tqdm", "iniconfig").replace("4.70.1", "2.3.1")
    (make_environment.folder / "one.lock").write_text(wheel)
    status, said = make_environment()
    assert status != 0
    assert "iniconfig" in said
    assert not (make_environment.folder / "new/installed").exists()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('case "$2" in *ensurepip*) exit 1;; *) echo Python 3.9.2;; esac', "it is Python 3.9.2."),
        ("exit 127", "it is not there."),
    ],
)
def test_an_old_python_is_refused_in_one_line(make_environment, tmp_path, script, reason):
    old = tmp_path / "my python3"
    old.write_text(f"#!/bin/sh\n{script}\n")
    old.chmod(0o755)
    status, said = make_environment("new", "one.lock", PYTHON=str(old))
    assert status == 1
    assert said.startswith(f"error: {old}: {reason} Python 3.11, 3.12 or 3.13")
    assert said.count("\n") == 1
    assert not (make_environment.folder / "new").exists()


@pytest.mark.slow
def test_the_first_python_that_will_do_is_taken(make_environment, tmp_path):
    """pyenv puts a python3.12 on the PATH that only says it is not installed; python3 may be old."""
    (tmp_path / "bin").mkdir()
    for name in ("python3.11", "python3.12", "python3"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "bin" / "python3.13").symlink_to(PYTHON)
    for name in ("sh", "cmp", "rm", "cp", "sed"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    (make_environment.folder / "one.lock").write_text("# nothing\n")
    status, said = make_environment("new", "one.lock", PATH=str(tmp_path / "bin"))
    assert status == 0, said
    assert sees(make_environment.folder / "new", "import sys; print(sys.version)") == sys.version


def test_uv_installs_too(make_environment):
    uv = ROOT / ".venv-dev/bin"
    if not (uv / "uv").exists():
        pytest.skip("uv is not installed: make environment-dev")
    (make_environment.folder / "one.lock").write_text("# nothing\n")
    status, said = make_environment(INSTALL="uv", PATH=f"{uv}{os.pathsep}{os.environ['PATH']}")
    assert (status, said) == (0, "Installing one.lock into new with uv ...\n")
    assert sees(make_environment.folder / "new", "import tqdm; print(1)") == "1"


def test_two_at_once_install_once(make_environment):
    if not shutil.which("flock"):
        pytest.skip("this machine has no flock")
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(lambda _: make_environment(), range(2)))
    assert sorted(ended) == [(0, ""), (0, "Installing one.lock into new with pip ...\n")]
