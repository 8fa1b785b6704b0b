import math

import numpy as np
import pytest

from workflow_scripts.training.outcome import ABOVE_CHANCE, at_chance, chance_accuracy, divergence

CHANCE, IMAGES = 0.05, 1000  # chance gives 71 right or more with a probability of 0.0024


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


@pytest.mark.parametrize(
    ("labels", "right", "told"),
    [
        ([40, 2], 42, False),  # of the field report: chance and three plain standard errors are more than 1
        ([40, 2], 40, False),  # nobody can tell
        ([1, 1, 1, 1], 4, False),
        ([1, 1, 1, 1], 1, False),
        ([1, 1, 1, 1, 1], 4, False),  # seldom by chance, but not seldom enough
        ([190, 10], 198, False),
        ([900, 100], 900, True),
        ([10, 10], 10, True),
        ([10, 10], 12, False),
        ([10, 10], 20, False),
        ([5, 5, 5, 5], 5, True),
        ([5, 5, 5, 5], 0, True),
        ([50] * 20, 70, True),
        ([50] * 20, 71, False),
        ([7], 7, False),  # every answer is right
        ([1, 1], 0, False),
    ],
)
def test_a_network_is_at_chance_only_where_that_can_be_told(labels, right, told):
    every = np.repeat(np.arange(len(labels)), labels)
    chance = chance_accuracy(every)
    assert at_chance(right / len(every), chance, len(every)) == told
    late = readings([right / len(every)] * 3)
    assert divergence(late, 10, chance, len(every)) == ("chance" if told else "")


def test_the_bound_on_chance_is_the_binomial_tail():
    """Against the sum of the probabilities of every number of right answers."""
    for images, chance in ((80, 0.05), (200, 0.25), (1000, 0.5)):
        chances = [math.comb(images, n) * chance**n * (1 - chance) ** (images - n) for n in range(images + 1)]
        above = [n for n in range(images + 1) if sum(chances[n:]) <= ABOVE_CHANCE]
        assert not at_chance(above[0] / images, chance, images)
        assert at_chance((above[0] - 1) / images, chance, images)


@pytest.mark.parametrize("which", ["loss", "train_loss"])
def test_a_loss_that_is_not_a_number(which):
    good = readings([0.3, 0.4])
    assert divergence(good, 10, CHANCE, IMAGES) == ""
    assert divergence([*good, *readings([0.5], **{which: None})], 10, CHANCE, IMAGES) == "loss"


def test_chance_is_the_largest_class():
    assert chance_accuracy(np.array([0, 0, 0, 1, 2, 2])) == 0.5
    assert chance_accuracy(np.repeat(np.arange(20), 50)) == 0.05
