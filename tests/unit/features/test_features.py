"""Features of sources: what a frozen curve's units give, in the task's order, for any source."""

import argparse
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import default_config, save_tasks

from workflow_scripts.features.extraction import FeatureWriter, Images, extract, source_network
from workflow_scripts.features.feature_file import FeatureFile
from workflow_scripts.features.pooling import pool_features
from workflow_scripts.network.build import new_network
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import verified, write_record
from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.study.jobs import PROBE, RANDOM, TrainingJob
from workflow_scripts.study.leaves import feature_leaves, job_leaves
from workflow_scripts.study.settings import training_settings
from workflow_scripts.training.batches import Batches
from workflow_scripts.training.engine import CurveTraining
from workflow_scripts.training.inputs import check_inputs

JOB = TrainingJob("random0", 3, RANDOM, "A", PROBE)
TRAINING = default_config()["training"] | {"batch_size": 32}


def opened_images(store, task, training=TRAINING, job=JOB):
    leaves = feature_leaves(training, job)
    return leaves, Images(store, task, task.mean_image, leaves, 1)


def test_features_are_those_of_the_frozen_units(store, tasks, tmp_path):
    task = tasks["A"]
    leaves, images = opened_images(store, task)
    network = source_network(JOB, leaves, images, None)
    units = extract(network, images, tmp_path / "features.npy")
    assert [unit["unit"] for unit in units] == network.names[:-1]
    times = [unit["milliseconds"] for unit in units]
    assert times == sorted(times)
    assert times[0] > 0
    made = FeatureFile(
        np.load(tmp_path / "features.npy", mmap_mode="r"), [unit["features"] for unit in units], images.numbers
    )
    curve = CurveTraining(
        replace(JOB, treatment="frozen", depths=(7,)),
        training_settings(job_leaves(TRAINING, replace(JOB, treatment="frozen")), len(task.train_labels)),
        Batches(*_splits(store), task, task.mean_image, 32, TRAINING["input_scale"], torch.device("cpu")),
        None,
    )
    batch, labels = next(curve.batches.validation(1000))
    assert labels.tolist() == task.val_labels.tolist()
    for depth, output in enumerate(curve._prefix_outputs(batch, None)[1:], start=1):
        wanted, found = pool_features(output), torch.from_numpy(np.array(made.of(depth, "val"))).float()
        scale = (found * wanted).sum() / (wanted * wanted).sum()  # a power of two
        assert math.log2(scale) == pytest.approx(round(math.log2(scale)), abs=1e-3)
        assert torch.allclose(found / scale, wanted, rtol=2e-3, atol=1e-3 * float(wanted.abs().max()))
    assert made.of(1, "train").shape[0] == len(task.train_labels)


def _splits(store):
    return [PackedSplit(store, split) for split in ("train", "val")]


def test_batches_do_not_change_features(store, tasks, tmp_path):
    files = []
    for size in (7, 32):
        leaves, images = opened_images(store, tasks["A"], TRAINING | {"batch_size": size})
        units = extract(source_network(JOB, leaves, images, None), images, tmp_path / f"{size}.npy")
        files.append(np.load(tmp_path / f"{size}.npy").astype(np.float32))
    assert len(units) == 7
    scales = files[0][files[1] != 0] / files[1][files[1] != 0]
    assert set(np.round(np.log2(scales[scales > 0]), 1)) <= {-1.0, 0.0, 1.0}


def test_untrained_norms_use_statistics_of_the_targets_images(store, tasks):
    training = TRAINING | {"architecture": "cifar_resnet20", "input": "channels", "crop": 32}
    training["channels"] = {"mean": [0.5] * 3, "std": [0.25] * 3}
    leaves, images = opened_images(store, tasks["A"], training)
    assert leaves["norm_statistics"] == "target"
    network = source_network(JOB, leaves, images, None)
    fresh = new_network("cifar_resnet20", 32, images.task.classes, "he", JOB.random_source_seed())
    assert torch.equal(network.state_dict()["layer1.0.conv1.weight"], fresh.state_dict()["layer1.0.conv1.weight"])
    assert not torch.equal(network.state_dict()["bn1.running_mean"], fresh.state_dict()["bn1.running_mean"])


def test_features_that_are_no_numbers_stay_so(tmp_path):
    writer = FeatureWriter(tmp_path / "f.npy", {"train": 2, "val": 1})
    writer.add("train", [torch.tensor([[1e30, 2e30], [math.inf, 1.0]])])
    writer.add("val", [torch.tensor([[math.nan, 4e36]])])
    train, val = writer.file.of(1, "train"), writer.file.of(1, "val")
    assert np.isnan([train[1, 0], val[0, 0]]).all()
    assert train[0, 1] == 2 * train[0, 0]
    assert val[0, 1] == 65504  # the most that float16 holds


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "features.npy"
    np.save(path, np.zeros(5, dtype=np.float16))
    record = {"units": [{"features": 2}], "images": {"train": 2, "val": 1}}
    write_record(tmp_path / "features.json", record, [path])
    with pytest.raises(InputError, match=r"features\.npy: it holds no readable features.*Delete"):
        FeatureFile.open(verified(path))


def test_a_source_of_a_different_study_is_refused(store, tasks, tmp_path):
    save_tasks(tasks, store, tmp_path)
    weights = tmp_path / "base.safetensors"
    weights.write_bytes(b"weights")
    leaves = feature_leaves(TRAINING, replace(JOB, source="A"))
    base = TrainingJob.base("random0", 3, "A")
    for found in (leaves, leaves | {"batch_size": 1}):
        record = {"networks": base.networks, "leaves": found}
        write_record(tmp_path / "base.json", record, [weights], [tmp_path / "A.npz"])
        task = verified(tmp_path / "A.npz")
        args = argparse.Namespace(
            manifest=verified(store), task=task, source_task=task, source_weights=verified(weights), settings=leaves
        )
        if found == leaves:
            check_inputs(replace(JOB, source="A"), args)
            continue
        with pytest.raises(InputError, match=r"batch_size is 1, expected 32"):
            check_inputs(replace(JOB, source="A"), args)
    assert json.loads((tmp_path / "base.json").read_text())["leaves"]["batch_size"] == 1
