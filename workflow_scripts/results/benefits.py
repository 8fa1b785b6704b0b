"""Findings on fine-tuning, on the distance of the tasks and on untrained features, in sentences."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.effects import deepest_range, kinds_of_halves, per_depth
from workflow_scripts.results.groups import PRETRAINED_SOURCE, main_variant, named_source
from workflow_scripts.results.verdicts import (
    UNSURE,
    Part,
    capital,
    common_basis,
    decimal,
    depths_in_words,
    has_interval,
    hedge,
    noise_of,
    number,
    subject,
    verdict,
)
from workflow_scripts.study.columns import SCORE

EASIER = 0.3  # points; a larger difference between the paired and the unpaired boost gets a sentence
NOT_LEARNED = 0.1  # share of the base network's score; a network with random features below it has not learned


def fine_tuning(effects: pd.DataFrame) -> Iterator[Part]:
    """Whether fine-tuned transfer ends above its two controls, by kind of halves."""
    for halves in kinds_of_halves(effects):
        rows = effects[effects["halves"] == halves].set_index(["effect", "layers"])
        if "boost_over_base" not in rows.index:
            continue
        layers = deepest_range(rows.loc["boost_over_base"].index)
        boost = rows.loc[("boost_over_base", layers)]
        if pd.isna(boost["points"]):
            text = f"No target task has both AnB+ and a base network. {_unpaired(boost, 'base')}"
        else:
            text = " ".join(
                [_over_base(boost, _measured(effects, halves, layers)), *_beside_twice(rows, layers, halves)]
            )
        alone = boost.to_frame().T
        text = named_source(f"{text} {_over_selffer(rows, layers)}", halves)
        yield halves, f"{subject(halves, alone)} {text}", hedge(alone)


def _measured(effects: pd.DataFrame, halves: str, layers: str) -> str:
    """In words, the depths of the range `layers` at which a target task has both AnB+ and its base network."""
    first, *_, last = map(int, layers.split("-") * 2)
    boosts = per_depth(effects, "boost_over_base", halves).dropna(subset="points")
    depths = [depth for depth in boosts.index if first <= depth <= last]
    gapless = len(depths) > 2 and depths == [*range(depths[0], depths[-1] + 1)]
    return f"n = {depths[0]} to {depths[-1]}" if gapless else depths_in_words(depths)


def _over_base(boost: pd.Series, depths: str) -> str:
    """Whether fine-tuned transfer ends above training from scratch, and what the unpaired comparison adds to that."""
    says = {
        1: "Yes, AnB+ ends above the base network of its own target.",
        -1: "No, AnB+ ends below the base network of its own target.",
        0: "This is undecided: AnB+ and the base network of its own target do not differ measurably.",
    }
    mean = f"The mean difference over {depths} is {number(boost)}."
    sentences = [says[verdict(boost)], mean]
    if abs(mixed := boost["unpaired_points"] - boost["points"]) > EASIER:
        sentences.append(_unpaired(boost, "base"))
        sentences.append(f"Comparing different target tasks accounts for {mixed:+.1f} of these points.")
    return " ".join(sentences)


def _unpaired(effect: pd.Series, control: str) -> str:
    networks = effect["unpaired_networks"].replace(" / ", " against ")
    given = f"gives {decimal(effect['unpaired_points'])} points ({networks} networks)"
    return f"The paper's unpaired comparison of AnB+ with {control} {given}."


def _beside_twice(rows: pd.DataFrame, layers: str, halves: str) -> list[str]:
    """How AnB+ compares with a base network that trains twice as long: as long as it and its source do together.

    How long a pretrained source has trained is not known.
    """
    if ("boost_at_equal_training", layers) not in rows.index:
        return []
    boost = rows.loc[("boost_at_equal_training", layers)]
    if pd.isna(boost["points"]):
        return []
    lead = "A base network trained twice as long"
    lead += "" if halves.endswith(PRETRAINED_SOURCE) else ", equal in total training,"
    says = {1: "ends lower", -1: "ends higher", 0: "does not differ measurably from AnB+"}
    return [f"{lead} {says[verdict(boost)]}: the difference AnB+ - base twice is {number(boost)}."]


def _over_selffer(rows: pd.DataFrame, layers: str) -> str:
    """Whether transfer helps more than the longer training does by itself."""
    if ("boost_over_selffer", layers) not in rows.index:
        return "Without BnB+, the share of the longer training in this is unknown."
    boost = rows.loc[("boost_over_selffer", layers)]
    if pd.isna(boost["points"]):
        return f"No target task has both AnB+ and its control BnB+. {_unpaired(boost, 'BnB+')}"
    says = {
        1: "Transfer adds {} to what the same training gives with the task's own features (BnB+).",
        -1: "The task's own features, trained again (BnB+), end higher. The difference AnB+ - BnB+ is {}.",
        0: "Most of this may come from the longer training. AnB+ and BnB+ do not differ measurably: AnB+ - BnB+ is {}.",
    }
    return says[verdict(boost)].format(number(boost))


def distance(effects: pd.DataFrame) -> Iterator[Part]:
    """Whether frozen transfer loses more between some kinds of halves than between others."""
    kinds = [halves for halves in kinds_of_halves(effects) if not halves.endswith(PRETRAINED_SOURCE)]
    kinds = {halves: per_depth(effects, "total_drop", halves) for halves in kinds}
    kinds = {halves: drops.dropna(subset="points") for halves, drops in kinds.items()}
    kinds = {halves: drops for halves, drops in kinds.items() if not drops.empty}
    shared = set.intersection(*(set(drops.index) for drops in kinds.values())) if len(kinds) > 1 else set()
    if not shared:
        return
    depth = max(shared)
    drops = {halves: table.loc[depth] for halves, table in kinds.items()}
    (first, loss), *others = drops.items()
    lead = "Frozen" if all(map(has_interval, drops.values())) else f"{capital(UNSURE)}, frozen"
    sentences = [f"{lead} transfer (AnB) loses {number(loss)} at n = {depth} {_among(first)}."]
    sentences += [f"It loses {number(drop)} {_among(halves)}." for halves, drop in others]
    (least, small), *_, (most, large) = sorted(drops.items(), key=lambda item: item[1]["points"])
    told = f"The loss is largest {_among(most)} and smallest {_among(least)}."
    undecided = "Whether the distance matters is undecided: the losses do not differ measurably."
    sentences.append(told if _apart(small, large) else undecided)
    basis = common_basis([(halves, "", hedge(drop.to_frame().T)) for halves, drop in drops.items()])
    yield "all halves", " ".join(sentences), basis


def _among(halves: str) -> str:
    """Where transfer takes place: "between random halves", "from cars to birds"."""
    return f"{'from' if ' to ' in halves else 'between'} {halves}"


def _apart(small: pd.Series, large: pd.Series) -> bool:
    """Whether two effects differ: their intervals do not overlap or, without both, by more than twice the noise."""
    if has_interval(small) and has_interval(large):
        return bool(large["low"] > small["high"])
    return bool(large["points"] - small["points"] > 2 * (noise_of(small) ** 2 + noise_of(large) ** 2) ** 0.5)


def untrained(results: pd.DataFrame, effects: pd.DataFrame) -> Iterator[Part]:
    """What untrained features lose against the base network, by kind of halves."""
    told = set()
    for kind in kinds_of_halves(effects):
        halves = kind.removesuffix(PRETRAINED_SOURCE)
        drops = per_depth(effects, "random_drop", kind).dropna(subset="points")
        if drops.empty or halves in told:
            continue
        told.add(halves)
        first, last = drops.iloc[0], drops.iloc[-1]
        at_last = f" and {number(last)} at n = {last.name}" if len(drops) > 1 else ""
        text = f"{subject(halves, drops)} Untrained features lose {number(first)} at n = {first.name}{at_last}."
        rows = main_variant(results[results["group"] == "random"])
        idle = rows[(rows[SCORE] < NOT_LEARNED * rows["base"]) & (rows["halves"] == halves)]
        if len(idle):
            text += f" The units above them did not learn at all at {depths_in_words(idle['depth'].unique())}."
        yield halves, text, hedge(drops)
