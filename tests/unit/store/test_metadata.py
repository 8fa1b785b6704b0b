"""Metadata decide nothing but the orientation: sound pixels are decoded whatever they are, and damaged ones never."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from workflow_scripts.store.decode import BadImage, decode
from workflow_scripts.store.metadata import without_metadata

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")
NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
PICTURE = Image.fromarray(NOISE)
LARGE = zlib.compress(bytes(2**21))


def encoded(kind, image=PICTURE, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def oriented(value=6):
    exif = Image.Exif()
    exif[0x010E] = "a description of more than four bytes"
    exif[0x0112] = value
    return exif


PNG, JPEG, WEBP, GIF = encoded("PNG"), encoded("JPEG", quality=95), encoded("WEBP", lossless=True), encoded("GIF")


def chunk(kind, content, checksum=None):
    right = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", right if checksum is None else checksum)


def segment(marker, content, length=None):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2 if length is None else length) + content


def pixels(data):
    return decode(data, 30, "warp")


CHUNKS = {
    "a large profile": chunk(b"iCCP", b"x\0\0" + LARGE),
    "a profile of no bytes": chunk(b"iCCP", b""),
    "a profile of an unknown method": chunk(b"iCCP", b"x\0\7abc"),
    "a large text": chunk(b"zTXt", b"x\0\0" + LARGE),
    "a large international text": chunk(b"iTXt", b"x\0\1\0\0\0" + LARGE),
    "many texts": b"".join(chunk(b"tEXt", b"x\0" + bytes(2**20 - 9)) for _ in range(65)),
    "a text with a wrong checksum": chunk(b"tEXt", b"x\0hello", 7),
    "a short gamma": chunk(b"gAMA", b"a"),
    "short chromaticities": chunk(b"cHRM", b"a"),
    "a short resolution": chunk(b"pHYs", b"a"),
    "a short intent": chunk(b"sRGB", b""),
    "EXIF with a wrong checksum": chunk(b"eXIf", b"MM\0*\xff\xff", 4),
    "a short animation": chunk(b"acTL", b"a"),
    "a short frame": chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fcTL", b"abc"),
    "a frame without order": chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fcTL", bytes([0, 0, 0, 5]) + bytes(22)),
}


@pytest.mark.parametrize("name", CHUNKS)
def test_chunks_of_a_png_do_not_decide(name):
    for place in (33, len(PNG) - 12):  # before and behind the pixels
        assert np.array_equal(pixels(PNG[:place] + CHUNKS[name] + PNG[place:]), pixels(PNG))


def test_what_decides_pixels_is_kept_of_a_png():
    """Orientation and transparency, beside a text that Pillow refuses."""
    turned = encoded("PNG", exif=oriented())
    assert np.array_equal(pixels(turned[:33] + CHUNKS["a large text"] + turned[33:]), pixels(turned))
    palette = PICTURE.convert("P")
    clear = encoded("PNG", palette, transparency=palette.getpixel((0, 0)))
    assert not np.array_equal(pixels(clear), pixels(encoded("PNG", palette)))
    assert np.array_equal(pixels(clear[:33] + CHUNKS["a large text"] + clear[33:]), pixels(clear))
    transparency = clear.index(b"tRNS")
    damaged = clear[: transparency + 4] + b"\x55" + clear[transparency + 5 :]
    with pytest.raises(BadImage, match="a damaged PNG; get it again"):
        pixels(damaged)


SEGMENTS = {
    "a short JFIF": segment(0xE0, b"JFIF\0"),
    "a short Adobe": segment(0xEE, b"Adobe"),
    "a short EXIF": segment(0xE1, b"Exif\0\0"),
    "a short profile": segment(0xE2, b"ICC_PROFILE\0"),
    "a profile of the wrong number": segment(0xE2, b"ICC_PROFILE\0\5\2abc"),
    "a short Photoshop": segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10abc"),
    "a comment of length 0": segment(0xFE, b"", 0),
    "a length too short": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"\xff\0junk" * 50, 40),
    "more pictures that are not there": segment(0xE2, b"MPF\0II*\0\x08\0\0\0\2\0" + b"a" * 30),
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_segments_of_a_jpeg_do_not_decide(name):
    for place in (2, 20):  # before and behind the JFIF segment
        assert np.array_equal(pixels(JPEG[:place] + SEGMENTS[name] + JPEG[place:]), pixels(JPEG))


def test_what_decides_colours_is_kept_of_a_jpeg():
    """Adobe's marker says how CMYK and RGB are stored; beside a profile that Pillow refuses."""
    for image, options in (
        (PICTURE.convert("CMYK"), {}),
        (PICTURE, {"keep_rgb": True}),
        (PICTURE, {"exif": oriented()}),
    ):
        data = encoded("JPEG", image, quality=95, **options)
        refused = data[:2] + SEGMENTS["a short profile"] + data[2:]
        assert len(without_metadata(refused)) < len(refused)
        assert np.array_equal(pixels(refused), pixels(data))


def test_exif_turns_an_image_where_another_part_of_it_is_damaged():
    """A time that is a ratio: ImageOps.exif_transpose fails on it, when it writes the EXIF again."""
    exif = oriented()
    exif[0x0132] = "2020:01:01 00:00:00"
    data = encoded("JPEG", exif=exif, quality=95)
    entry = data.index(struct.pack(">HHI", 0x0132, 2, 20))
    damaged = data[: entry + 2] + struct.pack(">HI", 5, 1) + data[entry + 8 :]
    with pytest.raises(AttributeError):
        ImageOps.exif_transpose(Image.open(io.BytesIO(damaged)))
    assert np.array_equal(pixels(damaged), pixels(data))
    assert not np.array_equal(pixels(data), pixels(JPEG))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations_are_those_of_pillow(orientation):
    turned = encoded("PNG", exif=oriented(orientation))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(turned)))
    assert np.array_equal(pixels(turned), pixels(encoded("PNG", Image.fromarray(np.asarray(upright)))))


def test_the_container_of_a_webp_does_not_decide():
    data = encoded("WEBP", lossless=True, exif=oriented(), xmp=b"<x:xmpmeta/>" * 20)
    turned = pixels(data)
    assert not np.array_equal(turned, pixels(WEBP))
    for cut in (1, 100):
        assert np.array_equal(pixels(data[:-cut]), turned)
    for size in (0, 100, len(data) + 1000, 2**32 - 1):
        assert np.array_equal(pixels(data[:4] + struct.pack("<I", size) + data[8:]), turned)
    exif = data.index(b"EXIF")
    assert np.array_equal(pixels(data[: exif + 4] + b"\xff\xff\xff\0" + data[exif + 8 :]), pixels(WEBP))
    film = encoded("WEBP", lossless=True, save_all=True, append_images=[PICTURE.rotate(90)])
    assert np.array_equal(pixels(film[:-100]), pixels(WEBP))


def test_extensions_of_a_gif_do_not_decide():
    comment = b"!\xfe" + (b"\xff" + b"c" * 255) * 5000 + b"\0"  # of 1.3 MB
    start = 13 + 3 * (2 << (GIF[10] & 7))
    assert np.array_equal(pixels(GIF[:start] + comment + GIF[start:]), pixels(GIF))


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_words_of_a_tiff_do_not_decide(compression):
    data = encoded(
        "TIFF", compression=compression, software="a program", description="a picture", icc_profile=bytes(500)
    )
    plain = pixels(PNG)
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    damaged = 0
    for position in range(start + 2, start + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from("<H", data, position)
        if tag not in (270, 305, 34675):
            continue
        for kind, number, value in (
            (0, 1, 5),
            (1, 2**32 - 1, 0),
            (2, 7, 2**31),
            (4, 300, 8),
            (12, 2**32 - 1, 9),
            (1, 1, 5),
        ):
            entry = struct.pack("<HHII", tag, kind, number, value)
            assert np.array_equal(pixels(data[:position] + entry + data[position + 12 :]), plain)
            damaged += 1
    assert damaged == 18


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_no_truncation_makes_other_pixels(kind):
    """With metadata before and behind the pixels: decoded whole, or refused."""
    data = encoded(kind, exif=oriented(1), **({"lossless": True} if kind == "WEBP" else {}))
    whole, decoded = pixels(data), 0
    for length in range(0, len(data), max(1, len(data) // 400)):
        try:
            assert np.array_equal(pixels(data[:length]), whole)
            decoded += 1
        except BadImage:
            continue
    assert decoded < 40


def test_films_and_second_pictures_may_be_cut():
    for kind in ("GIF", "PNG", "MPO"):
        options = {"quality": 95} if kind == "MPO" else {}
        film = encoded(kind, save_all=True, append_images=[PICTURE.rotate(90)], **options)
        assert np.array_equal(pixels(film[:-500]), pixels(film))
        assert np.array_equal(pixels(film), pixels({"GIF": GIF, "PNG": PNG, "MPO": JPEG}[kind]))


def test_what_is_whole_or_unknown_stays_as_it_is():
    for data in (
        b"",
        b"text",
        PNG,
        GIF,
        encoded("BMP"),
        b"\xff\xd8\xff",
        b"GIF8",
        b"RIFF",
        b"II*\0",
        b"MM\0*\xff\xff\xff\xff",
    ):
        assert without_metadata(data) == data
