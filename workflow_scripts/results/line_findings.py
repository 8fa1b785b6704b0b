"""Findings on the lines between networks of two seeds, in sentences: whether accuracy falls between them."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.interpolation import noise_points
from workflow_scripts.results.verdicts import UNSURE, Part, capital_halves, decimal

BETWEEN_SEEDS = "Is there a barrier between networks of two seeds?"
GROUPS = tuple(f"{source}nB{end}" for source in "PAB" for end in ("+", " then +"))  # in the order of their sentences
BASIS = (
    "A fall is the mean accuracy of a line's ends less the lowest on the line, and a mean over pairs. Parentheses have"
    " the smallest and the largest. Neighbouring pairs share a seed, so no interval is given. A fall counts if it"
    " exceeds two standard errors of one line's noise of validation images. Other seeds may differ."
)


def between_seeds(lines: pd.DataFrame) -> Iterator[Part]:
    """Whether accuracy falls between fine-tuned networks of two seeds, and between base networks, by kind of halves.

    `lines` are from interpolation.read_lines. Variants are left out.
    """
    noises = {"noise": noise_points(lines), "drop_noise": noise_points(lines, "drop_points")}
    plain = lines.assign(**noises)[lines["variant"] == ""]
    for halves, of_kind in plain.groupby("halves"):
        groups = [group for group in GROUPS if (of_kind["group"] == group).any()]
        sentences = [_of_group(of_kind[of_kind["group"] == group], group) for group in groups]
        base = of_kind[(of_kind["group"] == "base") & (of_kind["unit_number"] == 0)]
        if len(base):
            sentences.append(f"Between base networks of two seeds, {_fall(base)}.")
        if groups:
            yield halves, f"{capital_halves(halves)}, {UNSURE}: {' '.join(sentences)}", BASIS


def _of_group(rows: pd.DataFrame, group: str) -> str:
    """What a fine-tuned group's deepest networks show, whether its two ends began alike, and which unit costs most."""
    depth = rows["depth"].max()
    deepest = rows[rows["depth"] == depth]
    whole, single = deepest[deepest["unit_number"] == 0], deepest[deepest["unit_number"] > 0]
    began = "Both ends began as the same pretrained network, but for their fresh units above n."
    if not group.startswith("P"):
        began = "Each end began as a network of its own seed, so a barrier is to be expected."
    told = f"Between {group} of two seeds at n = {depth}, {_fall(whole)}. {began}"
    means = single.groupby("unit")[["drop_points", "drop_noise"]].mean().sort_values("drop_points")
    least, most = means.iloc[0], means.iloc[-1]
    if most["drop_points"] <= 2 * most["drop_noise"]:
        return f"{told} Moving one unit alone to the other end costs nothing measurable."
    costs = f"{decimal(least['drop_points'])} ({least.name}) to {decimal(most['drop_points'])} points ({most.name})"
    return f"{told} Moving one unit alone to the other end costs {costs}."


def _fall(rows: pd.DataFrame) -> str:
    """As in: accuracy falls by 8.2 points (7.0 to 9.4, 2 pairs)."""
    points, pairs = rows["barrier_points"], f"{len(rows)} pair{'s' * (len(rows) > 1)}"
    within = f"{decimal(points.min())} to {decimal(points.max())}, " if len(rows) > 1 else ""
    numbers = f"{decimal(points.mean())} points ({within}{pairs})"
    if points.mean() > 2 * rows["noise"].mean():
        return f"accuracy falls by {numbers}"
    return f"accuracy does not fall measurably: by {numbers}"
