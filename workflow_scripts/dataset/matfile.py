"""The part of MATLAB's MAT-file format, version 5, that meta.mat uses: arrays of structs of text and numbers.

It replaces scipy.io.loadmat, whose compiled reader crashes the process on damaged files. Every length is checked
against the bytes that are there, and the size of inflated data is bounded. loadmat in a child process was weighed: it
costs 0.36 s for ImageNet's 1860 synsets (this reader: 0.07 s), and of a damaged file it can only say that it crashed.
"""

import math
import struct
import zlib
from collections.abc import Collection, Iterator

import numpy as np

HEADER = 128
MOST_BYTES = 2**24  # of the file, and of all that is compressed in it; ImageNet's meta.mat has 0.3 MB
MOST_STRUCTS, MOST_FIELDS = 2**15, 32  # of ImageNet 1860 structs of 8 fields
MATRIX, COMPRESSED = 14, 15
NUMBERS = {1: "<i1", 2: "<u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}
TEXT = {1: "utf-8", 2: "utf-8", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le", 18: "utf-32-le"}
STRUCT_CLASS, CHAR_CLASS, NUMBER_CLASSES = 2, 4, range(6, 16)
COMPLEX = 0x0800

Value = str | np.ndarray
Element = tuple[int, memoryview]


class MatError(ValueError):
    """The bytes are not a MAT-file of the kind read here. The text is the reason."""


def read_structs(data: bytes, variable: str, fields: Collection[str]) -> list[dict[str, Value]]:
    """The struct array `variable` of the MAT-file in `data`: for each struct, in the file's order, its `fields`.

    Text is a str, and numbers are a flat array. Other fields and variables are skipped. Raises MatError for a file that
    is damaged, big-endian, of a different version, or inflates to more than MOST_BYTES. Raises it also if one of
    `fields` is missing or holds anything but text and real numbers.
    """
    if len(data) > MOST_BYTES:
        raise MatError(f"the MAT-file has more than {MOST_BYTES >> 20} MB")
    if len(data) < HEADER or data[124:128] != b"\x00\x01IM":
        raise MatError("not a little-endian MAT-file of version 5")
    for kind, content in _inflated(memoryview(data)[HEADER:]):
        if kind == MATRIX:
            array_class, dimensions, name, rest = _array(content)
            if name == variable:
                if array_class != STRUCT_CLASS:
                    raise MatError(f"{variable} is not a struct array")
                return _structs(rest, math.prod(dimensions), fields)
    raise MatError(f"the MAT-file has no variable {variable}")


def _inflated(data: memoryview) -> Iterator[Element]:
    """The top-level elements, inflated where they are compressed."""
    left = MOST_BYTES
    while data:
        kind, content, data = _element(data)
        if kind != COMPRESSED:
            yield kind, content
            continue
        stream = zlib.decompressobj()
        try:
            inflated = stream.decompress(content, left)
        except zlib.error as error:
            raise MatError(f"damaged: {error}") from None
        if not stream.eof:
            raise MatError(f"damaged, or its data inflate to more than {MOST_BYTES >> 20} MB")
        left -= len(inflated) - 1  # decompress() takes 0 for no bound
        kind, content, _ = _element(memoryview(inflated))
        yield kind, content


def _element(data: memoryview) -> tuple[int, memoryview, memoryview]:
    """The type and content of the first data element, and what follows it."""
    if len(data) < 8:
        raise MatError("damaged: it ends inside a data element")
    kind, size = struct.unpack_from("<II", data)
    if kind >> 16:  # a small element: its size is in the upper half, its data (four bytes at most) in place of the size
        kind, size, start, end = kind & 0xFFFF, kind >> 16, 4, 8
        if size > 4:
            raise MatError(f"damaged: a small data element of {size} bytes")
    else:
        start, end = 8, 8 + size + (0 if kind == COMPRESSED else -size % 8)
    if start + size > len(data):
        raise MatError(f"damaged: a data element of {size} bytes where {len(data)} are left")
    return kind, data[start : start + size], data[end:]


def _array(content: memoryview) -> tuple[int, tuple[int, ...], str, memoryview]:
    """The class, dimensions and name of a matrix element, and what follows these."""
    if not content:  # an empty one, as MATLAB writes fields that were never set
        return NUMBER_CLASSES[0], (0, 0), "", content
    kind, flags, content = _element(content)
    if kind != 6 or len(flags) != 8:
        raise MatError("damaged: an array without flags")
    kind, sizes, content = _element(content)
    if kind != 5 or len(sizes) % 4 or not 2 <= len(sizes) // 4 <= 32:
        raise MatError("damaged: an array without dimensions")
    dimensions = struct.unpack(f"<{len(sizes) // 4}i", sizes)
    if min(dimensions) < 0:
        raise MatError("damaged: an array of negative size")
    kind, name, content = _element(content)
    word = struct.unpack_from("<I", flags)[0]
    if word & COMPLEX:
        raise MatError("complex numbers")
    return word & 0xFF, dimensions, _decoded(bytes(name), "latin-1"), content


def _structs(content: memoryview, count: int, fields: Collection[str]) -> list[dict[str, Value]]:
    names, content = _field_names(content)
    if missing := set(fields) - set(names):
        raise MatError(f"the structs have no field {min(missing)}")
    if count > MOST_STRUCTS or 8 * count * len(names) > len(content):  # each value has 8 bytes at least
        raise MatError(f"{count} structs where {len(content)} bytes are left")
    rows = []
    for _ in range(count):
        row = {}
        for name in names:
            kind, value, content = _element(content)
            if kind != MATRIX:
                raise MatError(f"damaged: the field {name} is not an array")
            if name in fields:
                row[name] = _value(value, name)
        rows.append(row)
    return rows


def _field_names(content: memoryview) -> tuple[list[str], memoryview]:
    kind, length, content = _element(content)
    if kind != 5 or len(length) != 4:
        raise MatError("damaged: structs without the length of their fields' names")
    (length,) = struct.unpack("<i", length)
    kind, names, content = _element(content)
    if not 1 <= length <= 64 or kind != 1 or len(names) % length or len(names) > MOST_FIELDS * length:
        raise MatError("damaged: structs without the names of their fields")
    raw = bytes(names)
    fields = [raw[start : start + length].split(b"\0", 1)[0] for start in range(0, len(raw), length)]
    return [_decoded(field, "latin-1") for field in fields], content


def _value(content: memoryview, field: str) -> Value:
    array_class, dimensions, _, content = _array(content)
    if array_class != CHAR_CLASS and array_class not in NUMBER_CLASSES:
        raise MatError(f"the field {field} holds neither text nor numbers")
    count = math.prod(dimensions)
    kind, data, _ = _element(content) if content else (2, memoryview(b""), content)
    if array_class == CHAR_CLASS:
        if kind not in TEXT or count not in (0, *dimensions):
            raise MatError(f"the field {field} is not one line of text")
        return _decoded(bytes(data), TEXT[kind])
    if kind not in NUMBERS or len(data) != count * np.dtype(NUMBERS[kind]).itemsize:
        raise MatError(f"damaged: the field {field} has {len(data)} bytes for {count} numbers")
    return np.frombuffer(data, NUMBERS[kind])


def _decoded(text: bytes, encoding: str) -> str:
    try:
        return text.decode(encoding)
    except UnicodeDecodeError:
        raise MatError(f"damaged: text that is not {encoding}") from None
