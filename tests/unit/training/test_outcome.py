import numpy as np
import pytest

from workflow_scripts.training.outcome import chance_accuracy, divergence

CHANCE, IMAGES = 0.05, 1000  # three standard errors above chance are 0.0707


def readings(top1, **changes):
    """Readings every 10 iterations."""
    values = {"loss": 1.0, "train_loss": 1.0} | changes
    return [{"iteration": 10 * number, "top1": value} | values for number, value in enumerate(top1, start=1)]


@pytest.mark.parametrize(
    ("top1", "stuck_after", "cause"),
    [
        ([0.05, 0.06, 0.05, 0.05], 20, "chance"),
        ([0.05, 0.05, 0.09, 0.30], 20, ""),  # it began late, but it learned
        ([0.05, 0.05, 0.05, 0.08], 40, ""),
        ([0.30, 0.05, 0.05, 0.05], 20, "chance"),  # it learned, and lost it all
        ([0.05, 0.05, 0.05, 0.05], 41, ""),  # it has not had its time
        ([0.05, 0.05, 0.05, 0.070], 40, "chance"),
        ([0.05, 0.05, 0.05, 0.071], 40, ""),
    ],
)
def test_stuck_at_chance(top1, stuck_after, cause):
    assert divergence(readings(top1), stuck_after, CHANCE, IMAGES) == cause


@pytest.mark.parametrize("which", ["loss", "train_loss"])
def test_a_loss_that_is_not_a_number(which):
    good = readings([0.3, 0.4])
    assert divergence(good, 10, CHANCE, IMAGES) == ""
    assert divergence([*good, *readings([0.5], **{which: None})], 10, CHANCE, IMAGES) == "loss"


def test_chance_is_the_largest_class():
    assert chance_accuracy(np.array([0, 0, 0, 1, 2, 2])) == 0.5
    assert chance_accuracy(np.repeat(np.arange(20), 50)) == 0.05
