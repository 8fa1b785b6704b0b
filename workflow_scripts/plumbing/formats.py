"""Which format a file has, by its first bytes: for messages about files that are no image or no archive.

Light on purpose: the Snakefile imports this at parse time.
"""

import re
from typing import NamedTuple

HEAD = 4096  # bytes that are looked at
CONVERT, AGAIN, UNPACK = "convert it to PNG or JPEG", "get it again", "unpack it"


class Format(NamedTuple):
    """A format's name, as in "it is <name>", and what to do about such a file, as in "get it again"."""

    name: str
    remedy: str


UNKNOWN = Format("of an unknown format", AGAIN)
EMPTY, ZEROS = Format("empty", AGAIN), Format("nothing but zeros", AGAIN)
TAR = Format("a tar archive", UNPACK)

# The brands of ISO base media files, bytes 8 to 12.
BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), Format("HEIC", CONVERT)),
    **dict.fromkeys((b"avif", b"avis"), Format("AVIF", CONVERT)),
    b"crx ": Format("a raw photograph (CR3)", CONVERT),
    b"jp2 ": Format("JPEG 2000", CONVERT),
}
# Of containers RIFF, bytes 8 to 12.
RIFF = {b"WEBP": Format("a damaged WEBP", AGAIN), b"AVI ": Format("a video (AVI)", "take its frames as images")}

STARTS = (
    (b"\xff\xd8\xff", Format("a damaged JPEG", AGAIN)),
    (b"\x89PNG\r\n\x1a\n", Format("a damaged PNG", AGAIN)),
    (b"GIF8", Format("a damaged GIF", AGAIN)),
    (b"IIU\0", Format("a raw photograph (RW2)", CONVERT)),
    (b"IIRO", Format("a raw photograph (ORF)", CONVERT)),
    (b"FUJIFILMCCD-RAW", Format("a raw photograph (RAF)", CONVERT)),
    (b"FOVb", Format("a raw photograph (X3F)", CONVERT)),
    (b"II*\0", Format("a damaged TIFF", AGAIN)),
    (b"MM\0*", Format("a damaged TIFF", AGAIN)),
    (b"II\x2b\0", Format("a damaged TIFF", AGAIN)),
    (b"MM\0\x2b", Format("a damaged TIFF", AGAIN)),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Format("JPEG 2000", CONVERT)),
    (b"\xff\x4f\xff\x51", Format("JPEG 2000", CONVERT)),
    (b"\xff\x0a", Format("JPEG XL", CONVERT)),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Format("JPEG XL", CONVERT)),
    (b"II\xbc\x01", Format("JPEG XR", CONVERT)),
    (b"8BPS", Format("PSD (Photoshop)", CONVERT)),
    (b"gimp xcf", Format("XCF (GIMP)", CONVERT)),
    (b"\0\0\1\0", Format("ICO", CONVERT)),
    (b"icns", Format("ICNS", CONVERT)),
    (b"DDS ", Format("DDS", CONVERT)),
    (b"qoif", Format("QOI", CONVERT)),
    (b"\x76\x2f\x31\x01", Format("OpenEXR", CONVERT)),
    (b"#?RADIANCE", Format("HDR (Radiance)", CONVERT)),
    (b"SIMPLE  =", Format("FITS", CONVERT)),
    (b"%PDF", Format("PDF", CONVERT)),
    (b"%!PS", Format("PostScript", CONVERT)),
    (b"\xc5\xd0\xd3\xc6", Format("PostScript", CONVERT)),
    (b"\x1a\x45\xdf\xa3", Format("a video (Matroska)", "take its frames as images")),
    (b"version https://git-lfs", Format("a Git LFS pointer", "run git lfs pull")),
    (b"/annex/objects/", Format("a git-annex pointer", "run git annex get")),
    (b"\0\5\x16\7", Format("an AppleDouble file", "remove it")),
    (b"\0\5\x16\0", Format("an AppleSingle file", CONVERT)),
    (b"\x1f\x8b", Format("gzip-compressed", "unpack it, as with gunzip")),
    (b"\x1f\x9d", Format("compressed", "unpack it, as with gunzip")),
    (b"BZh", Format("bzip2-compressed", "unpack it, as with bunzip2")),
    (b"\xfd7zXZ\0", Format("xz-compressed", "unpack it, as with unxz")),
    (b"\x5d\0\0", Format("lzma-compressed", "unpack it, as with unlzma")),
    (b"\x28\xb5\x2f\xfd", Format("zstd-compressed", "unpack it, as with unzstd")),
    (b"\x04\x22\x4d\x18", Format("lz4-compressed", "unpack it, as with unlz4")),
    (b"PK\3\4", Format("a zip archive", UNPACK)),
    (b"PK\5\6", Format("an empty zip archive", AGAIN)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format("a file of Microsoft Office", CONVERT)),
    (b"Rar!", Format("a RAR archive", UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", Format("a 7-Zip archive", UNPACK)),
    (b"\x89HDF\r\n\x1a\n", Format("HDF5", "unpack it into image files")),
    (b"\x93NUMPY", Format("a NumPy array", CONVERT)),
    (b"PAR1", Format("Parquet", "unpack it into image files")),
    (b"SQLite format 3\0", Format("an SQLite database", AGAIN)),
    (b"MATLAB ", Format("a MATLAB file", CONVERT)),
)
SVG = re.compile(rb"<svg[\s>]", re.IGNORECASE)
HTML = re.compile(rb"<(!doctype\s+html|html|head|body|script|title|meta|h1|p|div)[\s>]", re.IGNORECASE)


def file_format(data: bytes) -> Format:
    """The format of the file that begins with `data`, which are the file's first HEAD bytes or more; UNKNOWN if none
    fits.
    """
    head = data[:HEAD]
    if not head.strip(b"\0"):
        return ZEROS if head else EMPTY
    if head[4:8] == b"ftyp":
        return BRANDS.get(head[8:12], Format("a video or image in an ISO container", CONVERT))
    if head[:4] == b"RIFF":
        return RIFF.get(head[8:12], UNKNOWN)
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return Format("a damaged BMP", AGAIN)
    for start, found in STARTS:
        if head.startswith(start):
            return found
    if head[257:262] == b"ustar":
        return TAR
    return _text_format(head) or UNKNOWN


def unread(data: bytes) -> str:
    """Why `data`, which are no image that is read, are none, and what to do."""
    found = file_format(data)
    if found.name.startswith("a damaged"):
        return f"{found.name}; {found.remedy}"
    return f"{found.name}, {'which is not read' if found.remedy == CONVERT else 'not an image'}; {found.remedy}"


def _text_format(head: bytes) -> Format | None:
    """The format of text in UTF-8, of which `head` may end within a character; None for anything else."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] == b"<":
        for pattern, name, remedy in ((SVG, "SVG", CONVERT), (HTML, "an HTML page", AGAIN)):
            if pattern.search(text):
                return Format(name, remedy)
        return Format("XML text", AGAIN)
    words = text.decode("utf-8", "replace").rstrip("\ufffd")
    if "\ufffd" in words or not all(char.isprintable() or char.isspace() for char in words):
        return None
    return Format("JSON text" if words[:1] in ("{", "[") else "text", AGAIN)
