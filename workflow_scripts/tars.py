"""Tar archives read in place: an index of the members from their headers alone, refusing all that is not plain data."""

import os
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from workflow_scripts.cli import InputError

KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a named pipe",
}


@dataclass(frozen=True)
class Member:
    """A plain file in an uncompressed tar: its name and where its bytes lie in the archive's file."""

    name: str
    offset: int
    size: int


def tar_members(path: Path, inner: Member | None = None) -> list[Member]:
    """The plain files of the tar at `path`, or of the tar that is its member `inner`, in the archive's order.

    Reads headers only, seeking over the data. Raises InputError for a file that is no uncompressed tar or not whole,
    and for members that are links, devices, sparse, absolute, twice there or above the archive ("..").
    """
    where = f"{path} ({inner.name})" if inner else str(path)
    start = inner.offset if inner else 0
    try:
        with open(path, "rb", buffering=0) as file:
            end = start + inner.size if inner else os.fstat(file.fileno()).st_size
            file.seek(start)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                members = [_checked(info, where, end) for info in tar]
                after = tar.offset
            # tarfile takes a damaged header, or none, for the end of an archive.
            if after + tarfile.BLOCKSIZE > end or os.pread(file.fileno(), tarfile.BLOCKSIZE, after).strip(b"\0"):
                raise InputError(f"{where} is damaged or not whole: neither a header nor the end at byte {after}")
    except (tarfile.TarError, OSError, ValueError, MemoryError) as error:  # what damaged headers make tarfile raise
        raise InputError(f"{where} is not a whole, uncompressed tar archive: {error}") from None
    files = [member for member in members if member is not None]
    if len({member.name for member in files}) < len(files):
        names = [member.name for member in files]
        raise InputError(f"{where} holds {next(name for name in names if names.count(name) > 1)!r} twice")
    return files


def _checked(info: tarfile.TarInfo, where: str, end: int) -> Member | None:
    """The member if it is a plain file inside the archive, None for a folder."""
    parts = PurePosixPath(info.name).parts
    if info.name.startswith("/") or ".." in parts:
        raise InputError(f"{where} is refused: member {info.name!r} would lie outside the folder it is unpacked in")
    if info.isdir():
        return None
    if not info.isreg() or info.issparse():
        kind = KINDS.get(info.type, "no plain file")
        raise InputError(f"{where} is refused: member {info.name!r} is {kind}; data archives hold plain files only")
    if info.offset_data + info.size > end:
        raise InputError(f"{where} is not whole: member {info.name!r} goes on after its end")
    return Member(str(PurePosixPath(*parts)), info.offset_data, info.size)
