"""Shared fixtures: a drawn dataset of a few images, packed and divided once per test session, and ImageNet's labels and
hierarchy from public packages."""

import csv
import hashlib
import http.client
import io
import os
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import pytest
from checkout import Checkout
from helpers import PYTHON, ROOT, SAMPLE, TRAIN_PER_CLASS, VAL_PER_CLASS, pack
from made_up_study import STUDY, records_in, write_study
from matplotlib import pyplot

from workflow_scripts.dataset.sample.draw_sample import draw_sample
from workflow_scripts.dataset.sources import open_dataset
from workflow_scripts.partition.division import random_halves
from workflow_scripts.partition.make_task import make_task
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.results.aggregate import result_table
from workflow_scripts.results.groups import load_results

if not Path(PYTHON).exists():
    pytest.exit(f"{PYTHON} is missing: it runs the workflow. Run make environment.", returncode=4)

SHARED = Path(os.environ.get("TRANSFERABILITY_SHARED", ROOT.parent / "shared"))


@pytest.fixture(autouse=True)
def closed_figures():
    """Close the figures that a test has drawn."""
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A function that makes a Checkout for a study."""
    return lambda study: Checkout(tmp_path_factory.mktemp("checkout"), study)


@pytest.fixture(scope="session")
def shared():
    """The project's shared folder of real data; tests that need it skip where it is missing."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is missing: it holds the real images that this test needs")
    return SHARED


@pytest.fixture(scope="session")
def archives(tmp_path_factory):
    """A folder with the sample's three archives, a few images a class."""
    folder = tmp_path_factory.mktemp("archives")
    drawn = draw_sample(folder, 0, TRAIN_PER_CLASS, VAL_PER_CLASS, processes=2)
    write_record(folder / "sample.json", {"files": drawn})
    return folder


@pytest.fixture(scope="session")
def store(archives, tmp_path_factory):
    """The manifest of the packed store of `archives`."""
    return pack(SAMPLE, archives, tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def halves(archives):
    """The class names of random0's halves."""
    return random_halves(list(open_dataset(SAMPLE, str(archives)).class_list().names), 0)


@pytest.fixture(scope="session")
def tasks(store, halves):
    """The tasks A and B of random0."""
    return {half: make_task(store, names) for half, names in halves.items()}


@pytest.fixture
def study_folder(tmp_path):
    """The records of a study that nobody trained, below its results directory."""
    return write_study(tmp_path)


@pytest.fixture
def results(study_folder):
    """The results of that study (groups.load_results)."""
    result_table(records_in(study_folder), STUDY).to_csv(study_folder / "results.csv", index=False)
    return load_results(study_folder / "results.csv")


@pytest.fixture(scope="session")
def true_validation_labels(tmp_path_factory):
    """ILSVRC-2012's true validation labels, a WNID a line in validation order, as tensorflow-datasets holds them."""
    folder = tmp_path_factory.mktemp("labels")
    package = "tensorflow-datasets==4.9.10"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), package]
    try:
        subprocess.run(command, capture_output=True, check=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"{package}, which holds ILSVRC's validation labels, cannot be downloaded: {error}")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        labels = wheel.read("tensorflow_datasets/datasets/imagenet2012/validation_labels.txt")
    (folder / "labels.txt").write_bytes(labels)
    return folder / "labels.txt"


WORDNET = "https://registry.npmjs.org/WNdb/-/WNdb-3.0.1.tgz"
WORDNET_SHA256 = "cd221797d9b40102199106003343b2176d8c43093cdaa6fb8a4ceb8840c90557"


@pytest.fixture(scope="session")
def real_hierarchy(shared):
    """ImageNet's 1000 classes and the (parent, child) edges above them in WordNet 3.0, whose offsets WNIDs are."""
    try:
        with urllib.request.urlopen(WORDNET, timeout=60) as response:
            package = response.read()
    except (OSError, http.client.HTTPException) as error:
        pytest.skip(f"WordNet 3.0 cannot be downloaded from {WORDNET}: {error}")
    assert hashlib.sha256(package).hexdigest() == WORDNET_SHA256
    with tarfile.open(fileobj=io.BytesIO(package)) as outer:
        inner = outer.extractfile("package/WNdb-3.0.tar.gz").read()
    with tarfile.open(fileobj=io.BytesIO(inner)) as tar:
        lines = tar.extractfile("dict/data.noun").read().decode("latin-1").splitlines()
    parents = dict(map(_synset_and_parents, (line for line in lines if not line.startswith(" "))))
    with open(shared / "reference" / "imagenet_natural_manmade.csv", encoding="utf-8") as file:
        classes = [row["wnid"] for row in csv.DictReader(file)]
    edges, waiting = set(), list(classes)
    while waiting:
        child = waiting.pop()
        new = {(parent, child) for parent in parents[child]} - edges
        edges |= new
        waiting.extend(parent for parent, _ in new)
    return classes, sorted(edges)


def _synset_and_parents(line):
    """The WNID of a line of WordNet's data.noun and those of its hypernyms (wndb(5WN) describes the format)."""
    fields = line.split(" | ")[0].split()
    pointers = fields[5 + 2 * int(fields[3], 16) :]
    found = [pointers[start + 1] for start in range(0, len(pointers), 4) if pointers[start] in ("@", "@i")]
    return f"n{fields[0]}", [f"n{offset}" for offset in found]
