"""Datasets as people download them, through survey, packing and one base network and curve: from the tar, unchanged."""

import pandas as pd
import pytest
import yaml

from workflow_scripts.plumbing.files import read_json
from workflow_scripts.store.packed import PackedSplit

pytestmark = pytest.mark.slow

LAYOUTS = {
    "caltech101": {
        "path": "caltech101_small.tar",
        "split": {"val_per_class": 10, "seed": 0},
        "exclude": ["BACKGROUND_Google"],
    },
    "tiny_imagenet": {"path": "tiny_imagenet_small.tar"},
}
EXPECTED = {
    "caltech101": {"classes": 101, "val": 1010, "left_out": 0, "read_from": "drawn from <class>/"},
    "tiny_imagenet": {
        **{"classes": 20, "val": 1000, "left_out": 20},
        "read_from": "val/images/, with the classes of val/val_annotations.txt",
    },
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_tar_as_it_was_downloaded_becomes_a_result(checkout, shared, name):
    study = checkout(f"{name}.yaml")
    dataset = LAYOUTS[name] | {"name": name, "kind": "folder", "path": str(shared / "data" / LAYOUTS[name]["path"])}
    config = {
        **{"study": name, "depths": [1], "dataset": dataset},
        "matrix": [{"partition": "random0", "transfer": ["frozen"], "targets": ["B"]}],
        "training": {"duration": 20, "validate_every": 10, "stuck_after": 20},
        "reference": None,
    }
    (study.folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    study.snakemake("packed")
    store, expected = study.folder / f"data/{name}/packed_36_warp", EXPECTED[name]
    survey = read_json(store / "survey.json")
    assert survey["classes"] == expected["classes"]
    assert survey["images"]["val"] == expected["val"] == len(PackedSplit(store / "manifest.json", "val"))
    assert survey["left_out"] == expected["left_out"]
    assert survey["read_from"]["val"] == expected["read_from"]
    log = (store / "logs/survey_dataset.log").read_text()
    assert f"Validation images: {expected['val']} in {expected['read_from']}\n" in log
    lists = pd.read_csv(store / "split.csv")
    assert lists.columns.to_list() == ["path", "label", "split"]
    if "split" in dataset:
        assert lists["split"].value_counts().to_dict() == survey["images"]
        drawn = set(lists.loc[lists["split"] == "val", "path"])
        assert drawn == set(pd.read_csv(store / "val-000.csv")["name"])
    else:
        assert lists.empty
    study.snakemake("results")
    results = pd.read_csv(study.folder / f"results/{name}/results.csv")
    assert sorted(results["treatment"]) == ["base", "base", "frozen"]
    assert results["classes"].sum() == expected["classes"] + results.query("treatment == 'frozen'")["classes"].item()
    assert "Nothing to be done" in study.snakemake("results")
