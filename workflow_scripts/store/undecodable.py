"""What a packing job says about images that cannot be decoded, once it has too many of them.

Snakemake stops at the first job that fails. The list therefore holds those of other shards too, as far as a minute
goes.
"""

import contextlib
import math
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NoReturn

from workflow_scripts.dataset.dataset import SPLITS, BadImage, Dataset, Source
from workflow_scripts.plumbing.cli import InputError, one_line
from workflow_scripts.store.decode import decode_all

MOST_LISTED = 100  # images
LOOK_SECONDS = 60
LOOKS = 1000  # parts of a split; of ImageNet a class each
LOOK_SIZE = 32  # pixels, as libjpeg decodes small ones faster


def refuse(quarantine: Sequence[dict], images: int, max_bad_fraction: float, where: str) -> NoReturn:
    """Raise InputError for `quarantine`, names with reasons, of more than `max_bad_fraction` of `images` in `where`."""
    first = "; ".join(f"{bad['name']} ({bad['reason']})" for bad in quarantine[:3])
    count, rise = f"more than {MOST_LISTED} images", ""
    if len(quarantine) <= MOST_LISTED:
        count = f"{len(quarantine)} image{'s' * (len(quarantine) > 1)}"
        rise = f" to {math.floor(len(quarantine) / images * 10**4 + 1) / 10**4:g}"  # rounded up
    raise InputError(
        f"{where}: {count}, above {max_bad_fraction:g} of {images}, cannot be decoded: {first}. The lines above list "
        f"them. Replace or remove the files, or raise store.max_bad_fraction{rise} to leave them out."
    )


def list_undecodable(
    dataset: Dataset, split: str, sources: Sequence[Source], quarantine: Sequence[dict], threads: int
) -> None:
    """Print the images that cannot be decoded, a line each, to standard error: MOST_LISTED at most.

    First come those in `quarantine`, of the `sources` of `split`. Then come those of the dataset's other images that
    LOOK_SECONDS suffice to find.
    """
    room = MOST_LISTED - len(quarantine)
    for bad in quarantine[:MOST_LISTED]:
        _print(f"{split}: {bad['name']}: {bad['reason']}")
    elsewhere = _bad_elsewhere(dataset, {(split, source.name) for source in sources}, threads) if room >= 0 else [None]
    with contextlib.suppress(InputError):  # of another class: its own job says so
        for bad in elsewhere:
            if room == 0 or bad is None:
                break
            _print(bad)
            room -= 1
        else:
            return
    _print("There may be more. To list those of all shards in one run: snakemake --keep-going")


def _bad_elsewhere(dataset: Dataset, own: set[tuple[str, str]], threads: int) -> Iterator[str | None]:
    """A line for each image not in `own` (splits and names) that cannot be decoded; None when time is over."""
    end = time.monotonic() + LOOK_SECONDS
    for split in SPLITS:
        for part in range(LOOKS):
            sources = [image for image in dataset.images(split, part, LOOKS) if (split, image.name) not in own]
            for source, image in decode_all(sources, LOOK_SIZE, "warp", threads):
                if isinstance(image, BadImage):
                    yield f"{split}: {source.name}: {image}"
                if time.monotonic() > end:
                    yield None


def _print(line: str) -> None:
    print(one_line(InputError(line)), file=sys.stderr)
