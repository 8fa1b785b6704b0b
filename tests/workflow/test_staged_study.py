"""A study with controls of fine-tuning, really run: staged networks, base networks trained twice as long, and rates."""

import re

import pandas as pd
import pytest
import yaml
from helpers import ROOT

pytestmark = pytest.mark.slow

TINY = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
RATES = {"base": 0.02, "frozen": 0.02, "finetuned": [0.02, 0.002]}
ENTRY = {"partition": "random0", "targets": ["B"], "depths": [1, 7], "transfer": ["frozen", "finetuned", "staged"]}
ENTRY |= {"selffer": ["staged"], "base_twice": True}


@pytest.fixture(scope="module")
def study(checkout):
    """A checkout in which the study is finished."""
    made = checkout("controls.yaml")
    write(made)
    made.snakemake()
    return made


@pytest.fixture(scope="module")
def results(study):
    """The study's results table."""
    return pd.read_csv(study.folder / "results/controls/results.csv")


def write(study, rates=RATES, **changes):
    """Write the study's configuration."""
    config = TINY | {"study": "controls", "matrix": [ENTRY | changes], "plan": {"images_per_second": 100}}
    config["training"] = TINY["training"] | {"learning_rate": rates}
    (study.folder / "controls.yaml").write_text(yaml.safe_dump(config))


def planned(study):
    """The trainings that a dry run plans, with their numbers."""
    return dict(re.findall(r"^(train_base|train_curve) +(\d+)$", study.snakemake("--dry-run"), re.M))


def test_each_control_is_trained_for_its_time_and_on_images_that_are_not_held_out(results):
    of_target = results[results["target"] == "B"]
    assert of_target.groupby(["source", "treatment"])["iterations"].unique().map(list).to_dict() == {
        **{("A", "frozen"): [12], ("A", "finetuned"): [12], ("A", "staged"): [24]},
        **{("B", "base"): [12], ("B", "base_twice"): [24], ("B", "staged"): [24]},
    }
    assert results["train_images"].unique().tolist() == [20 * (12 - 1)]
    assert results["held_out_top1"].between(0, 1).all()
    rates = results.groupby("treatment")["learning_rate"].unique().map(sorted).to_dict()
    several = {key: [0.002, 0.02] for key in ("finetuned", "staged")}
    assert rates == {key: [0.02] for key in ("base", "base_twice", "frozen")} | several


def test_the_first_stage_is_the_frozen_curve(study):
    readings = pd.read_csv(study.folder / "results/controls/learning_curves.csv")
    frozen, staged = (readings[readings["treatment"] == one] for one in ("frozen", "staged"))
    keys = ["source", "depth", "iteration"]
    first = frozen[[*keys, "top1"]].merge(staged[[*keys, "top1"]], on=keys, suffixes=("", "_staged"))
    assert len(first) == 2 * 3 * 2  # depths, readings and rates of the second stage
    assert (first["top1"] == first["top1_staged"]).all()


def test_one_rate_of_each_network_is_reported(study, results):
    table = pd.read_csv(study.folder / "results/controls/tables/rates.csv")
    assert len(table) == (results["treatment"].isin(["finetuned", "staged"])).sum()
    assert (table.groupby(["source", "treatment", "depth"])["chosen"].sum() == 1).all()
    best = table.loc[table.groupby(["source", "treatment", "depth"])["held_out"].idxmax(), "chosen"]
    assert best.all()
    page = (study.folder / "results/controls/report.html").read_text()
    for said in ("Which learning rates were chosen?", "Does staged training help?"):
        assert said in page
    assert "A base network trained twice as long, for the durations of the source and AnB+ together," in page
    assert (study.folder / "results/controls/figures/rates.png").stat().st_size > 10_000


def test_a_further_rate_trains_its_own_networks_only(study):
    assert planned(study) == {}
    write(study, RATES | {"finetuned": [0.02, 0.002, 0.1]})
    assert planned(study) == {"train_curve": "3"}
    write(study, RATES | {"finetuned": 0.02})  # no image is held out
    assert planned(study) == {"train_base": "3", "train_curve": "4"}


def test_rates_that_no_network_tries_hold_out_no_images(checkout):
    made = checkout("controls.yaml")
    for treatment, held_out in (("frozen", False), ("finetuned", True)):
        write(made, RATES | {"finetuned": 0.02, treatment: [0.02, 0.002]}, transfer=["finetuned"], selffer=["staged"])
        printed = made.snakemake("--dry-run", "--printshellcmds").splitlines()
        commands = [line for line in printed if "workflow_scripts.training.train " in line]
        assert {"held_out_share" in one for one in commands} == {held_out}
