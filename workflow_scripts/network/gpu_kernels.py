"""Whether a GPU runs kernels of our own."""

import functools
import os
import shutil
from importlib.util import find_spec

import torch
from torch import Tensor


def fuses(inputs: Tensor) -> bool:
    """Whether fused_pool.PoolNorm takes the place of torch's kernels: in bfloat16 on a GPU, where Triton can build it.

    torch.compile fuses by itself.
    """
    in_bfloat16 = inputs.is_cuda and torch.is_autocast_enabled("cuda")
    return in_bfloat16 and not torch.compiler.is_compiling() and _triton_builds()


@functools.cache
def _triton_builds() -> bool:
    """Whether Triton is installed, and a C compiler, which it calls."""
    return find_spec("triton") is not None and any(map(shutil.which, (os.environ.get("CC", "gcc"), "gcc", "clang")))
