"""How a configuration is refused: with its key before the reason, in one line that a terminal can show."""

import contextlib
from collections.abc import Iterator

from workflow_scripts.cli import InputError

HEAD, TAIL = 700, 300  # characters of a longer line that are shown


@contextlib.contextmanager
def naming(key: str) -> Iterator[None]:
    """Put "configuration: `key`: " before the InputError of a file that this key of the configuration names."""
    try:
        yield
    except InputError as error:
        raise InputError(f"configuration: {key}: {error}") from None


def refusal(error: InputError) -> str:
    """The one line that says what is wrong: control and direction characters escaped, the middle left out if long."""
    line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(error))
    return line if len(line) <= HEAD + TAIL else f"{line[:HEAD]} ... {line[-TAIL:]}"
