"""The default study, really run (in this checkout, as `make run` does; nothing is run again where it is finished)."""

import subprocess
import sys

import pandas as pd
import pytest
from helpers import ROOT

from workflow_scripts.results import SCORE, load_results


@pytest.fixture(scope="module")
def results():
    command = [sys.executable, "-m", "snakemake", "--cores", "all"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return load_results(ROOT / "results/sample/results.csv")


def mean_drop(results, partition, group, depths):
    """Mean score minus that of the target's base, in points, over targets and `depths`."""
    rows = results[(results["partition"] == partition) & (results["group"] == group) & results["depth"].isin(depths)]
    assert len(rows)
    return 100 * (rows[SCORE] - rows["base"]).mean()


def test_the_matrix_is_whole(results):
    counts = results["group"].value_counts().to_dict()
    assert counts == {"base": 5, "BnB": 14, "BnB+": 14, "AnB": 28, "AnB+": 14, "random": 7}
    assert not results["diverged"].any()


def test_base_networks_are_neither_poor_nor_perfect(results):
    assert results[results["group"] == "base"][SCORE].between(0.5, 0.9).all()


def test_random_features_fall_well_below_transferred_ones(results):
    for depth in (3, 4, 5, 6, 7):
        random = mean_drop(results, "whole", "random", [depth])
        assert random < mean_drop(results, "random0", "AnB", [depth]) - 15
        assert random < mean_drop(results, "natman", "AnB", [depth]) - 5


def test_deep_frozen_transfer_falls_below_shallow(results):
    assert mean_drop(results, "random0", "AnB", [6, 7]) < mean_drop(results, "random0", "AnB", [1, 2]) - 3


def test_distant_tasks_transfer_worse(results):
    for depth in (4, 5, 6, 7):
        assert mean_drop(results, "natman", "AnB", [depth]) < mean_drop(results, "random0", "AnB", [depth]) - 5


def test_specific_features_cost_more_than_separated_ones(results):
    """AnB falls below its control BnB where features are specific: in the deep layers."""
    assert mean_drop(results, "random0", "AnB", [6, 7]) < mean_drop(results, "random0", "BnB", [6, 7]) - 3


def test_figures_tables_and_report_are_there():
    folder = ROOT / "results/sample"
    for name in ("figure2", "figure3", "boost", "learning"):
        for kind in ("png", "svg"):
            assert (folder / f"figures/{name}.{kind}").stat().st_size > 10_000
    assert len(pd.read_csv(folder / "tables/boost.csv")) == 3
    assert (folder / "report.html").stat().st_size > 100_000
