"""Probes in a study, really run: their table, what makes them stale, and that features are computed once."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import ROOT

pytestmark = pytest.mark.slow

TINY = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
MATRIX = [
    {"partition": "random0", "targets": ["B"], "transfer": ["frozen", "probe"], "random": ["probe"]},
    {"partition": "random0", "targets": ["B"], "transfer": ["probe"], "target_images_per_class": [2]},
]
TABLE = "results/probing/tables/probes.csv"


@pytest.fixture(scope="module")
def study(checkout):
    """A checkout in which a study with probes is finished."""
    made = checkout("probing.yaml")
    write(made, MATRIX)
    made.snakemake()
    return made


def write(study, matrix, **changes):
    """Write the study's configuration."""
    config = TINY | {"study": "probing", "matrix": matrix, "plan": {"images_per_second": 100}} | changes
    (study.folder / "probing.yaml").write_text(yaml.safe_dump(config))


def stale(study):
    """The rules of probes that a dry run plans, with their numbers of jobs."""
    printed = study.snakemake("--dry-run")
    return dict(
        re.findall(r"^(extract_features|train_probes|gather_probes|train_base|train_curve) +(\d+)$", printed, re.M)
    )


def test_each_probe_has_a_row(study):
    table = pd.read_csv(study.folder / TABLE)
    kinds = table.groupby(["partition", "source"])["depth"].agg(lambda depths: depths.fillna(0).astype(int).tolist())
    assert kinds.to_dict() == {
        ("random0", "A"): [1, 4, 7, 0],
        ("random0", "random"): [1, 4, 7, 0],
        ("random0_draw_2_per_class", "A"): [1, 4, 7, 0],
    }
    assert table["train_images"].unique().tolist() == [20 * 12, 20 * 2]
    assert set(table["target"]) == {"B"}
    assert table["top1"].between(0, 1).all()
    assert (table["milliseconds"].dropna() > 0).all()


def test_the_report_tells_where_to_cut(study):
    page = (study.folder / "results/probing/report.html").read_text()
    assert "Where should the network be cut" in page
    assert (study.folder / "results/probing/figures/probes.png").stat().st_size > 10_000


def test_another_amount_or_rate_computes_no_features(study):
    assert stale(study) == {}
    write(study, [*MATRIX, MATRIX[1] | {"target_images_per_class": [5]}])
    assert stale(study) == {"train_probes": "1", "gather_probes": "1"}
    write(study, MATRIX, training=TINY["training"] | {"weight_decay": 0.001})
    assert stale(study)["extract_features"] == "1"  # of the base network; the untrained one's stay
    write(study, MATRIX)
    assert stale(study) == {}


def test_probes_of_an_untrained_network_need_no_training(study):
    probes = [{"partition": "random0", "targets": ["B"], "random": ["probe"]}]
    config = TINY | {"study": "alone", "matrix": probes, "plan": {"images_per_second": 100}}
    (study.folder / "alone.yaml").write_text(yaml.safe_dump(config))
    study.snakemake(study="alone.yaml")
    alone, beside = (pd.read_csv(study.folder / f"results/{name}/tables/probes.csv") for name in ("alone", "probing"))
    beside = beside[beside["source"] == "random"].reset_index(drop=True)
    columns = [name for name in alone if name != "milliseconds"]
    pd.testing.assert_frame_equal(alone[columns], beside[columns])
    assert not list((study.folder / "results/alone").glob("networks/*"))
    assert pd.read_csv(study.folder / "results/alone/results.csv").empty
    features = [study.folder / f"results/{name}/features/random0/seed0/random-B.npy" for name in ("alone", "probing")]
    assert np.array_equal(*map(np.load, features))
    assert "Study alone: 0 networks" in study.snakemake("plan", study="alone.yaml")
