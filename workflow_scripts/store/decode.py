"""Decoding an image file of any common kind into the store's square uint8 RGB."""

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import ExifTags, Image, ImageOps

from workflow_scripts.dataset.dataset import MAX_ENCODED_BYTES, BadImage, Source, bad_image
from workflow_scripts.plumbing.formats import unread
from workflow_scripts.plumbing.thread_map import thread_map
from workflow_scripts.store.bombs import check_encoded, check_opened
from workflow_scripts.store.metadata import without_metadata

# Photographs with damaged metadata are common in ImageNet. Their pixels are sound. Suspected bombs are refused below.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.simplefilter("ignore", Image.DecompressionBombWarning)

# Recognised by content, not by name. Others (EPS, PDF, ...) would start programs or hold no photograph.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
Image.init()
MAX_WEBP_PIXELS = 50_000_000  # its decoder takes twice the memory of others
ORIENTATION = ExifTags.Base.Orientation
# EXIF's orientations and what turns each upright, as in ImageOps.exif_transpose. That also rewrites the EXIF, and fails
# where another part of it is damaged.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
AHEAD = 8  # decoded images waiting per thread, however large the archive
FILTERS = {"shortest_crop": Image.Resampling.BILINEAR, "shortest_crop_bicubic": Image.Resampling.BICUBIC}
SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I")  # "I" is 16-bit PGM; other 32-bit integers are refused
TO_EIGHT_BITS = ((np.arange(65536) * 255 + 32767) // 65535).astype(np.uint8)  # rounded

Decoded = tuple[Source, np.ndarray | BadImage]


def decode_all(sources: Sequence[Source], size: int, resize: str, threads: int) -> Iterator[Decoded]:
    """`sources` in order, each with what `decode` or `square` gives of it or raises. Several threads (Pillow releases
    the GIL) work a few images ahead of the caller.
    """

    def decode_one(source: Source) -> np.ndarray | BadImage:
        try:
            read = source.read()
            return decode(read, size, resize) if isinstance(read, bytes) else square(read, size, resize)
        except BadImage as reason:
            return reason

    # One thread decodes in this one, between two images that the caller takes.
    return zip(sources, thread_map(decode_one, sources, 0 if threads == 1 else threads, AHEAD), strict=True)


def decode(data: bytes, size: int, resize: str) -> np.ndarray:
    """The image in `data` as uint8 RGB of shape (size, size, 3).

    `resize` is "warp" (both sides to `size`, as the paper) or "shortest_crop" (the shorter side to `size`, centre
    crop), both bilinear, or "shortest_crop_bicubic". EXIF orientation is applied. Grayscale, CMYK, palette and 16-bit
    images are converted, and transparent ones are laid on white. Of an animation the first frame counts.

    Metadata decide nothing else: where Pillow refuses the image, it is decoded again without them.

    Raises BadImage with a one-line reason for anything that Pillow cannot decode, decompression bombs included.
    """
    if not data:
        raise BadImage("0 bytes; get it again")
    if len(data) > MAX_ENCODED_BYTES:
        raise BadImage(f"more than {MAX_ENCODED_BYTES >> 20} MB")
    try:
        return _decoded(data, size, resize)
    except BadImage:
        if (pixels := without_metadata(data)) == data:
            raise
    return _decoded(pixels, size, resize)


def square(image: Image.Image, size: int, resize: str) -> np.ndarray:
    """An image that a library's reader gives, decoded or only opened, as `decode` gives an encoded one."""
    with _reasons():
        _check_pixels(image)
        image.load()
        # One made of an array: looking for EXIF would take as long as a copy.
        bare = image.format is None and not image.info
        return np.asarray(_flat(_resized(_averageable(image if bare else _upright(image)), size, resize)))


def _decoded(data: bytes, size: int, resize: str) -> np.ndarray:
    with _reasons(data):
        # Nested, so that each step's image is freed in the next. The largest images take 0.8 GB this way.
        return np.asarray(_flat(_resized(_averageable(_upright(_loaded(data, size))), size, resize)))


@contextlib.contextmanager
def _reasons(data: bytes = b"") -> Iterator[None]:
    """Raise BadImage, with the reason, for whatever decoding the image in `data` raises."""
    try:
        yield
    except (BadImage, MemoryError):  # a lack of memory is not the image's fault
        raise
    except Image.UnidentifiedImageError:
        raise BadImage(unread(data)) from None
    except Exception as error:  # Pillow's plugins raise many kinds for damaged files; all mean the same here.
        raise bad_image(error) from None


def _loaded(data: bytes, size: int) -> Image.Image:
    check_encoded(data)
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    _check_pixels(image)
    check_opened(image, len(data))
    # Lets libjpeg decode at the smallest power-of-two reduction that still covers `size`.
    image.draft(None, (size, size))
    image.load()
    return image


def _check_pixels(image: Image.Image) -> None:
    most = MAX_WEBP_PIXELS if image.format == "WEBP" else Image.MAX_IMAGE_PIXELS
    if image.width * image.height > most:
        raise BadImage(f"{image.width} x {image.height} pixels, perhaps a decompression bomb")


def _upright(image: Image.Image) -> Image.Image:
    """The image turned and mirrored as EXIF says, or unchanged where the metadata are damaged."""
    try:
        method = UPRIGHT.get(image.getexif().get(ORIENTATION))
    except Exception:  # the pixels are loaded already: only the metadata can be at fault
        return image
    return image if method is None else image.transpose(method)


def _averageable(image: Image.Image) -> Image.Image:
    """The image in a mode whose pixels can be averaged: L, RGB, LA or RGBA, of which Pillow weights the last two by
    alpha.
    """
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
    return ImageOps.fit(image, (size, size), FILTERS[resize])


def _flat(image: Image.Image) -> Image.Image:
    """The image as RGB, on white where it is transparent."""
    if image.mode in ("LA", "RGBA"):
        rgba = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(rgba, mask=rgba)
    return image if image.mode == "RGB" else image.convert("RGB")
