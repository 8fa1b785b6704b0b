"""What reads files from outside, as functions of bytes: each returns, or refuses in one line; all else is a defect.

For Hypothesis (tests/unit/test_fuzz.py) and the coverage-guided fuzzer (tests/faults/fuzz.py).
"""

import contextlib
import gzip
import io
import tempfile
from pathlib import Path

from PIL import Image

from workflow_scripts.cli import InputError
from workflow_scripts.devkit import GROUND_TRUTH, META, read_devkit
from workflow_scripts.draw_sample import meta_mat, tar_bytes
from workflow_scripts.images import BadImage, decode
from workflow_scripts.matfile import read_structs
from workflow_scripts.tars import Member, tar_members

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))
NUMBERED = {"num_children": 0, "children": [], "wordnet_height": 0, "num_train_images": 5}
ROWS = [
    {"ILSVRC2012_ID": 1.0, "WNID": "n00000001", "words": "one", "gloss": "a", **NUMBERED},
    {"ILSVRC2012_ID": 2.0, "WNID": "n00000002", "words": "two", "gloss": "b", **NUMBERED},
    {"ILSVRC2012_ID": 3.0, "WNID": "n00000003", "words": "all", "gloss": "c", **NUMBERED}
    | {"num_children": 2, "children": [1.0, 2.0]},
]
META_MAT = meta_mat(ROWS)
TRUTH = b"1\n2\n2\n1\n"


def refuses_in_one_line(read, *arguments):
    """Call `read`; what it refuses it must refuse in one line."""
    try:
        read(*arguments)
    except (InputError, BadImage) as error:
        assert "\n" not in str(error)


def file_of(name, data):
    path = FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def read_tar(data):
    path = file_of("x.tar", data)
    refuses_in_one_line(tar_members, path)
    refuses_in_one_line(tar_members, path, Member("inner.tar", 0, len(data)))


def read_meta(data):
    with contextlib.suppress(ValueError):  # which read_devkit makes a line of
        read_structs(data, "synsets")


def read_kit(data):
    refuses_in_one_line(read_devkit, file_of("kit.tar.gz", gzip.compress(data, 1)))
    refuses_in_one_line(read_devkit, file_of("raw.tar.gz", data))


def read_folder(meta, truth):
    file_of(f"kit/{META}", meta)
    file_of(f"kit/{GROUND_TRUTH}", truth)
    refuses_in_one_line(read_devkit, FOLDER / "kit")


def encoded(kind, mode="RGB", **options):
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((24, 20)).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


KIT = tar_bytes([(f"ILSVRC2012_devkit_t12/{META}", META_MAT), (f"ILSVRC2012_devkit_t12/{GROUND_TRUTH}", TRUTH)])
TARGETS = {
    "tar": read_tar,
    "meta": read_meta,
    "devkit": read_kit,
    "synsets": lambda data: read_folder(data, TRUTH),
    "truth": lambda data: read_folder(META_MAT, data),
    "image": lambda data: refuses_in_one_line(decode, data, 36, "warp"),
}
SEEDS = {
    "tar": [tar_bytes([("a/1.JPEG", b"1" * 700), ("b/" * 80 + "2.JPEG", b"2")]), KIT],
    "meta": [META_MAT],
    "devkit": [KIT],
    "synsets": [META_MAT],
    "truth": [TRUTH],
    "image": [
        *(encoded("JPEG"), encoded("JPEG", progressive=True), encoded("JPEG", "CMYK"), encoded("PNG", "RGBA")),
        *(encoded("PNG", "P"), encoded("GIF", "P"), encoded("BMP"), encoded("TIFF"), encoded("WEBP"), encoded("PPM")),
        encoded("TIFF", compression="tiff_lzw"),
    ],
}
