"""A struct array of numbers and texts from a MATLAB file (level 5), with bounds: a damaged or hostile one is an error.

scipy.io.loadmat reads more, but its C code crashes the process on some damaged files. The format is MathWorks'
"MAT-File Format", chapter 1: elements of a type, a number of bytes and content; structs and arrays are elements of
elements.
"""

import struct
import zlib

import numpy as np

MAX_BYTES = 2**24  # of the file, and of what a compressed variable may become; ILSVRC-2012's have 0.3 MB
HEADER_BYTES = 128
MATRIX, COMPRESSED = 14, 15  # types of elements
STRUCT, CHAR, NUMBERS = 2, 4, range(6, 16)  # classes of arrays
DTYPES = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}
ENCODINGS = {1: "latin-1", 2: "latin-1", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le", 18: "utf-32-le"}

Value = str | list[float] | None  # of a field: text, numbers, or something else, which is not read
Element = tuple[int, bytes]  # type and content


def read_structs(data: bytes, name: str) -> list[dict[str, Value]]:
    """The elements of the struct array called `name` in the file's bytes `data`, as fields by name.

    Raises ValueError for what is no such file, damaged, or larger than MAX_BYTES.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES >> 20} MB")
    if data[126:HEADER_BYTES] != b"IM":
        raise ValueError("no little-endian MATLAB file of level 5")
    rest = memoryview(data)[HEADER_BYTES:]
    while rest:
        (kind, content), rest = _element(rest, padded=False)
        if kind == COMPRESSED:
            (kind, content), _ = _element(memoryview(_inflated(content)))
        if kind == MATRIX:
            array_class, _, found, content = _array_head(content)
            if (array_class, found) == (STRUCT, name):
                return _structs(content)
    raise ValueError(f"no struct array {name}")


def _element(data: memoryview, padded: bool = True) -> tuple[Element, memoryview]:
    """The first element of `data`, and the rest; small ones hold their content in the tag."""
    if len(data) < 8:
        raise ValueError("it ends inside an element")
    kind, size = struct.unpack_from("<II", data)
    if kind >> 16:
        kind, size = kind & 0xFFFF, kind >> 16
        if size > 4:
            raise ValueError(f"a small element of {size} bytes")
        return (kind, bytes(data[4 : 4 + size])), data[8:]
    if size > len(data) - 8:
        raise ValueError("it ends inside an element")
    # What is compressed, and a whole variable, is followed by the next one at once.
    end = 8 + (-(-size // 8) * 8 if padded else size)
    return (kind, bytes(data[8 : 8 + size])), data[end:]


def _inflated(content: bytes) -> bytes:
    try:
        inflated = zlib.decompressobj().decompress(content, MAX_BYTES + 1)
    except zlib.error as error:
        raise ValueError(f"a variable that cannot be decompressed: {error}") from None
    if len(inflated) > MAX_BYTES:
        raise ValueError(f"a variable of more than {MAX_BYTES >> 20} MB")
    return inflated


def _array_head(content: bytes) -> tuple[int, list[int], str, memoryview]:
    """An array's class, dimensions and name, and what follows these; class 0 of an array that is nothing at all."""
    if not content:
        return 0, [], "", memoryview(b"")
    (_, flags), rest = _element(memoryview(content))
    (kind, dimensions), rest = _element(rest)
    (_, name), rest = _element(rest)
    if not flags or kind != 5 or len(dimensions) % 4:
        raise ValueError("an array without class or dimensions")
    sizes = np.frombuffer(dimensions, DTYPES[5]).tolist()
    return flags[0], sizes, name.decode("latin-1"), rest


def _structs(rest: memoryview) -> list[dict[str, Value]]:
    """All elements of a struct array, from what follows its head."""
    (_, length), rest = _element(rest)
    (_, text), rest = _element(rest)
    width = int.from_bytes(length[:4], "little")
    if not 0 < width <= 64 or not text or len(text) % width:
        raise ValueError("a struct array without names of its fields")
    names = [text[at : at + width].split(b"\0")[0].decode("latin-1") for at in range(0, len(text), width)]
    values = []
    while len(rest) >= 8:
        (kind, content), rest = _element(rest)
        if kind != MATRIX:
            raise ValueError("a field that is no array")
        values.append(_value(content))
    if len(values) % len(names):
        raise ValueError("it ends inside a struct")
    return [dict(zip(names, values[at : at + len(names)], strict=True)) for at in range(0, len(values), len(names))]


def _value(content: bytes) -> Value:
    array_class, sizes, _, rest = _array_head(content)
    if array_class not in (CHAR, *NUMBERS):
        return None
    if not rest:
        return "" if array_class == CHAR else []
    (kind, values), _ = _element(rest)
    if array_class == CHAR:
        if kind not in ENCODINGS or sizes[:1] not in ([0], [1]):
            raise ValueError("a text that is no single line")
        return values.decode(ENCODINGS[kind])
    dtype = np.dtype(DTYPES.get(kind, "V1"))
    if dtype.kind == "V" or len(values) % dtype.itemsize:
        raise ValueError("numbers of an unknown kind")
    return np.frombuffer(values, dtype).tolist()
