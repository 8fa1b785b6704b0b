"""Formats are told by the first bytes of a file, whatever its name says."""

import bz2
import gzip
import io
import lzma

import pytest
from PIL import Image

from workflow_scripts.dataset.sample.draw_sample import tar_bytes
from workflow_scripts.plumbing.formats import EMPTY, HEAD, UNKNOWN, ZEROS, file_format
from workflow_scripts.store.decode import BadImage, decode

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12345\n"
READ = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")


def iso(brand):
    return b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(100)


def saved(kind):
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), (200, 0, 0)).save(buffer, kind)
    return buffer.getvalue()


# A file and the reason for which it is not decoded.
NAMED = {
    "HEIC": (iso(b"heic"), "HEIC, which is not read; convert it to PNG or JPEG"),
    "AVIF": (saved("AVIF"), "AVIF, which is not read; convert it to PNG or JPEG"),
    "JPEG 2000": (saved("JPEG2000"), "JPEG 2000, which is not read; convert it to PNG or JPEG"),
    "CR3": (iso(b"crx "), r"a raw photograph \(CR3\), which is not read; convert it to PNG or JPEG"),
    "video": (iso(b"isom"), "a video or image in an ISO container, which is not read; convert it to PNG or JPEG"),
    "PDF": (saved("PDF"), "PDF, which is not read; convert it to PNG or JPEG"),
    "EPS": (saved("EPS"), "PostScript, which is not read; convert it to PNG or JPEG"),
    "ICO": (saved("ICO"), "ICO, which is not read; convert it to PNG or JPEG"),
    "ICNS": (saved("ICNS"), "ICNS, which is not read; convert it to PNG or JPEG"),
    "DDS": (saved("DDS"), "DDS, which is not read; convert it to PNG or JPEG"),
    "PSD": (b"8BPS\0\1" + bytes(50), r"PSD \(Photoshop\), which is not read"),
    "JPEG XL": (b"\xff\x0a" + bytes(50), "JPEG XL, which is not read"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG, which is not read; convert it to PNG or JPEG"),
    "SVG in XML": (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<svg width='1'/>", "SVG, which is not read"),
    "HTML": (b"\n<!DOCTYPE html><html>404</html>", "an HTML page, not an image; get it again"),
    "XML": (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "XML text, not an image; get it again"),
    "JSON": (b'{"error": "quota"}', "JSON text, not an image; get it again"),
    "Git LFS": (LFS, "a Git LFS pointer, not an image; run git lfs pull"),
    "git-annex": (b"/annex/objects/SHA256E-s1--a.jpg\n", "a git-annex pointer, not an image; run git annex get"),
    "AppleDouble": (b"\0\5\x16\7\0\2\0\0" + bytes(50), "an AppleDouble file, not an image; remove it"),
    "text": ("caf\u00e9\n".encode(), "text, not an image; get it again"),
    "zeros": (bytes(5000), "nothing but zeros, not an image; get it again"),
    "empty": (b"", "0 bytes; get it again"),
    "unknown": (b"\x80\x04\x95" + bytes(range(256)), "of an unknown format, not an image; get it again"),
    "gzip": (gzip.compress(b"x"), "gzip-compressed, not an image; unpack it, as with gunzip"),
    "tar": (tar_bytes([("a.png", b"x")]), "a tar archive, not an image; unpack it"),
    "zip": (b"PK\3\4" + bytes(50), "a zip archive, not an image; unpack it"),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_is_no_image_is_named_with_the_way_on(name):
    data, reason = NAMED[name]
    with pytest.raises(BadImage, match=f"^{reason}"):
        decode(data, 8, "warp")


@pytest.mark.parametrize("kind", READ)
def test_an_image_whose_head_is_damaged_is_called_damaged(kind):
    damaged = saved(kind)[:13] + b"\x55" * 60
    assert file_format(damaged).name == f"a damaged {kind}"
    with pytest.raises(BadImage):
        decode(damaged, 8, "warp")


def test_archives_are_told_by_their_packing():
    packed = {"gzip": gzip.compress(b"x"), "bzip2": bz2.compress(b"x"), "xz": lzma.compress(b"x")}
    for name, data in packed.items():
        assert file_format(data).name == f"{name}-compressed"


def test_nothing_zeros_and_a_cut_letter():
    assert file_format(b"") is EMPTY
    assert file_format(bytes(HEAD) + b"x") is ZEROS
    assert file_format(b"\x80abc") is UNKNOWN
    assert file_format(b"a" * (HEAD - 1) + "\u00e9".encode()).name == "text"
    assert file_format(b"BMW and other cars").name == "text"
