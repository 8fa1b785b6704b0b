"""CUDA graphs: an iteration's kernels are captured once and replayed, so that Python does not launch each by itself.

Small networks and curves are otherwise limited by one CPU core. A graph has the kernels of the eager call it replaces,
on the same numbers. Its results should have the same bits (docs/performance.md says where they had not).
"""

import gc
from collections import Counter
from collections.abc import Callable, Hashable

import torch
from torch import Tensor

from workflow_scripts.plumbing.cli import InputError

WARM = 3  # eager calls before a capture, in which libraries initialise and torch.compile compiles


class Graphs:
    """Captures functions of one training in a common pool of memory. Where it is not `used`, functions stay eager.

    Graphs captured on one stream share cuBLAS's workspace, and torch frees it as soon as one of them is deleted
    (pytorch#193402). So a training has a stream of its own, and all its graphs live as long as it does.
    """

    def __init__(self, used: bool) -> None:
        self.used = used
        self.pool = torch.cuda.graph_pool_handle() if used else None
        self.stream = torch.cuda.Stream() if used else None
        self.graphs: list[torch.cuda.CUDAGraph] = []
        self._held: dict[Hashable, list[Tensor]] = {}

    def held(self, *tensors: Tensor) -> list[Tensor]:
        """The tensors' values where a graph reads them: at one address for each set of shapes, until the next call."""
        if not self.used:
            return list(tensors)
        key = tuple((one.shape, one.stride()) for one in tensors)
        if key not in self._held:
            self._held[key] = [torch.empty_like(one) for one in tensors]
        for held, one in zip(self._held[key], tensors, strict=True):
            held.copy_(one)
        return self._held[key]

    def captured(self, function: Callable, generator: torch.Generator | None = None) -> Callable:
        """The `function` of tensors, replayed from a graph once it was called `WARM` times with tensors at the same
        addresses. What it returns then changes at its next call.

        It draws from `generator`, which is seeded before each call, and from torch's default one. The call that cannot
        be captured, since the function waits for the device, raises InputError.
        """
        return _Captured(function, self, generator) if self.used else function

    def capture(
        self, function: Callable, tensors: tuple[Tensor, ...], generator: torch.Generator | None
    ) -> tuple[torch.cuda.CUDAGraph, object]:
        """A graph of the function's call with these tensors, and what it returned."""
        if not self.graphs:
            gc.collect()  # streams come from a small set, so that a past training may have used this one
        graph = torch.cuda.CUDAGraph()
        self.graphs.append(graph)
        if generator is not None:
            graph.register_generator_state(generator)
        try:
            # Threads that read batches ahead go on meanwhile, with calls that would spoil a "global" capture.
            with torch.cuda.graph(graph, self.pool, self.stream, capture_error_mode="thread_local"):
                return graph, function(*tensors)
        except RuntimeError as error:  # which leaves torch's allocator and generators in a capture
            # The end of a capture that has failed may raise an error of its own.
            for one in (error, error.__context__):
                if isinstance(one, torch.OutOfMemoryError):
                    raise one from None
            raise InputError(
                f"running.cuda_graphs: this network cannot be captured ({str(error).splitlines()[0]}). Set it to false."
            ) from error


class _Captured:
    def __init__(self, function: Callable, graphs: Graphs, generator: torch.Generator | None) -> None:
        self.function, self.owner, self.generator = function, graphs, generator
        self.calls: Counter[Hashable] = Counter()  # before the capture
        self.graphs: dict[Hashable, tuple[torch.cuda.CUDAGraph, object]] = {}

    def __call__(self, *tensors: Tensor) -> object:
        key = tuple((one.data_ptr(), one.dtype, one.shape, one.stride()) for one in tensors)
        if key not in self.graphs:
            self.calls[key] += 1
            if self.calls[key] <= WARM:
                return self.function(*tensors)
            self.graphs[key] = self.owner.capture(self.function, tensors, self.generator)
        graph, outputs = self.graphs[key]
        graph.replay()
        return outputs
