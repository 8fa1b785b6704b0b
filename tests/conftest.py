"""Shared fixtures: a drawn dataset of a few images, packed and divided once per test session."""

import os
from pathlib import Path

import pytest

from workflow_scripts.draw_sample import draw_sample
from workflow_scripts.files import write_json
from workflow_scripts.make_partition import random_halves
from workflow_scripts.make_task import make_task
from workflow_scripts.pack_manifest import class_table, manifest
from workflow_scripts.pack_shard import pack_shard
from workflow_scripts.sources import open_dataset

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("TRANSFERABILITY_SHARED", ROOT.parent / "shared"))
TRAIN_PER_CLASS, VAL_PER_CLASS, SIZE = 6, 3, 36


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
    draw_sample(folder, 0, TRAIN_PER_CLASS, VAL_PER_CLASS, processes=2)
    return folder


def pack(kind, path, folder, size=SIZE, max_bad_fraction=0.0, train_shards=2):
    """Pack a dataset into `folder` in this process; returns the path of the manifest."""
    dataset = open_dataset(kind, str(path))
    records = []
    for split, shards in (("train", train_shards), ("val", 1)):
        for shard in range(shards):
            prefix = folder / f"{split}-{shard:03d}"
            record = pack_shard(dataset, split, shard, shards, size, "warp", max_bad_fraction, 1, str(prefix))
            write_json(f"{prefix}.json", record)
            records.append(prefix.with_name(f"{prefix.name}.json"))
    class_table(dataset.class_list(), records).to_csv(folder / "classes.csv")
    write_json(folder / "manifest.json", manifest(size, records))
    return folder / "manifest.json"


@pytest.fixture(scope="session")
def store(archives, tmp_path_factory):
    """The manifest of the packed store of `archives`."""
    return pack("sample", archives, tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def halves(archives):
    """The class names of random0's halves."""
    return random_halves(list(open_dataset("sample", str(archives)).class_list().names), 0)


@pytest.fixture(scope="session")
def tasks(store, halves):
    """The tasks A and B of random0."""
    return {half: make_task(store, names) for half, names in halves.items()}
