"""Which number of depths a job ends a study first: the paper's study on several numbers of devices."""

import pytest
import yaml
from helpers import ROOT, default_config

from workflow_scripts.config.resources import known_costs
from workflow_scripts.cost.group_size import best_size, first_to_end, sizes, walls_by_size
from workflow_scripts.cost.operations import operations_per_image
from workflow_scripts.cost.plan import size_lines
from workflow_scripts.study.groups import with_groups
from workflow_scripts.study.matrix import curve_jobs

DEFAULT = default_config()
PAPER = yaml.safe_load((ROOT / "configs/paper.yaml").read_text())
DAY = 24 * 3600


@pytest.fixture(scope="module")
def paper():
    """The cost settings of configs/paper.yaml."""
    sections = {key: DEFAULT[key] | value for key, value in PAPER.items() if isinstance(value, dict)}
    return known_costs(DEFAULT | PAPER | sections)


@pytest.fixture(scope="module")
def k40(paper):
    """The operations a second of the GPU whose speed docs/cost.md takes."""
    return 267 * operations_per_image(paper["training"], paper["counts"]["ilsvrc2012"]["classes"])


def test_the_papers_study_on_several_numbers_of_gpus(paper, k40):
    walls = walls_by_size(paper, k40, [1, 4, 16, 64], None)
    best = {
        devices: (first_to_end(by_size), round(min(by_size.values()) / DAY, 1)) for devices, by_size in walls.items()
    }
    assert best == {1: (7, 330.8), 4: (7, 86.6), 16: (3, 25.6), 64: (1, 12.2)}
    assert [best_size(paper, devices) for devices in walls] == [7, 7, 3, 1]  # whatever the speed
    assert size_lines(walls, 7)[2:] == [
        "16 devices: depths_per_job 3 ends first, after 25.6 days; 7 (as configured) takes 41.2 days",
        "64 devices: depths_per_job 1 ends first, after 12.2 days; 7 (as configured) takes 41.2 days",
    ]
    assert size_lines(walls, 50)[0] == "1 device: depths_per_job 7 (as configured) ends first, after 330.8 days"


def test_jobs_of_several_gpus_share_the_devices(paper):
    four = paper | {"running": paper["running"] | {"gpus_per_job": 4}}
    walls = walls_by_size(four, 1.0, [16], None)[16]
    assert first_to_end(walls) == first_to_end(walls_by_size(paper, 4.0, [4], None)[4])


def test_what_is_done_costs_nothing_more_in_any_groups(paper, tmp_path):
    one = walls_by_size(paper, 1.0, [1], tmp_path)[1]
    assert one[7] < one[1]
    for job in curve_jobs(with_groups(paper, 7, {})):
        path = tmp_path / f"{job.stem}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    walls = walls_by_size(paper, 1.0, [1], tmp_path)
    assert len(set(walls[1].values())) == 1  # base networks alone are left
    assert size_lines(walls, 7) == []


def test_a_study_without_curves_has_nothing_to_choose():
    alone = known_costs(DEFAULT | {"matrix": [{"partition": "random0"}]})
    assert list(sizes(alone)) == [1, 2, 3, 4, 5, 6, 7]
    assert best_size(alone, 64) == 7
