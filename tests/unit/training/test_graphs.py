"""When functions are captured and replayed, with a stand-in for CUDA's graphs. tests/gpu has the real ones."""

from contextlib import contextmanager

import pytest
import torch

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.training import graphs
from workflow_scripts.training.graphs import WARM, Graphs


class Recorded:
    """A graph that counts its replays."""

    def __init__(self):
        self.replays, self.generators = 0, []

    def register_generator_state(self, generator):
        self.generators.append(generator)

    def replay(self):
        self.replays += 1


@pytest.fixture
def captures(monkeypatch):
    """The (graph, pool, stream) of each capture."""
    found = []

    @contextmanager
    def capture(graph, pool, stream, capture_error_mode):
        assert capture_error_mode == "thread_local"
        found.append((graph, pool, stream))
        yield

    monkeypatch.setattr(torch.cuda, "graph_pool_handle", object)
    monkeypatch.setattr(torch.cuda, "Stream", object)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Recorded)
    monkeypatch.setattr(torch.cuda, "graph", capture)
    return found


def test_without_graphs_functions_and_tensors_are_as_they_were():
    function, tensor = (lambda values: values), torch.ones(2)
    none = Graphs(used=False)
    assert none.captured(function) is function
    assert none.held(tensor)[0] is tensor


def test_a_function_is_captured_once_it_is_warm_and_then_replayed(captures):
    calls, generator, values = [], torch.Generator(), torch.ones(3)
    function = Graphs(used=True).captured(lambda one: calls.append(1) or one + 1, generator)
    outputs = [function(values) for _ in range(WARM + 3)]
    assert (len(calls), len(captures)) == (WARM + 1, 1)
    assert (captures[0][0].replays, captures[0][0].generators) == (3, [generator])
    assert outputs[WARM] is outputs[-1]


def test_tensors_elsewhere_or_of_other_shapes_have_a_graph_of_their_own(captures):
    function, tensors = Graphs(used=True).captured(torch.clone), [torch.ones(3), torch.ones(3), torch.ones(2, 3)]
    for tensor in [*tensors, tensors[0].view(3, 1)] * (WARM + 2):
        function(tensor)
    assert len(captures) == 4


def test_a_training_has_one_pool_and_one_stream_and_keeps_its_graphs(captures):
    """As pytorch#193402 frees what a stream's other graphs use when one of them is deleted."""
    one, other, values = Graphs(used=True), Graphs(used=True), torch.ones(3)
    for owner in (one, one, other):
        function = owner.captured(torch.clone)
        for _ in range(WARM + 1):
            function(values)
    assert len({pool for _, pool, _ in captures}) == len({stream for _, _, stream in captures}) == 2
    assert one.graphs == [graph for graph, _, _ in captures[:2]]


def test_held_tensors_have_one_address_for_each_set_of_shapes(captures):
    held = Graphs(used=True)
    first, again = held.held(torch.zeros(4, 2))[0], held.held(torch.ones(4, 2))[0]
    assert first.data_ptr() == again.data_ptr()
    assert first.equal(torch.ones(4, 2))
    assert held.held(torch.zeros(3, 2))[0].data_ptr() != first.data_ptr()


def test_what_cannot_be_captured_is_one_line_and_a_lack_of_memory_stays_one(captures, monkeypatch):
    monkeypatch.setattr(graphs, "WARM", 0)

    def fails(error):
        def function(_):
            raise error

        return Graphs(used=True).captured(function)

    with pytest.raises(InputError, match=r"^running.cuda_graphs: this network cannot be captured \(it waits\)\. Set"):
        fails(RuntimeError("it waits\nmore"))(torch.ones(1))
    with pytest.raises(torch.OutOfMemoryError):
        fails(torch.OutOfMemoryError("full"))(torch.ones(1))

    @contextmanager
    def failing_end(*_, **__):
        try:
            yield
        finally:
            raise RuntimeError("the capture has ended")

    monkeypatch.setattr(torch.cuda, "graph", failing_end)
    with pytest.raises(torch.OutOfMemoryError):
        fails(torch.OutOfMemoryError("full"))(torch.ones(1))
