"""How well networks do with so many drawn training images of each class of their target, group by group."""

import math
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from workflow_scripts.results.effects import TASK, differences
from workflow_scripts.results.groups import DRAWN, TWICE, main_variant, not_diverged
from workflow_scripts.study.matrix import ALL_IMAGES
from workflow_scripts.study.partition_names import parse_partition, plain_partition

SCRATCH = "scratch"  # base networks as a group of their own: that of depth 0
ACCURACY_COLUMNS = ["points", "low", "high", "interval", "tasks", "pairs"]
COLUMNS = ["halves", "images_per_class", "group", "depth", *ACCURACY_COLUMNS]


def target_images_table(results: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of halves, number of the target's images, group and depth, for halves of which images are drawn.

    `images_per_class` is a number or "all". `points` is the mean top-1 accuracy in percent over target tasks and seeds,
    and each seed is a draw. `low` and `high` are its 95 % interval, and `interval` says over what, as in
    effects.effect_table. The group `base` has depth 0. `results` are from groups.load_results. Diverged networks and
    variants are left out.
    """
    table = []
    for halves, of_kind in by_amount(results):
        for amount, rows in of_kind.items():
            groups = {group: {group: 1} for group in rows["group"].unique()}
            for depth, group, row in differences(rows, groups, ()):
                named = "base" if group == SCRATCH else group
                table.append(
                    (halves, amount_label(amount), named, int(depth), *(row[name] for name in ACCURACY_COLUMNS))
                )
    return pd.DataFrame(table, columns=COLUMNS)


def by_amount(results: pd.DataFrame) -> Iterator[tuple[str, dict[float, pd.DataFrame]]]:
    """By kind of halves, the trained plain networks by the number of the target's images, inf for all.

    The fewest come first. Only targets of curves are there: base networks on all images may be sources only. Base
    networks are in the group SCRATCH. The column `plain` has the partition whose images are drawn.
    """
    rows = main_variant(results)
    rows = rows.assign(plain=rows["partition"].map(plain_partition))
    drawn = set(rows["plain"][rows["plain"] != rows["partition"]])
    task = pd.MultiIndex.from_frame(rows[TASK])
    rows = not_diverged(rows[rows["plain"].isin(drawn) & task.isin(task[rows["depth"] > 0])])
    rows = rows[rows["group"] != TWICE]
    rows = rows.assign(group=rows["group"].replace("base", SCRATCH))
    for halves, of_kind in rows.groupby(rows["halves"].str.replace(DRAWN, "", regex=True)):
        yield halves, dict(list(of_kind.groupby(of_kind["partition"].map(images_of))))


def images_of(partition: str) -> float:
    """How many drawn images of each class the targets of a partition have, inf for all."""
    name = parse_partition(partition)
    return float(name.images_per_class) if name.drawn else math.inf


def amount_label(amount: float) -> str:
    """A number of images as configurations have it: "5" or "all"."""
    return ALL_IMAGES if math.isinf(amount) else f"{amount:.0f}"


def read_target_images(path: str | Path) -> pd.DataFrame:
    """target_images.csv as target_images_table returns it."""
    return pd.read_csv(path, dtype={"images_per_class": str})


def amounts_in(table: pd.DataFrame) -> list[str]:
    """The numbers of images in a target_images_table, the fewest first and "all" last."""
    return sorted(table["images_per_class"].unique(), key=lambda label: math.inf if label == ALL_IMAGES else int(label))
