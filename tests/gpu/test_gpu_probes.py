"""Features and linear probes on a GPU: the CPU's within rounding, and the same bits each time."""

import numpy as np
import pytest
import safetensors.torch
import torch
from gpu_tools import DEVICE, finish, settings_of, start, weights_of

from workflow_scripts.features.extraction import Images, extract, source_network
from workflow_scripts.features.feature_file import FeatureFile
from workflow_scripts.features.train_probes import train_probes
from workflow_scripts.study.jobs import PROBE, TrainingJob

LEAVES = {"architecture": "cifar_resnet20", "init": "he", "crop": 32, "input": "mean_image", "input_scale": 1 / 64}
LEAVES |= {"batch_size": 32, "norm_statistics": "source", "precision": "fp32"}
DEPTHS = (1, 5, 10)


@pytest.fixture(scope="module")
def weights(batches_of, tmp_path_factory):
    """A file of the weights of a briefly trained network."""
    learner = finish(start(batches_of("cifar_resnet20"), settings_of("cifar_resnet20")))[0]
    path = tmp_path_factory.mktemp("weights") / "base.safetensors"
    safetensors.torch.save_file({name: one.contiguous() for name, one in weights_of(learner).items()}, path)
    return path


@pytest.fixture
def features(store, tasks, weights, tmp_path):
    """A function that gives the file of features of a source on a device."""

    def computed(source, device, name):
        job, leaves = TrainingJob("random0", 0, source, "B", PROBE, depths=DEPTHS), LEAVES | {"device": device}
        leaves |= {"norm_statistics": "target"} if source == "random" else {}
        images = Images(store, tasks["B"], tasks["B"].mean_image, leaves, 1)
        network = source_network(job, leaves, images, None if source == "random" else weights)
        units = extract(network, images, tmp_path / name)
        return FeatureFile(np.load(tmp_path / name), [unit["features"] for unit in units], images.numbers)

    return computed


@pytest.mark.parametrize("source", ["A", "random"])
def test_features_are_the_cpus_and_the_same_bits_each_time(features, source):
    here, there, again = (
        features(source, *where) for where in (("cpu", "c.npy"), (DEVICE, "g.npy"), (DEVICE, "h.npy"))
    )
    for depth in DEPTHS:
        expected, found = (np.asarray(one.of(depth, "val"), dtype=np.float32) for one in (here, there))
        assert np.abs(found - expected).max() < 0.01 * np.abs(expected).max()
        assert np.array_equal(there.of(depth, "train"), again.of(depth, "train"))


def test_probes_are_the_cpus_and_the_same_bits_each_time(features, tasks):
    """The penalty may differ by half a decade where two are as good; accuracy by few images."""
    file, task = features("A", DEVICE, "g.npy"), tasks["B"]
    rows = np.arange(len(task.train_labels))
    (here, _), (there, tensors), (_, again) = (
        list(zip(*train_probes(file, rows, task, DEPTHS, device, 0), strict=True)) for device in ("cpu", DEVICE, DEVICE)
    )
    for expected, found, one, other in zip(here, there, tensors, again, strict=True):
        assert abs(np.log10(expected["penalty"] / found["penalty"])) < 0.6
        assert abs(expected["top1"] - found["top1"]) <= 0.03
        assert all(torch.equal(one[name], other[name]) for name in one)
