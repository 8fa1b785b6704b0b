"""The paper's table 1, drops per depth, and base networks on reduced data."""

import pandas as pd

from workflow_scripts.results.effects import depth_ranges
from workflow_scripts.results.groups import curves_of, equal_halves, main_variant, not_diverged, undrawn
from workflow_scripts.study.columns import SCORE
from workflow_scripts.study.partition_names import parse_partition

BOOST_COLUMNS = ["layers", "over_base_points", "over_own_base_points", "over_selffer_points", "networks"]


def boost_table(results: pd.DataFrame) -> pd.DataFrame:
    """Mean boost of AnB+ over base and over BnB+, in points of top-1 accuracy, for ranges of depths.

    As in the paper, each group is averaged over all its networks, whatever their targets, before the difference is
    taken. over_own_base_points compares each AnB+ with the base network of its own target and seed. NaN where a group
    has no network. `networks` counts the AnB+ networks. Diverged networks and variants are left out.
    """
    rows = equal_halves(not_diverged(main_variant(results)))
    base = rows[rows["group"] == "base"][SCORE].mean()
    table = []
    deepest = max(results["depth"], default=0)
    for first, last in depth_ranges(results["depth"]) or [(1, deepest)] * (deepest > 0):
        inside = rows[rows["depth"].between(first, last)]
        scores = {group: inside[inside["group"] == group][SCORE] for group in ("AnB+", "BnB+")}
        own_base = inside[inside["group"] == "AnB+"]["base"]
        table.append(
            {
                "layers": str(first) if first == last else f"{first}-{last}",
                "over_base_points": 100 * (scores["AnB+"].mean() - base),
                "over_own_base_points": 100 * (scores["AnB+"] - own_base).mean(),
                "over_selffer_points": 100 * (scores["AnB+"].mean() - scores["BnB+"].mean()),
                "networks": len(scores["AnB+"]),
            }
        )
    return pd.DataFrame(table, columns=BOOST_COLUMNS)


def drop_table(results: pd.DataFrame) -> pd.DataFrame:
    """Score and drop from the target's base network by partition, group, variant and depth.

    They are means over targets and seeds. `networks` counts the networks in the means, `diverged` those left out.
    """
    rows = curves_of(results)
    rows = rows.assign(drop_points=100 * (rows[SCORE] - rows["base"]))
    keys = ["partition", "group", "variant", "depth"]
    diverged = rows.groupby(keys)["diverged"].sum().astype(int)
    means = not_diverged(rows).groupby(keys)
    table = means.agg(top1=(SCORE, "mean"), drop_points=("drop_points", "mean"), networks=(SCORE, "size"))
    table = table.reindex(diverged.index).assign(diverged=diverged)
    return table.fillna({"networks": 0}).astype({"networks": int}).reset_index()


def reduced_curve(results: pd.DataFrame) -> pd.DataFrame:
    """Base networks on the first images of each class: columns `task` (partition without its number, and target),
    `images_per_class`, the score and `diverged`.
    """
    bases = undrawn(results[results["group"] == "base"])
    names = bases["partition"].map(parse_partition)
    images = names.map(lambda name: name.images_per_class)
    whole = bases["partition"].str.replace(r"_first_\d+_per_class$", "", regex=True)
    bases = bases.assign(images_per_class=images, task=whole + ", " + bases["target"])
    return bases.dropna(subset="images_per_class").astype({"images_per_class": int})
