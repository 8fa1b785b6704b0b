"""The Makefile on machines that lack what others have."""

import os
import subprocess

from helpers import ROOT

SHOW = '\ninclude {makefile}\nshow:\n\t@echo "$$HOME|$$LOGNAME|$$PYTHONPATH|$$PYTHONHOME"\n'


def variables(folder, **environment):
    """HOME, LOGNAME, PYTHONPATH and PYTHONHOME of a command of the Makefile, run in `folder`."""
    (folder / "show.mk").write_text(SHOW.format(makefile=ROOT / "Makefile"))
    command = ["make", "--no-print-directory", "-f", "show.mk", "show"]
    done = subprocess.run(
        command, cwd=folder, env={"PATH": os.environ["PATH"]} | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n").split("|")


def test_a_home_that_can_be_written_to_stays(tmp_path):
    assert variables(tmp_path, HOME=str(tmp_path), LOGNAME="somebody")[:2] == [str(tmp_path), "somebody"]


def test_without_a_home_the_checkout_has_one(tmp_path):
    study = tmp_path / "my study"
    study.mkdir()
    for home in ({}, {"HOME": ""}, {"HOME": "/nonexistent"}):
        assert variables(study, **home)[0] == f"{study}/.venv-home"


def test_settings_for_another_python_do_not_count(tmp_path):
    assert variables(tmp_path, PYTHONPATH="/ros", PYTHONHOME="/opt/python")[2:] == ["", ""]


def test_a_user_without_a_name_gets_one(tmp_path):
    """As in a container that runs under a number."""
    (tmp_path / "whoami").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "whoami").chmod(0o755)
    assert variables(tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}")[1] == "nobody"


def test_ask_hands_over_what_the_user_wrote(tmp_path):
    show = tmp_path / "show"
    show.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    show.chmod(0o755)
    given = ["DATA=my 'new' photos/~x;y", "NETWORK=a b", "WEIGHTS='c d' e", "SEEDS=3"]
    command = [
        "make",
        "--no-print-directory",
        "-f",
        ROOT / "Makefile",
        "-o",
        "environment",
        "ask",
        f"RUN={show}",
        *given,
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    words = done.stdout.split("\n")
    assert words[:2] == ["-m", "workflow_scripts.config.ask"]
    assert dict(zip(words[2:-1:2], words[3::2], strict=True)) == {
        **{"--data": "my 'new' photos/~x;y", "--network": "a b", "--weights": "'c d' e"},
        **{"--fine-tune": "", "--seeds": "3"},
    }
