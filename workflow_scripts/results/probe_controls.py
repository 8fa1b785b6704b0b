"""Findings on probes beside others of the same target: networks trained above the cut, and untrained features."""

import math
from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.effects import differences
from workflow_scripts.results.groups import main_variant, not_diverged, target_name
from workflow_scripts.results.probe_words import lead, set_name, unit_at
from workflow_scripts.results.probes import SOURCES, TOGETHER, ProbeSet, best_cut, depth_table
from workflow_scripts.results.verdicts import (
    Part,
    capital_halves,
    decimal,
    depths_in_words,
    hedge,
    negated,
    number,
    verdict,
)
from workflow_scripts.study.columns import SCORE


def trained_above(sets: list[ProbeSet], results: pd.DataFrame) -> Iterator[Part]:
    """What frozen networks of the same targets and depth reach beside the classifier at the cut."""
    for one in sets:
        table = depth_table(one.rows)
        best = best_cut(table)
        if best is None:
            continue
        rows = main_variant(not_diverged(results))
        same = rows["partition"].isin(one.rows["partition"].unique())
        frozen = rows[same & (rows["group"] == one.group) & (rows["depth"] == best)]
        compared = pd.concat(
            [_as_networks(one.rows[one.rows["depth"] == best], "probe", 0), frozen.assign(group="frozen", depth=0)]
        )
        gap = _paired(compared, "frozen", "probe")
        if frozen.empty or pd.isna(gap["points"]):
            continue
        score = 100 * frozen.groupby(["partition", "target"])[SCORE].mean().mean()
        trained = f"{decimal(score)} %" + (f" (frozen {one.group})" if one.group != "random" else "")
        says = {
            1: f"This gains {number(gap)}.",
            0: f"The two do not differ measurably: {number(gap)}.",
            -1: f"This loses {number(negated(gap))}.",
        }
        reached = f"a linear classifier reaches {decimal(table.loc[best, 'points'])} %"
        text = f"After {unit_at(table, best)}, {reached}. Training the units above reaches {trained}."
        yield set_name(one), f"{lead(one, sets)}{text} {says[verdict(gap)]}", hedge(gap.to_frame().T)


def untrained_features(sets: list[ProbeSet]) -> Iterator[Part]:
    """At which depths untrained features lie below trained ones of the same targets."""
    untrained = {(one.halves, one.amount): one for one in sets if one.group == "random"}
    for one in sets:
        other = untrained.get((one.halves, one.amount))
        if other is None or one.group == "random":
            continue
        pair = pd.concat([_single(one.rows, "trained"), _single(other.rows, "untrained")])
        found = differences(pair, {"gap": {"trained": 1, "untrained": -1}}, ())
        gaps = pd.DataFrame({int(layers): row for layers, _, row in found}).T
        if gaps.empty or (gaps := gaps.dropna(subset="points")).empty:
            continue
        named = one.halves if one.group == "AnB" else target_name(one.halves)
        text = f"{capital_halves(named)}: The untrained network's features {_below(gaps, SOURCES[one.group])}"
        yield named, text, hedge(gaps)


def _below(gaps: pd.DataFrame, source: str) -> str:
    """Where the untrained features lie below those of `source`."""
    below = [depth for depth, gap in gaps.iterrows() if verdict(gap) == 1]
    others = [depth for depth in gaps.index if depth not in below]
    if not below:
        largest = gaps.loc[gaps["points"].astype(float).idxmax()]
        return f"lie measurably below those of {source} at no n. The largest gap is {number(largest)}."
    at = f"{number(gaps.loc[below[0]])} at n = {below[0]}"
    at += f" and {number(gaps.loc[below[-1]])} at n = {below[-1]}" if len(below) > 1 else ""
    if not others:
        return f"lie below those of {source} at every n: {at}."
    return f"lie below those of {source} ({at}), but not measurably at {depths_in_words(others)}."


def _paired(rows: pd.DataFrame, higher: str, lower: str) -> pd.Series:
    """How far the group `higher` lies above `lower`; its `points` are NaN where no target has both."""
    found = differences(rows, {"gap": {higher: 1, lower: -1}}, ())
    none = {"points": math.nan, "low": math.nan, "high": math.nan, "interval": "", "noise_points": math.nan}
    return pd.Series(next((row for _, _, row in found), none))


def _as_networks(probes: pd.DataFrame, group: str, depth: int | pd.Series) -> pd.DataFrame:
    """The sound ones of `probes` as networks of a `group`, as effects.differences wants them."""
    named = {"group": group, "depth": depth, "base": math.nan, SCORE: probes["top1"]}
    return probes.assign(**named)[~probes["diverged"]].drop(columns="top1")


def _single(probes: pd.DataFrame, group: str) -> pd.DataFrame:
    """The probes of single depths as networks of a `group`."""
    rows = probes[probes["depth"] != TOGETHER]
    return _as_networks(rows, group, rows["depth"].astype(int))
