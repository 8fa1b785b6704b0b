"""What the norm statistics of frozen units change: each choice against the study's plain curves, depth by depth."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from workflow_scripts.results.effects import EFFECT_COLUMNS, EFFECTS, by_source, depth_ranges, differences
from workflow_scripts.results.groups import named_source, not_diverged
from workflow_scripts.results.variants import statistics_label

FROZEN = ("BnB", "AnB", "random")  # groups whose copied units hold norm statistics
LOSSES = ("coadaptation", "specialisation", "total_drop", "random_drop")  # effects that a study would report
CHANGE = " change"  # ends the quantity that says how far such a report would be off
COLUMNS = ["halves", "layers", "statistics", "quantity", "difference", *EFFECT_COLUMNS]


def statistics_table(results: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of halves, layers, norm statistics and quantity, in points as in effects.effect_table.

    A quantity that is a group is the score with these statistics less that with the study's own, paired by target task
    and seed. A quantity that is an effect is what the study would report if its frozen units all had these statistics.
    One that ends in CHANGE is that less the effect with the study's own. `difference` spells the quantity out.

    `results` are from groups.load_results. Diverged networks are left out, and so are networks that differ from plain
    ones in anything else.
    """
    rows = not_diverged(results)
    labels = {statistics_label(one): one for one in sorted(set(rows["norm_statistics"]) - {""})}
    rows = rows[rows["variant"].isin(["", *labels])]
    table = []
    for halves, of_kind in by_source(rows):
        of_variants = [label and f" {labels[label]}" for label in of_kind["variant"]]
        named = of_kind.assign(group=of_kind["group"] + of_variants)
        for statistics in labels.values():
            quantities = _quantities(statistics)
            for layers, quantity, row in differences(named, quantities, depth_ranges(results["depth"])):
                names = [named_source(text, halves) for text in (quantity, _spelled(quantities[quantity]))]
                table.append((halves, layers, statistics, *names, *(row[column] for column in EFFECT_COLUMNS)))
    return pd.DataFrame(table, columns=COLUMNS)


def _quantities(statistics: str) -> dict[str, dict[str, float]]:
    """Weights of groups by quantity; a group with these statistics of its own has them after its name."""
    quantities = {group: {f"{group} {statistics}": 1, group: -1} for group in FROZEN}
    for effect in LOSSES:
        own = EFFECTS[effect]
        quantities[effect] = {f"{name} {statistics}" if name in FROZEN else name: own[name] for name in own}
        frozen = [name for name in own if name in FROZEN]
        change = {f"{name} {statistics}": own[name] for name in frozen} | {name: -own[name] for name in frozen}
        quantities[effect + CHANGE] = change
    return quantities


def _spelled(weights: Mapping[str, float]) -> str:
    """As text: "base - AnB batch" for {"base": 1, "AnB batch": -1}."""
    added, taken = ([name for name, weight in weights.items() if weight * sign > 0] for sign in (1, -1))
    return " - ".join([" + ".join(added), *taken])


def read_statistics(path: str | Path) -> pd.DataFrame:
    """norm_statistics.csv as statistics_table returns it."""
    return pd.read_csv(path, dtype={"layers": str})


def of_quantity(table: pd.DataFrame, halves: str, statistics: str, quantity: str) -> pd.DataFrame:
    """The rows of statistics_table of single depths for a quantity, indexed by depth (integers)."""
    rows = table[(table["halves"] == halves) & (table["statistics"] == statistics) & (table["quantity"] == quantity)]
    rows = rows[rows["layers"].astype(str).str.isdigit()]
    return rows.assign(depth=rows["layers"].astype(int)).set_index("depth").sort_index()
