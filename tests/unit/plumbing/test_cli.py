"""What a step prints when it fails: one line where a user can remove the cause, else a traceback."""

import pytest

from workflow_scripts.plumbing import cli


class OutOfMemoryError(RuntimeError):
    """As torch.OutOfMemoryError."""


class AcceleratorError(RuntimeError):
    """As torch.AcceleratorError."""


@pytest.mark.parametrize(
    ("error", "start"),
    [
        (
            OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 ..."),
            "GPU memory: too little is free (",
        ),
        (AcceleratorError("CUDA error: out of memory\nSearch for ..."), "GPU memory: too little is free ("),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), "GPU memory: too little"),
        (AcceleratorError("CUDA error: CUDA-capable device(s) is/are busy or unavailable"), "GPU: it cannot be used ("),
        (MemoryError(), "memory: none is left"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "memory: none is left"),
        (cli.InputError("place: wrong. Correct it."), "place: wrong. Correct it."),
    ],
)
def test_what_a_user_can_remove_is_one_line(error, start, capsys):
    def main():
        raise error

    with pytest.raises(SystemExit) as caught:
        cli.run(main)
    assert caught.value.code == 1
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: {start}")
    assert printed.count("\n") == 1


def test_a_defect_has_its_traceback():
    def main():
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(RuntimeError):
        cli.run(main)
