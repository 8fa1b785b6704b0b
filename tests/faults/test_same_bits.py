"""The tiny study twice, on one core and two, its jobs in other orders and cut into other pieces: the same bits."""

import pandas as pd
import pytest
import yaml
from helpers import ROOT, results_of

TINY = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())


def run(checkout, *options, cores=2, depths_per_job=7):
    study = checkout("tiny.yaml")
    config = TINY | {"running": {"depths_per_job": depths_per_job}}
    (study.folder / "tiny.yaml").write_text(yaml.safe_dump(config))
    study.snakemake("results", *options, cores=cores)
    return study.folder


@pytest.fixture(scope="module")
def first(checkout):
    return run(checkout)


def networks(folder):
    """The bytes of every network's weights, by the network."""
    return {path.relative_to(folder): path.read_bytes() for path in (folder / "results/tiny").rglob("*.safetensors")}


@pytest.mark.parametrize("case", ["again", "one core", "last first", "one depth a job"])
def test_the_same_bits(checkout, first, case):
    if case == "again":
        folder = run(checkout)
    elif case == "one core":
        folder = run(checkout, cores=1)
    elif case == "last first":
        last = sorted(path.relative_to(first) for path in (first / "results/tiny").rglob("depths-*.json"))
        folder = run(checkout, "--prioritize", *map(str, last[::-2]), cores=1)
    else:
        folder = run(checkout, depths_per_job=1)
    pd.testing.assert_frame_equal(results_of(folder), results_of(first))
    if case != "one depth a job":  # which has other files
        assert networks(folder) == networks(first)
        assert networks(first)
