"""The one reader of text that people write (lists, tables, configurations). Light on purpose: used at parse time."""

import codecs
import re
from collections.abc import Mapping
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError

MOST_BYTES = 2**26  # a list of a million names has 20 MB
UTF_8 = {codecs.BOM_UTF8: "utf-8-sig"}
ENCODINGS = UTF_8 | {  # by the mark that the bytes begin with; UTF-32's come first, as one begins like UTF-16's
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def check_file(path: str | Path) -> None:
    """Raise InputError unless there is a plain file at `path` (opening a pipe would wait for ever)."""
    try:
        if Path(path).is_file():
            return
        why = "it is not a file" if Path(path).exists() else f"the file does not exist{sought_in(path)}"
    except (OSError, ValueError) as error:  # a name too long, or with a null character
        why = f"there can be no such file ({getattr(error, 'strerror', None) or error})"
    raise InputError(f"{path}: {why}. Correct the path.")


def sought_in(path: str | Path) -> str:
    """Where a relative `path` starts, as the end of a sentence; "" for an absolute one."""
    return "" if Path(path).is_absolute() else f" in the working directory {Path.cwd()}"


def read_text(path: str | Path, most_bytes: int = MOST_BYTES, encodings: Mapping[bytes, str] = ENCODINGS) -> str:
    """The text of the file at `path`, as decoded_text gives it.

    Raises InputError as check_file and decoded_text, and for a file that cannot be read or has more than `most_bytes`.
    """
    check_file(path)
    try:
        with open(path, "rb") as file:
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise InputError(f"{path}: it cannot be read ({error.strerror}). Check its permissions.") from None
    if len(data) > most_bytes:
        raise InputError(f"{path}: it has more than {most_bytes:,} bytes. Shorten it.")
    return decoded_text(data, path, encodings)


def decoded_text(data: bytes, where: str | Path, encodings: Mapping[bytes, str] = ENCODINGS) -> str:
    r"""`data` as text without byte order marks, in which every line ends in "\n", as Unix, Windows or old Macs end it.

    It is UTF-8 or, where it begins with the mark of one of `encodings`, in that encoding. Raises InputError, naming the
    line of `where`, for anything else.
    """
    encoding = next((name for mark, name in encodings.items() if data.startswith(mark)), "utf-8")
    try:
        text = _unix_lines(data.decode(encoding))
    except UnicodeDecodeError as error:
        before = _unix_lines(data[: error.start].decode(encoding, errors="ignore"))
        raise InputError(
            f"{where} line {before.count(chr(10)) + 1}: the byte 0x{data[error.start]:02x} is not "
            f"{encoding.removesuffix('-sig').upper()} text. Save the file as UTF-8."
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(
            f"{where} line {line}: it holds a null character, so it is not UTF-8 text. Save the file as UTF-8."
        )
    return text


def read_lines(path: str | Path) -> list[tuple[int, str]]:
    """The lines of the list at `path` that say something, each with its number, without what stands around them.

    Blank lines, spaces at both ends, and comments (from `#` to the end of the line) are dropped. Raises InputError as
    read_text.
    """
    lines = [line.partition("#")[0].strip() for line in read_text(path).split("\n")]
    return [(number, line) for number, line in enumerate(lines, start=1) if line]


def _unix_lines(text: str) -> str:
    """`text` with Unix's line ends, and without the marks that files put one after another leave inside."""
    return re.sub("^\ufeff+", "", text.replace("\r\n", "\n").replace("\r", "\n"), flags=re.MULTILINE)
