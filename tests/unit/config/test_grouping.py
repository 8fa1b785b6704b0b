"""running.depths_per_job as a number, and finished jobs of other groups of depths, which stay finished."""

import pytest
from helpers import ROOT, default_config

from workflow_scripts.config.checks import check_config
from workflow_scripts.config.grouping import grouped
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.leaves import job_leaves
from workflow_scripts.study.matrix import curve_jobs

DEFAULT = default_config()
CODE = "fingerprint"
CURVE = TrainingJob("random0", 0, "A", "B", "frozen", depths=(1, 2, 3, 4, 5, 6, 7))


def study(**running):
    return DEFAULT | {"running": DEFAULT["running"] | running}


def finish(folder, job, code=CODE, **training):
    leaves = job_leaves(DEFAULT["training"] | training, job)
    write_record(folder / f"{job.stem}.json", {"leaves": leaves, "provenance": {"code": code}})


def groups(config, folder):
    """The groups of CURVE's depths, as jobs."""
    return [job.depths for job in curve_jobs(grouped(config, folder, CODE)) if job.folder == CURVE.folder]


def test_auto_is_chosen_from_the_configuration_alone(tmp_path):
    for devices, size in ((1, 7), (1000, 1)):
        config = grouped(study(depths_per_job="auto", devices=devices), tmp_path, CODE)
        assert config["running"] == DEFAULT["running"] | {"depths_per_job": size, "devices": devices}


def test_auto_needs_a_number_of_devices():
    with pytest.raises(InputError, match=r"running\.depths_per_job: auto needs running\.devices"):
        check_config(study(depths_per_job="auto"), ROOT / "schemas/config.schema.yaml")
    with pytest.raises(InputError, match=r"running\.depths_per_job: 'all'"):
        check_config(study(depths_per_job="all"), ROOT / "schemas/config.schema.yaml")


def test_finished_jobs_keep_their_depths(tmp_path):
    finish(tmp_path, CURVE)
    assert groups(study(depths_per_job=1), tmp_path) == [CURVE.depths]
    deeper = study(depths_per_job=7) | {"depths": [1, 2, 3, 4, 5, 6, 7, 8]}
    assert groups(deeper, tmp_path) == [CURVE.depths, (8,)]
    kept = grouped(study(depths_per_job=1), tmp_path, CODE)["running"]["made"]
    assert kept == {CURVE.folder: [list(CURVE.depths)]}


@pytest.mark.parametrize("stale", [{"code": "older"}, {"batch_size": 65}])
def test_jobs_that_are_out_of_date_are_made_anew_in_the_new_groups(tmp_path, stale):
    finish(tmp_path, CURVE, **stale)
    assert len(groups(study(depths_per_job=1), tmp_path)) == 7


def test_a_damaged_record_keeps_nothing(tmp_path):
    finish(tmp_path, CURVE)
    (tmp_path / f"{CURVE.stem}.json").write_text("{")
    assert len(groups(study(depths_per_job=1), tmp_path)) == 7


def test_weights_that_are_wanted_must_be_there(tmp_path):
    finish(tmp_path, CURVE)
    config = study(depths_per_job=1, keep_curve_weights=True)
    assert len(groups(config, tmp_path)) == 7
    (tmp_path / f"{CURVE.stem}.safetensors").touch()
    assert groups(config, tmp_path) == [CURVE.depths]


def test_a_study_in_its_own_groups_names_none(tmp_path):
    finish(tmp_path, CURVE)
    assert "made" not in grouped(study(), tmp_path, CODE)["running"]
