"""No pickle is ever loaded from an input: no module can, and files that are pickles are refused without being run."""

import ast
import os
import pickle
import re
import zipfile

import numpy as np
import pytest
import torch
from helpers import ROOT

from workflow_scripts.checkpoint import ResumeCheckpoint
from workflow_scripts.cli import InputError
from workflow_scripts.compare_bases import load_network
from workflow_scripts.devkit import GROUND_TRUTH, META, read_devkit
from workflow_scripts.networks import load_weights
from workflow_scripts.score_filters import load_first_layers
from workflow_scripts.seals import read_record
from workflow_scripts.task import Task

MODULES = [*sorted((ROOT / "workflow_scripts").glob("*.py")), *sorted((ROOT / "tests/bench").glob("*.py"))]
UNPICKLING = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal"}
EXECUTING = {"eval", "exec", "__import__", "pd.read_pickle", "yaml.unsafe_load", "yaml.full_load"}


def faults(tree):
    """What in a module could run code of a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from UNPICKLING & {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            yield from UNPICKLING & {(node.module or "").split(".")[0]}
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if called in EXECUTING:
                yield called
            if called in ("np.load", "numpy.load") and options.get("allow_pickle", "False") != "False":
                yield called
            if called == "torch.load" and options.get("weights_only") != "True":
                yield called
            if called == "yaml.load" and options.get("Loader") != "yaml.SafeLoader":
                yield called


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_can_load_one(path):
    assert list(faults(ast.parse(path.read_text()))) == []


def test_no_rule_can_load_one():
    for path in sorted((ROOT / "rules").glob("*.smk")):
        assert not re.search(r"\b(pickle|marshal|shelve|eval\(|exec\()", path.read_text()), path


@pytest.mark.parametrize(
    "line", ["import pickle", "np.load(x, allow_pickle=True)", "torch.load(x)", "yaml.load(x)", "eval(x)"]
)
def test_the_search_finds_what_it_looks_for(line):
    assert list(faults(ast.parse(line)))


class Trap:
    """Its pickle makes a folder when it is loaded."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def trap(tmp_path):
    """The pickle of a trap, which has been seen to work; at the end nothing may have sprung it."""
    sentinel = tmp_path / "sprung"
    pickle.loads(pickle.dumps(Trap(sentinel)))
    sentinel.rmdir()
    yield Trap(sentinel)
    assert not sentinel.exists()


def zipped_array(path, trap):
    np.savez(path, train_positions=np.array([trap], dtype=object), classes=2)


def raw(path, trap):
    path.write_bytes(pickle.dumps(trap))


def torch_zip(path, trap):
    torch.save({"key": trap, "state": trap}, path)


def zip_of_a_pickle(path, trap):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train_positions.npy", pickle.dumps(trap))


MAKERS = (zipped_array, raw, torch_zip, zip_of_a_pickle)
READERS = {
    "task.npz": Task.load,
    "base-A.safetensors": load_weights,
    "networks/random0/seed0/base-A.safetensors": lambda path: load_first_layers([path]),
    "base-B.safetensors": lambda path: load_network(path, {"architecture": "mini_caffenet", "crop": 32}, 4),
    "manifest.json": read_record,
    f"kit/{META}": lambda path: read_devkit(path.parents[1]),
    "kit.tar.gz": read_devkit,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("make", MAKERS)
def test_a_pickle_in_a_files_place_is_refused(tmp_path, trap, name, make):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    made = tmp_path / "made.npz"
    make(made, trap)
    made.replace(path)
    (tmp_path / "kit/data").mkdir(parents=True, exist_ok=True)
    (tmp_path / "kit" / GROUND_TRUTH).write_text("1\n")
    with pytest.raises(InputError, match=re.escape(str(path.parents[1] if "kit/" in name else path))):
        READERS[name](path)


@pytest.mark.parametrize("make", MAKERS)
def test_a_resume_checkpoint_that_is_a_pickle_is_refused_with_a_message(tmp_path, trap, capsys, make):
    checkpoint = ResumeCheckpoint(tmp_path / "base.json", {})
    made = tmp_path / "made.npz"
    make(made, trap)
    made.replace(checkpoint.path)
    assert checkpoint.load() is None
    assert "refused" in capsys.readouterr().out
