"""The default study, really run (in this checkout, as `make run` does; nothing is run again where it is finished)."""

import subprocess

import pandas as pd
import pytest
from helpers import PYTHON, ROOT

from workflow_scripts.results.groups import load_results
from workflow_scripts.study.columns import SCORE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results():
    command = [PYTHON, "-m", "snakemake", "--cores", "all"]
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
    names = ("figure2", "figure3", "effects", "boost", "hierarchy", "comparison", "similarity", "distances")
    names += ("filters", "learning")
    for name in names:
        for kind in ("png", "svg", "pdf"):
            assert (folder / f"figures/{name}.{kind}").stat().st_size > 10_000
    assert len(pd.read_csv(folder / "tables/boost.csv")) == 3
    page = (folder / "report.html").read_text()
    assert all(f'id="{part}"' in page for part in ("findings", "missing", "charts", "figures", "tables", "made"))
    assert "too few runs (2 target tasks, 1 seed)" in page


def test_halves_grow_unlike_with_depth_and_stay_more_alike_than_chance(results):
    """The first layers of two networks see alike, the last less; near tasks more than distant ones."""
    folder = ROOT / "results/sample/similarity"
    tables = pd.concat(pd.read_csv(path) for path in folder.glob("*.csv"))
    assert (tables["cka"] > tables["cka_untrained"]).all()
    means = tables.groupby(["partition", "depth"])["cka"].mean().unstack()
    assert (means[1] > means[7] + 0.2).all()
    assert means.loc["natman", 7] < means.loc["random0", 7]


def test_trained_first_layers_hold_more_gabors_than_untrained_ones(results):
    shares = pd.read_csv(ROOT / "results/sample/tables/shares.csv").set_index("partition")
    control = shares.loc["untrained"]
    trained = shares.drop(index="untrained")
    assert (trained["gabor percent"] > 2 * control["gabor percent"]).all()
    assert (trained["match_other_half"].dropna() > control["match_untrained"]).all()
