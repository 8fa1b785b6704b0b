"""Findings on fine-tuning, on the distance of the tasks and on untrained features, in sentences."""

import re
from collections.abc import Iterator, Mapping

import pandas as pd

from workflow_scripts.results.effects import at_deepest_range, kinds_of_halves, per_depth, within
from workflow_scripts.results.groups import PRETRAINED_SOURCE, main_variant, named_source, target_name
from workflow_scripts.results.verdicts import (
    ROUNDING,
    UNSURE,
    Part,
    capital,
    common_basis,
    decimal,
    depths_in_words,
    difference,
    has_interval,
    hedge,
    negated,
    number,
    subject,
    verdict,
)
from workflow_scripts.study.columns import SCORE

EASIER = 0.3  # points; a larger difference between the paired and the unpaired boost gets a sentence
FIRST_IMAGES = re.compile(r", \d+ images a class$")  # ends a kind of halves that has fewer images (groups.halves_of)
BESIDE = ("boost_at_equal_training", "boost_over_selffer")  # what the boost is set beside
NOT_LEARNED = 0.1  # share of the base network's score; a network with random features below it has not learned


def fine_tuning(effects: pd.DataFrame) -> Iterator[Part]:
    """Whether fine-tuned transfer ends above its two controls, by kind of halves."""
    for halves, layers, found in at_deepest_range(effects, "boost_over_base"):
        boost = found["boost_over_base"]
        shown = boost.to_frame().T
        lead = subject(halves, shown)
        if pd.isna(boost["points"]):
            text = f"No target task has both AnB+ and a base network. {_unpaired(boost, 'base')}"
        else:
            text = _over_base(boost, within(effects, "boost_over_base", halves, layers))
        others = [found[name] for name in BESIDE if name in found]
        if "boost_at_equal_training" in found:
            text += _beside_twice(found["boost_at_equal_training"], halves)
        if "boost_over_selffer" in found:
            text += f" {_over_selffer(found['boost_over_selffer'], verdict(boost) == 1)}"
        elif verdict(boost) == 1 and not any(pd.notna(other["points"]) for other in others):
            text += " Without BnB+, the share of the longer training in this is unknown."
        shown = pd.DataFrame([one for one in (boost, *others) if pd.notna(one["points"])] or [boost])
        yield halves, named_source(f"{lead} {text}", halves), hedge(shown)


def _over_base(boost: pd.Series, boosts: pd.DataFrame) -> str:
    """Whether fine-tuned transfer ends above training from scratch, and what the unpaired comparison adds to that."""
    says = {
        1: "Yes, AnB+ ends above the base network of its own target.",
        -1: "No, AnB+ ends below the base network of its own target.",
        0: "This is undecided: AnB+ and the base network of its own target do not differ measurably.",
    }
    mean = "The mean difference over" if len(boosts) > 1 else "The difference at"
    sentences = [says[verdict(boost)], f"{mean} {depths_in_words(boosts.index)} is {number(boost)}."]
    for sign, way in ((1, "above"), (-1, "below")):
        ends = boosts[[verdict(row) == sign != verdict(boost) for _, row in boosts.iterrows()]]
        if len(ends):
            most = ends.loc[(sign * ends["points"]).idxmax()]
            by = number(most if sign > 0 else negated(most))
            at = f"At {depths_in_words(ends.index)} AnB+ ends {way} base"
            sentences.append(f"{at} by {by}." if len(ends) == 1 else f"{at}, most at n = {most.name}: {by}.")
    if abs(mixed := boost["unpaired_points"] - boost["points"]) > EASIER:
        sentences.append(_unpaired(boost, "base"))
        sentences.append(f"Comparing different target tasks accounts for {mixed:+.1f} of these points.")
    return " ".join(sentences)


def _unpaired(effect: pd.Series, control: str) -> str:
    networks = effect["unpaired_networks"].replace(" / ", " against ")
    given = f"gives {decimal(effect['unpaired_points'])} points ({networks} networks)"
    return f"The paper's unpaired comparison of AnB+ with {control} {given}."


def _beside_twice(boost: pd.Series, halves: str) -> str:
    """How AnB+ compares with a base network that trains twice as long: for the durations of it and its source.

    How long a pretrained source has trained is not known.
    """
    if pd.isna(boost["points"]):
        return ""
    lead = "A base network trained twice as long"
    lead += "" if halves.endswith(PRETRAINED_SOURCE) else ", for the durations of the source and AnB+ together,"
    says = {1: "ends lower", -1: "ends higher", 0: "does not differ measurably from AnB+"}
    return f" {lead} {says[verdict(boost)]}: the difference AnB+ - base twice is {number(boost)}."


def _over_selffer(boost: pd.Series, gained: bool) -> str:
    """Whether transfer helps more than the longer training does by itself. `gained` is whether it helps at all."""
    if pd.isna(boost["points"]):
        return f"No target task has both AnB+ and its control BnB+. {_unpaired(boost, 'BnB+')}"
    says = {
        1: "Transfer adds {} to what the same training gives with the task's own features (BnB+).",
        -1: "The task's own features, trained again (BnB+), end higher. The difference AnB+ - BnB+ is {}.",
        0: "AnB+ and BnB+ do not differ measurably: AnB+ - BnB+ is {}.",
    }
    longer = "Most of this may come from the longer training. " if gained and verdict(boost) == 0 else ""
    return longer + says[verdict(boost)].format(number(boost))


def distance(effects: pd.DataFrame) -> Iterator[Part]:
    """Whether frozen transfer loses more between some kinds of halves than between others.

    Only kinds with equally many images a class are compared. The two directions of one pair are equally far.
    """
    kinds: dict[str, dict[str, pd.DataFrame]] = {}
    for halves in kinds_of_halves(effects):
        drops = per_depth(effects, "total_drop", halves).dropna(subset="points")
        if len(drops) and not halves.endswith(PRETRAINED_SOURCE):
            kinds.setdefault("".join(FIRST_IMAGES.findall(halves)), {})[halves] = drops
    for images, of_kinds in kinds.items():
        shared = set.intersection(*(set(drops.index) for drops in of_kinds.values()))
        pairs = {frozenset(FIRST_IMAGES.sub("", halves).split(" to ")) for halves in of_kinds}
        if shared and len(pairs) > 1:
            drops = {halves: table.loc[max(shared)] for halves, table in of_kinds.items()}
            basis = common_basis([(halves, "", hedge(drop.to_frame().T)) for halves, drop in drops.items()])
            yield f"all halves{images}", _losses(drops, max(shared)), basis


def _losses(drops: Mapping[str, pd.Series], depth: int) -> str:
    """What frozen transfer loses between each kind of halves, and whether the losses differ."""
    lead = "Frozen" if all(map(has_interval, drops.values())) else f"{capital(UNSURE)}, frozen"
    subjects = [f"{lead} transfer (AnB)", *["It"] * (len(drops) - 1)]
    sentences = [
        f"{who} {_loses(drop)}{'' if place else f' at n = {depth}'} {_among(halves)}{_undecided(drop)}."
        for place, (who, (halves, drop)) in enumerate(zip(subjects, drops.items(), strict=True))
    ]
    (least, small), *_, (most, large) = sorted(drops.items(), key=lambda item: item[1]["points"])
    told = f"The loss is larger {_among(most)} than {_among(least)}."
    undecided = "Whether the distance matters is undecided: the losses do not differ measurably."
    return " ".join([*sentences, told if verdict(difference(large, small)) == 1 else undecided])


def _loses(drop: pd.Series) -> str:
    return f"gains {number(negated(drop))}" if drop["points"] < -ROUNDING else f"loses {number(drop)}"


def _undecided(drop: pd.Series) -> str:
    return "" if verdict(drop) else ", which is undecided"


def _among(halves: str) -> str:
    """Where transfer takes place: "between random halves", "from cars to birds"."""
    return f"{'from' if ' to ' in halves else 'between'} {halves}"


def untrained(results: pd.DataFrame, effects: pd.DataFrame) -> Iterator[Part]:
    """What untrained features lose against the base network, by kind of halves."""
    told = set()
    for kind in kinds_of_halves(effects):
        halves = kind.removesuffix(PRETRAINED_SOURCE)
        drops = per_depth(effects, "random_drop", kind).dropna(subset="points")
        if drops.empty or halves in told:
            continue
        told.add(halves)
        text = f"{subject(target_name(halves), drops)} {_of_untrained(drops)}"
        rows = main_variant(results[(results["group"] == "random") & (results["halves"] == halves)])
        means = rows.groupby("depth")[[SCORE, "base"]].mean()
        if len(idle := means.index[means[SCORE] < NOT_LEARNED * means["base"]]):
            text += f" The units above them did not learn at all at {depths_in_words(idle)}."
        yield target_name(halves), text, hedge(drops)


def _of_untrained(drops: pd.DataFrame) -> str:
    """What untrained features lose at the first and the last depth."""
    ends = [drop for _, drop in drops.iloc[[0, -1][: len(drops)]].iterrows()]
    if all(verdict(drop) == 1 for drop in ends):
        return f"Untrained features lose {' and '.join(f'{number(drop)} at n = {drop.name}' for drop in ends)}."
    says = [f"At n = {drop.name}, untrained features {_ends(drop)}." for drop in ends]
    return " ".join(says)


def _ends(drop: pd.Series) -> str:
    if verdict(drop) == 0:
        return f"do not differ measurably from base: base - random is {number(drop)}"
    return f"lose {number(drop)}" if verdict(drop) > 0 else f"gain {number(negated(drop))}"
