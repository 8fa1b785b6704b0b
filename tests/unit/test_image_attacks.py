"""Small files that would take gigabytes or minutes to decode are refused before they are."""

import struct

import pytest
from fuzz_targets import encoded

from workflow_scripts.images import BadImage, decode

PROGRESSIVE = encoded("JPEG", progressive=True)
LAST_SCAN = PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2]


def tiff_of_tiles(side, compression):
    """A TIFF of 16 x 16 pixels in one tile of `side` x `side`."""
    tags = {256: 16, 257: 16, 258: 8, 259: compression, 262: 1, 277: 1, 322: side, 323: side, 324: 4096, 325: 64}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return (b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)).ljust(4096, b"\0") + bytes(64)


def rle_bitmap(width, height):
    """An 8-bit BMP whose pixels are run lengths, none of which is there."""
    head = struct.pack("<2sIHHI", b"BM", 2000, 0, 0, 1078)
    return (
        head + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 0, 0, 0, 256, 0) + bytes(1024) + b"\x04\x01" * 99
    )


ATTACKS = {
    "a progressive JPEG of 1000 scans": PROGRESSIVE[:-2] + LAST_SCAN * 1000 + b"\xff\xd9",
    "a JPEG of 2 million segments": PROGRESSIVE[:2] + b"\xff\xe0\x00\x02" * 2_000_000 + PROGRESSIVE[2:],
    "a TIFF tile of 1.6 billion pixels": tiff_of_tiles(40_000, 1),
    "the same, compressed": tiff_of_tiles(40_000, 5),
    "a run-length BMP of 20 million pixels": rle_bitmap(5000, 4000),
    "a PGM of 20 million pixels as text": b"P2 5000 4000 255 " + b"0 " * 2_000_000,
    "a PPM of 20 million pixels of 16 bits": b"P6 5000 4000 65535 " + bytes(2_000_000),
    "a PNG of 900 million pixels": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_bomb_is_refused_before_it_is_decoded(attack):
    with pytest.raises(BadImage) as caught:
        decode(ATTACKS[attack], 36, "warp")
    assert "perhaps a decompression bomb" in str(caught.value) or attack.startswith("a PNG")
    assert len(str(caught.value)) <= 200
    assert "\n" not in str(caught.value)


def test_what_is_large_but_ordinary_is_decoded():
    few = PROGRESSIVE[:2] + b"\xff\xe0\x00\x02" * 1000 + PROGRESSIVE[2:]
    assert decode(few, 36, "warp").shape == (36, 36, 3)
    assert decode(tiff_of_tiles(256, 1).ljust(4096 + 65536, b"\0"), 36, "warp").shape == (36, 36, 3)
