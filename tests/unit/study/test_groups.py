"""Which depths of a curve one job trains."""

import itertools

import pytest

from workflow_scripts.study.groups import groups_of, made_groups, with_groups

DEPTHS = (1, 2, 3, 4, 5, 6, 7)


@pytest.mark.parametrize(
    ("size", "made", "groups"),
    [
        (7, [], [DEPTHS]),
        (3, [], [(1, 2, 3), (4, 5, 6), (7,)]),
        (1, [DEPTHS], [DEPTHS]),
        (7, [(2,), (5,)], [(1, 3, 4, 6, 7), (2,), (5,)]),
        (2, [(1, 2, 3)], [(1, 2, 3), (4, 5), (6, 7)]),
        (2, [(1, 2, 3), (3,), (1,)], [(1, 2, 3), (4, 5), (6, 7)]),
        (7, [(7, 8)], [DEPTHS]),  # depths that the study no longer has
    ],
)
def test_groups(size, made, groups):
    assert groups_of(DEPTHS, size, made) == groups


def test_groups_stay_while_their_jobs_finish():
    """A submitted job, or a rerun, reads the study anew while some of its jobs are done."""
    for size, made in itertools.product((1, 2, 3), ([], [(2, 5)], [(1, 2, 3, 4), (3, 4, 5)])):
        groups = groups_of(DEPTHS, size, made)
        for count in range(len(groups) + 1):
            for done in itertools.combinations(groups, count):
                assert groups_of(DEPTHS, size, [*made, *done]) == groups


def test_records_on_disk_name_their_depths(tmp_path):
    curve = tmp_path / "curves/random0/seed0/A-B-frozen"
    curve.mkdir(parents=True)
    for name in ("depths-1-2.json", "depths-3.json", "depths-4.safetensors", "depths-5.resume.pt", "depths-x.json"):
        (curve / name).touch()
    assert made_groups(tmp_path) == {"random0/seed0/A-B-frozen": [(1, 2), (3,)]}
    assert made_groups(tmp_path / "nowhere") == {}


def test_a_configuration_names_groups_only_where_they_differ():
    config = {"running": {"threads": 1, "depths_per_job": "auto", "made": {"old": []}}, "seeds": [0]}
    assert with_groups(config, 3, {}) == {"running": {"threads": 1, "depths_per_job": 3}, "seeds": [0]}
    assert with_groups(config, 3, {"x": [(1, 2)]})["running"]["made"] == {"x": [[1, 2]]}
