"""What every step's command line shares: one-line errors with exit status 1, and the JSON argument type."""

import argparse
import contextlib
import errno
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

HEAD, TAIL = 700, 300  # characters shown of the start and the end of a longer line
ERROR = "error: "  # begins the line of a failed step
AGAIN = " Another attempt may succeed."  # ends it where the same job may succeed at another time or place
LOG_END = 2**16  # bytes at the end of a log in which the line is sought
# Errors of the system that stay: no room, no right, a name that cannot be.
LASTING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
LASTING |= {errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}
# What CUDA, cuBLAS and cuDNN say of a GPU that is full, and of one that others have to themselves.
GPU_IS_FULL = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
GPU_IS_BUSY = ("CUDA-capable device(s) is/are busy or unavailable", "no CUDA-capable device")


class InputError(Exception):
    """A mistake in the user's configuration or data. Its text is one line that names the place and the remedy."""

    def __str__(self) -> str:
        return " ".join(super().__str__().split())  # one line, even if the user's names hold line breaks


@contextlib.contextmanager
def naming(key: str) -> Iterator[None]:
    """Put "configuration: `key`: " before the text of an InputError that the block raises."""
    try:
        yield
    except InputError as error:
        raise InputError(f"configuration: {key}: {error}") from None


@contextlib.contextmanager
def exit_in_one_line() -> Iterator[None]:
    """End the process with one line and status 1 if the block raises InputError."""
    try:
        yield
    except InputError as error:
        sys.exit(f"{ERROR}{one_line(error)}")


def one_line(error: object) -> str:
    """An error for a terminal: control and direction characters are escaped, a long text loses its middle."""
    line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(error))
    return line if len(line) <= HEAD + TAIL else f"{line[:HEAD]} ... {line[-TAIL:]}"


def json_argument(text: str) -> object:
    """Parse a command-line value given as JSON; rules pass configuration leaves this way. Raises ArgumentTypeError."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None


def run(main: Callable[[], None]) -> None:
    """Run a step's `main`. An InputError, an OSError or a lack of memory ends the process with one line on stderr and
    status 1. The line says whether another attempt may succeed.
    """
    try:
        check_utf_8("names of files")
        main()
    except Exception as error:
        if (line := _explained(error)) is None:
            raise
        lasting = isinstance(error, InputError) or getattr(error, "errno", None) in LASTING
        print(f"{ERROR}{line}{'' if lasting else AGAIN}", file=sys.stderr)
        sys.exit(1)


def error_line(log: Path) -> str | None:
    """The last line of a step's log that says why the step failed; None if there is none."""
    return next((line for line in reversed(last_lines(log)) if line.startswith(ERROR)), None)


def last_lines(log: Path) -> list[str]:
    """The lines at the end of a step's log, without empty ones."""
    with open(log, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_END))
        return [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]


def is_final(line: str) -> bool:
    """Whether the step that printed this error_line would fail in the same way again."""
    return not line.endswith(AGAIN)


def check_utf_8(place: str) -> None:
    """Raise InputError, naming `place`, if the locale has this process read names as anything but UTF-8.

    The rules run their steps with PYTHONUTF8=1, so only steps run by hand and Snakemake itself can be such a process.
    """
    if (encoding := sys.getfilesystemencoding()) != "utf-8":
        raise InputError(
            f"{place}: the locale makes them {encoding}, but this workflow needs UTF-8. Set PYTHONUTF8=1 and try again."
        )


def _explained(error: Exception) -> str | None:
    """The line for a user who can remove the cause; None for a defect of ours, whose traceback is needed."""
    if isinstance(error, InputError):
        return one_line(error)
    if isinstance(error, OSError):  # such as a full disk or a folder that cannot be written to
        return f"{error.filename or 'input or output'}: {error.strerror or error}. Fix this and run snakemake again."
    text = " ".join(str(error).split())
    # torch is not imported for its errors: OutOfMemoryError and others of a GPU, a plain RuntimeError on a CPU.
    if type(error).__name__ == "OutOfMemoryError" or any(sign in text for sign in GPU_IS_FULL):
        return (
            f"GPU memory: too little is free ({text[: HEAD // 2]}). Lower training.batch_size, running.depths_per_job "
            "or running.jobs_per_gpu, or free the GPU, and run snakemake again."
        )
    if any(sign in text for sign in GPU_IS_BUSY):
        return f"GPU: it cannot be used ({text[: HEAD // 2]}). Free it or choose another, and run snakemake again."
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return f"memory: none is left ({text}). Run fewer jobs at once or give this job more, and run snakemake again."
    return None
