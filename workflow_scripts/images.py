"""Decoding an image file of any common kind into the store's square uint8 RGB."""

import io
import re
import warnings

import numpy as np
from PIL import ExifTags, Image, ImageOps

from workflow_scripts.dataset import MAX_ENCODED_BYTES

# Photographs with damaged metadata are common in ImageNet; their pixels are sound. Suspected bombs are refused below.
warnings.filterwarnings("ignore", "Corrupt EXIF data", UserWarning)
warnings.simplefilter("ignore", Image.DecompressionBombWarning)

# By content, whatever the file is called; others (EPS, PDF, ...) would start programs or hold no photograph.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
Image.init()
MAX_REASON = 200  # characters
MAX_WEBP_PIXELS = 50_000_000  # its decoder takes twice the memory of others
MAX_SLOW_PIXELS = 5_000_000  # of what Pillow decodes in Python, a second or more for each million
SLOW_DECODERS = ("bmp_rle", "ppm", "ppm_plain")
MAX_SCANS = 100  # of a progressive JPEG; each works on the whole image, and encoders write about ten
MAX_SEGMENTS = 20_000  # of a JPEG, whose headers Pillow reads one by one
SCAN, SEGMENT = b"\xff\xda", re.compile(rb"\xff[\xc0-\xcf\xdb-\xfe]")  # neither occurs in compressed pixels
MAX_TILE_PIXELS = 2**22  # of a TIFF of any size, whose tiles are unpacked whole
TILE_WIDTH, TILE_HEIGHT = 322, 323
ORIENTATION = ExifTags.Base.Orientation
SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I")  # "I" is 16-bit PGM; other 32-bit integers are refused
TO_EIGHT_BITS = ((np.arange(65536) * 255 + 32767) // 65535).astype(np.uint8)  # rounded


class BadImage(Exception):
    """The bytes are not an image that can be decoded; the text is the reason."""


def decode(data: bytes, size: int, resize: str) -> np.ndarray:
    """The image in `data` as uint8 RGB of shape (size, size, 3).

    `resize` is "warp" (both sides to `size`, as the paper) or "shortest_crop" (the shorter side to `size`, centre
    crop). EXIF orientation is applied; grayscale, CMYK, palette and 16-bit images are converted, transparent ones laid
    on white; of an animation the first frame counts.
    Raises BadImage with a one-line reason for anything that Pillow cannot decode, decompression bombs included.
    """
    if not data:
        raise BadImage("0 bytes")
    if len(data) > MAX_ENCODED_BYTES:
        raise BadImage(f"more than {MAX_ENCODED_BYTES >> 20} MB")
    try:
        # Nested, so that each step's image is freed in the next; the largest that pass take 0.8 GB this way.
        return np.asarray(_flat(_resized(_averageable(_upright(_loaded(data, size))), size, resize)))
    except (BadImage, MemoryError):  # out of memory is no fault of the image
        raise
    except Image.UnidentifiedImageError:
        raise BadImage("not an image that Pillow recognises") from None
    except Exception as error:  # Pillow's plugins raise many kinds for damaged files; all mean the same here.
        raise BadImage(" ".join(f"{type(error).__name__}: {error}".split())[:MAX_REASON]) from None


def _loaded(data: bytes, size: int) -> Image.Image:
    if data.startswith(b"\xff\xd8"):
        _check_jpeg(data)
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    _check_size(image)
    # Lets libjpeg decode at the smallest power-of-two reduction that still covers `size`.
    image.draft(None, (size, size))
    image.load()
    return image


def _check_jpeg(data: bytes) -> None:
    """Raise BadImage for a JPEG whose structure takes longer than its pixels."""
    if (scans := data.count(SCAN)) > MAX_SCANS:
        raise BadImage(f"{scans} scans, perhaps a decompression bomb")
    if (segments := sum(1 for _ in SEGMENT.finditer(data))) > MAX_SEGMENTS:
        raise BadImage(f"{segments} segments, perhaps a decompression bomb")


def _check_size(image: Image.Image) -> None:
    """Raise BadImage for an image, not yet decoded, that would take gigabytes or minutes."""
    pixels, most = image.width * image.height, Image.MAX_IMAGE_PIXELS
    if image.format == "WEBP":
        most = MAX_WEBP_PIXELS
    elif image.tile and image.tile[0][0] in SLOW_DECODERS:
        most = MAX_SLOW_PIXELS
    if pixels > most:
        raise BadImage(f"{image.width} x {image.height} pixels, perhaps a decompression bomb")
    if image.format == "TIFF":
        width, height = (int(image.tag_v2.get(tag, 0)) for tag in (TILE_WIDTH, TILE_HEIGHT))
        if width * height > MAX_TILE_PIXELS:
            raise BadImage(f"tiles of {width} x {height} pixels, perhaps a decompression bomb")


def _upright(image: Image.Image) -> Image.Image:
    """Turned and mirrored as EXIF says; as it is where the metadata are damaged."""
    try:
        # exif_transpose copies what needs no turning.
        return image if image.getexif().get(ORIENTATION, 1) == 1 else ImageOps.exif_transpose(image)
    except Exception:  # the pixels are loaded already: only the metadata can be at fault
        return image


def _averageable(image: Image.Image) -> Image.Image:
    """In a mode whose pixels can be averaged: L, RGB, or with transparency LA or RGBA (Pillow weights by alpha)."""
    if image.mode in SIXTEEN_BIT:
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise BadImage("32-bit integers, whose range is not known")
        return Image.fromarray(TO_EIGHT_BITS[values])
    if image.mode == "F":
        raise BadImage("floating-point numbers, whose range is not known")
    if image.has_transparency_data:
        return image if image.mode in ("LA", "RGBA") else image.convert("RGBA")
    mode = "L" if image.mode in ("1", "L") else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _resized(image: Image.Image, size: int, resize: str) -> Image.Image:
    if resize == "warp":
        return image.resize((size, size), Image.Resampling.BILINEAR)
    return ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)


def _flat(image: Image.Image) -> Image.Image:
    """As RGB, on white where it is transparent."""
    if image.mode in ("LA", "RGBA"):
        rgba = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(rgba, mask=rgba)
    return image if image.mode == "RGB" else image.convert("RGB")
