"""Refuses encoded images that would cost a decoder minutes or gigabytes, by their structure, before they are decoded.

decode.decode bounds the pixels that an image claims to have. This module bounds what else a small file can repeat:
scans of a JPEG, segments, chunks and blocks, strips and tiles of a TIFF, and what Pillow decodes in Python itself.
"""

import re
import struct

from PIL import Image

from workflow_scripts.dataset.dataset import BadImage

MOST_SEGMENTS = 4096  # of a JPEG; full ones, of 64 kB, fill the largest file
MOST_SCANS = 100  # progressive JPEGs have about ten
MOST_SCANNED = 2 * 10**9  # scans times pixels: half a minute
MOST_CHUNKS = 2**16  # of a PNG
MOST_BLOCKS = 4096  # of 255 bytes, before the first image of a GIF
MOST_JUNK = 2**16  # bytes between two parts of a file, and of a header in text
MOST_VALUES = 2**17  # of a tag of a TIFF, such as the offsets of its strips
MOST_TAGS = 4096
MOST_TILE = 2**24  # pixels
PYTHON_DECODERS = {"bmp_rle": 4, "ppm": 2, "ppm_plain": 8}  # that Pillow has in Python: most bytes a value
MOST_PYTHON_VALUES = 5_000_000  # a microsecond each
NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # neither an escaped byte nor a restart in a scan's data
SCAN, END, NO_LENGTH = 0xDA, 0xD9, (0x01, 0xD8)
SCAN_MARKER = bytes([0xFF, SCAN])
FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
TEXT_TIFF_TYPES = (1, 2, 6, 7)  # bytes: kept as they are, not as Python numbers
TILE_SIDES = (322, 323)


def check_encoded(data: bytes) -> None:
    """Raise BadImage if the encoded image in `data` has more parts than any photograph has.

    A damaged image passes, since its decoder will name what is wrong.
    """
    if data[:3] == b"\xff\xd8\xff":
        _check_jpeg(data)
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        _check_png(data)
    elif data[:4] == b"GIF8":
        _check_gif(data)
    elif data[:2] in (b"II", b"MM"):
        _check_tiff(data)
    elif data[:1] == b"P":
        _check_ppm(data)


def check_opened(image: Image.Image, encoded: int) -> None:
    """Raise BadImage if an opened image of `encoded` bytes would be decoded in Python for minutes, or again and again
    into the same pixels.
    """
    pixels = image.width * image.height
    if image.tile and image.tile[0][0] in PYTHON_DECODERS:
        values = pixels * len(image.getbands())
        if values > MOST_PYTHON_VALUES:
            raise BadImage(f"{values:,} values of a kind that is decoded slowly; convert it")
        if encoded > PYTHON_DECODERS[image.tile[0][0]] * values + MOST_JUNK:
            raise BadImage(f"{encoded:,} bytes for {values:,} values, perhaps a decompression bomb")
    area = sum((right - left) * (bottom - top) for _, (left, top, right, bottom), *_ in image.tile)
    if area > 8 * pixels:
        raise BadImage(f"parts of {area:,} pixels for {pixels:,}, perhaps a decompression bomb")


def _check_jpeg(data: bytes) -> None:
    position, segments, pixels = 2, 0, 0
    while (match := NEXT_MARKER.search(data, position)) and (marker := data[match.end() - 1]) not in (SCAN, END):
        if match.end() - position > MOST_JUNK:
            raise BadImage(f"{match.end() - position:,} bytes between two segments")
        position, segments = match.end(), segments + 1
        if marker in FRAME and len(size := data[position + 3 : position + 7]) == 4:
            height, width = struct.unpack(">HH", size)
            pixels = max(pixels, height * width)
        if segments > MOST_SEGMENTS:
            raise BadImage(f"more than {MOST_SEGMENTS:,} segments, perhaps a decompression bomb")
        if marker not in NO_LENGTH:
            position += int.from_bytes(data[position : position + 2], "big")
    if match is None:
        return
    most = min(MOST_SCANS, MOST_SCANNED // max(1, pixels))
    # A fast count. It is too high only where data after the image, such as a telephone's film, has these bytes.
    if data.count(SCAN_MARKER, match.start()) > most and _has_more_scans(data, match.start(), most):
        raise BadImage(f"more than {most} scans of {pixels:,} pixels, perhaps a decompression bomb")


def _has_more_scans(data: bytes, position: int, most: int) -> bool:
    """Whether there are more than `most` scans, or far too many segments, from `position` to the end mark."""
    scans = 0
    for _ in range(MOST_SEGMENTS):
        match = NEXT_MARKER.search(data, position)
        if match is None or (marker := data[match.end() - 1]) == END:
            return False
        scans += marker == SCAN
        if scans > most:
            return True
        length = 0 if marker in NO_LENGTH else int.from_bytes(data[match.end() : match.end() + 2], "big")
        position = match.end() + length
    return True


def _check_png(data: bytes) -> None:
    position, chunks = 8, 0
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        position += length + 12
        chunks += 1
        if kind == b"IEND":
            return
        if chunks > MOST_CHUNKS:
            raise BadImage(f"more than {MOST_CHUNKS:,} chunks, perhaps a decompression bomb")


def _check_gif(data: bytes) -> None:
    flags = data[10] if len(data) > 10 else 0
    position, blocks = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0), 0
    while position < len(data) and data[position] not in b",;":
        if data[position] == ord("!"):
            position += 2
            while position < len(data) and data[position]:
                position += data[position] + 1
                blocks += 1
                if blocks > MOST_BLOCKS:
                    raise BadImage(f"more than {MOST_BLOCKS:,} blocks before the image")
        else:
            blocks += 1  # a stray byte
        if blocks > MOST_BLOCKS:
            raise BadImage(f"more than {MOST_BLOCKS:,} blocks before the image")
        position += 1


def _check_tiff(data: bytes) -> None:
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"\x2b\x00", b"\x00\x2b")
    pointer, counter, entry = (order + kind for kind in (("8xQ", "Q", "HHQ8s") if big else ("4xI", "H", "HHI4s")))
    try:
        (position,) = struct.unpack_from(pointer, data)
        (tags,) = struct.unpack_from(counter, data, position)
    except (struct.error, OverflowError):
        return
    if tags > MOST_TAGS:
        raise BadImage(f"{tags:,} tags, perhaps a decompression bomb")
    position += struct.calcsize(counter)
    size, tile = struct.calcsize(entry), 1
    for start in range(position, min(position + tags * size, len(data) - size + 1), size):
        tag, kind, count, value = struct.unpack_from(entry, data, start)
        if count > MOST_VALUES and kind not in TEXT_TIFF_TYPES:
            raise BadImage(f"{count:,} values of the tag {tag}, perhaps a decompression bomb")
        if tag in TILE_SIDES:
            tile *= int.from_bytes(value[: 2 if kind == 3 else len(value)], "little" if order == "<" else "big")
    if tile > MOST_TILE:
        raise BadImage(f"tiles of {tile:,} pixels, perhaps a decompression bomb")


def _check_ppm(data: bytes) -> None:
    header = data[:MOST_JUNK]
    if len(data) > MOST_JUNK and len(re.sub(rb"#[^\r\n]*", b"", header).split(maxsplit=3)) < 4:
        raise BadImage(f"a header of more than {MOST_JUNK >> 10} kB")
    if data[1:2] in (b"1", b"2", b"3") and data.count(b"#") > 1000:  # Pillow copies a megabyte for each
        raise BadImage("more than 1000 comments")
