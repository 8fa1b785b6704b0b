"""Findings on how much target data there is: whether to train from scratch, freeze units or fine-tune them."""

from collections.abc import Iterator, Mapping, Set

import pandas as pd

from workflow_scripts.results.effects import EFFECT_COLUMNS, differences, paired_interval
from workflow_scripts.results.groups import PRETRAINED_SOURCE
from workflow_scripts.results.target_images import SCRATCH, amount_label, by_amount
from workflow_scripts.results.units import first_units
from workflow_scripts.results.verdicts import (
    ROUNDING,
    Part,
    capital,
    decimal,
    depths_in_words,
    has_interval,
    hedge,
    listed,
    negated,
    no_interval,
    number,
    subject,
    verdict,
)
from workflow_scripts.study.columns import SCORE
from workflow_scripts.study.matrix import ALL_IMAGES

SOURCES = {"": ("AnB", "AnB+"), PRETRAINED_SOURCE: ("PnB", "PnB+")}  # what ends the kind of halves -> frozen, tuned
CHOSEN = "Each treatment's best n was chosen by the runs that score it, which flatters it."
ONE_DRAW = "Each target has one draw of its images (one seed). What other images would give is not known."


def target_images(results: pd.DataFrame, names: Mapping[int, str]) -> Iterator[Part]:
    """What to do with so many images of each class: a line for each number, and one on how the best n changes.

    `results` are from groups.load_results, `names` of units from units.unit_names.
    """
    failed = set(results.loc[results["diverged"].astype(bool) & (results["group"] == "base"), "partition"])
    for halves, of_kind in by_amount(results):
        for ending, (frozen, tuned) in SOURCES.items():
            chosen = {amount: rows[rows["group"].isin((SCRATCH, frozen, tuned))] for amount, rows in of_kind.items()}
            chosen = {amount: rows for amount, rows in chosen.items() if (rows["group"] != SCRATCH).any()}
            if any(amount_label(amount) != ALL_IMAGES for amount in chosen):
                yield _part(halves + ending, chosen, frozen, names, failed)


def _part(
    halves: str,
    chosen: Mapping[float, pd.DataFrame],
    frozen: str,
    names: Mapping[int, str],
    failed: Set[str],
) -> Part:
    """The lines on one kind of halves and source, from its networks by number of images. `failed` are the partitions
    with base networks that diverged.
    """
    answers = [_answer(amount, rows, names, failed) for amount, rows in chosen.items()]
    compared = pd.DataFrame([gap for _, gaps in answers for gap in gaps], columns=EFFECT_COLUMNS)
    lines = [subject(halves, compared), *(line for line, _ in answers), *_depth_line(chosen, frozen)]
    one_draw = [ONE_DRAW] * (pd.concat(chosen.values())["seed"].nunique() == 1)
    flatters = [CHOSEN] * any(rows["depth"].nunique() > 2 for rows in chosen.values())  # base networks have depth 0
    return halves, "\n".join(lines), " ".join(filter(None, [hedge(compared), *flatters, *one_draw]))


class _Options:
    """What can be done with the images of one amount: a group at a depth, by a name such as "AnB 3"."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rows = _named(rows)
        single = {name: {name: 1} for name in self.rows["group"].unique()}
        self.accuracy = {name: pd.Series(row) for _, name, row in differences(self.rows, single, ())}
        self.means = _means(self.rows.pivot_table(SCORE, ["partition", "target", "seed"], "group"))

    def best(self, group: str) -> str | None:
        """The option of `group` with the highest mean accuracy on the targets and seeds that have all options."""
        own = [name for name in self.accuracy if _group(name) == group]
        return max(own, key=lambda name: (self.means[name], -_depth(name)), default=None)

    def difference(self, higher: str, lower: str) -> pd.Series | None:
        """How far `higher` lies above `lower` (_difference)."""
        return _difference(self.rows, higher, lower)

    def alike(self, best: str) -> list[int]:
        """The other depths of its group that do not lie measurably below `best`."""
        others = [name for name in self.accuracy if _group(name) == _group(best) and name != best]
        gaps = {_depth(name): self.difference(best, name) for name in others}
        return sorted(depth for depth, gap in gaps.items() if gap is not None and verdict(gap) != 1)

    def percent(self, name: str) -> str:
        """The accuracy of an option with its interval, if it has one."""
        row = self.accuracy[name]
        interval = f" ({decimal(row['low'])} to {decimal(row['high'])})" if has_interval(row) else ""
        return f"{decimal(row['points'])} %{interval}"


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """The networks with options as their groups, at no depth."""
    return rows.assign(group=rows["group"] + " " + rows["depth"].astype(str), depth=0)


def _difference(named: pd.DataFrame, higher: str, lower: str) -> pd.Series | None:
    """How far an option lies above another, paired by target and seed; None where no target has both."""
    found = differences(named, {"difference": {higher: 1, lower: -1}}, ())
    row = next((pd.Series(row) for _, _, row in found), None)
    return None if row is None or pd.isna(row["points"]) else row


def _answer(
    amount: float, rows: pd.DataFrame, names: Mapping[int, str], failed: Set[str]
) -> tuple[str, list[pd.Series]]:
    """What to do with so many images, and the differences that this rests on."""
    options = _Options(rows)
    bests = [best for group in rows["group"].unique() if (best := options.best(group))]
    winner, *others = sorted(bests, key=lambda name: -options.means[name])
    gaps = {name: options.difference(winner, name) for name in others}
    decided = {name: gap for name, gap in gaps.items() if gap is not None and verdict(gap) == 1}
    rivals = {name: gap for name, gap in gaps.items() if name not in decided}
    above = " and ".join(f"{number(gap)} above {_best_of(name)}" for name, gap in decided.items())
    reached = f"{'The first' if rivals else 'This'} reaches {options.percent(winner)}"
    sentences = [_choice([winner, *rivals], names), f"{reached}: {above}." if above else f"{reached}."]
    for place, gap in zip(("second", "third"), rivals.values(), strict=False):
        lower = f"The {place} lies {number(gap)} lower." if gap is not None else f"No target has it and the {place}."
        sentences.append(lower)
    if not any(_group(name) == SCRATCH for name in bests):
        learned = "learned" if failed & set(rows["partition"]) else "is there to compare with"
        sentences.append(f"No network that was trained from scratch on these images {learned}.")
    if _group(winner) != SCRATCH and (alike := options.alike(winner)):
        sentences.append(f"{capital(_doing(winner))} {depths_in_words(alike)} is not measurably worse.")
    return f"{_with_images(amount)}: {' '.join(sentences)}", [gap for gap in gaps.values() if gap is not None]


def _choice(best: list[str], names: Mapping[int, str]) -> str:
    """The best option, or those between which it is undecided."""
    *first, last = (_do(name, names) for name in best)
    return f"it is undecided whether to {', '.join(first)} or {last}." if first else f"{last}."


def _best_of(name: str) -> str:
    return "training from scratch" if _group(name) == SCRATCH else f"{_doing(name)} at its best (n = {_depth(name)})"


def _doing(name: str) -> str:
    return "fine-tuning" if _group(name).endswith("+") else "freezing"


def _do(name: str, names: Mapping[int, str]) -> str:
    if _group(name) == SCRATCH:
        return "train from scratch"
    units = first_units(_depth(name), names)
    if _group(name).endswith("+"):
        return f"copy {units} and fine-tune {'it' if _depth(name) == 1 else 'them'}"
    return f"freeze {units}"


def _with_images(amount: float) -> str:
    label = amount_label(amount)
    return "With all images" if label == ALL_IMAGES else f"With {_short(amount)} of each class"


def _depth_line(chosen: Mapping[float, pd.DataFrame], group: str) -> list[str]:
    """How the best n for freezing differs between the fewest and the most images, paired by target and seed."""
    scores = {amount: _by_depth(rows[rows["group"] == group]) for amount, rows in chosen.items()}
    scores = {amount: wide for amount, wide in scores.items() if wide.shape[1] > 1}
    if len(scores) < 2:
        return []
    (few, fewest), *_, (many, most) = scores.items()
    depths = fewest.columns.intersection(most.columns)
    if len(depths) < 2:
        return []
    deeper = (_best_depths(fewest[depths]) - _best_depths(most[depths])).dropna()
    if deeper.empty:
        return []
    amounts: dict[str, list[float]] = {}
    for amount, wide in scores.items():
        means = _means(wide)
        amounts.setdefault(depths_in_words(means.index[means > means.max() - ROUNDING]), []).append(amount)
    told = ", ".join(f"{best} with {_these_images(of)}" for best, of in amounts.items())
    ends = [int(_means(wide[depths]).idxmax()) for wide in (fewest, most)]
    apart = ends[0] == ends[1] or any(_distinct(chosen[amount], group, *ends) for amount in (few, many))
    return [f"Freezing does best at {told}. {_deeper(deeper, few, many, apart)}"]


def _by_depth(rows: pd.DataFrame) -> pd.DataFrame:
    """Scores by partition, target and seed, a column per depth."""
    return rows.pivot_table(SCORE, ["plain", "target", "seed"], "depth")


def _means(wide: pd.DataFrame) -> pd.Series:
    """The mean of each column, over the rows that have all of them if there are any: others may be easier or harder."""
    whole = wide.dropna()
    return (wide if whole.empty else whole).mean().round(9)


def _best_depths(wide: pd.DataFrame) -> pd.Series:
    """The best depth of each run that has all of them, the mean of equally good ones."""
    whole = wide.dropna()
    best = whole.ge(whole.max(axis="columns") - ROUNDING, axis="index")
    return best.mul(whole.columns.to_numpy(float), axis="columns").sum(axis="columns") / best.sum(axis="columns")


def _distinct(rows: pd.DataFrame, group: str, depth: int, other: int) -> bool:
    """Whether a group's networks of two depths differ measurably."""
    gap = _difference(_named(rows), f"{group} {depth}", f"{group} {other}")
    return gap is not None and verdict(gap) != 0


def _deeper(deeper: pd.Series, few: float, many: float, apart: bool) -> str:
    """Whether each run's best n lies deeper with few images, in words. `apart` is whether it matters which n it is."""
    by_task = [values.to_numpy() for _, values in deeper.groupby(["plain", "target"])]
    low, high, interval = paired_interval(by_task)
    mean = float(sum(values.mean() for values in by_task) / len(by_task))
    shift = pd.Series({"points": mean, "low": low, "high": high})
    ends = f"with {_short(few)} than with {_short(many)}"
    undecided = "Whether fewer images make the best n deeper is undecided:"
    if not has_interval(shift) and not apart:
        return f"{undecided} at either number, freezing does not differ measurably between these n."
    if not has_interval(shift):
        way = "as deep" if mean == 0 else f"{decimal(abs(mean))} units {'deeper' if mean > 0 else 'shallower'}"
        compared = ends.replace(" than ", " as ") if mean == 0 else ends
        return f"In these runs, the best n lies {way} {compared}. {no_interval(interval)} Other draws may differ."
    told = negated(shift) if mean < 0 else shift
    size = f"{decimal(told['points'])} units ({decimal(told['low'])} to {decimal(told['high'])})"
    way = "deeper" if mean >= 0 else "shallower"
    if verdict(shift) == 0:
        return f"{undecided} by run it lies {size} {way} {ends}."
    return f"Fewer images make the best n {way}: by run it lies {size} {way} {ends}."


def _these_images(amounts: list[float]) -> str:
    """As in: 1, 30 and all images."""
    return _short(amounts[0]) if len(amounts) == 1 else f"{listed(map(amount_label, amounts))} images"


def _short(amount: float) -> str:
    return f"{amount_label(amount)} image{'' if amount == 1 else 's'}"


def _group(name: str) -> str:
    return name.split(" ")[0]


def _depth(name: str) -> int:
    return int(name.split(" ")[1])
