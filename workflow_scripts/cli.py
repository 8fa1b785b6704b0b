"""What every step's command line shares: one-line errors with exit status 1, and the JSON argument type."""

import argparse
import json
import sys
from collections.abc import Callable


class InputError(Exception):
    """A mistake in the user's configuration or data; its text is one line naming the place and the remedy."""

    def __str__(self) -> str:
        return " ".join(super().__str__().split())  # whatever the user's names hold


def json_argument(text: str) -> object:
    """Parse a command-line value given as JSON (rules pass configuration leaves this way)."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None


def run(main: Callable[[], None]) -> None:
    """Run a step's `main`; an InputError, or an OSError, ends the process with one line on stderr and status 1."""
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:  # a full disk, a folder that may not be read: the place and the reason, no traceback
        print(f"error: {error.filename or 'input or output'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(1)
