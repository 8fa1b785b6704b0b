"""What the name of a partition says. Light on purpose: the Snakefile imports this at parse time."""

import re
from dataclasses import dataclass

SEEDED = ("random", "near", "middle", "far")  # near, middle and far are graded by hierarchy distance
NEEDS_HIERARCHY = ("natman", "near", "middle", "far")
NAME = re.compile(r"(?P<base>[A-Za-z][A-Za-z0-9_]*?)(_(?P<how>first|draw)_(?P<count>[1-9]\d{0,8})_per_class)?")
DRAWN = re.compile(r"_draw_[1-9]\d{0,8}_per_class$")
SEEDED_NAME = re.compile(rf"({'|'.join(SEEDED)})(\d{{1,9}})")  # RandomState takes seeds below 2**32


@dataclass(frozen=True)
class PartitionName:
    """The parts of a partition's name.

    `family` is "random", "near", "middle", "far" (with `seed`), "natman", "whole" or the name of a csv partition.
    `images_per_class` is how many training images of each class count, None for all. They are the first ones or, if
    `drawn`, ones that are drawn anew for each seed of the study.
    """

    family: str
    seed: int | None
    images_per_class: int | None
    drawn: bool = False

    @property
    def halves(self) -> tuple[str, ...]:
        """The names of its tasks."""
        return ("whole",) if self.family == "whole" else ("A", "B")


def parse_partition(name: str) -> PartitionName:
    """The parts of `name`, for example random0 or whole_first_10_per_class (as published). Raises ValueError."""
    match = NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not a partition's name")
    images = (int(match["count"]), match["how"] == "draw") if match["count"] else (None, False)
    seeded = SEEDED_NAME.fullmatch(match["base"])
    if seeded:
        return PartitionName(seeded[1], int(seeded[2]), *images)
    return PartitionName(match["base"], None, *images)


def drawn_partition(partition: str, images_per_class: int) -> str:
    """The name of `partition` with so many drawn training images of each class."""
    return f"{partition}_draw_{images_per_class}_per_class"


def plain_partition(name: str) -> str:
    """The partition whose images a drawn one is drawn from, for example random0 of random0_draw_5_per_class.

    The name itself if nothing is drawn.
    """
    return DRAWN.sub("", name)
