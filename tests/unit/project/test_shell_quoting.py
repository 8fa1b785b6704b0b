"""No name can break or inject into a rule's shell command: each placeholder is quoted, or cannot hold but safe text."""

import re
import shlex

import pytest
from helpers import ROOT

from workflow_scripts.config.commands import named_options, tensorboard_folder
from workflow_scripts.study.jobs import TrainingJob

RULES = {path.name: path.read_text() for path in sorted((ROOT / "rules").glob("*.smk"))}
COMMON = RULES["common.smk"]
PLACEHOLDER = re.compile(r"(?<!\{)\{([a-z][^{}]*)\}(?!\})")
SAFE = r"[A-Za-z0-9_.|+*(){}\[\]\\-]*"  # of a wildcard's pattern: nothing that means something to a shell
# Numbers; and options that are words joined by shlex.join, or written in common.smk.
NUMBERS = {"threads", "resources.jobs_per_gpu", "resources.cuda_graphs", "params.cuda_graphs"}
NUMBERS |= {"params.deepest", "params.threads", "params.processes"}
OPTIONS = {"params.options", "params.inputs", "params.outputs", "params.source", "params.calibration"}
OPTIONS |= {"params.lists", "params.reference", "params.texts", "params.given", "params.variant", "params.line"}
WRITTEN = {"params.launcher", "params.depths", "params.figure", "resources.tensorboard"}


def commands():
    for name, text in RULES.items():
        for block in re.findall(r"^ *shell:\n((?: +(?:f?\"[^\n]*\"|'[^\n]*')\n?)+)", text, re.MULTILINE):
            yield name, block


COMMANDS = list(commands())


def test_every_command_is_looked_at():
    assert len(COMMANDS) == sum(len(re.findall(r"^ *shell:$", text, re.MULTILINE)) for text in RULES.values())


@pytest.mark.parametrize(("rules", "command"), COMMANDS)
def test_every_placeholder_is_quoted_or_safe(rules, command):
    assert PLACEHOLDER.findall(command)
    for placeholder in PLACEHOLDER.findall(command):
        if placeholder.endswith(":q"):
            continue
        kind, _, name = placeholder.partition(".")
        if kind == "wildcards":
            (pattern,) = re.findall(rf'^    {name}=r?"(.*)",$', COMMON, re.MULTILINE)
            assert re.fullmatch(SAFE, pattern), f"{rules}: {placeholder} may be {pattern}"
        else:
            assert placeholder in NUMBERS | OPTIONS | WRITTEN, f"{rules}: {placeholder} is not quoted"


@pytest.mark.parametrize("name", ["a b", "it's", "$(touch x)", "`x`", ";x", "-x", "x\ny", "ünï"])
def test_options_are_joined_as_a_shell_reads_them(name):
    assert shlex.split(named_options([("first_name", name), ("more", [name, "b"])])) == [
        *("--first-name", name, "--more", name, "b")
    ]
    job, results = TrainingJob.base("random0", 0, "A"), f"results/{name}"
    written = tensorboard_folder({"running": {"tensorboard": True}}, job, results)
    assert shlex.split(written) == [f"results/{name}/tensorboard/random0-seed0/base-A"]
    assert shlex.split(tensorboard_folder({"running": {"tensorboard": False}}, job, results)) == [""]
