"""Where and how the arithmetic runs: reproducible kernels, threads, memory, precision."""

import ctypes
import os
from contextlib import AbstractContextManager, nullcontext

import torch

from workflow_scripts.plumbing.cli import InputError

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # glibc's malloc.h
LARGEST_MMAP_THRESHOLD = 32 * 2**20


def check_device(device: str) -> None:
    """Raise InputError if the configuration asks for a CUDA device that torch cannot find here."""
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("training.device: it is cuda, but torch finds no CUDA device here. Set it to cpu.")


def set_deterministic(threads: int) -> None:
    """Make torch choose reproducible kernels, in full float32 (no TF32), with `threads` CPU threads.

    Must come before the first use of CUDA.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # PyTorch notes, "Reproducibility"
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads such memory; filling costs 5 %
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def keep_freed_memory() -> None:
    """Make glibc keep freed memory for the next iteration. Does nothing with other C libraries.

    By default glibc hands activations back to the system, and each iteration faults them in again, page by page.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_TOP_PAD, LARGEST_MMAP_THRESHOLD)


def resolved_precision(precision: str, device: str) -> str:
    """The precision that is used: "fp32" or "bf16"; "auto" is bf16 on CUDA devices that have it."""
    if precision != "auto":
        return precision
    return "bf16" if device == "cuda" and torch.cuda.is_bf16_supported() else "fp32"


def autocast(precision: str, device: str) -> AbstractContextManager:
    """The context of forward passes: with precision "bf16", convolutions and matrix products in bfloat16.

    Weights, sums of gradients, losses and the optimiser stay float32.
    """
    return torch.autocast(device, torch.bfloat16) if precision == "bf16" else nullcontext()


def device_name(device: str) -> str:
    """The name of the device, for records."""
    return torch.cuda.get_device_name() if device == "cuda" else "cpu"
