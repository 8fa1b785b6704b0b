"""A study with the controls of fine-tuning, really run: staged networks and base networks trained twice as long."""

import re

import pandas as pd
import pytest
import yaml
from helpers import ROOT

pytestmark = pytest.mark.slow

TINY = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
ENTRY = {"partition": "random0", "targets": ["B"], "transfer": ["frozen", "finetuned"]}


@pytest.fixture(scope="module")
def study(checkout):
    """A checkout in which a study without the controls is finished."""
    made = checkout("controls.yaml")
    write(made, ENTRY)
    made.snakemake()
    return made


def write(study, entry, **changes):
    """Write the study's configuration."""
    config = TINY | {"study": "controls", "matrix": [entry], "plan": {"images_per_second": 100}} | changes
    (study.folder / "controls.yaml").write_text(yaml.safe_dump(config))


def planned(study):
    """The trainings that a dry run plans, with their numbers."""
    return dict(re.findall(r"^(train_base|train_curve) +(\d+)$", study.snakemake("--dry-run"), re.M))


def test_the_controls_are_trained_beside_what_is_there(study):
    more = ENTRY | {"transfer": ["frozen", "finetuned", "staged"], "selffer": ["staged"], "base_twice": True}
    write(study, more)
    assert planned(study) == {"train_base": "1", "train_curve": "2"}
    study.snakemake()
    table = pd.read_csv(study.folder / "results/controls/results.csv")
    iterations = table[table["target"] == "B"].groupby(["source", "treatment"])["iterations"].unique().map(list)
    assert iterations.to_dict() == {
        **{("A", "frozen"): [12], ("A", "finetuned"): [12], ("A", "staged"): [24]},
        **{("B", "base"): [12], ("B", "base_twice"): [24], ("B", "staged"): [24]},
    }
    readings = pd.read_csv(study.folder / "results/controls/learning_curves.csv")
    frozen, staged = (readings[readings["treatment"] == one] for one in ("frozen", "staged"))
    keys = ["source", "depth", "iteration"]
    first = frozen[[*keys, "top1"]].merge(staged[[*keys, "top1"]], on=keys, suffixes=("", "_staged"))
    assert len(first) == 9
    assert (first["top1"] == first["top1_staged"]).all()  # the first stage is the frozen curve
    page = (study.folder / "results/controls/report.html").read_text()
    assert "Does it help to train the new units first?" in page
    assert "A base network trained twice as long, equal in total training," in page
    assert planned(study) == {}
    write(study, more, training=TINY["training"] | {"learning_rate": {"finetuned": 0.01}})
    assert planned(study) == {"train_curve": "3"}  # fine-tuned and staged ones
