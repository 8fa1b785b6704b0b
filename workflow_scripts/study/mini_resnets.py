"""The full names of mini_resnet's variants: what training.mini_resnet says of norm, shortcuts and size, as text."""

import re
from collections.abc import Mapping

NORMS = ("batch", "group", "none")
USUAL = {"norm": "batch", "skip": True, "width": 12, "blocks": 2, "fully_connected": 0}
NAME = re.compile(
    r"mini_resnet(?:_(?P<norm>group|none))?(?P<plain>_plain)?"
    r"(?:_w(?P<width>\d+))?(?:_b(?P<blocks>\d+))?(?:_fc(?P<fully_connected>\d+))?"
)


def variant_name(variant: Mapping) -> str:
    """The name of a variant (the section training.mini_resnet); what it has in common with USUAL is not said.

    As in mini_resnet_none_plain_w8_fc256.
    """
    norm, skip = variant["norm"], variant["skip"]
    sizes = {"w": "width", "b": "blocks", "fc": "fully_connected"}
    said = [f"_{short}{variant[key]}" for short, key in sizes.items() if variant[key] != USUAL[key]]
    return "".join(["mini_resnet", "" if norm == "batch" else f"_{norm}", "" if skip else "_plain", *said])


def named_variant(name: str) -> dict | None:
    """The variant that a full name says, with the keys of USUAL, or None for other names."""
    if (found := NAME.fullmatch(name)) is None:
        return None
    groups = found.groupdict()
    sizes = {key: int(groups[key]) if groups[key] else USUAL[key] for key in ("width", "blocks", "fully_connected")}
    return {"norm": groups["norm"] or "batch", "skip": not groups["plain"]} | sizes
