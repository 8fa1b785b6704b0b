"""Real images through the same rules: CIFAR-100 in folders, and ILSVRC archives built from real ImageNet JPEGs."""

import io
import tarfile

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import ROOT
from PIL import Image

from workflow_scripts.dataset.sample.draw_sample import (
    DEVKIT,
    DEVKIT_FOLDER,
    TRAIN_TAR,
    VAL_TAR,
    meta_mat,
    tar_bytes,
    write_tar,
)
from workflow_scripts.plumbing.files import read_json
from workflow_scripts.store.packed import PackedSplit

SHORT = {"duration": 200, "validate_every": 50}
PLAN = {"images_per_second": 100}  # which are not measured here, to save the time


@pytest.mark.slow
def test_cifar100(checkout, shared):
    """configs/cifar100.yaml with short trainings onto B: its archive, random halves, natman from a CSV; it learns."""
    study = checkout(["configs/cifar100.yaml", "short.yaml"])
    matrix = yaml.safe_load((ROOT / "configs/cifar100.yaml").read_text())["matrix"]
    short = {
        "matrix": [entry if entry["partition"] == "whole" else entry | {"targets": ["B"]} for entry in matrix],
        "dataset": {"path": str(shared / "data" / "cifar100_small.tar")},
        "depths": [2],
        "training": SHORT,
        "plan": PLAN,
    }
    (study.folder / "short.yaml").write_text(yaml.safe_dump(short))
    study.snakemake()
    results = pd.read_csv(study.folder / "results/cifar100/results.csv")
    assert len(results) == 5 + 4 + 1 + 1
    natman = results[(results["partition"] == "natman") & (results["treatment"] == "base")].set_index("target")
    assert natman["classes"].to_dict() == {"A": 70, "B": 30}
    assert natman["train_images"].sum() == 10_000
    bases = results[results["treatment"] == "base"]
    assert (bases["top1_best10_mean"] > 2 / bases["classes"]).all()
    assert (study.folder / "results/cifar100/report.html").exists()


def imagenet_archives(folder, jpegs):
    """ILSVRC archives of eight real classes: a photograph each, as it is and cropped, some gray, some CMYK."""
    folder.mkdir()
    random = np.random.default_rng(0)
    wnids = sorted(jpegs)
    train, val = [], []
    for wnid in wnids:
        original = Image.open(io.BytesIO(jpegs[wnid])).convert("RGB")
        images = [jpegs[wnid], *(encoded(crop(original, random), number) for number in range(1, 14))]
        train.append((f"{wnid}.tar", tar_bytes([(f"{wnid}_{n}.JPEG", data) for n, data in enumerate(images[:10])])))
        val += [(wnid, data) for data in images[10:]]
    ids = {wnid: number for number, wnid in enumerate([*reversed(wnids), "n00021939", "n00001740"], start=1)}
    rows = [row(ids, wnid, []) for wnid in reversed(wnids)]
    rows += [row(ids, "n00021939", wnids[4:]), row(ids, "n00001740", [*wnids[:4], "n00021939"])]
    order = random.permutation(len(val))
    write_tar(folder / TRAIN_TAR, train)
    write_tar(folder / VAL_TAR, [(f"ILSVRC2012_val_{n:08d}.JPEG", val[p][1]) for n, p in enumerate(order, start=1)])
    truth = "".join(f"{ids[val[position][0]]}\n" for position in order).encode()
    devkit = [("meta.mat", meta_mat(rows)), ("ILSVRC2012_validation_ground_truth.txt", truth)]
    write_tar(folder / DEVKIT, [(f"{DEVKIT_FOLDER}/{name}", data) for name, data in devkit])
    return [val[position][0] for position in order]


def row(ids, wnid, children):
    return {
        **{"ILSVRC2012_ID": float(ids[wnid]), "WNID": wnid, "words": wnid, "gloss": wnid},
        **{"num_children": float(len(children)), "children": np.array([float(ids[child]) for child in children])},
        **{"wordnet_height": float(bool(children)), "num_train_images": 10.0},
    }


def crop(image, random):
    """Half to all of the picture, somewhere in it."""
    width, height = (int(side * random.uniform(0.5, 1)) for side in image.size)
    left, top = random.integers(image.width - width + 1), random.integers(image.height - height + 1)
    return image.crop((left, top, left + width, top + height))


def encoded(image, number):
    """JPEG bytes: every fourth image gray, every fifth CMYK."""
    mode = "L" if number % 4 == 0 else "CMYK" if number % 5 == 0 else "RGB"
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def jpegs(shared):
    """The bytes of eight real ImageNet photographs by WNID, four natural and four of artifacts."""
    with tarfile.open(shared / "data" / "imagenet_samples.tar") as tar:
        names = sorted(member.name for member in tar if member.isfile())
        chosen = [*names[:40:10], *names[50:90:10]]
        return {name.split("/")[-1].split("_")[0]: tar.extractfile(name).read() for name in chosen}


def test_ilsvrc_archives_of_real_photographs(checkout, jpegs, tmp_path):
    val_wnids = imagenet_archives(tmp_path / "ilsvrc", jpegs)
    study = checkout("photographs.yaml")
    config = {
        "study": "photographs",
        "depths": [3],
        "matrix": [{"partition": name, "targets": ["B"], "transfer": ["frozen"]} for name in ("random0", "natman")],
        "dataset": {"name": "photographs", "kind": "ilsvrc", "path": str(tmp_path / "ilsvrc")},
        "store": {"image_size": 72, "resize": "shortest_crop"},
        "plan": PLAN,
        "training": SHORT | {"crop": 64, "batch_size": 16, "learning_rate": {"base": 0.005}},
    }
    (study.folder / "photographs.yaml").write_text(yaml.safe_dump(config))
    study.snakemake("packed", "results")
    store = study.folder / "data/photographs/packed_72_shortest_crop"
    classes = list(pd.read_csv(store / "classes.csv")["class"])
    assert classes == sorted(jpegs)
    val = PackedSplit(store / "manifest.json", "val")
    assert [classes[index] for index in val.class_indices()] == val_wnids
    halves = read_json(study.folder / "results/photographs/partitions/natman.json")["halves"]
    assert halves == {"A": classes[:4], "B": classes[4:]}
    # Crops of the same photographs are easy to tell apart: labels and images belong together.
    bases = pd.read_csv(study.folder / "results/photographs/results.csv").query("treatment == 'base'")
    assert (bases["top1_last"] > 0.6).all()
