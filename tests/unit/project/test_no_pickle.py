"""No input is ever unpickled, which would run whatever its author wrote: by the code's own text, and by trying."""

import ast
import gzip
import os
import pickle
import re

import numpy as np
import pytest
import torch
import yaml
from helpers import ROOT
from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError

from workflow_scripts.config.file import check_config_file
from workflow_scripts.dataset.devkit import read_devkit
from workflow_scripts.dataset.sample.draw_sample import DEVKIT_FOLDER, tar_bytes
from workflow_scripts.dataset.tars import tar_index
from workflow_scripts.features.compare_bases import load_network
from workflow_scripts.features.filters import load_first_layers
from workflow_scripts.network.networks import load_weights
from workflow_scripts.partition.division import csv_halves
from workflow_scripts.partition.task import Task
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import read_json
from workflow_scripts.plumbing.records import Verified, read_record, record_of, verified, write_record
from workflow_scripts.results.table import read_results
from workflow_scripts.store.decode import BadImage, decode
from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.training.checkpoint import ResumeCheckpoint

pytestmark = pytest.mark.filterwarnings("ignore")  # torch has much to say of pickles

PICKLERS = {"pickle", "_pickle", "cPickle", "pickle5", "dill", "joblib", "cloudpickle", "shelve", "marshal", "sklearn"}
# What a benchmark sets beside our classifiers.
HARMLESS = {"sklearn.linear_model", "sklearn.pipeline", "sklearn.preprocessing"}
# Of pandas and PyYAML; and SciPy's reader of MAT-files, whose compiled code crashes on damaged ones.
FORBIDDEN = {"read_pickle", "to_pickle", "unsafe_load", "full_load", "load_all", "loadmat"}
MODULES = sorted([*(ROOT / "workflow_scripts").rglob("*.py"), *(ROOT / "tests" / "bench").glob("*.py")])
RULES = sorted([ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")])


def faults(tree):
    """What a syntax tree has that could unpickle or run an input."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in PICKLERS)
        elif isinstance(node, ast.ImportFrom):
            top, names = (node.module or "").split(".")[0], {alias.name for alias in node.names}
            # The calls below are known by their full names.
            pickles = top in PICKLERS and node.module not in HARMLESS
            if pickles or (top in {"numpy", "torch", "yaml"} and names & {"load", "compose"}):
                yield node.module
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if unsafe(called, {one.arg: ast.unparse(one.value) for one in node.keywords}):
                yield called


def unsafe(called, keywords):
    """Whether a call, by the name of the function and its keyword arguments, may unpickle or run what it reads."""
    name = called.split(".")[-1]
    needed = {
        "np.load": ("allow_pickle", "False"),
        "numpy.load": ("allow_pickle", "False"),
        "torch.load": ("weights_only", "True"),
        "yaml.load": ("Loader", "yaml.SafeLoader"),
        "yaml.compose": ("Loader", "yaml.SafeLoader"),
    }
    if called in needed:
        keyword, value = needed[called]
        return keywords.get(keyword) != value
    allowed = keywords.get("allow_pickle") == "True" or keywords.get("weights_only") == "False"
    return allowed or called in {"eval", "exec", "__import__"} or name in FORBIDDEN


def test_every_module_is_looked_at():
    assert len([path for path in MODULES if path.stem != "__init__"]) > 90


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_can_unpickle(path):
    assert list(faults(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_no_rule_can_unpickle(path):
    words = set(re.findall(r"\w+(?=\()|(?<=import )\w+|(?<=from )\w+", path.read_text()))
    assert not words & (PICKLERS | FORBIDDEN | {"eval", "exec", "__import__"})


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from torch import load",
        "from joblib import load",
        "import os, shelve",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "pd.read_pickle(path)",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.UnsafeLoader)",
        "eval(text)",
        "scipy.io.loadmat(path)",
    ],
)
def test_the_check_finds(code):
    assert list(faults(ast.parse(code)))


class Payload:
    """Whose unpickling makes a folder."""

    def __init__(self, sentinel):
        self.sentinel = str(sentinel)

    def __reduce__(self):
        return os.mkdir, (self.sentinel,)


@pytest.fixture
def sentinel(tmp_path):
    """A folder that is not there, nor afterwards."""
    yield tmp_path / "unpickled"
    assert not (tmp_path / "unpickled").exists()


@pytest.fixture(params=range(pickle.HIGHEST_PROTOCOL + 1))
def pickled(request, sentinel):
    """The payload as a pickle of each protocol."""
    return pickle.dumps(Payload(sentinel), protocol=request.param)


def test_the_payload_works(tmp_path):
    pickle.loads(pickle.dumps(Payload(tmp_path / "made")))
    assert (tmp_path / "made").is_dir()


READERS = {
    "task.npz": Task.load,
    "base-A.safetensors": load_weights,
    "networks/random0/seed0/base-A.safetensors": lambda path: load_first_layers([Verified(path, "", {})]),
    "b.safetensors": lambda path: load_network(path, {"architecture": "mini_caffenet", "crop": 32}, 3),
    "manifest.json": lambda path: PackedSplit(path, "train"),
    "record.json": read_record,
    "any.json": read_json,
    "verified.json": verified,
    "results.csv": read_results,
    "halves.csv": lambda path: csv_halves(["a", "b"], path),
    "train.tar": tar_index,
    "devkit.tar.gz": read_devkit,
}


@pytest.mark.parametrize("name", READERS)
def test_a_pickle_in_place_of_an_input_is_refused(tmp_path, pickled, name):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickled)
    with pytest.raises(InputError) as refusal:
        READERS[name](path)
    assert path.name in str(refusal.value)


def test_a_pickle_in_place_of_a_record_or_an_image_is_refused(tmp_path, pickled):
    path = tmp_path / "task.npz"
    path.write_bytes(pickled)
    record_of(path).write_bytes(pickled)
    with pytest.raises(InputError):
        verified(path)
    with pytest.raises(BadImage):
        decode(pickled, 8, "warp")


@pytest.mark.parametrize("folder", [True, False], ids=["folder", "archive"])
def test_a_pickle_as_meta_mat_is_refused(tmp_path, pickled, folder):
    for content in (pickled, b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + pickled):
        path = tmp_path / ("devkit" if folder else "devkit.tar.gz")
        if folder:
            (path / "data").mkdir(parents=True, exist_ok=True)
            (path / "data" / "meta.mat").write_bytes(content)
            (path / "data" / "ILSVRC2012_validation_ground_truth.txt").write_text("1\n")
        else:
            members = [("meta.mat", content), ("ILSVRC2012_validation_ground_truth.txt", b"1\n")]
            packed = tar_bytes([(f"{DEVKIT_FOLDER}/{name}", data) for name, data in members])
            path.write_bytes(gzip.compress(packed))
        with pytest.raises(InputError, match="not a readable"):
            read_devkit(path)


@pytest.mark.parametrize("sealed", [True, False])
def test_an_object_array_in_a_task_is_refused(tmp_path, sentinel, sealed):
    arrays = {name: np.zeros(1) for name in ("train_positions", "train_labels", "val_positions", "val_labels")}
    path = tmp_path / "A.npz"
    np.savez(path, **arrays, mean_image=np.array([Payload(sentinel)], dtype=object), classes=2)
    if sealed:  # by whoever made it
        write_record(record_of(path), {}, [path])
        assert verified(path).path == path
    with pytest.raises(InputError, match=r"A\.npz: it is not a readable task .*allow_pickle=False"):
        Task.load(path)


def test_a_resume_checkpoint_with_a_payload_is_refused(tmp_path, sentinel, capsys):
    checkpoint = ResumeCheckpoint(tmp_path / "job.json", {})
    for kind in ({}, {"_use_new_zipfile_serialization": False}):
        for state in (Payload(sentinel), {"key": checkpoint.key, "state": Payload(sentinel), "sha256": ""}):
            torch.save(state, checkpoint.path, **kind)
            assert checkpoint.load() is None
            assert "damaged" in capsys.readouterr().out


def test_a_pickle_as_resume_checkpoint_is_refused(tmp_path, pickled, capsys):
    checkpoint = ResumeCheckpoint(tmp_path / "job.json", {})
    checkpoint.path.write_bytes(pickled)
    assert checkpoint.load() is None
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize("saved", [torch.zeros(3), {"state": {}}, [1, 2], {"key": 1, "state": {}, "sha256": 2}, 7])
def test_a_resume_checkpoint_of_something_else_is_refused(tmp_path, capsys, saved):
    checkpoint = ResumeCheckpoint(tmp_path / "job.json", {})
    torch.save(saved, checkpoint.path)
    assert checkpoint.load() is None
    assert capsys.readouterr().out.count("\n") == 1


def test_yaml_that_makes_objects_is_refused(tmp_path, sentinel):
    path = tmp_path / "study.yaml"
    path.write_text(f"study: !!python/object/apply:os.mkdir [{str(sentinel)!r}]\n")
    with pytest.raises(InputError, match="could not determine a constructor"):
        check_config_file(path)
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(path.read_text())
    with pytest.raises(WorkflowError, match="not valid"):
        load_configfile(str(path))
