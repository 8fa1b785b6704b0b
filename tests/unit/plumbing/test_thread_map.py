"""The ordered map over threads."""

import threading

import pytest

from workflow_scripts.plumbing.thread_map import thread_map


@pytest.mark.parametrize("threads", [0, 1, 3, 9])
@pytest.mark.parametrize("ahead", [1, 4])
def test_results_come_in_order(threads, ahead):
    assert list(thread_map(lambda number: number**2, range(50), threads, ahead)) == [number**2 for number in range(50)]
    assert list(thread_map(lambda number: number, [], threads, ahead)) == []


def test_no_more_items_are_taken_than_the_bound():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    results = thread_map(lambda number: number, items(), threads=2, ahead=3)
    assert not taken
    for number in range(10):
        assert next(results) == number
        assert len(taken) <= number + 1 + 6


def test_several_threads_work_at_once():
    together = threading.Barrier(3, timeout=30)
    assert len(list(thread_map(lambda _: together.wait(), range(3), threads=3))) == 3


@pytest.mark.parametrize("threads", [0, 2])
def test_an_error_reaches_the_caller(threads):
    def fail(number):
        if number == 1:
            raise RuntimeError("disk")
        return number

    results = thread_map(fail, range(3), threads)
    assert next(results) == 0
    with pytest.raises(RuntimeError, match="disk"):
        list(results)
