"""Findings on probes in sentences: where to cut a network for a linear classifier, and what the cut compares with."""

from collections.abc import Callable, Iterator

import pandas as pd

from workflow_scripts.results.probe_controls import trained_above, untrained_features
from workflow_scripts.results.probe_words import (
    basis_of,
    gap_of_together,
    gap_to_last,
    has_score,
    lead,
    percent,
    set_name,
    unit_at,
    with_images,
)
from workflow_scripts.results.probes import (
    TOGETHER,
    TOLERANCE,
    ProbeSet,
    best_cut,
    cheapest_cut,
    deepest,
    depth_table,
    of_trained,
    probe_sets,
    with_most_images,
)
from workflow_scripts.results.verdicts import (
    Part,
    capital_halves,
    decimal,
    depths_in_words,
    has_interval,
    negated,
    number,
    verdict,
)

WHERE_TO_CUT = "Where should the network be cut for a linear classifier?"
NOT_HELD_OUT = "Nothing can be held out of one image a class, so that no cut can be chosen with it."
Answer = tuple[str, str] | None  # sentences, and what they rest on


def probe_findings(probes: pd.DataFrame, results: pd.DataFrame) -> dict[str, list[Part]]:
    """The answers to questions on `probes` (probes.read_probes), by question, as in findings.findings.

    `results` (groups.load_results) have the frozen curves that stand beside them, if there are any.
    """
    most = with_most_images(probes)
    trained = of_trained(most)
    return {
        WHERE_TO_CUT: [_cut(one, trained) for one in trained],
        "Is the last unit the best place to cut?": [*_each(_last, trained)],
        "Are the features of all units together better than those of one?": [*_each(_together, trained)],
        "What does training the units above the cut give?": [*trained_above(trained, results)],
        "Does a linear classifier need trained features?": [*untrained_features(most)],
        "With few target images: where should the network be cut?": [*_few(probes)],
    }


def _each(answer: Callable[[ProbeSet, pd.DataFrame, int], Answer], sets: list[ProbeSet]) -> Iterator[Part]:
    """`answer` on each of the `sets` of which a cut could be chosen, but for those where it is None."""
    for one in sets:
        table = depth_table(one.rows)
        best = best_cut(table)
        if best is not None and (found := answer(one, table, best)) is not None:
            text, basis = found
            yield set_name(one), f"{lead(one, sets)}{text}", basis


def _cut(one: ProbeSet, sets: list[ProbeSet]) -> Part:
    """Where to cut, and what that gives against the last unit."""
    table = depth_table(one.rows)
    best, failed = best_cut(table), table.index[table["diverged"] > 0]
    sentences = [_no_cut(table) if best is None else _cut_sentence(table, best)]
    if best is not None and (cheap := cheapest_cut(table, best)) < best:
        share = table.loc[cheap, "multiplications_share"]
        cost = f", for {100 * share:.0f} % of the multiplications" if pd.notna(share) else ""
        within = f"The first cut within {TOLERANCE:.0f} point of it on held-out images is after {unit_at(table, cheap)}"
        sentences.append(f"{within}: {percent(table.loc[cheap])}{cost}.")
    if len(failed) and (table["diverged"] == 0).any():
        depths = [int(depth) for depth in failed if depth != TOGETHER]
        where = depths_in_words(depths) if depths else "all units together"
        sentences.append(f"Features that are not finite gave no classifier at {where}.")
    return set_name(one), f"{lead(one, sets)}{' '.join(sentences)}", basis_of(table, best)


def _cut_sentence(table: pd.DataFrame, best: int) -> str:
    last = deepest(table)
    reached = f"{percent(table.loc[best])} with a linear classifier"
    if best == last:
        return f"Cut after {unit_at(table, best)}, the last unit: {reached}."
    against = f"against {decimal(table.loc[last, 'points'])} % at the last unit" if has_score(table, last) else ""
    gap = gap_to_last(table, best)
    told = f" ({_compared(gap)})" if pd.notna(gap["points"]) else ""
    return f"Cut after {unit_at(table, best)}: {reached}" + (f", {against}{told}." if against else ".")


def _compared(gap: pd.Series) -> str:
    """As in: 2.1 to 4.3 points better."""
    way = verdict(gap)
    if way == 0:
        low, high = decimal(gap["low"]), decimal(gap["high"])
        return "no measurable difference" + (f", {low} to {high} points" if has_interval(gap) else "")
    told = gap if way > 0 else negated(gap)
    size = f"{decimal(told['low'])} to {decimal(told['high'])}" if has_interval(told) else decimal(told["points"])
    return f"{size} points {'better' if way > 0 else 'worse'}"


def _no_cut(table: pd.DataFrame) -> str:
    """Why no cut is named, and what the last unit gives."""
    sound = table[(table["diverged"] == 0) & (table.index != TOGETHER)]
    if sound.empty:
        return "No unit has finite features. There is no cut to advise."
    last = deepest(sound)
    return f"{NOT_HELD_OUT} The features of {unit_at(table, last)} give {percent(table.loc[last])}."


def _last(one: ProbeSet, table: pd.DataFrame, best: int) -> Answer:
    """Whether the last unit is the best cut, as far as an interval tells."""
    last = deepest(table)
    if last == 1 or not has_score(table, last):
        return None
    if best == last:
        others = table[(table.index < last) & (table["diverged"] == 0)].dropna(subset="held_out")
        if others.empty:
            return None
        second = int(others["held_out"].idxmax())
        gap = negated(gap_to_last(table, second))
        says = {
            1: f"Yes. The next best, {unit_at(table, second)}, lies {number(gap)} below it.",
            0: f"Undecided. Held-out images choose it, but {unit_at(table, second)} does not differ measurably:"
            f" {number(negated(gap))}.",
            -1: f"No. Held-out images choose it, but {unit_at(table, second)} lies {number(negated(gap))} above it.",
        }
        return says[verdict(gap)], basis_of(table, second, "gap")
    gap, unit = gap_to_last(table, best), unit_at(table, best)
    says = {
        1: f"No. The cut after {unit} lies {number(gap)} above the last unit, {unit_at(table, last)}.",
        0: f"Undecided. The cut after {unit} does not differ measurably from the last unit: {number(gap)}.",
        -1: f"Yes. The last unit lies {number(negated(gap))} above {unit}, which held-out training images choose.",
    }
    return says[verdict(gap)], basis_of(table, best, "gap")


def _together(one: ProbeSet, table: pd.DataFrame, best: int) -> Answer:
    """Whether all units' features together beat the best cut."""
    if TOGETHER not in table.index or not has_score(table, TOGETHER):
        return None
    gap = gap_of_together(table, best)
    if pd.isna(gap["points"]):
        return None
    reached = f"All units together reach {percent(table.loc[TOGETHER])}"
    of_best = f"the best cut, after {unit_at(table, best)}"
    says = {
        1: f"Yes. {reached}, {number(gap)} above {of_best}.",
        0: f"Undecided. {reached}. This does not differ measurably from {of_best}: {number(gap)}.",
        -1: f"No. {reached}, {number(negated(gap))} below {of_best}.",
    }
    return says[verdict(gap)], basis_of(table, best, "together")


def _few(probes: pd.DataFrame) -> Iterator[Part]:
    """The best cut for each number of images of each class, the fewest first."""
    for most in of_trained(with_most_images(probes)):
        same = [one for one in probe_sets(probes) if (one.halves, one.group) == (most.halves, most.group)]
        if len(same) < 2:
            continue
        tables = {one.amount: depth_table(one.rows) for one in reversed(same)}
        lines = [f"{with_images(amount)}: {_short(table)}" for amount, table in tables.items()]
        bases: dict[str, list[float]] = {}
        for amount, table in tables.items():
            bases.setdefault(basis_of(table, best_cut(table)), []).append(amount)
        told = [f"{with_images(*of)}: {basis}" if len(bases) > 1 else basis for basis, of in bases.items()]
        yield set_name(most), "\n".join([f"{capital_halves(set_name(most))}:", *lines]), " ".join(told)


def _short(table: pd.DataFrame) -> str:
    """Where to cut, as the rest of a sentence."""
    best = best_cut(table)
    sentence = _no_cut(table) if best is None else _cut_sentence(table, best)
    return sentence[:1].lower() + sentence[1:]
