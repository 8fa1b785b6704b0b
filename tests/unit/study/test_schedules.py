"""Lengths of training and learning-rate schedules."""

import pytest

from workflow_scripts.study.schedules import doubled, iterations_of, learning_rate_factor


@pytest.mark.parametrize(
    ("length", "iterations"),
    [(560, 560), (0, 0), ("22 epochs", 550), ("1 epoch", 25), ("0.5 epochs", 12), ("0.01 epochs", 1)],
)
def test_lengths_in_iterations_and_epochs(length, iterations):
    assert iterations_of(length, images=1600, batch_size=64) == iterations


def test_twice_a_length_has_all_its_digits():
    lengths = [7, "22 epochs", "2.5 epochs", "1.234567 epochs", "999999.999999 epochs", "0.000001 epochs"]
    twice = [14, "44 epochs", "5 epochs", "2.469134 epochs", "1999999.999998 epochs", "2e-06 epochs"]
    assert list(map(doubled, lengths)) == twice
    assert iterations_of(doubled(lengths[4]), images=64, batch_size=64) == 2000000


def test_step_schedule():
    schedule = {"kind": "step", "step": 100, "gamma": 0.1}
    factors = [learning_rate_factor(schedule, iteration, 450) for iteration in (0, 99, 100, 449)]
    assert factors == pytest.approx([1, 1, 0.1, 1e-4])


def test_cosine_schedule():
    schedule = {"kind": "cosine", "warmup": 10}
    factors = [learning_rate_factor(schedule, iteration, 110) for iteration in range(110)]
    assert factors[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert factors[10] == pytest.approx(1)
    assert factors[60] == pytest.approx(0.5)
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[-1] < 0.001
