"""make test-gpu: what a GPU computes, beside what the CPU does; skipped where there is none.

TRANSFERABILITY_GPU_TESTS_ON=cpu runs them on the CPU, to test the tests.
"""

import os

import pytest
import torch
from gpu_tools import DEVICE
from made_up_store import write_noise

from workflow_scripts.partition.task import Task
from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.training.batches import Batches
from workflow_scripts.training.devices import set_deterministic


@pytest.fixture(scope="session", autouse=True)
def deterministic():
    """As a training job begins; a skip where there is no GPU."""
    set_deterministic(min(6, os.cpu_count()) if DEVICE == "cuda" else 1)
    if DEVICE == "cuda" and not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA device here")


@pytest.fixture(scope="session")
def noise(tmp_path_factory):
    """Manifest and task of a store of images of the paper's size."""
    return write_noise(tmp_path_factory.mktemp("noise"), size=256, classes=16, images=64)


@pytest.fixture(scope="session")
def batches_of(store, tasks, noise):
    """A function that gives the batches of an architecture's images on a device."""

    def build(architecture, device=DEVICE):
        large = architecture == "caffenet"
        manifest, task = (noise[0], Task.load(noise[1])) if large else (store, tasks["B"])
        splits = PackedSplit(manifest, "train"), PackedSplit(manifest, "val")
        readers = 2 if device == "cuda" else 0
        return Batches(*splits, task, task.mean_image, 227 if large else 32, 1 / 64, torch.device(device), readers)

    return build
