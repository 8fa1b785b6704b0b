"""The report's first screen where a study has probes: a table by unit for each source, with the chosen cut marked."""

import math
from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.probe_words import has_score, set_name, with_images
from workflow_scripts.results.probes import TOGETHER, best_cut, depth_table, probe_sets
from workflow_scripts.results.verdicts import capital, decimal


def unit_tables(probes: pd.DataFrame) -> list[dict]:
    """A table for each of the sets of `probes` (probes.read_probes): its title, and rows of text for the template.

    A row has a cell for each column of the template, and `chosen`: whether it is the cut that held-out images choose.
    Milliseconds have a column where any is known (`timed`).
    """
    tables = []
    for one in probe_sets(probes):
        table = depth_table(one.rows)
        timed = bool(table["milliseconds"].notna().any())
        title = capital(set_name(one)) + ("" if math.isinf(one.amount) else f": {_lower(with_images(one.amount))}")
        tables.append({"title": title, "timed": timed, "rows": list(_rows(table, timed))})
    return tables


def _rows(table: pd.DataFrame, timed: bool) -> Iterator[dict]:
    best = best_cut(table)
    for depth, row in table.iterrows():
        shares = [_number(100 * row[f"{name}_share"]) for name in ("parameters", "multiplications")]
        cells = ["all" if depth == TOGETHER else f"{depth:.0f}", row["unit"], _accuracy(table, depth)]
        cells += [_number(row["held_out"]), _gap(row), _number(row["features"], ".0f"), *shares]
        cells += [_number(row["milliseconds"], ".3g")] if timed else []
        yield {"cells": cells, "chosen": depth == best}


def _accuracy(table: pd.DataFrame, depth: float) -> str:
    return (
        _with_interval(table.loc[depth], "points", "low", "high") if has_score(table, depth) else "features not finite"
    )


def _gap(row: pd.Series) -> str:
    return _with_interval(row, "gap", "gap_low", "gap_high", "+.1f") if pd.notna(row["gap"]) else ""


def _with_interval(row: pd.Series, value: str, low: str, high: str, form: str = ".1f") -> str:
    ends = f" ({decimal(row[low], form)} to {decimal(row[high], form)})" if pd.notna(row[low]) else ""
    return f"{decimal(row[value], form)}{ends}"


def _number(value: float, form: str = ".1f") -> str:
    return decimal(value, form) if pd.notna(value) else ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
