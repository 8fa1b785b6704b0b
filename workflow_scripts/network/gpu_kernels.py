"""Whether a GPU runs kernels of our own."""

import functools
import sys

import torch
from torch import Tensor


def fuses(inputs: Tensor) -> bool:
    """Whether fused_pool.PoolNorm takes the place of torch's kernels: in bfloat16 on a GPU, where Triton can build it.

    torch.compile fuses by itself.
    """
    in_bfloat16 = inputs.is_cuda and torch.is_autocast_enabled("cuda")
    return in_bfloat16 and not torch.compiler.is_compiling() and fused_kernels_run("cuda")


@functools.cache
def fused_kernels_run(device: str) -> bool:
    """Whether fused_pool's kernels can be built and run on this device. Where a GPU lacks them, a line says why.

    Triton needs a C compiler, Python's headers and a folder for what it builds.
    """
    if device != "cuda":
        return False
    try:
        from workflow_scripts.network.fused_pool import PoolNorm  # imports Triton, which torch for CPUs lacks

        inputs = torch.zeros(1, 1, 3, 3, dtype=torch.bfloat16, device=device)
        PoolNorm.apply(inputs, torch.zeros(1, device=device), True)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # of a compiler, a linker, a driver or a disk
        reason = (str(error).splitlines() or [repr(error)])[0]
        print(f"Triton cannot build kernels here ({reason}). torch's kernels run in their place.", file=sys.stderr)
        return False
    return True
