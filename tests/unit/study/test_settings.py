"""What the leaves of a training mean in iterations."""

from dataclasses import replace

import pytest
from helpers import default_config

from workflow_scripts.cost.operations import task_lengths
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.leaves import job_leaves
from workflow_scripts.study.settings import training_settings

BASE = TrainingJob.base("random0", 0, "B")
STEP, COSINE = {"kind": "step", "step": "1.3 epochs", "gamma": 0.1}, {"kind": "cosine", "warmup": "0.7 epochs"}


@pytest.mark.parametrize("images", range(90, 130))
@pytest.mark.parametrize("schedule", [STEP, COSINE])
def test_a_training_of_two_durations_has_exactly_twice_the_iterations_and_as_many_readings(images, schedule):
    """Lengths in epochs are rounded before they are doubled."""
    config = default_config()
    lengths = {"duration": "2.3 epochs", "validate_every": "0.37 epochs", "stuck_after": "1.1 epochs"}
    training = config["training"] | lengths | {"batch_size": 16, "schedule": config["training"]["schedule"] | schedule}
    usual, twice, staged = (
        training_settings(job_leaves(training, job), images)
        for job in (
            BASE,
            replace(BASE, treatment="base_twice"),
            TrainingJob("random0", 0, "A", "B", "staged", depths=(1,)),
        )
    )
    for name in ("iterations", "validate_every", "stuck_after"):
        assert getattr(twice, name) == 2 * getattr(usual, name) == 2 * getattr(staged, name)
    (length,) = {"step", "warmup"} & set(usual.schedule)
    assert twice.schedule[length] == 2 * usual.schedule[length]
    assert twice.last_iteration == staged.last_iteration == 2 * usual.last_iteration
    assert -(-twice.iterations // twice.validate_every) == -(-usual.iterations // usual.validate_every)
    counts = {"counts": {"sample": {"classes": 20, "train_images": 2 * images, "val_images": 40}}}
    priced = config | counts | {"training": training}
    assert task_lengths(replace(BASE, treatment="base_twice"), priced).iterations == twice.last_iteration
