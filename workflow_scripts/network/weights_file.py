"""The head of a safetensors file, read without torch: the Snakefile asks at parse time."""

import json
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.formats import HEAD, file_format

LENGTH_BYTES = 8  # of the number, little-endian, that says how long the header is
MAX_HEADER = 100_000_000  # as in safetensors
PICKLES = (b"PK\x03\x04", b"\x80")  # a zip archive of torch.save's, and pickles of protocol 2 and above


def check_weights_file(path: Path) -> None:
    """Raise InputError unless the file at `path` is a whole safetensors file, by its header and its size."""
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            head = file.read(HEAD)
            header = _header(path, head, size, file)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}. Correct the path.") from None
    ends = [one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"]
    if not ends:
        raise InputError(f"{path}: it holds no tensors. Give a file of weights.")
    length = LENGTH_BYTES + int.from_bytes(head[:LENGTH_BYTES], "little")
    if size != length + max(ends):
        raise InputError(f"{path}: it has {size:,} bytes in place of {length + max(ends):,}. Get the whole file.")


def _header(path: Path, head: bytes, size: int, file: object) -> dict:
    """The header of a safetensors file. Raises InputError for a file of a different format."""
    length = int.from_bytes(head[:LENGTH_BYTES], "little")
    if head.startswith(PICKLES):
        raise InputError(
            f"{path}: it is a file of torch.save, and a pickle may run any program. Convert it: safetensors.torch."
            "save_file(torch.load(path, weights_only=True), 'weights.safetensors')."
        )
    try:
        if size > LENGTH_BYTES and 2 <= length <= min(MAX_HEADER, size - LENGTH_BYTES):
            file.seek(LENGTH_BYTES)
            header = json.loads(file.read(length))
            if all(name == "__metadata__" or len(one["data_offsets"]) == 2 for name, one in header.items()):
                return header
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    found = file_format(head)
    what = f"but {found.name}" if found else "or it is cut off"
    raise InputError(f"{path}: it is no safetensors file, {what}. Give the weights as safetensors.")
