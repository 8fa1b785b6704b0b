"""Files made to hang a reader or to fill its memory, or to lead it outside its folder, each the answer of one bound.

ATTACKS has for each name the target (fuzz_targets.TARGETS), a function that makes the bytes, and a regular expression
of the refusal; None where the file is odd but sound.
"""

import gzip
import io
import struct
import tarfile
import zlib

import numpy as np
import scipy.io
from fuzz_targets import mended_tar, packed_devkit, rle_bmp, small_rows
from PIL import Image

from workflow_scripts.dataset.sample.draw_sample import DEVKIT_FOLDER, meta_mat, tar_bytes

END = bytes(10240)


def header(name, size=0, kind=tarfile.REGTYPE, link=""):
    """A header of a tar."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info.tobuf(tarfile.USTAR_FORMAT)


def blocks(content):
    """`content` padded to whole blocks."""
    return content + bytes(-len(content) % 512)


def extended(content, kind=tarfile.XHDTYPE):
    """An extended header."""
    return header("././@PaxHeader", len(content), kind) + blocks(content)


def record(keyword, value):
    """A record of a PAX header."""
    rest = b" " + keyword + b"=" + value + b"\n"
    size = len(rest) + 1
    while size != len(rest) + len(str(size)):
        size = len(rest) + len(str(size))
    return str(size).encode() + rest


def _pax(*records, kind=tarfile.XHDTYPE):
    return extended(b"".join(record(*one) for one in records), kind) + header("x.JPEG") + END


def _long_name(name):
    return extended(name + b"\0", tarfile.GNUTYPE_LONGNAME) + header("x.JPEG") + END


def _old_sparse():
    block = bytearray(header("x.JPEG", 0, tarfile.GNUTYPE_SPARSE))
    block[386:410] = b"00000000000\0" * 2
    block[482] = 1
    return mended_tar(bytes(block)) + (b"\0" * 504 + b"\1" + bytes(7)) * 1000 + END


def _many_globals():
    content = b"".join(record(b"k%d" % number, b"v") for number in range(5000))
    return b"".join(extended(content, tarfile.XGLTYPE) + header(f"{number}") for number in range(200)) + END


def _digits():
    content = record(b"comment", b"1" * 65000)
    return b"".join(extended(content) + header(f"{number}") for number in range(200)) + END


TARS = {
    "digits of a PAX value (CVE-2024-6232)": (_digits, None),
    "a PAX header of 1 MB": (lambda: _pax((b"comment", b"1" * 2**20)), "extended header number 1 in a row, of"),
    "a PAX header of overlapping records": (lambda: extended(b"1 a=" * 10000) + header("x") + END, "damaged extended"),
    "a PAX record longer than its header": (lambda: extended(b"999 path=x\n") + header("x") + END, "damaged extended"),
    "a PAX record of length 0": (lambda: extended(b"0 path=x\n") + header("x") + END, "damaged extended"),
    "repeated PAX keywords": (lambda: _pax(*[(b"path", b"x.JPEG")] * 3000), None),
    "many global headers": (_many_globals, None),
    "global headers in a row": (
        lambda: extended(b"", tarfile.XGLTYPE) * 5000 + header("x") + END,
        "extended header number 9 in a row",
    ),
    "a global path": (lambda: _pax((b"path", b"x"), kind=tarfile.XGLTYPE), "each member the same path"),
    "a global size": (lambda: _pax((b"size", b"0"), kind=tarfile.XGLTYPE), "each member the same size"),
    "a sparse member, old GNU": (_old_sparse, "is sparse"),
    "a sparse member, GNU 0.0": (lambda: _pax((b"GNU.sparse.size", b"9" * 12)), "a sparse member"),
    "a sparse member, GNU 0.1": (lambda: _pax((b"GNU.sparse.map", b"0,1," * 9000 + b"0,1")), "a sparse member"),
    "a sparse member, GNU 1.0": (
        lambda: _pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"../x")),
        "a sparse member",
    ),
    "a PAX size beyond the archive": (lambda: _pax((b"size", b"9" * 15)), "damaged or not whole"),
    "a negative PAX size": (lambda: _pax((b"size", b"-512")), "damaged extended"),
    "a PAX size of a million digits": (lambda: _pax((b"size", b"9" * 60000)), "damaged extended"),
    "a long name of 1 MB": (lambda: _long_name(b"a" * 2**20), "extended header number 1 in a row, of"),
    "a long name of 60 kB": (lambda: _long_name(b"a" * 60000), "a name of 60000 bytes"),
    "a chain of long names": (
        lambda: (extended(b"a\0", tarfile.GNUTYPE_LONGNAME) * 5000) + header("x") + END,
        "extended header number 9 in a row",
    ),
    "an extended header at the end": (lambda: extended(record(b"path", b"x")) + END, "damaged or not whole"),
    "a name above the folder": (lambda: header("../evil") + END, "would lie outside"),
    "a long name above the folder": (lambda: _long_name(b"a/" * 60 + b"../" * 80 + b"evil"), "would lie outside"),
    "a PAX path above the folder": (lambda: _pax((b"path", b"../evil")), "would lie outside"),
    "an absolute PAX path": (lambda: _pax((b"path", b"/tmp/evil")), "would lie outside"),
    "a name with NUL": (lambda: _pax((b"path", b"x\0/../../evil")), "would lie outside"),
    "a link out of the folder": (lambda: header("link", 0, tarfile.SYMTYPE, "/tmp") + END, "is a symbolic link"),
    "a hard link out of the folder": (lambda: header("link", 0, tarfile.LNKTYPE, "../x") + END, "is a hard link"),
    "a device": (lambda: header("null", 0, tarfile.CHRTYPE) + END, "is a character device"),
    "a pickle as tar": (lambda: b"\x80\x04\x95" + bytes(2000), "is not a whole"),
}


def mat(*elements):
    """A MAT-file of top-level elements."""
    return b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + b"".join(elements)


def element(kind, content):
    """A data element."""
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def compressed(content):
    """A compressed element, without padding."""
    packed = zlib.compress(content, 9)
    return struct.pack("<II", 15, len(packed)) + packed


def array(array_class, dimensions, rest=b"", name=b"synsets"):
    """A matrix element."""
    sizes = struct.pack(f"<{len(dimensions)}i", *dimensions)
    start = element(6, struct.pack("<II", array_class, 0)) + element(5, sizes) + element(1, name)
    return element(14, start + rest)


def structs(dimensions, fields, values):
    """The struct array `synsets`."""
    names = b"".join(field.encode().ljust(32, b"\0") for field in fields)
    return array(2, dimensions, element(5, struct.pack("<i", 32)) + element(1, names) + values)


FIELDS = ("ILSVRC2012_ID", "WNID", "words", "num_children", "children", "num_train_images")


def _many_structs():
    return mat(compressed(structs((32768, 1), FIELDS, element(14, b"") * (6 * 32768))))


def _bomb():
    return mat(compressed(element(14, bytes(2**28))))


def _many_bombs():
    one = compressed(array(6, (1, 1), element(9, bytes(8)) + bytes(2**22), b"other"))
    return mat(*[one] * 100)


def _nested():
    inner = array(2, (1, 1), element(5, struct.pack("<i", 32)) + element(1, b"a".ljust(32, b"\0")))
    for _ in range(5000):
        inner = array(1, (1, 1), inner, b"")
    return mat(structs((1, 1), FIELDS, inner * 6))


METAS = {
    "an element that inflates to 256 MB": (_bomb, "inflate to more than 16 MB"),
    "many elements that inflate to 4 MB": (_many_bombs, "inflate to more than 16 MB"),
    "two billion structs": (lambda: mat(structs((2**31 - 1, 1), FIELDS, b"")), "structs where"),
    "two billion structs without fields": (lambda: mat(structs((2**31 - 1, 1), (), b"")), "no field"),
    "as many structs as may be": (_many_structs, None),
    "a struct array of negative size": (lambda: mat(structs((-1, 1), FIELDS, b"")), "negative size"),
    "an array of many dimensions": (lambda: mat(array(2, (2,) * 1000)), "without dimensions"),
    "cells in cells": (_nested, "neither text nor numbers"),
    "an element longer than the file": (lambda: mat(struct.pack("<II", 14, 2**32 - 1)), "4294967295 bytes where"),
    "a small element of 60 kB": (lambda: mat(struct.pack("<II", 60000 << 16 | 14, 0)), "small data element"),
    "another variable only": (lambda: mat(array(6, (0, 0), b"", b"other")), "no variable synsets"),
    "a MAT-file of 17 MB": (lambda: mat(bytes(17 << 20)), "more than 16 MB"),
    "a big-endian MAT-file": (lambda: b" " * 124 + b"\x01\x00MI", "not a little-endian"),
    "an HDF5 file, as MATLAB 7.3 writes": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(600), "not a little-endian"),
    "a pickle as meta.mat": (lambda: b"cos\nsystem\n(S'true'\ntR." + bytes(200), "not a little-endian"),
}


def _rows(*changes):
    rows = small_rows()
    for place, change in changes:
        rows[place] = rows[place] | change
    return meta_mat(rows)


def _linking_devkit():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        info = tarfile.TarInfo(f"{DEVKIT_FOLDER}/meta.mat")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(info)
    return gzip.compress(buffer.getvalue())


def _escaping_devkit():
    return gzip.compress(tar_bytes([("../../evil", b"x"), (f"{DEVKIT_FOLDER}/meta.mat", b"")]))


def _imaginary():
    array_of = np.zeros((1, 1), dtype=[(name, object) for name in small_rows()[0]])
    for name, value in small_rows()[0].items():
        array_of[0, 0][name] = 1j if name == "children" else value
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"synsets": array_of})
    return buffer.getvalue()


DEVKITS = {
    "an archive that unpacks to 256 MB": (lambda: gzip.compress(bytes(2**28), 1), "the archive has more than 64 MB"),
    "an archive of 65 MB": (lambda: b"\x1f\x8b" + bytes(65 << 20), "the archive has more than 64 MB"),
    "a meta.mat of 17 MB in an archive": (lambda: packed_devkit(bytes(17 << 20)), "meta.mat has more than 16 MB"),
    "a ground truth of 5 MB": (
        lambda: packed_devkit(_rows(), b"1\n" * (5 << 19)),
        "ground_truth.txt has more than 4 MB",
    ),
    "a WNID that is a path": (lambda: _rows((0, {"WNID": "../../evil"})), "is not of the form n########"),
    "a WNID of other digits": (lambda: _rows((0, {"WNID": "n1234567\u0661"})), "is not of the form n########"),
    "a WNID twice": (lambda: _rows((0, {"WNID": small_rows()[1]["WNID"]})), "the synset n[0-9]{8} twice"),
    "an ID twice": (lambda: _rows((0, {"ILSVRC2012_ID": 2.0})), "the synset 2 twice"),
    "an ID that is no number": (lambda: _rows((0, {"ILSVRC2012_ID": float("nan")})), "not a whole number"),
    "an infinite ID": (lambda: _rows((0, {"ILSVRC2012_ID": float("inf")})), "not a whole number"),
    "a number of children that is text": (lambda: _rows((2, {"num_children": "two"})), "is not one number"),
    "children that are text": (lambda: _rows((2, {"children": "ab"})), "children are text"),
    "children that are not there": (lambda: _rows((2, {"children": np.array([1.0, 77.0])})), "that are not there"),
    "complex children": (_imaginary, "complex numbers"),
    "a ground truth of words": (lambda: packed_devkit(_rows(), b"1 x"), "not an ILSVRC2012_ID"),
    "a ground truth of one long number": (lambda: packed_devkit(_rows(), b"1" * 2**22), "not an ILSVRC2012_ID"),
    "a link as meta.mat": (_linking_devkit, "is a symbolic link"),
    "a devkit with a name above its folder": (_escaping_devkit, "would lie outside"),
    "a pickle as devkit": (lambda: gzip.compress(b"cos\nsystem\n(S'true'\ntR."), "not a readable"),
}


def encoded(image, kind, **options):
    """An encoded image."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(*tags):
    """A TIFF without pixels, of (tag, type, count, value)."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def _tile_bomb():
    size = [(256, 4, 1, 16), (257, 4, 1, 16), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1)]
    tiles = [(322, 4, 1, 40000), (323, 4, 1, 40000), (324, 4, 1, 300), (325, 4, 1, 50)]
    return tiff(*size, *tiles).ljust(300, b"\0") + zlib.compress(bytes(1000))


def _strips_again():
    """Strips of rows 1..2 that begin again at the top, 50,000 times."""
    size = [(256, 4, 1, 4000), (257, 4, 1, 4000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    strips = [(273, 4, 50000, 200), (278, 4, 1, 3999), (279, 4, 50000, 200)]
    return tiff(*size, *strips).ljust(200, b"\0") + struct.pack("<I", 200) * 50000 + bytes(16_000_000)


def _many_values():
    return tiff((256, 4, 1, 1), (257, 4, 1, 1), (273, 4, 10**7, 100)).ljust(100, b"\0") + bytes(4 * 10**7)


def _scans(copies, side=3000):
    jpeg = encoded(Image.new("L", (side, side)), "JPEG", progressive=True)
    return jpeg[:-2] + jpeg[jpeg.rindex(b"\xff\xda") : -2] * copies + jpeg[-2:]


def _in_jpeg(content):
    jpeg = encoded(Image.new("L", (8, 8)), "JPEG")
    return jpeg[:2] + content + jpeg[2:]


def _png_chunks():
    png = encoded(Image.new("L", (8, 8)), "PNG")
    chunk = bytes(4) + b"prVt" + zlib.crc32(b"prVt").to_bytes(4, "big")
    return png[:33] + chunk * 300_000 + png[33:]


def _gif_comment():
    gif = encoded(Image.new("L", (8, 8)), "GIF")
    start = 13 + 3 * (2 << (gif[10] & 7))
    return gif[:start] + b"!\xfe" + (b"\xff" + b"c" * 255) * 100_000 + b"\0" + gif[start:]


def _png_text():
    png = encoded(Image.new("L", (8, 8)), "PNG")
    content = b"zTXtkey\0\0" + zlib.compress(bytes(2**27), 9)
    chunk = struct.pack(">I", len(content) - 4) + content + zlib.crc32(content).to_bytes(4, "big")
    return png[:33] + chunk + png[33:]


IMAGES = {
    "a TIFF with a tile of 1.6 gigapixels": (_tile_bomb, "tiles of 1,600,000,000 pixels"),
    "a TIFF whose strips begin again": (_strips_again, "parts of .* pixels for 16,000,000"),
    "a TIFF with ten million strips": (_many_values, "10,000,000 values of the tag 273"),
    "a BigTIFF with a million tags": (lambda: b"II\x2b\0\x08\0\0\0" + struct.pack("<QQ", 16, 10**6), "1,000,000 tags"),
    "a progressive JPEG of 3000 scans": (lambda: _scans(3000), "more than 100 scans of 9,000,000 pixels"),
    "a progressive JPEG of 80 scans of 81 megapixels": (lambda: _scans(80, 9000), "more than 24 scans of 81,000,000"),
    "a progressive JPEG of 80 scans, small": (lambda: _scans(80, 30), None),
    "a JPEG with a film of 3000 scans behind it": (lambda: _scans(0, 99) + b"\xff\xda" * 3000, None),
    "a JPEG of a million segments after its first scan": (
        lambda: _scans(2, 9000)[:-2] + b"\xff\xfe\0\2" * 10**6 + b"\xff\xda" * 90,
        "more than 24 scans",
    ),
    "a JPEG of a million segments": (lambda: _in_jpeg(b"\xff\xfe\0\2" * 10**6), "more than 4,096 segments"),
    "a JPEG with 8 MB between segments": (
        lambda: _in_jpeg(b"\xff\xfe\0\2" + bytes(2**23)),
        "bytes between two segments",
    ),
    "a JPEG with 8 MB of fill bytes": (lambda: _in_jpeg(b"\xff" * 2**23), "bytes between two segments"),
    "a JPEG of fill bytes": (lambda: b"\xff\xd8" + b"\xff" * 2**23, "."),
    "a JPEG whose comments have lengths too short": (lambda: _in_jpeg(b"\xff\xfe\0\2junk" * 4000), None),
    "a WEBP of 300,000 chunks": (lambda: b"RIFF\0\0\0\0WEBP" + b"ABCD\0\0\0\0" * 300_000, "damaged WEBP"),
    "a WEBP with a profile of 4 GB": (lambda: b"RIFF\0\0\0\0WEBPICCP\xff\xff\xff\xff" + bytes(99), "damaged WEBP"),
    "a BigTIFF whose tags lie nowhere": (lambda: b"II\x2b\0\x08\0\0\0" + b"\xff" * 8, "."),
    "a PPM of 16 bits and 6 megapixels": (lambda: b"P5 3000 2000 999\n" + bytes(12 * 10**6), "decoded slowly"),
    "a PPM in text of 6 megapixels": (lambda: b"P2 3000 2000 9\n" + b"1 " * 6 * 10**6, "decoded slowly"),
    "a PPM in text of 50 MB of spaces": (lambda: b"P2 9 9 9\n" + b" " * 50 * 10**6, "bytes for 81 values"),
    "a PPM with a million comments": (lambda: b"P2 999 999 9\n" + b"#\n" * 10**6, "more than 1000 comments"),
    "a PPM with a comment of 50 MB": (lambda: b"P5 #" + b"x" * 50 * 10**6, "a header of more than 64 kB"),
    "an RLE BMP of 6 megapixels": (lambda: rle_bmp(b"\1\7" * 6 * 10**6, 3000, 2000), "decoded slowly"),
    "an RLE BMP of 50 MB of ends of lines": (lambda: rle_bmp(b"\0\0" * 25 * 10**6, 9, 9), "bytes for 81 values"),
    "a PNG of 300,000 chunks": (_png_chunks, "more than 65,536 chunks"),
    "a PNG with a text of 128 MB": (_png_text, None),
    "a PNG of four gigapixels": (
        lambda: b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + struct.pack(">IIBBBBB", 2**16, 2**16, 8, 0, 0, 0, 0) + bytes(99),
        ".",
    ),
    "a GIF with a comment of 25 MB": (_gif_comment, "blocks before the image"),
    "a GIF with junk before its image": (lambda: b"GIF89a" + bytes(7) + b"j" * 10**7, "blocks before the image"),
    "a pickle as image": (lambda: b"\x80\x04\x95" + bytes(2000), "not an image"),
}


def _of(target, attacks):
    return {name: (target, make, reason) for name, (make, reason) in attacks.items()}


ATTACKS = _of("tar", TARS) | _of("meta", METAS) | _of("devkit", DEVKITS) | _of("image", IMAGES)
