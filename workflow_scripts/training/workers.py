"""Data-parallel training: the processes of a training job, which torchrun starts, each with a share of every batch."""

import ctypes
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from workflow_scripts.network.networks import Share

PR_SET_PDEATHSIG = 1  # Linux's prctl.h


@dataclass(frozen=True)
class Workers:
    """One process among the `size` of its training job. Alone, it has whole batches and nothing to exchange.

    Sums over processes are explicit, one tensor at a time. DistributedDataParallel would gather gradients in buckets
    whose order changes after the first iteration. A resumed training would then add in a different order.
    """

    rank: int = 0
    size: int = 1

    def share(self, batch: int) -> Share:
        """The part of a batch that is this process's; parts differ by one image at most."""
        bounds = [batch * rank // self.size for rank in (self.rank, self.rank + 1)]
        return Share(*bounds, batch)

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over all processes, the same bits in each."""
        if self.size > 1:
            sums = [tensor.contiguous() for tensor in tensors]  # gloo adds only these
            for work in [distributed.all_reduce(one, async_op=True) for one in sums]:
                work.wait()
            for tensor, one in zip(tensors, sums, strict=True):
                if one is not tensor:
                    tensor.copy_(one)

    def any(self, value: bool) -> bool:
        """Whether `value` holds in any process. All of them must ask at the same point."""
        if self.size == 1:
            return value
        flag = torch.tensor([int(value)])
        distributed.all_reduce(flag, distributed.ReduceOp.MAX)
        return bool(flag.item())

    def broadcast(self, value: object) -> object:
        """The first process's `value`, in all of them."""
        if self.size == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, device=torch.device("cpu"))
        return values[0]

    def leave(self) -> None:
        """Wait for the others, and end the group."""
        if self.size > 1:
            distributed.barrier()
            distributed.destroy_process_group()


def join_workers(device: str) -> Workers:
    """The group that torchrun's environment variables name; a process without them is alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Workers()
    # Workers of a killed torchrun would go on and keep its GPUs without a lease.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device == "cuda" else "gloo")
    return Workers(distributed.get_rank(), size)
