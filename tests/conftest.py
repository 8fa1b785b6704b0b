"""Shared fixtures: a drawn dataset of a few images, packed and divided once per test session."""

import os
from pathlib import Path

import pytest
from helpers import ROOT, TRAIN_PER_CLASS, VAL_PER_CLASS, pack

from workflow_scripts.draw_sample import draw_sample
from workflow_scripts.make_partition import random_halves
from workflow_scripts.make_task import make_task
from workflow_scripts.sources import open_dataset

SHARED = Path(os.environ.get("TRANSFERABILITY_SHARED", ROOT.parent / "shared"))


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
