"""Probes as jobs: their paths, sources, features and what decides them."""

import pytest
from helpers import default_config

from workflow_scripts.study.jobs import PROBE, TrainingJob
from workflow_scripts.study.leaves import feature_leaves
from workflow_scripts.study.matrix import base_jobs, curve_jobs, probe_jobs, study_jobs

TRAINING = default_config()["training"]


def study(*entries, seeds=(0,)):
    return default_config() | {"matrix": list(entries), "seeds": list(seeds)}


def test_probes_of_a_source_are_one_job_and_no_training():
    config = study(
        {"partition": "random0", "targets": ["B"], "transfer": ["frozen", "probe"]},
        {"partition": "random0", "targets": ["B"], "transfer": ["probe"], "depths": [7]},
    )
    (job,) = probe_jobs(config | {"depths": [1, 3]})
    assert (job.kind, job.treatment, job.depths) == ("transfer", PROBE, (1, 3, 7))
    assert job.stem == "probes/random0/seed0/A-B"
    assert not [one for one in study_jobs(config) if one.treatment == PROBE]
    assert len(curve_jobs(config)) == 1


def test_probes_alone_train_their_sources_and_nothing_else():
    assert study_jobs(study({"partition": "whole", "pretrained": ["probe"], "random": ["probe"]})) == []
    transfer = study({"partition": "random0", "targets": ["B"], "transfer": ["probe"]})
    assert base_jobs(transfer) == [TrainingJob.base("random0", 0, "A")]
    assert len(base_jobs(study({"partition": "random0", "targets": ["B"], "transfer": ["frozen", "probe"]}))) == 2


@pytest.mark.parametrize(
    ("entry", "seeds", "stems"),
    [
        ({"partition": "whole", "pretrained": ["probe"]}, (0, 1), {"features/whole/pretrained-whole"}),
        (
            {"partition": "whole", "random": ["probe"]},
            (0, 1),
            {"features/whole/seed0/random-whole", "features/whole/seed1/random-whole"},
        ),
        (
            {"partition": "random0", "targets": ["B"], "transfer": ["probe"], "target_images_per_class": [1, 5, "all"]},
            (0,),
            {"features/random0/seed0/A-B"},
        ),
        (
            {"partition": "random0", "targets": ["B"], "selffer": ["probe"], "target_images_per_class": [1, "all"]},
            (0,),
            {"features/random0/seed0/B-B", "features/random0_draw_1_per_class/seed0/B-B"},
        ),
    ],
)
def test_features_are_shared_by_seeds_and_amounts(entry, seeds, stems):
    jobs = probe_jobs(study(entry, seeds=seeds))
    assert {job.features for job in jobs} == stems
    assert len(jobs) == len(seeds) * len(entry.get("target_images_per_class", ["all"]))


def test_wildcards_name_a_probe_and_its_features():
    job = TrainingJob("random0", 2, "A", "B", PROBE)
    names = {"partition": "random0", "source": "A", "target": "B"}
    assert TrainingJob.from_wildcards(names | {"seed": "2"}).stem == job.stem
    assert TrainingJob.from_wildcards(names | {"of_seed": "seed2/"}).features == job.features
    assert TrainingJob.from_wildcards(names | {"of_seed": ""}).seed == 0


def test_held_out_images_are_the_same_for_all_sources_and_amounts():
    seeds = {
        TrainingJob(partition, 0, source, "B", PROBE).held_out_seed()
        for partition in ("random0", "random0_draw_5_per_class")
        for source in ("A", "B", "random", "pretrained")
    }
    assert len(seeds) == 1


def test_features_depend_on_what_a_network_sees_and_not_on_how_it_is_trained():
    job = TrainingJob("random0", 0, "A", "B", PROBE)
    before = feature_leaves(TRAINING, job)
    for key, value in {"duration": 9, "weight_decay": 0.1, "momentum": 0.5, "optimizer": "adamw"}.items():
        assert feature_leaves(TRAINING | {key: value}, job) == before
    assert (
        feature_leaves(TRAINING | {"learning_rate": dict.fromkeys(("base", "frozen", "finetuned"), 1)}, job) == before
    )
    for key, value in {"crop": 31, "input_scale": 1, "precision": "bf16", "mean_image": "target"}.items():
        assert feature_leaves(TRAINING | {key: value}, job) != before


def test_statistics_of_batches_are_the_sources_in_features():
    job = TrainingJob("random0", 0, "pretrained", "B", PROBE)
    assert feature_leaves(TRAINING | {"norm_statistics": "batch"}, job)["norm_statistics"] == "source"
    assert feature_leaves(TRAINING | {"norm_statistics": "target"}, job)["norm_statistics"] == "target"
    untrained = TrainingJob("random0", 0, "random", "B", PROBE)
    assert feature_leaves(TRAINING, untrained)["norm_statistics"] == "target"
