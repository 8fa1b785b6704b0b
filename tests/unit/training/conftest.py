import pytest
import torch

from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.training.batches import Batches


@pytest.fixture(scope="module")
def batches(store, tasks):
    """The batches of half B, less the mean image of half A."""
    splits = PackedSplit(store, "train"), PackedSplit(store, "val")
    return Batches(*splits, tasks["B"], tasks["A"].mean_image, 32, 1 / 64, torch.device("cpu"))
