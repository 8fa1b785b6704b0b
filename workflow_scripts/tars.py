"""Tar archives read in place: an index of the members from their headers alone, refusing all that is not plain data."""

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePosixPath

from workflow_scripts.cli import InputError

KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a named pipe",
}
END_MARK = 2 * tarfile.BLOCKSIZE  # zeros
MOST_HEADER = 2**13  # bytes; names and times need less, and parsing one takes the square of its size in time and memory
MOST_NESTED = 4  # extended headers of one member
MOST_PADDING = 2**20  # zeros that tar programs write after the end mark, to fill a record; 10 kB by default


@dataclass(frozen=True, slots=True)
class Member:
    """A plain file in an uncompressed tar: its name and where its bytes lie in the archive's file."""

    name: str
    offset: int
    size: int


class _HeaderFile(FileIO):
    """A file of which only headers are read: a damaged one that asks for more is an error, not gigabytes of memory."""

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MOST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return super().read(size)


class _BoundedInfo(tarfile.TarInfo):
    """A header that may follow few others: tarfile keeps all of a member's extended headers, however many."""

    @classmethod
    def fromtarfile(cls, tar: "_BoundedTar") -> tarfile.TarInfo:
        if tar.nested > MOST_NESTED:
            raise tarfile.ReadError(f"more than {MOST_NESTED} extended headers of one member")
        tar.nested += 1
        try:
            return super().fromtarfile(tar)
        finally:
            tar.nested -= 1


class _BoundedTar(tarfile.TarFile):
    tarinfo, nested = _BoundedInfo, 0


def tar_members(path: Path, inner: Member | None = None) -> list[Member]:
    """The plain files of the tar at `path`, or of the tar that is its member `inner`, in the archive's order.

    Reads headers only, seeking over the data. Raises InputError for a file that is no uncompressed tar or not whole,
    and for members that are links, devices, sparse, absolute, above the archive (".."), twice there or have names that
    are not UTF-8.
    """
    where = f"{path} ({inner.name})" if inner else str(path)
    try:
        with _HeaderFile(path) as file:
            start = inner.offset if inner else 0
            end = start + inner.size if inner else os.fstat(file.fileno()).st_size
            file.seek(start)
            members: dict[str, Member] = {}
            for member in _members(file, where, end):
                if member.name in members:
                    raise InputError(f"{where} holds {member.name!r} twice")
                members[member.name] = member
    except (InputError, MemoryError):
        raise
    except Exception as error:  # damaged headers make tarfile raise many kinds
        raise InputError(f"{where} is not a whole, uncompressed tar archive: {error}") from None
    return list(members.values())


def _members(file: FileIO, where: str, end: int) -> Iterator[Member]:
    with _BoundedTar.open(fileobj=file, mode="r:") as tar:
        while (info := tar.next()) is not None:
            tar.members.clear()  # or tarfile keeps a kilobyte for each
            if unwanted := sorted(set(tar.pax_headers) - {"comment"}):  # git writes a comment
                raise InputError(f"{where} is refused: a header for all members sets {unwanted[0][:50]!r}")
            if (member := _checked(info, where, end)) is not None:
                yield member
        # tarfile takes a damaged header, a block of zeros or none at all for the end of an archive.
        rest = end - tar.offset
        if not END_MARK <= rest <= MOST_PADDING or os.pread(file.fileno(), rest, tar.offset).strip(b"\0"):
            raise InputError(f"{where} is damaged or not whole: neither a header nor the end at byte {tar.offset}")


def _checked(info: tarfile.TarInfo, where: str, end: int) -> Member | None:
    """The member if it is a plain file inside the archive, None for a folder."""
    if info.size < 0 or info.offset_data + info.size > end:
        raise InputError(f"{where} is damaged or not whole: member {info.name!r} has {info.size} bytes")
    parts = PurePosixPath(info.name).parts
    if info.name.startswith("/") or ".." in parts:
        raise InputError(f"{where} is refused: member {info.name!r} would lie outside the folder it is unpacked in")
    if info.isdir():
        return None
    if not info.isreg() or info.issparse():
        kind = KINDS.get(info.type, "no plain file")
        raise InputError(f"{where} is refused: member {info.name!r} is {kind}; data archives hold plain files only")
    return Member(checked_name(str(PurePosixPath(*parts)), where), info.offset_data, info.size)


def checked_name(name: str, where: str | Path) -> str:
    """`name`, if it can be written as UTF-8; InputError otherwise."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InputError(f"{where}: the name {name!a} is not UTF-8; rename it") from None
    return name
