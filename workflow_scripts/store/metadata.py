"""An encoded image without its metadata: only what decides its pixels, and its EXIF where that is whole.

Pillow refuses some sound images for their profiles, texts and other metadata. decode.decode then tries the image
without them. No pixel is changed or guessed: a part that decides pixels stays as it is, damaged or not.
"""

import struct
import zlib

from workflow_scripts.store.bombs import (
    END,
    MOST_CHUNKS,
    MOST_JUNK,
    MOST_SEGMENTS,
    MOST_TAGS,
    NEXT_MARKER,
    NO_LENGTH,
    SCAN,
)

# Of the segments that libjpeg may skip, those that it does not: marker, start and least length. They decide colours.
JPEG_KEPT = ((0xE0, b"JFIF\0", 14), (0xEE, b"Adobe", 12), (0xE1, b"Exif\0\0", 14))
JPEG_SKIPPED = frozenset((*range(0xE0, 0xF0), 0xFE))  # of applications, and comments
MOST_GIF_BLOCKS = 2**16
WEBP_KEPT = (b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"EXIF")
WEBP_FLAGS, WEBP_EXIF = 0x12, 0x08  # of VP8X: alpha and animation; EXIF
# Tags of TIFF that hold words, times, resolutions and profiles, and private ones but those that decide pixels.
TIFF_WORDS = frozenset((269, 270, 271, 272, 282, 283, 285, 286, 287, 296, 297, 305, 306, 315, 316, 337, 700))
TIFF_PRIVATE, TIFF_KEPT = 32768, (32995, 32996, 32997, 32998, 34925, 34926, 50674)


def without_metadata(data: bytes) -> bytes:
    """The encoded image in `data` without metadata, or `data` itself where there are none or the kind is unknown."""
    if data[:3] == b"\xff\xd8\xff":
        return _jpeg(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png(data)
    if data[:4] == b"GIF8":
        return _gif(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return _tiff(data) if data[:2] in (b"II", b"MM") else data


def _jpeg(data: bytes) -> bytes:
    """Without the segments before the first scan that decide nothing, nor what their lengths leave out of them.

    libjpeg, too, skips what is between two segments.
    """
    kept, position, skipped = [data[:2]], 2, False
    for _ in range(MOST_SEGMENTS):
        match = NEXT_MARKER.search(data, position)
        if match is None or (marker := data[match.end() - 1]) in NO_LENGTH:
            return data
        between = data[position : match.start()][:MOST_JUNK]
        if len(between) == MOST_JUNK or (between.strip(b"\xff") and not skipped):
            return data
        if marker in (SCAN, END):
            return b"".join([*kept, b"\xff", data[match.end() - 1 :]])
        length = max(2, int.from_bytes(data[match.end() : match.end() + 2], "big"))
        content = data[match.end() + 2 : match.end() + length]
        skipped = marker in JPEG_SKIPPED
        if not skipped or any(
            marker == kind and content.startswith(start) and len(content) >= least for kind, start, least in JPEG_KEPT
        ):
            kept.append(b"\xff" + data[match.end() - 1 : match.end() + length])
        position = match.end() + length
    return data


def _png(data: bytes) -> bytes:
    """Without ancillary chunks, but transparency before the pixels, and EXIF whose checksum is right."""
    kept, position, pixels = [data[:8]], 8, False
    for _ in range(MOST_CHUNKS):
        if position + 8 > len(data):
            return b"".join(kept)
        length, kind = struct.unpack_from(">I4s", data, position)
        chunk = data[position : position + length + 12]
        if not (kind.isascii() and kind.isalpha()):  # damaged: behind the pixels it does not matter
            return b"".join(kept) if pixels else data
        whole = zlib.crc32(chunk[4:-4]).to_bytes(4, "big") == chunk[-4:]
        if kind[:1].isupper() or (kind == b"tRNS" and not pixels) or (kind == b"eXIf" and whole):
            kept.append(chunk)
        pixels |= kind == b"IDAT"
        if kind == b"IEND":
            return b"".join(kept)
        position += length + 12
    return data


def _gif(data: bytes) -> bytes:
    """Without extensions before the first image, but those that control it (transparency)."""
    flags = data[10] if len(data) > 10 else 0
    start = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    kept, position, blocks = [data[:start]], start, 0
    while data[position : position + 1] == b"!":
        end = position + 2
        while end < len(data) and data[end]:
            end += data[end] + 1
            blocks += 1
            if blocks > MOST_GIF_BLOCKS:
                return data
        if data[position + 1 : position + 2] == b"\xf9":
            kept.append(data[position : end + 1])
        position = end + 1
    return b"".join([*kept, data[position:]])


def _webp(data: bytes) -> bytes:
    """Without all but the whole chunks of pixels and EXIF, in a container of their size."""
    kept, position = [], 12
    for _ in range(MOST_CHUNKS):
        if position + 8 > len(data):
            break
        kind, length = struct.unpack_from("<4sI", data, position)
        chunk = data[position : position + 8 + length]
        if kind in WEBP_KEPT and len(chunk) == 8 + length:
            kept.append(chunk + bytes(length % 2))
        position += 8 + length + length % 2
    if kept and kept[0][:4] == b"VP8X" and len(kept[0]) > 8:
        exif = WEBP_EXIF if any(chunk[:4] == b"EXIF" for chunk in kept) else 0
        kept[0] = kept[0][:8] + bytes([kept[0][8] & WEBP_FLAGS | exif]) + kept[0][9:]
    return b"RIFF" + struct.pack("<I", 4 + sum(map(len, kept))) + b"WEBP" + b"".join(kept)


def _tiff(data: bytes) -> bytes:
    """Without the tags of the first image that hold words, and without the images behind it."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"\x2b\x00", b"\x00\x2b")
    pointer, counter, size = (order + "8xQ", order + "Q", 20) if big else (order + "4xI", order + "H", 12)
    try:
        (start,) = struct.unpack_from(pointer, data)
        (count,) = struct.unpack_from(counter, data, start)
    except (struct.error, OverflowError):
        return data
    first, kept = start + struct.calcsize(counter), []
    if count > MOST_TAGS or first + count * size > len(data):
        return data
    for position in range(first, first + count * size, size):
        (tag,) = struct.unpack_from(order + "H", data, position)
        if tag not in TIFF_WORDS and (tag < TIFF_PRIVATE or tag in TIFF_KEPT):
            kept.append(data[position : position + size])
    entries = struct.pack(counter, len(kept)) + b"".join(kept) + bytes(8 if big else 4)  # zeros: no next image
    # The freed bytes stay as zeros, since offsets count from the start of the file.
    entries = entries.ljust(first + count * size - start, b"\0")
    return data[:start] + entries + data[start + len(entries) :]
