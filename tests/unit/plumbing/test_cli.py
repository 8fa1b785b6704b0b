"""What a step prints when it fails: one line where a user can remove the cause, else a traceback."""

import errno

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


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (cli.InputError("place: wrong. Correct it."), True),
        (OSError(errno.ENOSPC, "No space left on device", "x"), True),
        (PermissionError(errno.EACCES, "Permission denied", "x"), True),
        (OSError(errno.EIO, "Input/output error", "x"), False),
        (OSError(errno.ESTALE, "Stale file handle", "x"), False),
        (MemoryError(), False),
        (OutOfMemoryError("CUDA out of memory."), False),
    ],
)
def test_the_line_says_whether_another_attempt_may_succeed(error, final, capsys, tmp_path):
    def main():
        raise error

    with pytest.raises(SystemExit):
        cli.run(main)
    log = tmp_path / "log"
    log.write_text("iterations 0 to 9\n" + capsys.readouterr().err + "torchrun says more\n")
    assert cli.error_line(log).startswith("error: ")
    assert cli.is_final(cli.error_line(log)) is final


def test_a_log_without_an_error_has_no_line(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"\xff iterations\n" + b"x" * 2**17 + b"\nTraceback\n")
    assert cli.error_line(log) is None
