"""Files that appear whole or not at all, and their checksums."""

import contextlib
import errno
import glob
import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`. If the block succeeds, the file is made durable and renamed to `path`.

    If the block raises, the temporary file is removed and `path` stays unchanged. A full disk raises an OSError that
    names `path`, whichever library wrote. What killed processes of this machine left of `path` is removed first.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in leftovers(path):
        if not _alive(int(leftover.name.removesuffix(f".tmp{path.suffix}").rpartition(".")[2])):
            leftover.unlink(missing_ok=True)
    # Some writers choose the format by the suffix, so the temporary name keeps it.
    temporary = path.with_name(f".{path.stem}.{platform.node()}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except Exception as error:
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def leftovers(path: Path, any_machine: bool = False) -> Iterator[Path]:
    """The temporary files of `atomic_path(path)`, in use or left behind: this machine's, or any machine's."""
    machine = "*" if any_machine else glob.escape(platform.node())
    return path.parent.glob(f".{glob.escape(path.stem)}.{machine}.[0-9]*.tmp{glob.escape(path.suffix)}")


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: object) -> None:
    """Write `value` as indented JSON with sorted keys to `path`, atomically. NaN is refused (ValueError)."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: str | Path) -> dict:
    """The JSON object in `path`. Raises InputError if it is missing or not a JSON object."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or not JSON
        raise InputError(
            f"{path}: it is not a readable JSON file ({error}). Delete it and run snakemake again."
        ) from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: it does not hold a JSON object. Delete it and run snakemake again.")
    return value


def sha256_file(path: str | Path) -> str:
    """The SHA-256 of the bytes of `path`, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def same_place(*paths: str | None) -> bool:
    """Whether all `paths` lead to one place, however they are written, or are all None."""
    try:
        return len({path and os.path.realpath(path) for path in paths}) <= 1
    except ValueError:  # what can be no path
        return len(set(paths)) <= 1


def check_free_disk(folder: str | Path, needed: int, key: str) -> None:
    """Raise InputError if fewer than `needed` bytes are free where `folder` is, or will be made.

    `key` is the configuration key that decides how many are needed.
    """
    free = shutil.disk_usage(_existing(folder)).free
    if needed > free:
        raise InputError(
            f"{Path(folder).absolute()}: {needed / 1e9:.3g} GB are needed, but {free / 1e9:.3g} GB of disk are free. "
            f"Free some, link data/ to a larger disk, or lower {key}."
        )


def check_writable(*folders: str | Path) -> None:
    """Raise InputError if one of `folders`, or the place where it will be made, cannot be written to."""
    for there in map(_existing, folders):
        if not os.access(there, os.W_OK | os.X_OK):
            raise InputError(
                f"{there}: the folder cannot be written to. Work in a folder of your own (snakemake --directory), or "
                "fix its permissions."
            )


def _existing(folder: str | Path) -> Path:
    """`folder`, or the nearest folder above it that exists."""
    folder = Path(folder).absolute()
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


def _alive(process: int) -> bool:
    """Whether this machine has a process of that number."""
    try:
        os.kill(process, 0)
    except OSError as error:
        return error.errno == errno.EPERM  # a process of a different user
    return True
