"""Probes of all depths: what chooses them, what they say, and how they are gathered."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch

from workflow_scripts.features.feature_file import FeatureFile
from workflow_scripts.features.train_probes import ALL_UNITS, rows_of, train_probes
from workflow_scripts.partition.task import Task
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import Verified, write_record
from workflow_scripts.results.gather_probes import accuracy_interval, check_probes, gap_interval, probe_table
from workflow_scripts.study.columns import PROBE_COLUMNS

CLASSES, TRAIN, VAL = 4, 80, 200
UNITS = pd.DataFrame({"parameters_share": [0.1, 0.4, 1.0], "multiplications_share": [0.5, 0.9, 1.0]}, index=[1, 2, 3])


def made_task(seed=0):
    random = np.random.default_rng(seed)
    train, val = (np.arange(count) % CLASSES for count in (TRAIN, VAL))
    return Task(np.arange(TRAIN) * 2, train, np.arange(VAL), random.permutation(val), np.zeros((1, 1, 3)), CLASSES)


def made_features(task, signals=(0.3, 4.0, 1.5), width=12):
    """A unit for each of `signals`: by how much a feature of the image's class stands out."""
    random = np.random.default_rng(1)
    blocks = []
    for signal in signals:
        for labels in (task.train_labels, task.val_labels):
            block = random.normal(size=(len(labels), width))
            block[np.arange(len(labels)), labels] += signal
            blocks.append(block.ravel())
    values = np.concatenate(blocks).astype(np.float16)
    return FeatureFile(values, [width] * len(signals), {"train": TRAIN, "val": VAL})


def probes(task, features, depths=(1, 2, 3), seed=0, rows=None):
    rows = np.arange(len(task.train_labels)) if rows is None else rows
    return list(train_probes(features, rows, task, depths, "cpu", seed))


def test_better_features_make_better_probes():
    task = made_task()
    found = [said for said, _ in probes(task, made_features(task))]
    assert [said["depth"] for said in found] == [1, 2, 3, None]
    assert [said["features"] for said in found] == [12, 12, 12, 36]
    assert found[0]["top1"] < found[2]["top1"] < found[1]["top1"]
    assert found[1]["top1"] > 1.5 / CLASSES
    assert all(said["top5"] == 1 for said in found)  # of four classes
    assert found[1]["held_out_top1"] > found[0]["held_out_top1"]
    assert len(probes(task, made_features(task), depths=(2,))) == 1  # no probe on all depths together


def test_no_validation_image_chooses_anything():
    task = made_task()
    features = made_features(task)
    swapped = replace(task, val_labels=(task.val_labels + 1) % CLASSES)
    for (said, tensors), (other, others) in zip(probes(task, features), probes(swapped, features), strict=True):
        for name in ("penalty", "held_out_top1", "iterations"):
            assert said[name] == other[name]
        for name in ("weight", "bias", "mean", "std"):
            assert torch.equal(tensors[name], others[name])
        assert said["top1"] != other["top1"]


def test_drawn_images_use_the_features_of_all():
    task = made_task()
    features = made_features(task)
    few = replace(task, train_positions=task.train_positions[:20], train_labels=task.train_labels[:20])
    rows = rows_of(few.train_positions, task.train_positions, "few.npz")
    assert rows.tolist() == list(range(20))
    fewer = sum(said["top1"] for said, _ in probes(few, features, rows=rows))
    all_of_them = sum(said["top1"] for said, _ in probes(task, features))
    assert fewer < all_of_them
    with pytest.raises(InputError, match=r"few\.npz: it has images without features"):
        rows_of(np.array([3]), task.train_positions, "few.npz")


def test_features_that_are_no_numbers_have_no_probe():
    task = made_task()
    features = made_features(task)
    features.of(2, "val")[0, 0] = np.nan
    found = probes(task, features)
    assert [said["diverged"] for said, _ in found] == [False, True, False, True]
    assert found[1][1] == {}
    assert "top1" not in found[1][0]


def test_a_class_of_one_image_holds_nothing_out():
    task = made_task()
    few = replace(task, train_positions=task.train_positions[:4], train_labels=task.train_labels[:4])
    (said, _), *_ = probes(few, made_features(task), rows=np.arange(4))
    assert said["held_out_top1"] is None
    assert said["top1"] > 0


def gathered(found, **changes):
    record = {"partition": "whole", "source": "pretrained", "target": "whole", "seed": 0, "classes": CLASSES}
    record |= {"majority_share": 0.25, "train_images": TRAIN, "val_images": VAL} | changes
    probes = [said | {"unit": f"unit{said['depth']}" if said["depth"] else ALL_UNITS} for said, _ in found]
    rights = {f"{said['depth'] or 'all'}.right": one["right"].numpy() for said, one in found if one}
    return probe_table([record | {"probes": probes}], [rights], UNITS)


def test_the_table_has_intervals_and_shares():
    task = made_task()
    table = gathered(probes(task, made_features(task)))
    assert list(table.columns) == [name for name in PROBE_COLUMNS if name != "pair"]
    assert table["depth"].tolist()[:3] == [1, 2, 3]
    assert table["depth"].isna().tolist() == [False, False, False, True]
    assert ((table["top1_low"] < table["top1"]) & (table["top1"] < table["top1_high"])).all()
    assert table["last_gap"].isna().tolist() == [False, False, True, False]
    assert table["last_gap"][1] == pytest.approx(table["top1"][1] - table["top1"][2])
    assert table["last_gap_low"][1] < table["last_gap"][1] < table["last_gap_high"][1]
    assert table["together_gap"].isna().tolist() == [False, False, False, True]
    assert table["together_gap"][0] == pytest.approx(table["top1"][3] - table["top1"][0])
    assert table["together_gap_low"][0] < table["together_gap"][0] < table["together_gap_high"][0]
    assert table["parameters_share"].tolist()[:3] == [0.1, 0.4, 1.0]


def test_a_diverged_probe_has_a_row_without_a_score():
    task = made_task()
    features = made_features(task)
    features.of(3, "train")[:] = np.inf
    table = gathered(probes(task, features))
    assert table["diverged"].tolist() == [False, False, True, True]
    assert table["top1"].isna().tolist() == [False, False, True, True]
    assert table["last_gap"].isna().all()  # the last one has no score
    assert table["together_gap"].isna().all()


def test_intervals_cover_the_truth():
    random = np.random.default_rng(0)
    inside = both = 0
    for _ in range(200):
        first = random.random(300) < 0.7
        second = np.where(random.random(300) < 0.3, random.random(300) < 0.5, first)
        accuracy, gap = accuracy_interval(first), gap_interval(first, second, "last_gap")
        inside += accuracy["top1_low"] <= 0.7 <= accuracy["top1_high"]
        both += gap["last_gap_low"] <= 0.3 * (0.7 - 0.5) <= gap["last_gap_high"]
    assert inside > 180
    assert both > 180
    same = gap_interval(first, first, "last_gap")
    assert same["last_gap"] == 0
    assert np.isnan(same["last_gap_low"])


def test_records_of_a_different_study_are_refused(tmp_path):
    study = {"seeds": [0], "depths": [1, 2], "matrix": [{"partition": "whole", "random": ["probe"]}]}
    study["training"] = {"init": "he", "norm_statistics": "source"}
    record = {"partition": "whole", "source": "random", "target": "whole", "seed": 0}
    for depths, wrong in (((1, 2, None), None), ((1, None), "other depths"), ((1, 2, None), "source is")):
        named = record | ({"source": "A"} if wrong == "source is" else {})
        write_record(tmp_path / "p.json", named | {"probes": [{"depth": depth} for depth in depths]})
        file = Verified(tmp_path / "p.json", "", safetensors_record(tmp_path / "p.json"))
        if wrong is None:
            check_probes(study, [file])
        else:
            with pytest.raises(InputError, match=wrong):
                check_probes(study, [file])


def safetensors_record(path):
    return pd.read_json(path, typ="series").to_dict()


def test_tensors_can_be_saved(tmp_path):
    task = made_task()
    for said, tensors in probes(task, made_features(task)):
        safetensors.torch.save_file(tensors, tmp_path / "probe.safetensors")
        assert tensors["right"].sum().item() == round(said["top1"] * VAL)
