"""Studies that go wrong, really run: learning rates at which every network diverges, and a handful of images.

PYTHONWARNINGS makes errors of the warnings of every step's own code.
"""

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from workflow_scripts.config.figures import FIGURES
from workflow_scripts.plumbing.files import read_json

pytestmark = pytest.mark.slow

BOTH = ["frozen", "finetuned"]
TINY = {
    "depths": [2],
    "dataset": {
        "name": "tiny",
        "path": "data/tiny/archives",
        "sample": {"train_per_class": 6, "val_per_class": 2},
    },
    "training": {"batch_size": 32, "duration": 12, "validate_every": 4},
    "matrix": [
        {"partition": "random0", "targets": ["B"], "selffer": BOTH, "transfer": BOTH},
        {"partition": "natman", "targets": ["B"], "transfer": ["frozen"]},
        {"partition": "whole", "random": ["frozen"]},
    ],
    "plan": {"images_per_second": 100},
    "running": {"tensorboard": True},
}


def run(study, name, settings):
    """Run a study with warnings as errors; its results directory."""
    (study.folder / f"{name}.yaml").write_text(yaml.safe_dump({"study": name} | settings))
    study.snakemake(study=f"{name}.yaml")
    return study.folder / "results" / name


def without_nan(folder):
    """All records and tables of a results directory hold JSON without NaN, and no infinite number."""

    def refuse(text):
        raise AssertionError(text)

    for path in folder.rglob("*.json"):
        json.loads(path.read_text(), parse_constant=refuse)
    for path in folder.rglob("*.csv"):
        assert not re.search(r"(?<![\w-])-?inf(?![\w-])", path.read_text()), path


@pytest.fixture(scope="module")
def study(checkout):
    with pytest.MonkeyPatch.context() as patch:
        # Not of Snakemake's modules and not of torch's own import, which warn on their own.
        patch.setenv("PYTHONWARNINGS", "error::RuntimeWarning,error::UserWarning,error::FutureWarning")
        yield checkout("tiny.yaml")


def test_a_study_in_which_every_network_diverges_ends_in_a_report(study):
    rates = {"learning_rate": {"base": 900, "frozen": 900, "finetuned": 900}}
    results = run(study, "diverges", TINY | {"training": TINY["training"] | rates})
    table = pd.read_csv(results / "results.csv")
    assert table["diverged"].all()
    assert set(table["diverged_cause"]) == {"loss"}
    without_nan(results)
    shares = pd.read_csv(results / "tables/shares.csv", keep_default_na=False)
    assert list(shares["diverged"]) == [True] * 5 + [False]
    assert shares["not a number percent"].iloc[-1] == 0
    assert (shares["not a number percent"].iloc[:-1] == 100).any()
    similarity = pd.concat(map(pd.read_csv, (results / "similarity").glob("*.csv")))
    assert similarity["cka"].isna().any()
    others = {
        "probes",
        "preserved",
        "reduced",
        "pretrained",
        "norm_statistics",
        "target_images",
        "pairs",
        "interpolation",
        "rates",
    }  # of other studies
    assert {path.stem for path in (results / "figures").glob("*.png")} == {*FIGURES} - others
    page = (results / "report.html").read_text()
    assert f"{len(table)} of the networks diverged." in page
    assert f"No network trained: all {len(table)} diverged." in page


def test_one_diverged_treatment_leaves_the_others_as_they_are(study):
    rates = {"learning_rate": {"base": 0.02, "frozen": 900, "finetuned": 0.02}}
    matrix = [entry for entry in TINY["matrix"] if entry["partition"] != "natman"]
    results = run(study, "frozen", TINY | {"matrix": matrix, "training": TINY["training"] | rates})
    table = pd.read_csv(results / "results.csv")
    assert (table["diverged"] == (table["treatment"] == "frozen")).all()
    effects = pd.read_csv(results / "tables/effects.csv")
    assert set(effects.loc[effects["points"].notna(), "effect"]) == {
        "boost_over_base",
        "boost_over_selffer",
        "selffer_boost",
    }


def test_four_classes_of_one_image_each_are_trained(study):
    """What needs more images is left out, and the report says so."""
    random = np.random.default_rng(0)
    for split in ("train", "val"):
        for name in "abcd":
            folder = study.folder / "few" / split / name
            folder.mkdir(parents=True)
            Image.fromarray(random.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(folder / "one.png")
    matrix = [{"partition": "random0", "targets": ["B"], "selffer": ["frozen"], "transfer": BOTH}]
    settings = {"dataset": {"name": "few", "kind": "folder", "path": "few"}, "matrix": matrix}
    results = run(study, "few", TINY | settings | {"store": {"train_shards": 1}})
    table = pd.read_csv(results / "results.csv")
    assert len(table) == 2 + 3
    assert not table["diverged"].any()
    without_nan(results)
    similarity = pd.concat(map(pd.read_csv, (results / "similarity").glob("*.csv")))
    assert similarity["cka"].isna().all()
    assert set(similarity["images"]) == {2}
    page = (results / "report.html").read_text()
    assert "Linear CKA needs 4 validation images, and this task has 2." in page
    assert read_json(results / "tables/findings.json")["advice"]
