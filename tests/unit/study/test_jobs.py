"""Training jobs: names, paths, wildcards, seeds."""

import re

import pytest
from helpers import default_config

from workflow_scripts.study.jobs import BASE_STEM, CURVE_STEM, VARIANT, TrainingJob
from workflow_scripts.study.matrix import base_jobs, curve_jobs, study_jobs
from workflow_scripts.study.settings import rate_label

CONFIG = default_config()
WILDCARDS = {
    **{"partition": r"[A-Za-z]\w*", "seed": r"\d+", "source": "A|B|whole|random", "target": "A|B|whole"},
    **{
        "treatment": "frozen|finetuned|staged",
        "base": "base|base_twice",
        "variant": VARIANT,
        "depths": r"\d+(?:-\d+)*",
    },
}
JOBS = [
    *study_jobs(CONFIG),
    TrainingJob("random7", 3, "A", "B", "finetuned", rate=1.2345678901234567e-07, depths=(1, 2)),
    TrainingJob("random7", 3, "B", "B", "base", rate=999.9999999999999),
    TrainingJob("random7", 3, "B", "B", "base", rate=5e-324),
    TrainingJob("random7", 3, "B", "B", "base", rate=2.0),
    TrainingJob("random7", 3, "A", "B", "frozen", preserve=2, init="caffe", depths=(2, 5)),
    TrainingJob("natman", 0, "B", "B", "finetuned", init="he", depths=(1,)),
    TrainingJob("natman_draw_5_per_class", 2, "A", "B", "frozen", depths=(1,)),
    TrainingJob.base("natman_draw_5_per_class", 2, "B"),
    TrainingJob("random7", 3, "A", "B", "staged", depths=(2, 5)),
    TrainingJob("random7", 3, "A", "B", "finetuned", rate=1e-05, depths=(1, 2)),
    TrainingJob("random7", 3, "B", "B", "base", rate=0.005),
    TrainingJob("random7", 3, "B", "B", "base_twice"),
]


def wildcards(stem):
    """What Snakemake would find in a stem; a curve's pattern or a base network's."""
    for pattern in (BASE_STEM, CURVE_STEM):
        named = re.sub(r"\{(\w+)\}", lambda match: f"(?P<{match[1]}>{WILDCARDS[match[1]]})", pattern)
        if match := re.fullmatch(named, stem):
            return match.groupdict()
    raise AssertionError(stem)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.stem)
def test_a_jobs_path_tells_the_job(job):
    assert TrainingJob.from_wildcards(wildcards(job.stem)) == job


def test_paths_are_as_they_have_always_been():
    assert TrainingJob.base("random0", 0, "A").stem == "networks/random0/seed0/base-A"
    assert JOBS[-2].stem == "networks/random7/seed3/base-rate0.005-B"
    assert JOBS[-3].stem == "curves/random7/seed3/A-B-finetuned-rate1e-05/depths-1-2"
    assert JOBS[-1].stem == "networks/random7/seed3/base_twice-B"
    assert TrainingJob("random7", 3, "B", "B", "base", rate=2).stem == "networks/random7/seed3/base-rate2-B"
    assert JOBS[-8].stem == "curves/random7/seed3/A-B-frozen-preserve2-caffe/depths-2-5"


def test_rates_that_differ_late_have_paths_and_labels_of_their_own():
    near = (0.1234567, 0.1234568, 1000 - 1e-12, 1000)
    assert len({TrainingJob("random7", 3, "B", "B", "base", rate=rate).stem for rate in near}) == len(near)
    assert [rate_label(rate) for rate in near] == ["0.1234567", "0.1234568", "999.999999999999", "1000"]
    assert rate_label(0.1, 1e-05) == "1e-05"


@pytest.mark.parametrize(
    ("source", "target", "treatment", "kind", "has_source"),
    [
        ("A", "A", "base", "base", False),
        ("A", "A", "base_twice", "base", False),
        ("A", "B", "staged", "transfer", True),
        ("A", "A", "frozen", "selffer", True),
        ("A", "B", "finetuned", "transfer", True),
        ("random", "whole", "frozen", "random", False),
    ],
)
def test_kinds_and_sources(source, target, treatment, kind, has_source):
    job = TrainingJob("natman", 1, source, target, treatment, depths=(1, 2))
    assert job.kind == kind
    assert job.source_job == (TrainingJob.base("natman", 1, source) if has_source else None)
    assert [network["depth"] for network in job.networks] == [1, 2]
    assert [job.frozen_units(depth) for depth in (0, 3)] == ([0, 3] if treatment in ("frozen", "staged") else [0, 0])


def test_every_job_comes_after_its_source():
    jobs = study_jobs(CONFIG)
    assert jobs == [*base_jobs(CONFIG), *curve_jobs(CONFIG)]
    for place, job in enumerate(jobs):
        assert job.source_job is None or job.source_job in jobs[:place]


def test_seeds_depend_on_what_design_says_and_on_nothing_else():
    one = TrainingJob("random0", 0, "A", "B", "frozen", depths=(1, 2, 3))
    alone = TrainingJob("random0", 0, "A", "B", "frozen", depths=(2,))
    preserved = TrainingJob("random0", 0, "A", "B", "frozen", preserve=1, depths=(2,))
    assert one.network_seed(2, "init") == alone.network_seed(2, "init") == preserved.network_seed(2, "init")
    assert len({one.network_seed(depth, use) for depth in (1, 2, 3) for use in ("init", "dropout")}) == 6
    selffer = TrainingJob("random0", 0, "B", "B", "finetuned", depths=(2,))
    assert one.order_seed() == selffer.order_seed() == TrainingJob.base("random0", 0, "B").order_seed()
    assert one.prefix_seed() != selffer.prefix_seed()
    other_seed = TrainingJob("random0", 1, "A", "B", "frozen", depths=(2,))
    assert one.order_seed() != other_seed.order_seed()


DRAWN = "random0_draw_5_per_class"


def test_sources_of_transfer_have_seen_everything_and_selffers_what_their_target_sees():
    transfer, selffer = (TrainingJob(DRAWN, 1, source, "B", "frozen", depths=(1,)) for source in "AB")
    assert transfer.source_job == TrainingJob.base("random0", 1, "A")
    assert selffer.source_job == TrainingJob.base(DRAWN, 1, "B")
    assert TrainingJob(DRAWN, 1, "random", "B", "frozen", depths=(1,)).source_job is None


def test_a_draw_has_a_task_for_each_seed():
    assert TrainingJob.base("random0", 1, "A").task == "tasks/random0-A"
    assert TrainingJob.base("random0", 1, "A").task_names == {"partition": "random0", "half": "A"}
    assert TrainingJob.base(DRAWN, 1, "A").task == f"tasks/{DRAWN}/seed1-A"
    assert TrainingJob.base(DRAWN, 1, "A").task_names == {"partition": DRAWN, "half": "A", "seed": 1}


def test_seeds_do_not_depend_on_the_number_of_drawn_images():
    names = ("random0", DRAWN, "random0_draw_9_per_class")
    jobs = [TrainingJob(name, 1, "A", "B", "frozen", depths=(2,)) for name in names]
    for seeds in ("order_seed", "prefix_seed", "draw_seed", "random_source_seed"):
        assert len({getattr(job, seeds)() for job in jobs}) == 1
    assert len({job.network_seed(2, "init") for job in jobs}) == 1
    bases = [
        TrainingJob.base(partition, seed, half) for partition in (DRAWN, "natman") for seed in (0, 1) for half in "AB"
    ]
    assert len({job.draw_seed() for job in bases}) == 8


def test_each_further_rate_is_a_job_of_its_own_and_sources_have_the_first():
    training = CONFIG["training"] | {"learning_rate": {"base": [0.1, 0.05], "frozen": 0.1, "finetuned": [0.02, 0.001]}}
    entry = {
        "partition": "random0",
        "targets": ["B"],
        "transfer": ["frozen", "finetuned", "staged"],
        "base_twice": True,
    }
    config = CONFIG | {"training": training, "matrix": [entry]}
    names = [job.stem.removeprefix("networks/random0/seed0/") for job in base_jobs(config)]
    assert names == ["base-A", "base-B", "base-rate0.05-B", "base_twice-B", "base_twice-rate0.05-B"]
    curves = curve_jobs(config)
    rates = {(job.treatment, job.rate) for job in curves}
    assert rates == {("frozen", 0)} | {(name, rate) for name in ("finetuned", "staged") for rate in (0, 0.001)}
    assert {job.source_job for job in curves} == {TrainingJob.base("random0", 0, "A")}
    assert len({job.network_seed(1, "init") for job in curves if job.treatment == "finetuned"}) == 1
