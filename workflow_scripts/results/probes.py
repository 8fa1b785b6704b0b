"""The table of probes (probes.csv): linear classifiers by depth, their means with intervals, and the cut to choose."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.results.effects import TASK, kinds_of_halves, paired_interval
from workflow_scripts.results.groups import DRAWN, group_of, halves_of
from workflow_scripts.results.target_images import images_of
from workflow_scripts.study.columns import PROBE_COLUMNS

TOGETHER = math.inf  # the depth of the probe on the features of all depths together
SOURCES = {  # group -> its source in words
    "PnB": "the pretrained network",
    "AnB": "the base network of the other task (AnB)",
    "BnB": "the target's own base network (BnB)",
    "random": "an untrained network",
}
TEXT = ("partition", "pair", "source", "target", "unit")
OVER_IMAGES = "over validation images"
TOLERANCE = 1.0  # points of held-out accuracy that a shallower cut may cost
AT_A_DEPTH = ["features", "parameters_share", "multiplications_share", "milliseconds"]  # means without an interval


@dataclass(frozen=True)
class ProbeSet:
    """The probes of one kind of halves and one group, with so many drawn images of each class (inf for all)."""

    halves: str
    group: str
    amount: float
    rows: pd.DataFrame


def read_probes(path: str | Path) -> pd.DataFrame:
    """The table of probes at `path`, one row a probe, with columns added.

    `depth` is TOGETHER for the probe on all depths. `group` is PnB, AnB, BnB or random, as of networks with frozen
    units (groups.load_results). `halves` is the kind of halves without its drawn images, and `amount` is the number of
    these a class, inf for all. Raises InputError naming a column that the table lacks.
    """
    table = pd.read_csv(path, dtype=dict.fromkeys(TEXT, str), keep_default_na=False, na_values=[""])
    if missing := [name for name in PROBE_COLUMNS if name not in table]:
        raise InputError(f"{path}: it has no column {missing[0]!r}. Run snakemake again.")
    table = table.fillna(dict.fromkeys(TEXT, "") | {"depth": TOGETHER})
    table["diverged"] = table["diverged"].astype(bool)
    names = list(zip(table["source"], table["target"], strict=True))
    table["group"] = [group_of(source, target, "frozen") for source, target in names]
    halves = [halves_of(*names) for names in zip(table["partition"], table["pair"], strict=True)]
    table["halves"] = [DRAWN.sub("", name) for name in halves]
    table["amount"] = [images_of(name) for name in table["partition"]]
    return table


def probe_sets(probes: pd.DataFrame) -> Iterator[ProbeSet]:
    """The sets of `probes` (read_probes): by kind of halves, by group in the order of SOURCES, most images first."""
    for halves in kinds_of_halves(probes):
        of_halves = probes[probes["halves"] == halves]
        for group in SOURCES:
            rows = of_halves[of_halves["group"] == group]
            for amount, chosen in sorted(rows.groupby("amount"), key=lambda pair: -pair[0]):
                yield ProbeSet(halves, group, amount, chosen)


def with_most_images(probes: pd.DataFrame) -> list[ProbeSet]:
    """Of each kind of halves and group in `probes` (read_probes) the set with the most images."""
    most: dict[tuple, ProbeSet] = {}
    for one in probe_sets(probes):
        most.setdefault((one.halves, one.group), one)
    return list(most.values())


def of_trained(sets: list[ProbeSet]) -> list[ProbeSet]:
    """Those of `sets` that are not of an untrained network; all of them where there are no others."""
    return [one for one in sets if one.group != "random"] or sets


def depth_table(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per depth, the deepest before TOGETHER, of the rows of one ProbeSet. Diverged probes are in no mean.

    `points` is the validation accuracy in percent, a mean over target tasks and seeds. `low` and `high` are its 95 %
    interval, and `interval` says over what. Over seeds it is only where each trains on other images or from another
    source; without enough runs it is over validation images. `gap` (with `gap_low`, `gap_high`, `gap_interval`) is the
    accuracy less that of the deepest unit, in points. `together` (with the same three) is that of the probe on all
    depths together less that of this depth. `held_out` and `per_class` are in percent. The columns
    AT_A_DEPTH are means. `diverged` counts the probes that did.
    """
    table = {}
    for depth, every in rows.sort_values("depth").groupby("depth"):
        sound = every[~every["diverged"]]
        accuracy, *gaps = (_mean(sound, column) for column in ("top1", "last_gap", "together_gap"))
        table[depth] = {
            "unit": every["unit"].iloc[0],
            **dict(zip(("points", "low", "high", "interval"), accuracy, strict=True)),
            **dict(zip(_columns_of("gap"), gaps[0], strict=True)),
            **dict(zip(_columns_of("together"), gaps[1], strict=True)),
            "held_out": 100 * _over_tasks(sound, "held_out_top1"),
            "per_class": 100 * _over_tasks(sound, "top1_per_class_mean"),
            **{name: every[name].mean() for name in AT_A_DEPTH},
            "diverged": int(every["diverged"].sum()),
        }
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("depth")


def best_cut(table: pd.DataFrame) -> int | None:
    """The depth of a depth_table with the highest mean accuracy on held-out training images, the shallowest of equals.

    Validation images have no say. None where nothing was held out; depths with a diverged probe are not chosen.
    """
    held_out = _single(table).query("diverged == 0")["held_out"].dropna().round(9)
    return None if held_out.empty else int(held_out.idxmax())


def cheapest_cut(table: pd.DataFrame, best: int) -> int:
    """The shallowest depth whose held-out accuracy lies at most TOLERANCE points below that of the depth `best`."""
    held_out = _single(table).query("diverged == 0")["held_out"].dropna()
    return int(held_out.index[held_out >= held_out[best] - TOLERANCE].min())


def deepest(table: pd.DataFrame) -> int:
    """The deepest single depth of a depth_table."""
    return int(_single(table).index.max())


def _columns_of(gap: str) -> list[str]:
    return [gap, f"{gap}_low", f"{gap}_high", f"{gap}_interval"]


def _single(table: pd.DataFrame) -> pd.DataFrame:
    return table[table.index != TOGETHER]


def one_run(rows: pd.DataFrame) -> bool:
    """Whether the seeds of `rows` are no runs of their own.

    A pretrained network on all images of its target gives the same features each time.
    """
    return bool((rows["group"] == "PnB").all() and np.isinf(rows["amount"]).all())


def diverged_probes(probes: pd.DataFrame) -> list[str]:
    """The probes without a score, one phrase each."""
    rows = probes[probes["diverged"]]
    return [
        f"probe of {row.partition}, {row.source} to {row.target}, seed {row.seed}, "
        f"{'all units' if row.depth == TOGETHER else f'n = {row.depth:.0f} ({row.unit})'}: its features are not finite"
        for row in rows.itertuples()
    ]


def _mean(rows: pd.DataFrame, column: str) -> tuple[float, float, float, str]:
    """The mean of `column` in points, its interval, and what the interval is over."""
    known = rows.dropna(subset=column)
    if known.empty:
        return math.nan, math.nan, math.nan, ""
    low, high, interval = math.nan, math.nan, ""
    if not one_run(known) or known.groupby(TASK).ngroups > 1:
        means = known.groupby([*TASK, "seed"])[column].mean()
        if one_run(known):
            means = means.groupby(TASK).mean()
        low, high, interval = paired_interval([100 * values.to_numpy() for _, values in means.groupby(TASK)])
    if math.isnan(low):
        low, high = (100 * _over_tasks(known, f"{column}_{end}") for end in ("low", "high"))
        interval = "" if math.isnan(low) else OVER_IMAGES
    least = 0 if column == "top1" else -100
    return 100 * _over_tasks(known, column), max(low, least), min(high, 100), interval


def _over_tasks(rows: pd.DataFrame, column: str) -> float:
    """The mean over target tasks of the means over their seeds."""
    return float(rows.groupby(TASK)[column].mean().mean())
