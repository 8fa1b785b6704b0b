"""Draws validation images from a dataset that has no split. Light on purpose: the Snakefile imports this."""

from collections.abc import Collection, Iterable, Mapping

from workflow_scripts.dataset.parts import WholePart
from workflow_scripts.dataset.trees import Place
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.study.seeds import derive_seed


def drawn(name: str, files: Iterable[str], split: Mapping) -> set[str]:
    """The validation images among the `files` of the class `name`.

    `split` has a `seed`, and `val_per_class` or `val_fraction`. Files are ordered by a hash of the seed, the class and
    their own name. An image more or less thus changes the part of one image at most. A fraction leaves at least one
    image on each side.
    """
    order = sorted(files, key=lambda file: (derive_seed("split", split["seed"], name, file), file))
    if "val_per_class" in split:
        return set(order[: split["val_per_class"]])
    return set(order[: min(max(1, round(len(order) * split["val_fraction"])), len(order) - 1)] if order else [])


class Drawn:
    """The training or the validation images that are drawn from a `part` without a split (a Part)."""

    def __init__(self, part: WholePart, split: Mapping, side: str) -> None:
        self.part, self.split, self.side = part, split, side

    @property
    def names(self) -> Collection[str]:
        """See Part."""
        return self.part.names

    def files(self, name: str) -> dict[str, Place]:
        """See Part."""
        files = self.part.files(name)
        val = drawn(name, files, self.split)
        return {file: place for file, place in files.items() if (file in val) == (self.side == "val")}

    def path(self, name: str, file: str) -> str:
        """See WholePart."""
        return self.part.path(name, file)


def check_counts(where: object, counts: Mapping[str, int], split: Mapping) -> None:
    """Raise InputError if a class has too few images for a training and a validation image; `counts` has their numbers.

    It names the smallest class.
    """
    least = 1 + split.get("val_per_class", 1)
    short = sorted((count, name) for name, count in counts.items() if count < least)
    if not short:
        return
    count, name = short[0]
    others = f", the fewest of {len(short)} such classes" if len(short) > 1 else ""
    remedy = f"Lower it to {count - 1} or less, or exclude" if count > 1 and least > 2 else "Exclude"
    raise InputError(
        f"{where}: class {name!r} has {count} image{'s' * (count != 1)}{others}, but dataset.split takes {least - 1} "
        f"of each class for validation and leaves at least one. {remedy} it with dataset.exclude."
    )
