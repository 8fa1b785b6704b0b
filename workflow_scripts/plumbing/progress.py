"""Progress of a long loop: a bar with ETA on a terminal, sparse lines in a log file."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
LOG_SECONDS = 30  # between two lines in a log file


def progress(items: Iterable[Item], title: str, total: int, unit: str) -> Iterator[Item]:
    """`items`, while their number among `total` is shown on standard error."""
    interval = 0.1 if sys.stderr.isatty() else LOG_SECONDS
    yield from tqdm(items, title, total, unit=f" {unit}", mininterval=interval)
