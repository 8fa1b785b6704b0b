"""A study that measures the lines between networks of two seeds, really run, from one pretrained source."""

import pandas as pd
import pytest
import yaml
from helpers import ROOT
from safetensors.torch import save_file

from workflow_scripts.network.build import new_network
from workflow_scripts.plumbing.files import read_json

pytestmark = pytest.mark.slow

TINY = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
STUDY = {"study": "lines", "dataset": TINY["dataset"], "seeds": [1, 0], "plan": {"images_per_second": 100}}
STUDY |= {"training": TINY["training"] | {"pretrained": "weights.safetensors"}, "depths": [2, 7]}
STUDY |= {"running": {"keep_curve_weights": True}, "reference": None, "figures": {"interpolation_steps": 2}}
STUDY |= {"matrix": [{"partition": "random0", "targets": ["A"], "pretrained": ["finetuned"], "selffer": ["finetuned"]}]}
KEYS = ["partition", "source", "target", "depth", "treatment"]


@pytest.fixture(scope="module")
def study(checkout):
    made = checkout("lines.yaml")
    save_file(new_network("mini_caffenet", 32, 20, "he", 5).state_dict(), made.folder / "weights.safetensors")
    write(made, STUDY)
    made.snakemake()
    return made


def write(study, config):
    (study.folder / "lines.yaml").write_text(yaml.safe_dump(config))


def test_every_pair_has_its_lines_whose_ends_are_the_networks(study):
    results = study.folder / "results/lines"
    lines = pd.read_csv(results / "tables/interpolation.csv")
    networks, points = 1 + 2 * 2, 1 + 8
    assert len(lines) == networks * points
    assert {tuple(pair) for pair in lines[["seed", "other_seed"]].to_numpy()} == {(1, 0)}
    last = pd.read_csv(results / "results.csv").set_index([*KEYS, "seed"])["top1_last"]
    whole = lines[lines["unit_number"] == 0]
    for end, seed in (("top1_at_0", "seed"), ("top1_at_1", "other_seed")):
        wanted = [last.loc[tuple(row[name] for name in [*KEYS, seed])] for _, row in whole.iterrows()]
        assert whole[end].tolist() == pytest.approx(wanted)
    assert (lines["barrier_points"] >= 0).all()
    assert (lines.groupby([*KEYS, "seed"])["top1_at_0"].nunique() == 1).all()


def test_the_report_tells_a_shared_source_from_sources_of_their_own(study):
    results = study.folder / "results/lines"
    (found,) = (one for one in read_json(results / "tables/findings.json")["findings"] if "barrier" in one["question"])
    assert "Between PnB+ of two seeds at n = 7" in found["answer"]
    assert "Both ends began as the same pretrained network, but for their fresh units above n." in found["answer"]
    assert "Each end began as a network of its own seed, so a barrier is to be expected." in found["answer"]
    assert found["answer"].count("(1 pair)") == 3
    page = (results / "report.html").read_text()
    assert "Is there a barrier between networks of two seeds?" in page
    assert (results / "figures/interpolation.png").exists()


def test_a_second_run_has_nothing_to_do_and_other_steps_train_nothing(study):
    assert "Nothing to be done" in study.snakemake("--dry-run")
    write(study, STUDY | {"figures": {"interpolation_steps": 4}})
    planned = study.snakemake("--dry-run", "--quiet", "rules")
    write(study, STUDY)
    jobs = dict(line.split()[:2] for line in planned.splitlines() if line[:1].isalpha() and len(line.split()) == 2)
    assert jobs["interpolate"] == "3"
    assert not {"train_base", "train_curve", "compare_bases"} & set(jobs)


def test_weights_that_are_not_kept_are_named_before_any_work(study):
    write(study, STUDY | {"study": "unkept", "running": {"keep_curve_weights": False}})
    printed = study.snakemake(check=False)
    write(study, STUDY)
    assert "error: configuration: figures.interpolation_steps: it needs the networks of curves." in printed
    assert not (study.folder / "results/unkept").exists()
