"""Findings on the norm statistics of frozen units: what they change, and what a careless freeze would have reported."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.effects import kinds_of_halves, per_depth
from workflow_scripts.results.groups import named_source
from workflow_scripts.results.norm_statistics import CHANGE, FROZEN, of_quantity
from workflow_scripts.results.verdicts import (
    Part,
    capital,
    decimal,
    depths_in_words,
    equals,
    hedge,
    negated,
    number,
    subject,
    verdict,
)

CARELESS = "batch"  # what requires_grad=False alone leaves in norm layers
REPORTED = {"specialisation": "BnB - AnB", "total_drop": "base - AnB"}  # effect -> its difference


def frozen_norms(effects: pd.DataFrame, table: pd.DataFrame) -> Iterator[Part]:
    """What each choice of norm statistics changes, by kind of halves. `table` is norm_statistics.statistics_table's."""
    for halves in kinds_of_halves(table):
        of_kind = table[table["halves"] == halves]
        sentences, shown = [], []
        for statistics in of_kind["statistics"].unique():
            for group in FROZEN:
                changes = of_quantity(of_kind, halves, statistics, named_source(group, halves)).dropna(subset="points")
                if len(changes):
                    sentences.append(_change(statistics, named_source(group, halves), changes))
                    shown.append(changes)
        if CARELESS in of_kind["statistics"].unique():
            sentences += _careless(effects, of_kind, halves)
        if shown:
            every = pd.concat(shown)
            yield halves, f"{subject(halves, every)} {' '.join(sentences)}", hedge(every)


def _change(statistics: str, group: str, changes: pd.DataFrame) -> str:
    """What one choice does to one group."""
    lead = f"{capital(statistics)} statistics"
    moved = {sign: [depth for depth, row in changes.iterrows() if verdict(row) == sign] for sign in (-1, 1)}
    largest = changes.loc[changes["points"].abs().idxmax()]
    if not any(moved.values()):
        return (
            f"{lead} do not change {group} measurably. The largest change is {number(largest)}, at"
            f" {equals(changes, largest)}."
        )
    said = []
    for sign, verb in ((-1, "lower"), (1, "raise")):
        if depths := moved[sign]:
            rows = changes.loc[depths]
            most = rows.loc[rows["points"].abs().idxmax()]
            by = number(negated(most) if sign < 0 else most)
            where = f", most at n = {most.name}" if len(depths) > 1 else ""
            said.append(f"{verb} {group} at {depths_in_words(depths)}{where} by {by}")
    return f"{lead} {' and '.join(said)}."


def _careless(effects: pd.DataFrame, table: pd.DataFrame, halves: str) -> Iterator[str]:
    """What a study would have reported whose frozen norm layers went on using batches, where it differs most."""
    lead, same = "A careless freeze (batch statistics) would", []
    for effect, difference in REPORTED.items():
        changes = of_quantity(table, halves, CARELESS, effect + CHANGE).dropna(subset="points")
        true, false = per_depth(effects, effect, halves), of_quantity(table, halves, CARELESS, effect)
        changes = changes[changes.index.isin(true.index) & changes.index.isin(false.index)]
        if changes.empty:
            continue
        named = named_source(difference, halves)
        wrong = changes[[verdict(row) != 0 for _, row in changes.iterrows()]]
        if wrong.empty:
            same.append(named)
            continue
        depth = wrong["points"].abs().idxmax()
        points = [decimal(rows.loc[depth, "points"]) for rows in (false, true)]
        yield f"{lead} have reported {named} as {points[0]} points at n = {depth}, where it is {points[1]}."
    if same:
        yield f"{lead} not have reported {' or '.join(same)} measurably differently."
