"""Records gathered into one table, groups of networks, boost and drops."""

import pytest
from helpers import ROOT
from made_up_study import STUDY, records_in

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.results.aggregate import (
    RESULT_COLUMNS,
    load_records,
    training_summary,
)
from workflow_scripts.results.groups import load_results
from workflow_scripts.results.tables import boost_table, drop_table
from workflow_scripts.study.matrix import curve_jobs

PUBLISHED = ROOT / "configs" / "published_results.csv"


def test_every_network_is_one_row_in_a_fixed_order(results):
    assert len(results) == 5 + 8 * 4 + 2 * 4 + 4
    assert list(results.columns[: len(RESULT_COLUMNS)]) == RESULT_COLUMNS
    keys = results[["partition", "source", "target", "depth", "treatment", "seed"]].apply(tuple, axis=1)
    assert list(keys) == sorted(set(keys))


def test_missing_and_damaged_records_are_named(study_folder):
    path = study_folder / f"{curve_jobs(STUDY)[0].stem}.json"
    path.write_text(path.read_text().replace('"cpu"', '"gpu"'))
    with pytest.raises(InputError, match=r"depths-1-3\.json: it is damaged"):
        load_records(STUDY, study_folder)
    path.unlink()
    with pytest.raises(InputError, match=r"depths-1-3\.json: the file is missing"):
        load_records(STUDY, study_folder)


def test_hours_are_seconds_times_what_a_job_was_given(study_folder):
    records = records_in(study_folder)
    assert training_summary(records)["hours"] == {"cpu": round(len(records) * 2 * 2 / 3600, 4), "gpu": 0}
    for record in records:
        record["provenance"] |= {"device": "NVIDIA something", "workers": 4}
    assert training_summary(records)["hours"]["gpu"] == round(len(records) * 2 * 4 / 3600, 4)


def test_groups_and_bases(results):
    rows = results.set_index(["partition", "source", "target", "treatment", "depth"])
    assert rows.loc[("random0", "B", "A", "frozen", 3), "group"] == "AnB"
    assert rows.loc[("random0", "A", "A", "finetuned", 3), "group"] == "BnB+"
    assert rows.loc[("whole", "random", "whole", "frozen", 1), "group"] == "random"
    assert rows.loc[("random0", "A", "B", "frozen", 3), "base"] == pytest.approx(0.7)


def test_boost_table_is_the_papers_arithmetic(results):
    table = boost_table(results).set_index("layers")
    assert list(table.index) == ["1-7", "3-7", "5-7"]
    assert table["over_base_points"].to_list() == pytest.approx([1.8, 2.0, 2.2])
    assert table["over_own_base_points"].to_list() == pytest.approx([1.8, 2.0, 2.2])
    assert table["over_selffer_points"].to_list() == pytest.approx([0.8, 1.0, 1.2])
    assert table["networks"].to_list() == [8, 6, 4]


def test_boost_of_the_published_networks():
    """The paper's table 1 from its own logs: 1.6 / 1.8 / 2.1 over base, 1.4 / 1.4 / 1.7 over BnB+."""
    table = boost_table(load_results(PUBLISHED))
    assert table["over_base_points"].to_list() == pytest.approx([1.6, 1.8, 2.1], abs=0.06)
    assert table["over_selffer_points"].to_list() == pytest.approx([1.4, 1.4, 1.7], abs=0.06)


def test_the_boost_over_a_targets_own_base_is_not_mixed_with_other_targets(results):
    rows = results[(results["target"] == "B") | (results["group"] == "base")]
    table = boost_table(rows)
    assert table["over_own_base_points"].to_list() == pytest.approx([1.8, 2.0, 2.2])
    assert table["over_base_points"].to_list() == pytest.approx([6.8, 7.0, 7.2])


def test_drop_table(results):
    table = drop_table(results).set_index(["partition", "group", "depth"])
    assert table.loc[("random0", "AnB", 5), "drop_points"] == pytest.approx(-5)
    assert table.loc[("natman", "AnB", 5), "drop_points"] == pytest.approx(-10)
    assert table.loc[("whole", "random", 7), "drop_points"] == pytest.approx(-35)
    assert table.loc[("random0", "BnB", 1), "networks"] == 2


def test_a_table_without_scores_is_refused(tmp_path):
    (tmp_path / "results.csv").write_text("partition,source,target,depth,treatment\n")
    with pytest.raises(InputError, match=r"no column .top1_best10_mean"):
        load_results(tmp_path / "results.csv")
