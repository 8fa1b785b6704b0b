"""Decoding an image file of any common kind into the store's square uint8 RGB."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps

# Once for the process, since warnings.catch_warnings is not safe in threads: a suspected bomb is refused.
warnings.simplefilter("error", Image.DecompressionBombWarning)

WIDE_MODES = ("I;16", "I;16B", "I;16L", "I", "F")


class BadImage(Exception):
    """The bytes are not an image that can be decoded; the text is the reason."""


def decode(data: bytes, size: int, resize: str) -> np.ndarray:
    """The image in `data` as uint8 RGB of shape (size, size, 3).

    `resize` is "warp" (both sides to `size`, as the paper) or "shortest_crop" (the shorter side to `size`, centre
    crop). EXIF orientation is applied; grayscale, CMYK, palette, 16-bit and transparent images are converted.
    Raises BadImage with a one-line reason for anything that Pillow cannot decode, decompression bombs included.
    """
    if not data:
        raise BadImage("0 bytes")
    try:
        with Image.open(io.BytesIO(data)) as image:
            # Lets libjpeg decode at the smallest power-of-two reduction that still covers `size`.
            image.draft(None, (size, size))
            return np.asarray(_resized(_to_rgb(ImageOps.exif_transpose(image)), size, resize))
    except Image.UnidentifiedImageError:
        raise BadImage("not an image that Pillow recognises") from None
    except Exception as error:  # Pillow's plugins raise many kinds for damaged files; all mean the same here.
        raise BadImage(f"{type(error).__name__}: {error}") from None


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in WIDE_MODES:
        values = np.asarray(image, dtype=np.float64)
        image = Image.fromarray(np.clip(values / 257, 0, 255).round().astype(np.uint8))
    if image.has_transparency_data:
        background = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(background, image.convert("RGBA"))
    return image.convert("RGB")


def _resized(image: Image.Image, size: int, resize: str) -> Image.Image:
    if resize == "warp":
        return image.resize((size, size), Image.Resampling.BILINEAR)
    return ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
