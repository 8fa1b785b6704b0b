"""Tar archives read in place: an index of the members from their headers alone. Only plain data is accepted.

Nothing is ever extracted. Python's tarfile parses single headers only, since its time and memory for extended headers
have no bound.
"""

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NoReturn

from workflow_scripts.dataset.clutter import lies_about
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.formats import CONVERT, TAR, UNKNOWN, Format, file_format

MEMBER_KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.GNUTYPE_SPARSE: "sparse",
}
PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
GNU_EXTRA = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
FOLDERS = (tarfile.DIRTYPE, b"D")  # D: of GNU tar's incremental archives
LABEL = b"V"  # GNU tar's name of a whole archive
PAX_EXTRA = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE)
BLOCK = tarfile.BLOCKSIZE
END_MARK = 2 * BLOCK  # zeros
MOST_PADDING = 2**20  # zeros that tar programs write after the end mark, to fill a record; 10 kB by default
MOST_EXTENDED = 2**20  # bytes of an extended header; macOS keeps icons in them
MOST_IN_A_ROW = 8  # extended headers before a member
MOST_NAME = 4096  # bytes, Linux's limit for a path
MOST_NAMES = 2**30  # characters of all names together; ImageNet's 14 million images have 300 million


@dataclass(frozen=True, slots=True)
class Member:
    """A plain file in an uncompressed tar: its name and where its bytes lie in the archive's file."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Index:
    """What a tar holds: its plain files in its order, its folders, and the names of what lies about (clutter)."""

    members: list[Member]
    folders: set[str]
    left_out: set[str]


@dataclass(slots=True)
class _Header:
    """A header of a member, together with the extended headers before it."""

    name: str
    kind: bytes
    offset: int  # of the data
    size: int


def tar_index(path: Path, inner: Member | None = None) -> Index:
    """What the tar at `path` holds, or the tar that is its member `inner`.

    Raises InputError as `index` does.
    """
    where = f"{path} ({inner.name})" if inner else str(path)
    try:
        with open(path, "rb", buffering=0) as file:
            start = inner.offset if inner else 0
            end = start + inner.size if inner else os.fstat(file.fileno()).st_size
            return index(file, where, start, end)
    except OSError as error:
        _refuse(where, error)


def index(file: BinaryIO, where: str, start: int, end: int) -> Index:
    """What the tar holds that lies in `file` from byte `start` to `end`; errors call it `where`.

    Reads headers only, seeking over the data. Raises InputError for anything but a whole, uncompressed tar. Raises it
    also for members that are links, devices, sparse, absolute, above the archive (".."), doubled, or have names that
    are not UTF-8. What lies about is left out, whatever it is. Raises OSError where the file cannot be read.
    """
    members: dict[str, Member] = {}
    folders, left_out, characters = set(), set(), 0
    try:
        for header in _headers(file, where, start, end):
            characters += len(header.name)
            if characters > MOST_NAMES:
                raise InputError(
                    f"{where}: its names have more than {MOST_NAMES:,} characters. Use a folder tree instead."
                )
            _check_size(header, where, end)
            if header.kind == LABEL:
                continue
            if (clutter := _clutter(header.name)) is not None:
                left_out.add(clutter)
                continue
            member = _checked(header, where)
            if header.kind in FOLDERS:
                folders.add(member.name)
                continue
            if member.name in members:
                raise InputError(f"{where}: it holds {member.name!r} twice. Remove one.")
            members[member.name] = member
    except tarfile.TarError as error:
        file.seek(start)
        _refuse(where, error, file_format(file.read(min(end - start, BLOCK))))
    return Index(list(members.values()), folders - {"."}, left_out)


def _refuse(where: str, why: object, found: Format = UNKNOWN) -> NoReturn:
    """Raise the InputError for what is no whole, uncompressed tar, but a file of the format `found`."""
    if found not in (TAR, UNKNOWN):
        is_image = found.remedy == CONVERT or found.name.startswith("a damaged")  # which nobody has looked for damage
        remedy = "Correct the path" if is_image else f"{found.remedy[0].upper()}{found.remedy[1:]}"
        name = found.name.replace("a damaged", "a")
        raise InputError(f"{where}: it is {name}, not a whole, uncompressed tar archive. {remedy}.") from None
    raise InputError(f"{where}: it is not a whole, uncompressed tar archive ({why}). Unpack or replace it.") from None


def _clutter(name: str) -> str | None:
    """The first of the folders and the file of a member's name that lies about, with those above it; None if none."""
    parts = PurePosixPath(name).parts
    for count, part in enumerate(parts, start=1):
        if lies_about(part):
            return str(PurePosixPath(*parts[:count]))
    return None


def _headers(file: BinaryIO, where: str, start: int, end: int) -> Iterator[_Header]:
    """The headers of members. Raises InputError if they do not end with the mark that ends an archive."""
    position, extra, in_a_row = start, {}, 0
    while (info := _header_at(file, position, start, end)) is not None:
        data = position + BLOCK
        if info.type in (*GNU_EXTRA, *PAX_EXTRA):
            in_a_row += 1
            if not 0 <= info.size <= MOST_EXTENDED or in_a_row > MOST_IN_A_ROW:
                raise tarfile.ReadError(f"extended header number {in_a_row} in a row, of {info.size} bytes")
            extra |= _extra(info.type, file.read(info.size))
            position = data + _whole_blocks(info.size)
            continue
        size = extra.get("size", info.size)
        header = _Header(extra.get("path", info.name), info.type, data, size)
        # As in tarfile, folders, links and devices have no data, whatever size they give.
        has_data = info.type in PLAIN or info.type not in tarfile.SUPPORTED_TYPES
        yield header
        position, extra, in_a_row = data + _whole_blocks(size) if has_data else data, {}, 0
    _check_end(file, where, position, end, extra)


def _header_at(file: BinaryIO, position: int, start: int, end: int) -> tarfile.TarInfo | None:
    """The single header at `position`; None where there is none, so that _check_end looks at what is there."""
    if position >= end > start:
        return None
    file.seek(position)
    try:
        return tarfile.TarInfo.frombuf(file.read(BLOCK), "utf-8", "surrogateescape")
    except tarfile.EOFHeaderError:
        return None
    except (tarfile.HeaderError, ValueError):
        if position == start:
            raise tarfile.ReadError("it does not begin with a header") from None
        return None


def _check_end(file: BinaryIO, where: str, position: int, end: int, extra: dict) -> None:
    rest = end - position
    if END_MARK <= rest <= MOST_PADDING and not extra:
        file.seek(position)
        if not file.read(rest).strip(b"\0"):
            return
    raise InputError(
        f"{where}: it is damaged or not whole, with neither a header nor the end at byte {position}. Get it again."
    )


def _extra(kind: bytes, content: bytes) -> dict[str, str | int]:
    """The "path" and "size" that an extended header gives the next member; nothing else of it matters here."""
    if kind == tarfile.GNUTYPE_LONGNAME:
        return {"path": _text(content.split(b"\0", 1)[0])}
    if kind == tarfile.GNUTYPE_LONGLINK:
        return {}
    found: dict[str, str | int] = {}
    for keyword, value in _pax_records(content):
        if keyword.startswith(b"GNU.sparse."):
            raise tarfile.ReadError("a sparse member, where data archives hold plain files only")
        if keyword == b"path":
            found["path"] = _text(value).rstrip("/")
        elif keyword == b"size":
            found["size"] = _number(value)
    if kind == tarfile.XGLTYPE and found:
        raise tarfile.ReadError(f"a global header that gives each member the same {min(found)}")
    return found


def _pax_records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    r"""Keywords and values of the records "<length> <keyword>=<value>\n", which must fill the header exactly."""
    position = 0
    while position < len(content):
        digits, space, _ = content[position : position + 8].partition(b" ")
        length = _number(digits) if space else 0
        record = content[position + len(digits) + 1 : position + length]
        keyword, equals, value = record.partition(b"=")
        if length > len(content) - position or not equals or not value.endswith(b"\n"):
            raise tarfile.ReadError("a damaged extended header")
        yield keyword, value[:-1]
        position += length


def _number(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 18:
        raise tarfile.ReadError("a damaged extended header")
    return int(digits)


def _text(name: bytes) -> str:
    if len(name) > MOST_NAME:
        raise tarfile.ReadError(f"a name of {len(name)} bytes")
    return name.decode("utf-8", "surrogateescape")


def _whole_blocks(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _check_size(header: _Header, where: str, end: int) -> None:
    if header.size < 0 or header.offset + header.size > end:
        raise InputError(
            f"{where}: it is damaged or not whole, as member {header.name!r} has {header.size} bytes. Get it again."
        )


def _checked(header: _Header, where: str) -> Member:
    """The member, if it is a plain file or a folder inside the archive."""
    name = header.name
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise InputError(
            f"{where}: member {name!r} would lie outside the folder that it is unpacked in. Get a safe archive."
        )
    if header.kind not in (*PLAIN, *FOLDERS):
        kind = MEMBER_KINDS.get(header.kind, "of an unknown kind")
        raise InputError(f"{where}: member {name!r} is {kind}, and data archives hold plain files only. Remove it.")
    return Member(checked_name(str(PurePosixPath(*parts)), where), header.offset, header.size)


def checked_name(name: str, where: str | Path) -> str:
    """`name`, if it can be written as UTF-8; InputError otherwise."""
    try:
        name.encode()
    except UnicodeEncodeError:
        latin = name.encode("utf-8", "surrogateescape").decode("latin-1")
        raise InputError(
            f"{where}: the name {name!a} is not UTF-8 (in Latin-1 it is {latin!r}). Rename it, as with convmv."
        ) from None
    return name
