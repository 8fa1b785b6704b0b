"""Verdicts on effects and their wording. They rest on an effect's interval or, without one, on the noise."""

import math
from collections.abc import Iterable
from itertools import pairwise

import pandas as pd

from workflow_scripts.results.groups import OWN_WORDS, PRETRAINED_SOURCE, target_name

Part = tuple[str, str, str]  # kind of halves, the sentences on them, what these rest on

UNKNOWN_NOISE = 0.5  # points; the standard error where the number of validation images is unknown
UNSURE = "in these runs"  # what a sentence says that rests on no interval
ROUNDING = 1e-9  # points; sums of equal scores may differ from zero by less
LONG_LIST = 6  # depths in equal steps that are all named
MANY = 20  # differences, of which one may count by chance


def verdict(effect: pd.Series) -> int:
    """1 or -1 if the effect (a row of effects.effect_table) lies above or below zero, 0 if that is undecided.

    An effect with an interval counts if zero lies outside it. An effect without one counts if it exceeds two standard
    errors of the validation images' noise (UNKNOWN_NOISE where their number is unknown). That noise covers neither
    other tasks nor other seeds: `hedge` has the words for this.
    """
    if has_interval(effect):
        return int(effect["low"] > ROUNDING) - int(effect["high"] < -ROUNDING)
    if pd.isna(effect["points"]):
        return 0
    floor = 2 * noise_of(effect)
    return int(effect["points"] > floor) - int(effect["points"] < -floor)


def has_interval(effect: pd.Series) -> bool:
    """Whether the effect has an interval."""
    return bool(pd.notna(effect["low"]))


def noise_of(effect: pd.Series) -> float:
    """The standard error in points due to the choice of validation images alone."""
    return float(effect["noise_points"]) if pd.notna(effect["noise_points"]) else UNKNOWN_NOISE


def at_most(effect: pd.Series, points: float) -> bool:
    """Whether the upper end of the effect's interval, or without one the effect itself, is at most `points`."""
    return bool((effect["high"] if has_interval(effect) else effect["points"]) <= points)


def number(effect: pd.Series) -> str:
    """The effect with its interval, if it has one: "8.2 points (8.0 to 8.5)".

    It has two decimals where zero lies outside the interval, but not outside what one decimal shows of it.
    """
    if not has_interval(effect):
        return f"{decimal(effect['points'])} points"
    ends = effect["low"], effect["high"]
    form = ".2f" if verdict(effect) and any(float(decimal(end)) == 0 for end in ends) else ".1f"
    low, high = (decimal(end, form) for end in ends)
    return f"{decimal(effect['points'], form)} points ({low} to {high})"


def negated(effect: pd.Series) -> pd.Series:
    """The effect with the opposite sign."""
    changed = effect.copy()
    changed["points"], changed["low"], changed["high"] = -effect["points"], -effect["high"], -effect["low"]
    return changed


def difference(effect: pd.Series, other: pd.Series) -> pd.Series:
    """`effect` minus `other`. The interval is the widest that both leave possible, if both have one."""
    return pd.Series(
        {
            "points": effect["points"] - other["points"],
            "low": effect["low"] - other["high"],
            "high": effect["high"] - other["low"],
            "noise_points": math.hypot(noise_of(effect), noise_of(other)),
        }
    )


def decimal(value: float, form: str = ".1f") -> str:
    """`value` in the format `form`. What rounds to zero has no sign."""
    text = format(value, form)
    return text.replace("-", "").replace("+", "") if float(text) == 0 else text


def hedge(effects: pd.DataFrame) -> str:
    """What the verdicts on these effects rest on, in sentences."""
    if effects.empty:
        return ""
    sure, last = effects[effects["low"].notna()], effects[effects["low"].isna()].tail(1)
    over = " or ".join(dict.fromkeys(sure["interval"]))
    ranges = [f"The ranges in parentheses are 95 % intervals {over}."] if over else []
    if len(effects) >= MANY:
        ranges.append(f"Of {len(effects)} differences, {len(effects) // MANY} may count by chance.")
    return " ".join([*ranges, *(_without_interval(effect, bool(over)) for _, effect in last.iterrows())])


def _without_interval(effect: pd.Series, elsewhere: bool) -> str:
    noise = effect["noise_points"]
    known = "two standard errors of the validation images' noise"
    floor = known if pd.notna(noise) else f"{2 * UNKNOWN_NOISE:.0f} point"
    none = no_interval(effect["interval"])
    counts = f"A difference counts {'there' if elsewhere else 'here'} if it exceeds {floor}."
    return f"{none.replace('No', 'Elsewhere no', 1) if elsewhere else none} {counts} Other tasks or seeds may differ."


def no_interval(interval: str) -> str:
    """Why there is none, from the column `interval` of an effect (effects.paired_interval), as a sentence."""
    why = interval.removeprefix("none: ").replace("too few", "there are too few")
    return f"No interval is given, because {why}."


def subject(halves: str, effects: pd.DataFrame) -> str:
    """The label of sentences on these effects: the halves and, without an interval, "in these runs"."""
    return f"{capital_halves(halves)}{'' if effects['low'].notna().any() else f', {UNSURE}'}:"


def depths_in_words(depths: Iterable[int]) -> str:
    """Depths as "n = 4", "n = 4 and 5" or "n = 1 to 3 and 7": three or more in a row are a range.

    Many in equal steps are "n = 1, 4, ..., 58".
    """
    runs: list[list[int]] = []
    for depth in (whole := sorted(depths)):
        if runs and depth == runs[-1][-1] + 1:
            runs[-1].append(depth)
        else:
            runs.append([depth])
    words = [word for run in runs for word in _run_in_words(run)]
    if len(words) > LONG_LIST and len({after - before for before, after in pairwise(whole)}) == 1:
        words = [f"{words[0]}, {words[1]}, ..., {words[-1]}"]
    return f"n = {listed(words)}"


def _run_in_words(run: list[int]) -> list[str]:
    return [f"{run[0]} to {run[-1]}"] if len(run) > 2 else [*map(str, run)]


def equals(effects: pd.DataFrame, effect: pd.Series) -> str:
    """In words, the depths of `effects` (effects.per_depth) whose points are those of `effect`."""
    alike = (effects["points"] - effect["points"]).abs() < ROUNDING
    return depths_in_words(effects.index[alike])


def listed(words: Iterable[str]) -> str:
    """As in: a, b and c."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def lasting_from(effects: pd.DataFrame) -> int | None:
    """The first depth from which on every verdict is 1. None if the verdict at the deepest is not 1.

    `effects` are rows of single depths, indexed by depth (effects.per_depth).
    """
    first = None
    for depth, effect in effects.sort_index(ascending=False).iterrows():
        if verdict(effect) != 1:
            break
        first = depth
    return first


def common_basis(parts: list[Part]) -> str:
    """What answers rest on: said once if it is the same for all, else once for the kinds of halves that share it."""
    kinds: dict[str, list[str]] = {}
    for halves, _, basis in parts:
        kinds.setdefault(basis, []).append(display(halves))
    if len(kinds) == 1:
        return parts[0][2]
    return " ".join(f"{_capital_own('; '.join(halves))}: {basis}" for basis, halves in kinds.items() if basis)


def display(halves: str) -> str:
    """A kind of halves as a reader knows it: a pretrained network goes to the target of a pair, not from its source."""
    return target_name(halves) if halves.endswith(PRETRAINED_SOURCE) else halves


def capital_halves(halves: str) -> str:
    """A kind of halves at the start of a sentence: with a capital, unless it begins with a user's name."""
    return _capital_own(display(halves))


def _capital_own(text: str) -> str:
    return capital(text) if OWN_WORDS.match(text) else text


def capital(text: str) -> str:
    """`text` with a capital first letter."""
    return text[:1].upper() + text[1:]
