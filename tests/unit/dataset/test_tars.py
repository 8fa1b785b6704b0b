"""The index of tar archives: headers only, and nothing but plain, whole data."""

import io
import tarfile

import numpy as np
import pytest
from helpers import write_sparse_tar

from workflow_scripts.dataset.sample.draw_sample import tar_bytes
from workflow_scripts.dataset.tars import tar_index
from workflow_scripts.plumbing.cli import InputError

FILES = [("a/one.JPEG", b"1" * 700), ("a/two.JPEG", b""), ("b/three.JPEG", b"3" * 512)]
LONG_NAME = "folder/" * 20 + "image.JPEG"


@pytest.fixture
def plain(tmp_path):
    (tmp_path / "plain.tar").write_bytes(tar_bytes(FILES))
    return tmp_path / "plain.tar"


def written(path, kind):
    """A tar in one of the formats, of a folder, FILES and a file whose name is too long for a plain header."""
    with tarfile.open(path, "w", format=kind) as tar:
        tar.addfile(tarfile.TarInfo("folder/"))
        for name, data in [*FILES, (LONG_NAME, b"long")]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def bytes_at(path, member):
    return path.read_bytes()[member.offset : member.offset + member.size]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_lie_where_the_index_says(tmp_path, kind):
    path = written(tmp_path / "x.tar", kind)
    members = tar_index(path).members
    assert [member.name for member in members[-4:]] == [*(name for name, _ in FILES), LONG_NAME]
    assert [bytes_at(path, member) for member in members[-4:]] == [*(data for _, data in FILES), b"long"]


def test_an_inner_tar_is_read_in_place(tmp_path):
    path = tmp_path / "outer.tar"
    path.write_bytes(tar_bytes([("other.tar", tar_bytes(FILES[:1])), ("inner.tar", tar_bytes(FILES))]))
    inner = tar_index(path).members[1]
    assert [(member.name, bytes_at(path, member)) for member in tar_index(path, inner).members] == FILES


def test_only_headers_are_read(tmp_path):
    """A sparse archive of a terabyte, which could not be read whole: 50 members of 20 GB."""
    path, size = tmp_path / "big.tar", 20 * 10**9 // 512 * 512
    write_sparse_tar(path, 50, size)
    members = tar_index(path).members
    assert [member.size for member in members] == [size] * 50
    assert members[-1].offset == 50 * 512 + 49 * size


def with_member(path, name, kind=tarfile.REGTYPE, **fields):
    with tarfile.open(path, "a") as tar:
        info = tarfile.TarInfo(name)
        info.type = kind
        for field, value in fields.items():
            setattr(info, field, value)
        tar.addfile(info)


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("/etc/passwd", {}, "'/etc/passwd' would lie outside"),
        ("a/../../x.JPEG", {}, "would lie outside"),
        ("..", {}, "would lie outside"),
        ("link.JPEG", {"kind": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "is a symbolic link"),
        ("link.JPEG", {"kind": tarfile.LNKTYPE, "linkname": "a/one.JPEG"}, "is a hard link"),
        ("null", {"kind": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}, "is a character device"),
        ("disk", {"kind": tarfile.BLKTYPE}, "is a block device"),
        ("pipe", {"kind": tarfile.FIFOTYPE}, "is a named pipe"),
        ("a/one.JPEG", {}, "holds 'a/one.JPEG' twice"),
        ("./a//one.JPEG", {}, "holds 'a/one.JPEG' twice"),
    ],
)
def test_members_that_are_no_plain_data_are_refused(plain, name, fields, message):
    with_member(plain, name, **fields)
    with pytest.raises(InputError, match=message):
        tar_index(plain)


def test_every_truncation_is_noticed(plain):
    """At any length but that of the whole archive; the padding after the two blocks of the end mark may go."""
    whole = plain.read_bytes()
    end = 512 * 6  # three headers, 700 + 0 + 512 bytes in blocks
    for length in [*range(0, end + 512, 256), 1, 511, 513, end - 1, end + 1, end + 512, end + 1023]:
        plain.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"not a whole|not whole"):
            tar_index(plain)
    plain.write_bytes(whole[: end + 1024])
    assert len(tar_index(plain).members) == 3


def test_a_truncated_inner_tar_does_not_run_into_the_next(tmp_path):
    path = tmp_path / "outer.tar"
    whole = tar_bytes(FILES)
    for length in (512, 1024, 512 * 6):
        path.write_bytes(tar_bytes([("inner.tar", whole[:length]), ("next.tar", whole)]))
        inner = tar_index(path).members[0]
        with pytest.raises(InputError, match=r"outer\.tar \(inner\.tar\).*not whole"):
            tar_index(path, inner)


@pytest.mark.parametrize("start", [0, 512 * 3, 512 * 4])
@pytest.mark.parametrize(("byte", "count"), [(b"\xff", 10), (b"\0", 512)])
def test_a_damaged_header_is_no_end_of_the_archive(plain, start, byte, count):
    """Nor is a hole of zeros, as an unfinished download has."""
    data = bytearray(plain.read_bytes())
    data[start : start + count] = byte * count
    plain.write_bytes(data)
    with pytest.raises(InputError, match=r"damaged|not a whole"):
        tar_index(plain)


def test_zeros_to_the_end_of_a_large_archive_are_no_padding(plain):
    with open(plain, "ab") as file:
        file.truncate(2**20 + 512 * 9)
    with pytest.raises(InputError, match="neither a header nor the end"):
        tar_index(plain)


def header(name, size, kind=tarfile.REGTYPE):
    """A header with any size, negative or enormous ones too, and a right checksum."""
    info = tarfile.TarInfo(name)
    info.type = kind
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = (size % 2**96).to_bytes(12, "big") if size < 0 else b"\x80" + size.to_bytes(11, "big")
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return bytes(block)


LONG = header("././@LongLink", 512, tarfile.GNUTYPE_LONGNAME) + b"a" * 512


@pytest.mark.parametrize(
    "headers",
    [
        header("first", 0) + header("again", -512),
        header("first", -512),
        header("././@LongLink", -512, tarfile.GNUTYPE_LONGNAME),
        header("././@LongLink", 2**70, tarfile.GNUTYPE_LONGNAME),
        header("pax", 2**40, tarfile.XHDTYPE),
        header("huge", 2**62),
        LONG * 3000,
    ],
    ids=["back to itself", "negative", "negative name", "long name", "long pax", "huge", "chain of names"],
)
def test_crafted_headers_neither_hang_nor_fill_the_memory(tmp_path, headers):
    (tmp_path / "x.tar").write_bytes(headers + bytes(10240))
    with pytest.raises(InputError, match=r"x\.tar: it is (damaged or )?not"):
        tar_index(tmp_path / "x.tar")


def test_names_that_are_not_utf_8_are_refused(plain):
    with tarfile.open(plain, "a", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
        tar.addfile(tarfile.TarInfo("caf\xe9.JPEG"))
    with pytest.raises(InputError, match=r"name 'caf\\udce9\.JPEG' is not UTF-8"):
        tar_index(plain)


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_random_damage_is_refused_or_harmless(tmp_path, kind):
    """Whatever bytes of the headers change: a refusal in one line, or members that lie inside the archive."""
    path = written(tmp_path / "x.tar", kind)
    whole, random = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole.rstrip(b"\0")), random.integers(1, 4)):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        try:
            members = tar_index(path).members
        except InputError as error:
            refused += 1
            assert str(path) in str(error)
        else:
            assert all(0 <= member.offset <= member.offset + member.size <= len(whole) for member in members)
    assert 50 < refused < 300


@pytest.mark.parametrize("mode", ["w:gz", "w:xz"])
def test_a_compressed_tar_is_refused(tmp_path, mode):
    with tarfile.open(tmp_path / "x.tar", mode) as tar:
        tar.addfile(tarfile.TarInfo("a"))
    with pytest.raises(InputError, match="not a whole, uncompressed tar archive"):
        tar_index(tmp_path / "x.tar")
