"""The report's first screen: what copied units change, as a chart with intervals and a table by unit."""

from collections.abc import Iterator, Mapping

import pandas as pd
from bokeh.embed import json_item
from bokeh.models import Range1d
from bokeh.plotting import figure

from workflow_scripts.report.interactive import effect_line, empty_chart, finished
from workflow_scripts.report.plotting import GROUPS
from workflow_scripts.results.advice import depth_to_freeze
from workflow_scripts.results.effects import kinds_of_halves, of_all_images, per_depth
from workflow_scripts.results.groups import PRETRAINED_SOURCE
from workflow_scripts.results.units import unit_names
from workflow_scripts.results.verdicts import capital_halves, decimal, has_interval, negated, verdict

CHANGES = {  # group -> the effect that is its change from the base network, and its sign
    "BnB": ("coadaptation", -1),
    "BnB+": ("selffer_boost", 1),
    "AnB": ("total_drop", -1),
    "AnB+": ("boost_over_base", 1),
    "AnB then +": ("staged_over_base", 1),
    "random": ("random_drop", -1),
}
SOURCES = ("AnB", "BnB", "random")  # the first that there is has the columns, frozen and fine-tuned
APART = 0.08  # of a depth between the groups of a chart
MARGIN = 0.5  # points above and below all intervals


def glance(effects: pd.DataFrame, units: pd.DataFrame | None) -> dict:
    """The template's variables of the first screen: the `chart` of the first kind of halves, or None, and `tables`, one
    a kind of halves.

    `effects` are from effects.effect_table; targets of drawn images are left out. `units` (units.read_units) name the
    depths and have their shares, if they are known.
    """
    effects, names = of_all_images(effects), unit_names(units)
    kinds = {halves: found for halves in kinds_of_halves(effects) if (found := _changes(effects, halves))}
    tables = [table for halves, found in kinds.items() if (table := _table(halves, found, units))["rows"]]
    charts = [json_item(_chart(found, names), "chart-glance") for found in [*kinds.values()][:1]]
    return {"chart": next(iter(charts), None), "tables": tables}


def _changes(effects: pd.DataFrame, halves: str) -> dict[str, pd.DataFrame]:
    """The changes from base of each group of a kind of halves, rows of effects by depth."""
    found = {}
    for group, (effect, sign) in CHANGES.items():
        rows = per_depth(effects, effect, halves).dropna(subset="points")
        if len(rows):
            found[_source(group, halves)] = rows if sign == 1 else rows.apply(negated, axis=1)
    return found


def _source(group: str, halves: str) -> str:
    return group.replace("A", "P") if halves.endswith(PRETRAINED_SOURCE) else group


def _chart(found: Mapping[str, pd.DataFrame], names: Mapping[int, str]) -> figure:
    """A line for each group, with its intervals."""
    chart, entries = empty_chart("points from base", height=340), []
    chart.toolbar_location = None
    ends = pd.concat([rows[name] for rows in found.values() for name in ("points", "low", "high")])
    chart.y_range = Range1d(start=min(0, ends.min()) - MARGIN, end=max(0, ends.max()) + MARGIN)
    depths = sorted({depth for rows in found.values() for depth in rows.index})
    chart.x_range = Range1d(min(depths) - 0.5, max(depths) + 0.5)
    tips = [("from base", "@points{+0.0} points"), ("interval", "@interval")]
    for number, (group, rows) in enumerate(found.items()):
        sideways, dash = APART * (number - (len(found) - 1) / 2), "dashed" if group.endswith("+") else "solid"
        whole = rows.reindex(depths)  # a gap where a depth has no network
        entries.append(effect_line(chart, whole, GROUPS[group], sideways, tips, dash))
    return finished(chart, entries, depths, names, zero=True)


def _table(halves: str, found: Mapping[str, pd.DataFrame], units: pd.DataFrame | None) -> dict:
    """A table's title, the groups of its columns, its rows, and whether a row is marked or a cell undecided."""
    pairs = ((_source(group, halves), _source(f"{group}+", halves)) for group in SOURCES)
    frozen, tuned = next((pair for pair in pairs if found.keys() & set(pair)), (None, None))
    frozen, tuned = (name if name in found else None for name in (frozen, tuned))
    columns = [name for name in (frozen, tuned) if name]
    drops = found[frozen].apply(negated, axis=1) if frozen in ("AnB", "PnB") else None
    best = None if drops is None else depth_to_freeze(drops)
    depths = sorted({depth for name in columns for depth in found[name].index})
    rows = [_row(depth, [found[name] for name in columns], units, depth == best) for depth in depths]
    return {
        "title": capital_halves(halves),
        "frozen": frozen,
        "finetuned": tuned,
        "units": units is not None,
        "rows": rows,
        "marked": best is not None,
        "undecided": any(cell["undecided"] for row in rows for cell in row["changes"]),
    }


def _row(depth: int, changes: list[pd.DataFrame], units: pd.DataFrame | None, chosen: bool) -> dict:
    return {
        "n": depth,
        "unit": units["unit"].get(depth, "") if units is not None else "",
        "changes": [_change(rows, depth) for rows in changes],
        "shares": list(_shares(depth, units)),
        "chosen": chosen,
    }


def _change(rows: pd.DataFrame, depth: int) -> dict:
    if depth not in rows.index:
        return {"text": "", "undecided": False}
    row = rows.loc[depth]
    ends = f" ({decimal(row['low'], '+.1f')} to {decimal(row['high'], '+.1f')})" if has_interval(row) else ""
    return {"text": decimal(row["points"], "+.1f") + ends, "undecided": verdict(row) == 0}


def _shares(depth: int, units: pd.DataFrame | None) -> Iterator[str]:
    """The share of the parameters that depth n copies, and of a training's operations that freezing it saves, both of
    the units below the head.
    """
    if units is not None and depth in units.index:
        yield decimal(100 * units.loc[depth, "parameters_share"], ".0f")
        yield decimal(100 * (1 - _operations(units, depth) / _operations(units, 0)), ".0f")


def _operations(units: pd.DataFrame, frozen: int) -> float:
    """A training's operations with so many frozen units, as cost.operations counts them, in multiplications.

    A unit that learns has a forward pass, gradients of its weights and, unless it is the first, of its input.
    """
    costs = units["multiplications"].to_numpy(float)
    first = costs[frozen] if frozen < len(costs) else 0.0
    return costs[:frozen].sum() + 3 * costs[frozen:].sum() - first
