"""Untrusted archives, devkits and images: attacks on each bound, and damage drawn at random, in processes of their own.

A process has 1 GiB more memory than it starts with and 5 s of CPU time for an input; dying of either, or of a crash in
compiled code, fails. `make test-fuzz` goes on where these examples end.
"""

import ast
import json
import re
import signal
import subprocess
import sys

import pytest
from attacks import ATTACKS, END, header
from fuzz_targets import TARGETS, seeds
from helpers import ROOT

from workflow_scripts.dataset.folder import FolderDataset
from workflow_scripts.dataset.ilsvrc import IlsvrcDataset
from workflow_scripts.dataset.tars import tar_index
from workflow_scripts.plumbing.cli import InputError

EXAMPLES = {"tar": 700, "meta": 700, "image": 700, "devkit": 400, "truth": 300}


def batch(folder, *arguments):
    """Run fuzz_batch.py in `folder`, its temporary files too."""
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, ROOT / "tests" / "fuzz_batch.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=300)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What became of each attack, and what is left in the folder that they were run in."""
    inside = tmp_path_factory.mktemp("attacks") / "a" / "b"
    inside.mkdir(parents=True)
    found, waiting = {}, list(ATTACKS)
    while waiting:
        ended = batch(inside, "attacks", *waiting)
        lines = [json.loads(line) for line in ended.stdout.splitlines()]
        found |= {line["name"]: line for line in lines}
        if len(lines) < len(waiting):
            died = f"the process died: status {ended.returncode} {ended.stderr[-300:]}"
            found[waiting[len(lines)]] = {"reason": died, "seconds": 0}
        waiting = waiting[len(lines) + 1 :]
    return found, [path for path in inside.parent.parent.rglob("*") if path.is_file() or path.is_symlink()]


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused_in_one_line(outcomes, name):
    reason, expected = outcomes[0][name]["reason"], ATTACKS[name][2]
    if expected is None:
        assert reason is None
    else:
        assert "\n" not in reason
        assert re.search(expected, reason)
        assert "traceback" not in reason


def test_attacks_write_nothing(outcomes):
    assert outcomes[1] == []


@pytest.mark.parametrize("target", TARGETS)
def test_damage_is_refused_or_harmless(tmp_path, target):
    current = tmp_path / "current"
    ended = batch(tmp_path, "random", target, EXAMPLES[target], current)
    if ended.returncode < 0:
        name = signal.Signals(-ended.returncode).name
        pytest.fail(f"{name} on {target} of {current.read_bytes()[:3000]!r}")
    assert ended.returncode == 0, ended.stderr[-3000:]
    counts = json.loads(ended.stdout.splitlines()[-1])
    assert counts["read"] + counts["refused"] >= EXAMPLES[target]
    assert min(counts.values()) > EXAMPLES[target] // 50  # neither refuses everything nor nothing


def test_seeds_are_sound():
    for target, run in TARGETS.items():
        for data in seeds(target):
            run(data)


@pytest.mark.parametrize("name", ["../evil.JPEG", "train/a/../../../evil.JPEG", "{outside}/evil.JPEG", "link.JPEG"])
def test_traversal_writes_nothing_outside(tmp_path, archives, name):
    """Through every reader of archives; nor does any of them read what a link points to."""
    inside, outside = tmp_path / "a" / "data", tmp_path / "outside"
    inside.mkdir(parents=True)
    outside.mkdir()
    kind = (b"2", str(outside / "evil.JPEG")) if name == "link.JPEG" else (b"0", "")
    tar = header(name.format(outside=outside), 0, *kind) + END
    for file in ("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"):
        (inside / file).write_bytes(tar)
    devkit = archives / "ILSVRC2012_devkit_t12.tar.gz"
    (inside / devkit.name).write_bytes(devkit.read_bytes())
    before = sorted(tmp_path.rglob("*"))
    dataset = IlsvrcDataset(inside)
    for read in (dataset.survey, lambda: dataset.images("val", 0, 1), lambda: dataset.images("train", 0, 1)):
        with pytest.raises(InputError, match=r"would lie outside|is a symbolic link"):
            read()
    for read in (tar_index, FolderDataset):
        with pytest.raises(InputError, match=r"would lie outside|is a symbolic link"):
            read(inside / "ILSVRC2012_img_train.tar")
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_is_ever_extracted():
    """No step calls what writes an archive's members to names that the archive chooses."""
    paths = list((ROOT / "workflow_scripts").rglob("*.py"))
    assert len(paths) > 90
    for path in paths:
        called = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not called & {"extract", "extractall", "unpack_archive", "_extract_member", "makefile"}, path
