"""A study between two datasets: from two trees to the report. Other images in one leave what does not use it."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from workflow_scripts.plumbing.records import read_record

pytestmark = pytest.mark.slow

CLASSES = {"cars": ["crane", "truck", "van", "wagon"], "birds": ["crane", "eagle", "owl", "wren", "stork"]}
STUDY = {
    **{"study": "pair", "depths": [1, 7], "seeds": [0]},
    "matrix": [
        {
            "partition": "cars_birds",
            "halves": {"A": "cars", "B": "birds"},
            "selffer": ["frozen"],
            "transfer": ["frozen"],
        },
        {"partition": "random0", "transfer": ["frozen"], "targets": ["A"]},
    ],
    "dataset": {"name": "cars", "kind": "folder", "path": "cars"},
    "datasets": {"birds": {"kind": "folder", "path": "birds"}},
    "training": {"duration": 60, "validate_every": 10, "batch_size": 8, "stuck_after": 1000, "schedule": {"warmup": 2}},
    **{"reference": None, "plan": {"images_per_second": 100}},
}


def write_tree(folder, name, brightness):
    """Images of one colour a class, with noise, in the tree folder/name."""
    random = np.random.default_rng(brightness)
    for split, count in (("train", 8), ("val", 4)):
        for number, one in enumerate(CLASSES[name]):
            place = folder / name / split / one
            place.mkdir(parents=True)
            colour = np.array([brightness, 50 * number, 250 - 50 * number])
            for image in range(count):
                pixels = np.clip(colour + random.normal(0, 20, (36, 36, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(place / f"{image}.bmp")


@pytest.fixture(scope="module")
def study(checkout):
    """A checkout in which the study between two trees is finished."""
    study = checkout("study.yaml")
    write_tree(study.folder, "cars", 40)
    write_tree(study.folder, "birds", 200)
    (study.folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    study.snakemake()
    return study


def test_each_target_is_trained_on_the_images_of_its_own_dataset(study):
    results = pd.read_csv(study.folder / "results/pair/results.csv").fillna({"pair": ""})
    pair = results[results["partition"] == "cars_birds"]
    assert dict(pair.groupby("target")["pair"].first()) == {"A": "birds to cars", "B": "cars to birds"}
    assert dict(pair.groupby("target")["classes"].first()) == {"A": 4, "B": 5}
    assert set(results[results["partition"] == "random0"]["pair"]) == {""}
    for half, name in (("A", "cars"), ("B", "birds")):
        task = read_record(study.folder / f"results/pair/tasks/cars_birds-{half}.json")
        assert any(f"data/{name}/" in path for path in task["made_from"])
    curve = read_record(study.folder / "results/pair/curves/cars_birds/seed0/A-B-frozen/depths-1-7.json")
    stores = [path for path in curve["made_from"] if path.endswith("manifest.json")]
    assert len(stores) == 1
    assert "data/birds/" in stores[0]


def test_the_report_shows_both_ways_and_the_shared_class(study):
    page = (study.folder / "results/pair/report.html").read_text()
    for text in ("cars to birds", "birds to cars", "1 class stands in both halves"):
        assert text in page
    assert (study.folder / "results/pair/figures/pairs.png").exists()
    assert (study.folder / "results/pair/figures/hierarchy.png").exists()


def test_other_images_in_one_dataset_leave_what_does_not_use_it(study):
    shutil.rmtree(study.folder / "birds")
    shutil.rmtree(study.folder / "others", ignore_errors=True)
    write_tree(study.folder / "others", "birds", 120)
    config = yaml.safe_load(yaml.safe_dump(STUDY))
    config["datasets"]["birds"]["path"] = "others/birds"
    (study.folder / "study.yaml").write_text(yaml.safe_dump(config))
    printed = study.snakemake("--dry-run", "--quiet", "progress")
    files = set(re.findall(r"output: (\S+?),? ", printed + " "))
    packed = {file for file in files if file.startswith("data/")}
    assert packed
    assert all(file.startswith("data/birds/") for file in packed)
    trained = {file for file in files if "/curves/" in file or "/networks/" in file}
    assert "results/pair/networks/cars_birds/seed0/base-B.json" in trained
    assert not any("random0" in file or "base-A" in file or "/A-A-" in file for file in trained)
