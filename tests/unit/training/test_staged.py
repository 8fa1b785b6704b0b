"""Staged networks: the frozen network first, to the bit, then all units learn from there."""

import itertools
from dataclasses import replace

import pytest
import torch
from test_training import SETTINGS, finish, start, weights_of

from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.training.checkpoint import ResumeCheckpoint
from workflow_scripts.training.devices import set_deterministic

RESNET = "mini_resnet_w4_b1_fc16"
# Dropout and no norm; batch norm, shortcuts and dropout. A stage does not end with a reading on schedule.
NETWORKS = ["mini_caffenet", RESNET]
DEPTHS = [2, 4]


@pytest.fixture(scope="module", autouse=True)
def deterministic():
    set_deterministic(1)


@pytest.fixture(params=[(name, statistics) for name in NETWORKS for statistics in ("source", "target", "batch")])
def frozen_settings(request):
    """Of a frozen curve with these units and norm statistics."""
    architecture, statistics = request.param
    changed = {"architecture": architecture, "norm_statistics": statistics, "iterations": 5, "validate_every": 2}
    return replace(SETTINGS, **changed)


@pytest.fixture
def source(batches, frozen_settings):
    settings = replace(frozen_settings, norm_statistics="source")
    return weights_of(finish(start(batches, settings=settings, source="B", treatment="base"))[0])


def staged(batches, source, frozen_settings, rate=0.005, depths=DEPTHS):
    settings = replace(frozen_settings, staged_learning_rate=rate)
    return start(batches, source, settings, treatment="staged", depths=depths)


def same(one, other):
    first, second = weights_of(one), weights_of(other)
    return all(torch.equal(first[name], second[name]) for name in first)


def test_the_first_stage_ends_in_the_bits_of_the_frozen_curve(batches, source, frozen_settings):
    frozen = finish(start(batches, source, frozen_settings, depths=DEPTHS))
    training = staged(batches, source, frozen_settings)
    assert finish(training, interrupted=lambda: training.iteration == frozen_settings.iterations) is None
    training._share_statistics()  # as at the end of the stage
    for learner in training.learners:
        assert same(learner, frozen[learner.depth])


def test_then_all_units_learn_from_there_at_the_rate_of_fine_tuning(batches, source, frozen_settings):
    frozen = finish(start(batches, source, frozen_settings, depths=DEPTHS))
    after = finish(staged(batches, source, frozen_settings))
    for depth in DEPTHS:
        readings = after[depth].readings
        assert readings[:3] == frozen[depth].readings
        assert [reading["iteration"] for reading in readings] == [2, 4, 5, 7, 9, 10]
        first, last = weights_of(frozen[depth]), weights_of(after[depth])
        learned = [name for name, _ in after[depth].network.named_parameters()]
        unchanged = [name for name in learned if torch.equal(first[name], last[name])]
        assert len(unchanged) < len(learned) / 4, unchanged
    still = finish(staged(batches, source, frozen_settings, rate=0.0))
    for depth in DEPTHS:
        first, last = weights_of(frozen[depth]), weights_of(still[depth])
        assert all(torch.equal(first[name], last[name]) for name, _ in still[depth].network.named_parameters())


def test_a_staged_network_does_not_depend_on_its_company(batches, source, frozen_settings):
    together = finish(staged(batches, source, frozen_settings))
    for depth in DEPTHS:
        alone = finish(staged(batches, source, frozen_settings, depths=[depth]))[depth]
        assert same(alone, together[depth])
        assert alone.readings == together[depth].readings


@pytest.mark.parametrize("stop_at", range(1, 22))
def test_an_interrupted_staged_training_ends_in_the_same_bits(batches, tmp_path, stop_at):
    """Interrupted in either stage, between them, and within readings."""
    settings = replace(SETTINGS, architecture=RESNET, iterations=5, validate_every=2)
    base = finish(start(batches, settings=settings, source="B", treatment="base"))[0]
    source = weights_of(base)
    undisturbed = finish(staged(batches, source, settings))
    first, asked = staged(batches, source, settings), itertools.count(1)
    checkpoint = ResumeCheckpoint(tmp_path / "job.json", {"a": 1})
    assert finish(first, checkpoint.save, interrupted=lambda: next(asked) >= stop_at) is None
    second = staged(batches, source, settings)
    second.restore(ResumeCheckpoint(tmp_path / "job.json", {"a": 1}).load())
    assert second.iteration == first.iteration
    resumed = finish(second)
    for depth in DEPTHS:
        assert same(resumed[depth], undisturbed[depth])
        assert resumed[depth].readings == undisturbed[depth].readings


def test_the_score_is_of_the_last_stage(batches, source, frozen_settings):
    training = staged(batches, source, frozen_settings)
    finish(training)
    for learner, accuracies in zip(training.learners, ([0.9] * 3 + [0.5, 0.6, 0.7], [0.1] * 6), strict=True):
        for reading, accuracy in zip(learner.readings, accuracies, strict=True):
            reading["top1"] = accuracy
    first, second = training.network_records()
    assert first["top1_best10_mean"] == pytest.approx(0.6)
    assert (first["iterations"], second["iterations"]) == (10, 10)


def test_seeds_are_those_of_the_frozen_curve():
    one = TrainingJob("random0", 0, "A", "B", "staged", depths=(2,))
    frozen = TrainingJob("random0", 0, "A", "B", "frozen", depths=(2,))
    tuned = TrainingJob("random0", 0, "A", "B", "finetuned", depths=(2,))
    for use in ("init", "dropout"):
        assert one.network_seed(2, use) == frozen.network_seed(2, use) != tuned.network_seed(2, use)
    assert one.prefix_seed() == frozen.prefix_seed()
    assert one.stem == "curves/random0/seed0/A-B-staged/depths-2"
