"""What each of the two troubles of transfer costs, depth by depth, with confidence intervals."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts.results.groups import (
    BASES,
    DRAWN,
    PRETRAINED_SOURCE,
    TWICE,
    drawn_images,
    main_variant,
    not_diverged,
)
from workflow_scripts.results.intervals import mean_interval
from workflow_scripts.study.columns import SCORE

# effect -> weights of the groups in its sum. Costs and boosts are both positive numbers where they are real.
EFFECTS = {
    "coadaptation": {"base": 1, "BnB": -1},
    "specialisation": {"BnB": 1, "AnB": -1},
    "dominance": {"BnB": 2, "AnB": -1, "base": -1},  # specialisation minus co-adaptation
    "total_drop": {"base": 1, "AnB": -1},
    "recovery": {"AnB+": 1, "AnB": -1},
    "boost_over_base": {"AnB+": 1, "base": -1},
    "boost_over_selffer": {"AnB+": 1, "BnB+": -1},
    "selffer_boost": {"BnB+": 1, "base": -1},  # what training twice as long gives by itself
    "twice_over_base": {TWICE: 1, "base": -1},
    "boost_at_equal_training": {"AnB+": 1, TWICE: -1},  # both train twice, the source's training counted
    "staged_over_base": {"AnB then +": 1, "base": -1},
    "staged_over_twice": {"AnB then +": 1, TWICE: -1},  # both train on the target twice
    "staged_over_finetuned": {"AnB then +": 1, "AnB+": -1},
    "staged_over_selffer": {"AnB then +": 1, "BnB then +": -1},
    "random_drop": {"base": 1, "random": -1},
}
TASK = ["partition", "target"]
FEWEST_TASKS = 3
FEW_IMAGES = 5  # right or wrong ones, below which a share's plain standard error does not hold
NO_SPREAD = "none: the runs do not differ"
EFFECT_COLUMNS = ["points", "low", "high", "interval", "tasks", "pairs", "noise_points"]
EFFECT_COLUMNS += ["unpaired_points", "unpaired_low", "unpaired_high", "unpaired_networks"]


def effect_table(results: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of halves, layers (a depth or a range of depths) and effect, in points of top-1 accuracy.

    A kind of halves that a pretrained network was copied to has rows of its own, in which PnB and PnB+ take the places
    of AnB and AnB+ (by_source).

    `points` is paired: the difference within each target task and seed. It is averaged over the depths, then the seeds,
    then the target tasks (`tasks`, from `pairs` tasks and seeds). `low` and `high` are its 95 % interval
    (intervals.mean_interval) over target tasks or, with fewer than three, over the seeds of these tasks. `interval`
    says which, or why there is none. `noise_points` is the standard error that the number of validation images alone
    gives.

    `unpaired_points`, `unpaired_low` and `unpaired_high` are the paper's way: each group is averaged over all its
    networks, whatever their targets. Their interval takes the groups' targets for independent. `unpaired_networks` are
    the groups' counts. Where no target task has all the groups, only the unpaired columns are given. Diverged networks
    and variants are left out.
    """
    rows = not_diverged(main_variant(results))
    table = [
        {"halves": halves, "layers": layers, "effect": effect} | row
        for halves, of_kind in by_source(rows)
        for layers, effect, row in differences(of_kind, EFFECTS, depth_ranges(results["depth"]))
    ]
    return pd.DataFrame(table, columns=["halves", "layers", "effect", *EFFECT_COLUMNS])


def depth_ranges(depths: Iterable[int]) -> list[tuple[int, int]]:
    """The ranges of depths that means are taken over: all up to the deepest, and without their first third or two.

    For the paper's 7 these are 1-7, 3-7 and 5-7, as in its table 1.
    """
    deepest = max(depths, default=0)
    ranges = [(1 + (deepest - 1) * third // 3, deepest) for third in range(3)]
    return [span for span in dict.fromkeys(ranges) if span[0] < span[1]]


def by_source(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows by kind of halves, those of transfer from a pretrained network apart: under a name of their own, as AnB.

    Both have the rows of the controls base, BnB, BnB+ and random, if both are there.
    """
    for halves, of_kind in rows.groupby("halves"):
        pretrained, halfway = (of_kind["group"].str.startswith(name) for name in ("PnB", "AnB"))
        if halfway.any() or not pretrained.any():
            yield halves, of_kind[~pretrained]
        if pretrained.any():
            shared = of_kind["partition"].isin(of_kind[pretrained]["partition"])
            chosen = of_kind[shared & ~halfway]
            yield halves + PRETRAINED_SOURCE, chosen.assign(group=chosen["group"].str.replace("PnB", "AnB"))


def differences(
    rows: pd.DataFrame, effects: Mapping[str, Mapping[str, float]], ranges: Iterable[tuple[int, int]]
) -> Iterator[tuple[str, str, dict]]:
    """The layers, the name and the EFFECT_COLUMNS of each of `effects` that the groups of `rows` have.

    `effects` are weights of groups by name. Layers are the depths of `rows`, and those of `ranges` that have two.
    """
    paired = _scores_of_groups(rows)
    depths = sorted(paired.index.unique("depth"))
    spans = [(depth, depth) for depth in depths]
    spans += [span for span in ranges if len([depth for depth in depths if span[0] <= depth <= span[1]]) > 1]
    for first, last in spans:
        inside = paired[paired.index.get_level_values("depth").isin(range(first, last + 1))]
        layers = str(first) if first == last else f"{first}-{last}"
        for effect, weights in effects.items():
            if set(weights) <= set(inside.dropna(axis="columns", how="all")):
                yield layers, effect, _paired(inside, weights) | _unpaired(rows, weights, (first, last))


def _scores_of_groups(rows: pd.DataFrame) -> pd.DataFrame:
    """Scores in percent by partition, target, seed and depth, a column per group. A base network is at each depth."""
    curves, twice = rows[~rows["group"].isin(BASES)], rows[rows["group"] == TWICE]
    keys = [*TASK, "seed", "depth"]
    wide = curves.pivot_table(SCORE, keys, "group")
    wide["base"] = curves.groupby(keys)["base"].first()
    if len(twice):
        wide = wide.join(twice.set_index([*TASK, "seed"])[SCORE].rename(TWICE), on=[*TASK, "seed"])
    if "val_images" in curves:
        wide["val_images"] = curves.groupby(keys)["val_images"].first()
    return wide.mul({name: 1 if name == "val_images" else 100 for name in wide})


def _paired(inside: pd.DataFrame, weights: Mapping) -> dict:
    """The columns of effect_table that compare networks of the same target task and seed."""
    differences = sum(weight * inside[group] for group, weight in weights.items()).dropna()
    by_seed = differences.groupby([*TASK, "seed"]).mean()
    by_task = [values.to_numpy() for _, values in by_seed.groupby(TASK)]
    low, high, interval = paired_interval(by_task)
    low, high = _possible(low, high, weights)
    return {
        "points": float(np.mean([values.mean() for values in by_task])) if by_task else np.nan,
        **{"low": low, "high": high, "interval": interval},
        **{"tasks": len(by_task), "pairs": len(by_seed)},
        "noise_points": _validation_noise(inside.loc[differences.index], weights, len(by_seed)) if by_task else np.nan,
    }


def paired_interval(by_task: Sequence[np.ndarray]) -> tuple[float, float, str]:
    """The interval's low and high, and what it is over, from each task's values by seed."""
    tasks = len(by_task)
    if not tasks:
        return np.nan, np.nan, "none: no target task has all the networks compared"
    if tasks >= FEWEST_TASKS:
        means = np.array([values.mean() for values in by_task])
        return _named(mean_interval([means], [1]), f"over {tasks} target tasks")
    seeds = min(map(len, by_task))
    if seeds >= 2 and sum(len(values) - 1 for values in by_task) >= 2:
        named = "this target task" if tasks == 1 else f"these {tasks} target tasks"
        return _named(mean_interval(by_task, [1 / tasks] * tasks), f"over {seeds} seeds of {named} only")
    runs = f"{tasks} target task{'s' if tasks > 1 else ''}, {seeds} seed{'s' if seeds > 1 else ''}"
    return np.nan, np.nan, f"none: too few runs ({runs})"


def _named(interval: tuple[float, float], name: str) -> tuple[float, float, str]:
    return *interval, NO_SPREAD if np.isnan(interval[0]) else name


def _possible(low: float, high: float, weights: Mapping) -> tuple[float, float]:
    """The part of an interval that scores between 0 and 100 percent can reach."""
    least, most = (100 * sum(limit(0, weight) for weight in weights.values()) for limit in (min, max))
    return tuple(np.clip([low, high], least, most).tolist())


def _validation_noise(inside: pd.DataFrame, weights: Mapping, pairs: int) -> float:
    """Standard error in points of the mean over `pairs` of differences, each score being a share of validation images.

    A curve's depths are scored on the same images, so averaging over depths is taken not to reduce it. A share of
    nearly none or nearly all images gets one right and one wrong image more (Agresti and Caffo 2000), and the variance
    is that of the difference before these two drew it together. Its plain variance would be 0. NaN where the number of
    images is unknown.
    """
    if "val_images" not in inside:
        return np.nan
    known = inside[inside["val_images"].notna()]
    if known.empty:
        return np.nan
    images, shares = known[["val_images"]].to_numpy(np.float64), known[list(weights)].to_numpy(np.float64) / 100
    more = (shares * images + 1) / (images + 2)
    few = np.minimum(shares, 1 - shares) * images < FEW_IMAGES
    variances = np.where(few, more * (1 - more) * (images + 2) / images**2, shares * (1 - shares) / images)
    return float(100 * np.sqrt(variances.mean(axis=0) @ np.square([*weights.values()]) / pairs))


def _unpaired(rows: pd.DataFrame, weights: Mapping, span: tuple[int, int]) -> dict:
    """The effect as in the paper's table 1, and an interval that takes the groups' target tasks for independent."""
    chosen = [rows[(rows["group"] == group) & (rows["depth"].between(*span) | (group in BASES))] for group in weights]
    tasks = [100 * group.groupby(TASK)[SCORE].mean().to_numpy() for group in chosen]
    low, high = np.nan, np.nan
    if min(map(len, tasks)) >= FEWEST_TASKS:
        low, high = _possible(*mean_interval(tasks, list(weights.values())), weights)
    pairs = zip(weights.values(), chosen, strict=True)
    return {
        "unpaired_points": float(sum(weight * 100 * group[SCORE].mean() for weight, group in pairs)),
        **{"unpaired_low": low, "unpaired_high": high},
        "unpaired_networks": " / ".join(str(len(group)) for group in chosen),
    }


def read_effects(path: str | Path) -> pd.DataFrame:
    """effects.csv as effect_table returns it."""
    return pd.read_csv(path, dtype={"layers": str})


def per_depth(table: pd.DataFrame, effect: str, halves: str) -> pd.DataFrame:
    """The rows of effect_table of single depths for an effect and a kind of halves, indexed by depth (integers)."""
    rows = table[(table["effect"] == effect) & (table["halves"] == halves) & table["layers"].astype(str).str.isdigit()]
    return rows.assign(depth=rows["layers"].astype(int)).set_index("depth").sort_index()


def within(table: pd.DataFrame, effect: str, halves: str, layers: str) -> pd.DataFrame:
    """The rows of per_depth that have points, at the depths of `layers` ("4" or "1-7")."""
    first, *_, last = map(int, layers.split("-") * 2)
    rows = per_depth(table, effect, halves).dropna(subset="points")
    return rows[(rows.index >= first) & (rows.index <= last)]


def at_deepest_range(effects: pd.DataFrame, effect: str) -> Iterator[tuple[str, str, dict[str, pd.Series]]]:
    """The kinds of halves in an effect_table that have `effect`, its deepest_range, and all effects there by name."""
    for halves in kinds_of_halves(effects):
        rows = effects[effects["halves"] == halves]
        measured = rows.loc[rows["effect"] == effect, "layers"]
        if len(measured):
            layers = deepest_range(measured)
            yield halves, layers, {row["effect"]: row for _, row in rows[rows["layers"] == layers].iterrows()}


def of_all_images(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of an effect_table but for targets of drawn images (drawn_images)."""
    return table[table["halves"].map(drawn_images).isna()]


def kinds_of_halves(table: pd.DataFrame) -> Iterator[str]:
    """The kinds of halves in an effect_table, equal random ones first, then from near to far.

    Drawn images of a kind come after all of them, the fewest first. One with a pretrained source comes after the same
    kind without.
    """
    order = ["random halves", "near halves", "middle halves", "far halves", "natural / man-made halves"]
    kinds = table["halves"].unique()

    def place(kind: str) -> tuple[int, str, int, str]:
        plain = DRAWN.sub("", kind.removesuffix(PRETRAINED_SOURCE))
        return (order.index(plain) if plain in order else len(order), plain, drawn_images(kind) or 0, kind)

    yield from sorted(kinds, key=place)


def deepest_range(layers: Iterable[str]) -> str:
    """Of the `layers` of an effect_table, the range of all depths, or the deepest depth where there is no range."""
    return max(layers, key=lambda text: ("-" in text, int(text.split("-")[-1]), -int(text.split("-")[0])))
