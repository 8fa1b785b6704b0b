import io

import numpy as np
import pytest
from PIL import Image

from workflow_scripts.images import BadImage, decode

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


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "1", "P", "RGBA", "LA", "I;16"])
def test_every_mode_becomes_rgb(mode):
    gray = Image.fromarray(np.full((30, 30), 128, dtype=np.uint8))
    if mode == "I;16":
        image = Image.fromarray(np.full((30, 30), 128 * 257, dtype=np.uint16))
    else:
        image = gray.convert("RGB").convert(mode)
    pixels = decode(encoded(image, "JPEG" if mode == "CMYK" else "PNG"), 16, "warp")
    assert pixels.shape == (16, 16, 3)
    assert abs(pixels.mean() - 128) < (40 if mode == "1" else 3)


def test_transparent_pixels_are_white():
    pixels = decode(encoded(Image.new("RGBA", (20, 20), (255, 0, 0, 0))), 8, "warp")
    assert (pixels == 255).all()


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 3  # rotated by 180 degrees
    pixels = decode(encoded(Image.fromarray(RED_LEFT), "JPEG", exif=exif, quality=95), 20, "warp")
    assert pixels[10, 18, 0] > 200
    assert pixels[10, 1, 2] > 200


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 bytes"),
        (b"not an image at all", "not an image"),
        (encoded(Image.fromarray(RED_LEFT), "JPEG")[:300], "OSError"),
    ],
)
def test_what_cannot_be_decoded_says_why(data, reason):
    with pytest.raises(BadImage, match=reason):
        decode(data, 8, "warp")


def test_a_decompression_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(BadImage, match="DecompressionBomb"):
        decode(encoded(Image.fromarray(RED_LEFT)), 8, "warp")
