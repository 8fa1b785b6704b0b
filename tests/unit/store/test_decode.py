import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from workflow_scripts.store.decode import BadImage, decode

RED_LEFT = np.zeros((40, 60, 3), dtype=np.uint8)
RED_LEFT[:, :30, 0] = 255
RED_LEFT[:, 30:, 2] = 255


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_warp_keeps_the_whole_image_and_crop_the_middle():
    data = encoded(Image.fromarray(RED_LEFT))
    warped = decode(data, 20, "warp")
    assert warped.shape == (20, 20, 3)
    assert warped.dtype == np.uint8
    assert tuple(warped[10, 0]) == (255, 0, 0)
    assert tuple(warped[10, 19]) == (0, 0, 255)
    wide = np.zeros((10, 40, 3), dtype=np.uint8)
    wide[:, 15:25] = 200
    assert decode(encoded(Image.fromarray(wide)), 10, "shortest_crop").mean() > 195


def test_bicubic_weights_are_pillows():
    """As pretrained networks of timm want it: the centre is cut out after the shorter side has its size."""
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
    expected = np.asarray(photo.resize((30, 20), Image.Resampling.BICUBIC).crop((5, 0, 25, 20)))
    assert np.array_equal(decode(encoded(photo), 20, "shortest_crop_bicubic"), expected)
    assert not np.array_equal(decode(encoded(photo), 20, "shortest_crop"), expected)


@pytest.mark.parametrize("resize", ["warp", "shortest_crop", "shortest_crop_bicubic"])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "1", "P", "RGBA", "LA", "I;16"])
def test_every_mode_becomes_rgb(mode, resize):
    gray = Image.fromarray(np.full((30, 40), 128, dtype=np.uint8))
    if mode == "I;16":
        image = Image.fromarray(np.full((30, 40), 128 * 257, dtype=np.uint16))
    else:
        image = gray.convert("RGB").convert(mode)
    pixels = decode(encoded(image, "JPEG" if mode == "CMYK" else "PNG"), 16, resize)
    assert pixels.shape == (16, 16, 3)
    assert abs(pixels.mean() - 128) < (40 if mode == "1" else 3)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_the_content_decides_not_the_name(kind):
    """ImageNet has PNG, GIF and BMP files that are called .JPEG."""
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = decode(encoded(Image.fromarray(RED_LEFT), kind, **options), 20, "warp")
    assert pixels[10, [0, 19]].tolist() == [[255, 0, 0], [0, 0, 255]]


def png_of_16_bits(color_type, value):
    """A 20 x 20 PNG of 16 bits a channel; Pillow writes only gray ones (0 gray, 2 RGB, 4 with alpha, 6 RGBA)."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[color_type]
    rows = b"".join(b"\0" + struct.pack(">H", value) * (20 * channels) for _ in range(20))

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 20, 20, 16, color_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("color_type", "expected"), [(0, 128), (2, 128), (4, 191), (6, 191)])
def test_16_bit_pngs(color_type, expected):
    """Half gray; with half alpha over white, three quarters."""
    assert (decode(png_of_16_bits(color_type, 0x8080), 8, "warp") == expected).all()


def test_16_bits_are_rounded_to_8():
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    pixels = decode(encoded(Image.fromarray(ramp)), 256, "warp")
    assert np.array_equal(pixels[..., 0], np.round(ramp * (255 / 65535)).astype(np.uint8))


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_tiffs_of_both_byte_orders(order):
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    header = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8)
    tags = [(256, 3, 256), (257, 3, 256), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 8 + 2 + 12 * 8 + 4)]
    tags += [(278, 3, 256), (279, 4, 131072)]
    values = {3: lambda value: struct.pack(f"{order}HH", value, 0), 4: lambda value: struct.pack(f"{order}I", value)}
    entries = b"".join(struct.pack(f"{order}HHI", tag, kind, 1) + values[kind](value) for tag, kind, value in tags)
    tiff = header + struct.pack(f"{order}H", 8) + entries + bytes(4) + ramp.astype(f"{order}u2").tobytes()
    assert np.array_equal(decode(tiff, 256, "warp")[..., 0], np.round(ramp * (255 / 65535)).astype(np.uint8))


def test_inverted_cmyk_of_photoshop():
    """JPEGs with Adobe's marker hold CMYK inverted."""
    red = encoded(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG", quality=95)
    assert b"Adobe" in red
    assert np.abs(decode(red, 8, "warp").astype(int) - [255, 0, 0]).max() < 6


def test_ycck():
    """Adobe's CMYK with C, M, Y as luminance and colour differences: Pillow writes none, so the marker is changed."""
    luminance, blue, red = Image.new("RGB", (1, 1), (0, 255, 255)).convert("YCbCr").getpixel((0, 0))
    stored = Image.new("CMYK", (32, 32), (255 - luminance, 255 - blue, 255 - red, 0))  # Pillow inverts what it writes
    data = bytearray(encoded(stored, "JPEG", quality=95))
    transform = data.index(b"Adobe") + 11
    assert data[transform] == 0
    data[transform] = 2
    assert np.abs(decode(bytes(data), 8, "warp").astype(int) - [255, 0, 0]).max() < 6


def test_transparent_pixels_are_white():
    pixels = decode(encoded(Image.new("RGBA", (20, 20), (255, 0, 0, 0))), 8, "warp")
    assert (pixels == 255).all()
    palette = Image.new("P", (20, 20), 1)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    assert (decode(encoded(palette, transparency=1), 8, "warp") == 255).all()
    assert decode(encoded(palette), 8, "warp")[0, 0].tolist() == [255, 0, 0]


def test_transparency_is_averaged_with_its_weight():
    """The colour of fully transparent pixels must not bleed into their neighbours."""
    pixels = np.zeros((16, 16, 4), dtype=np.uint8)
    pixels[:, :8] = [0, 0, 255, 255]  # blue, opaque
    pixels[:, 8:] = [255, 0, 0, 0]  # red, transparent
    flat = decode(encoded(Image.fromarray(pixels)), 2, "warp")
    assert (flat[..., 0] <= flat[..., 2]).all()
    assert (flat[..., 2] == 255).all()


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 3  # rotated by 180 degrees
    pixels = decode(encoded(Image.fromarray(RED_LEFT), "JPEG", exif=exif, quality=95), 20, "warp")
    assert pixels[10, 18, 0] > 200
    assert pixels[10, 1, 2] > 200


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_metadata_do_not_cost_the_image():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(RED_LEFT), "JPEG", exif=exif, quality=95)
    start = data.index(b"Exif\0\0") + 6
    damaged = data[: start + 8] + b"\xff" * 6 + data[start + 14 :]
    assert decode(damaged, 20, "warp").shape == (20, 20, 3)


JPEG, PNG = (encoded(Image.fromarray(RED_LEFT), kind) for kind in ("JPEG", "PNG"))
TIFF_FLOAT, TIFF_32_BIT = (encoded(Image.new(mode, (9, 9), 70000), "TIFF") for mode in ("F", "I"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 bytes"),
        (b"not an image at all", "not an image"),
        (b"<html>404</html>", "not an image"),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
            "PostScript, which",
        ),  # would start Ghostscript
        (JPEG[:300], "OSError"),
        (JPEG[: len(JPEG) // 2 + 200], "Truncated"),
        (PNG[:-40], "truncated|broken"),
        (PNG[:60], "truncated|broken"),
        (TIFF_FLOAT, "floating-point"),
        (TIFF_32_BIT, "32-bit integers"),
    ],
)
def test_what_cannot_be_decoded_says_why(data, reason):
    with pytest.raises(BadImage, match=reason):
        decode(data, 8, "warp")


def test_any_truncation_of_an_image_is_decoded_or_refused():
    """Never another error, and never a guess at what is missing."""
    whole = decode(JPEG, 8, "warp")
    for length in range(len(JPEG)):
        try:
            pixels = decode(JPEG[:length], 8, "warp")
        except BadImage:
            continue
        assert np.array_equal(pixels, whole)  # only the end mark was cut


def test_a_webp_whose_decoding_takes_too_much_memory_is_refused(monkeypatch):
    monkeypatch.setattr("workflow_scripts.store.decode.MAX_WEBP_PIXELS", 2399)
    with pytest.raises(BadImage, match="perhaps a decompression bomb"):
        decode(encoded(Image.fromarray(RED_LEFT), "WEBP"), 8, "warp")


def test_an_enormous_file_is_refused(monkeypatch):
    monkeypatch.setattr("workflow_scripts.store.decode.MAX_ENCODED_BYTES", 100)
    with pytest.raises(BadImage, match="more than"):
        decode(PNG, 8, "warp")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("limit", [1000, 1500], ids=["twice the limit", "the limit"])
def test_a_decompression_bomb_is_refused(monkeypatch, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)  # of an image of 2400 pixels; beyond twice it Pillow raises
    with pytest.raises(BadImage, match=r"DecompressionBomb|60 x 40 pixels, perhaps a decompression bomb"):
        decode(encoded(Image.fromarray(RED_LEFT)), 8, "warp")
