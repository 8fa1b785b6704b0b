"""Readers of untrusted bytes as functions of bytes, for the property tests and the coverage-guided fuzzer.

Each returns, or raises what the workflow turns into one line (InputError, BadImage, MatError); anything else, memory
beyond a limit included, is a finding.
"""

import contextlib
import functools
import gzip
import io
import struct
import tarfile
import tempfile
import zlib
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

from workflow_scripts.dataset.devkit import FIELDS, ground_truth, read_devkit
from workflow_scripts.dataset.matfile import MatError, read_structs
from workflow_scripts.dataset.sample.draw_sample import DEVKIT_FOLDER, meta_mat, synsets, tar_bytes
from workflow_scripts.dataset.tars import index
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.store.decode import BadImage, decode

REFUSALS = (InputError, BadImage, MatError)
TRUTH = "ILSVRC2012_validation_ground_truth.txt"


def tar(data):
    """The index of a tar; members lie inside it and have names that stay in the folder they are unpacked in.

    Also of the tar with right checksums, which a fuzzer does not find.
    """
    if (mended := mended_tar(data)) != data:
        with contextlib.suppress(InputError):
            _tar_index(mended)
    _tar_index(data)


def _tar_index(data):
    for member in index(io.BytesIO(data), "fuzzed", 0, len(data)).members:
        assert 0 <= member.offset <= member.offset + member.size <= len(data)
        assert not member.name.startswith("/")
        assert ".." not in Path(member.name).parts


def meta(data):
    """The structs of meta.mat."""
    for row in read_structs(data, "synsets", FIELDS):
        assert set(row) == set(FIELDS)
        assert all(isinstance(value, str | np.ndarray) for value in row.values())


def image(data):
    """The pixels of an image, of a PNG also with right checksums; a refusal has one line."""
    if (mended := mended_png(data)) != data:
        with contextlib.suppress(BadImage):
            _pixels(mended)
    _pixels(data)


def _pixels(data):
    try:
        pixels = decode(data, 16, "shortest_crop")
    except BadImage as reason:
        assert "\n" not in str(reason)
        assert len(str(reason)) <= 200
        raise
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.uint8


def devkit(data):
    """A devkit's archive: packed if it begins as one, else the bytes of meta.mat in an archive of our own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "devkit.tar.gz"
        path.write_bytes(data if data[:2] == b"\x1f\x8b" else packed_devkit(data))
        found = read_devkit(path)
    assert len(found.classes.names) == len(found.classes.words) == len(found.train_images)
    assert all(0 <= label < len(found.classes.names) for label in found.val_labels)


def truth(data):
    """The ground truth's numbers."""
    assert all(number >= 0 for number in ground_truth(data))


TARGETS = {"tar": tar, "meta": meta, "image": image, "devkit": devkit, "truth": truth}


def refused(target, data):
    """Run the target called `target` on `data`: whether it refused. Whatever else it raises is a finding."""
    try:
        TARGETS[target](data)
    except REFUSALS:
        return True
    return False


def mended_tar(data):
    """`data` with right checksums in all blocks that say they are headers."""
    blocks = []
    for start in range(0, len(data), 512):
        block = data[start : start + 512]
        if block[257:262] == b"ustar" and len(block) == 512:
            empty = block[:148] + b" " * 8 + block[156:]
            block = empty[:148] + b"%06o\0 " % sum(empty) + empty[156:]
        blocks.append(block)
    return b"".join(blocks)


def mended_png(data):
    """`data` with right checksums in all whole chunks, if it begins as a PNG."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return data
    chunks, position = [data[:8]], 8
    while position + 12 <= len(data):
        end = position + 8 + int.from_bytes(data[position : position + 4], "big")
        content = data[position + 4 : end]
        chunks += [data[position : position + 4], content, zlib.crc32(content).to_bytes(4, "big")]
        position = end + 4
    return b"".join([*chunks, data[position:]])


def packed_devkit(meta_bytes, truth_bytes=b"1\n2\n"):
    """A devkit's archive, hardly compressed so that a fuzzer is not slowed by it."""
    members = [(f"{DEVKIT_FOLDER}/meta.mat", meta_bytes), (f"{DEVKIT_FOLDER}/{TRUTH}", truth_bytes)]
    return gzip.compress(tar_bytes(members), compresslevel=1, mtime=0)


@functools.cache
def seeds(target):
    """Small valid inputs of the target, to be damaged."""
    return {"tar": _tars, "meta": _metas, "image": _images, "devkit": _devkits, "truth": _truths}[target]()


def _tars():
    found = []
    for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=kind, pax_headers={"comment": "x"}) as file:
            file.addfile(tarfile.TarInfo("folder/"))
            for name, data in (("n01/one.JPEG", b"1" * 700), ("folder/" * 20 + "x.JPEG", b""), ("b", b"2")):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                file.addfile(info, io.BytesIO(data))
        found.append(buffer.getvalue()[:8192])
    return found


def small_rows():
    """Two classes and what is above them."""
    rows = synsets(3, 0)
    return [*rows[:2], rows[-1] | {"num_children": 2.0, "children": np.array([1.0, 2.0])}]


def _metas():
    plain = meta_mat(small_rows())
    array = scipy.io.loadmat(io.BytesIO(plain))["synsets"]
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"other": np.arange(3), "synsets": array}, do_compression=True)
    return [plain, buffer.getvalue()]


def _devkits():
    return [packed_devkit(_metas()[0]), *_metas()]


def _truths():
    return [b"1\n20\n300\n", b"1 2\r\n3"]


def _images():
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    colour, gray = Image.fromarray(pixels), Image.fromarray(pixels[..., 0])
    exif = Image.Exif()
    exif[0x0112] = 6
    found = []
    for one, kind, options in (
        (colour, "JPEG", {"exif": exif}),
        (colour, "JPEG", {"progressive": True}),
        (colour.convert("CMYK"), "JPEG", {}),
        (colour, "PNG", {"exif": exif}),
        (colour.convert("P"), "PNG", {"transparency": 1}),
        (Image.fromarray(pixels[..., 0].astype(np.uint16) * 257), "PNG", {}),
        (gray, "GIF", {"comment": b"x" * 300}),
        (colour, "BMP", {}),
        (colour, "TIFF", {}),
        (colour, "TIFF", {"compression": "tiff_lzw"}),
        (colour, "TIFF", {"compression": "jpeg"}),
        (gray.convert("1"), "TIFF", {"compression": "group4"}),
        (colour, "WEBP", {"quality": 50}),
        (colour.convert("RGBA"), "WEBP", {"lossless": True}),
        (colour, "PPM", {}),
    ):
        buffer = io.BytesIO()
        one.save(buffer, kind, **options)
        found.append(buffer.getvalue())
    return [
        *found,
        b"P2 3 2 15\n1 2 3\n4 5 6 # end\n",
        b"P5 2 2 1000\n" + bytes(8),
        rle_bmp(b"\x03\x01\0\0\0\3abc\0\0\1"),
    ]


def rle_bmp(runs, width=3, height=2):
    """A BMP of 256 grays in runs."""
    palette = bytes(value for gray in range(256) for value in (gray, gray, gray, 0))
    start = 54 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + info + palette + runs
