"""What a study found, in words: sentences made from its tables of effects, as sure as the intervals allow."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.effects import kinds_of_halves, per_depth
from workflow_scripts.results.groups import halves_of, main_variant
from workflow_scripts.results.verdicts import (
    at_most,
    depths_in_words,
    has_interval,
    hedge,
    lasting_from,
    noise_of,
    number,
    subject,
    verdict,
)
from workflow_scripts.study.columns import SCORE

TOLERANCE = 1.0  # points of top-1 accuracy that freezing may cost in the advice
EASIER = 0.3  # points between the paired and the unpaired boost that are worth a sentence
NOT_LEARNED = 0.1  # of the base network's score; below it a network with random features is said not to have learned

Part = tuple[str, str, str]  # kind of halves, a sentence on them, what it rests on


def findings(results: pd.DataFrame, effects: pd.DataFrame) -> list[dict[str, str]]:
    """The study's answers, each with `question`, `answer` (a line per kind of halves) and `basis` (what it rests on).

    `results` are from results.load_results, `effects` from effects.effect_table. A question that the study's networks
    cannot answer is left out.
    """
    asked = {
        "From which depth do features stop being general?": [*_generality(effects)],
        "Which trouble dominates where?": [*_dominance(effects)],
        "Does fine-tuning transferred features help?": [*_fine_tuning(effects)],
        "Does the distance between the tasks matter?": [*_distance(effects)],
        "Are untrained features enough?": [*_untrained(results, effects)],
    }
    return [
        {"question": question, "answer": "\n".join(text for _, text, _ in parts), "basis": _basis(parts)}
        for question, parts in asked.items()
        if parts
    ]


def advice(effects: pd.DataFrame) -> str:
    """How many layers to copy and how many to freeze, by kind of halves; says so if no transfer was measured."""
    sentences = []
    for halves in kinds_of_halves(effects):
        drops = per_depth(effects, "total_drop", halves)
        boosts = per_depth(effects, "boost_over_base", halves)
        parts = [_copy_advice(boosts)] if not boosts.empty and boosts["points"].notna().any() else []
        parts += [_freeze_advice(drops)] if not drops.empty else []
        if parts:
            sentences.append(f"Between tasks like {halves}: " + "; ".join(parts) + ".")
    return " ".join(sentences) or "No transfer was measured, so there is no advice on what to copy."


def _basis(parts: list[Part]) -> str:
    """What the answers rest on, once if it is the same for all."""
    if len({basis for _, _, basis in parts}) == 1:
        return parts[0][2]
    return " ".join(f"{_capital(halves)}: {basis[:1].lower()}{basis[1:]}" for halves, _, basis in parts)


def _generality(effects: pd.DataFrame) -> Iterator[Part]:
    for halves in kinds_of_halves(effects):
        costs, control = per_depth(effects, "specialisation", halves), "the selffer control BnB"
        costs = costs.dropna(subset="points")
        if costs.empty:
            costs, control = per_depth(effects, "total_drop", halves).dropna(subset="points"), "the base network"
        if costs.empty:
            continue
        proviso = "" if "selffer" in control else " (without selffers its two troubles cannot be told apart)"
        first, deepest = lasting_from(costs), costs.iloc[-1]
        if first is None:
            text = _no_lasting_cost(costs, control)
        else:
            before = costs.index[costs.index < first]
            general = (
                f"no lasting cost up to n = {before[-1]}; " if len(before) else "not general at any depth measured: "
            )
            at_first = f"{number(costs.loc[first])} at n = {first}"
            at_last = f", {number(deepest)} at n = {deepest.name}" if deepest.name != first else ""
            text = f"{general}from n = {first} on AnB stays below {control}{proviso}, by {at_first}{at_last}"
        yield halves, f"{subject(halves, costs)} {text}.", hedge(costs)


def _no_lasting_cost(costs: pd.DataFrame, control: str) -> str:
    below = [depth for depth, cost in costs.iterrows() if verdict(cost) == 1]
    largest = costs.loc[costs["points"].idxmax()]
    if below:
        return (
            f"AnB lies below {control} at {depths_in_words(below)} but not at the deepest layers; no lasting boundary"
        )
    return (
        f"at no depth can AnB be told from {control}; the largest difference is {number(largest)} at n = {largest.name}"
    )


def _dominance(effects: pd.DataFrame) -> Iterator[Part]:
    for halves in kinds_of_halves(effects):
        difference = per_depth(effects, "dominance", halves).dropna(subset="points")
        if difference.empty:
            continue
        costs = {name: per_depth(effects, name, halves) for name in ("coadaptation", "specialisation")}
        places = {name: [] for name in ("lost co-adaptation", "specialisation", "both alike", "neither")}
        for depth, row in difference.iterrows():
            places[_dominant(row, *(cost.loc[depth] for cost in costs.values()))].append(depth)
        parts = []
        for name, depths in places.items():
            if depths and name in ("lost co-adaptation", "specialisation"):
                column = costs["coadaptation" if name == "lost co-adaptation" else "specialisation"]
                worst = column.loc[depths].sort_values("points").iloc[-1]
                parts.append(f"{name} at {depths_in_words(depths)} (up to {number(worst)}, at n = {worst.name})")
        if places["both alike"]:
            parts.append(
                f"at {depths_in_words(places['both alike'])} there is a cost but neither can be said to be larger"
            )
        if places["neither"]:
            parts.append(f"at {depths_in_words(places['neither'])} neither cost can be told from zero")
        gain = _selffer_gain(costs["coadaptation"])
        yield halves, f"{subject(halves, difference)} {'; '.join(parts)}.{gain}", hedge(difference)


def _dominant(difference: pd.Series, coadaptation: pd.Series, specialisation: pd.Series) -> str:
    """Which trouble is larger at one depth; a trouble must itself be above zero to be named."""
    costs = verdict(coadaptation) == 1, verdict(specialisation) == 1
    if not any(costs):
        return "neither"
    larger = verdict(difference)
    if larger == 1 and costs[1]:
        return "specialisation"
    return "lost co-adaptation" if larger == -1 and costs[0] else "both alike"


def _selffer_gain(coadaptation: pd.DataFrame) -> str:
    gained = [depth for depth, cost in coadaptation.iterrows() if verdict(cost) == -1]
    if not gained:
        return ""
    return (
        f" At {depths_in_words(gained)} BnB lies above base: training the upper layers a second time helps by itself,"
        " so the base networks had not converged, and a loss of co-adaptation may be hidden."
    )


def _fine_tuning(effects: pd.DataFrame) -> Iterator[Part]:
    for halves in kinds_of_halves(effects):
        rows = effects[effects["halves"] == halves].set_index(["effect", "layers"])
        if "boost_over_base" not in rows.index:
            continue
        layers = "1-7" if ("boost_over_base", "1-7") in rows.index else rows.loc["boost_over_base"].index[-1]
        boost = rows.loc[("boost_over_base", layers)]
        named = f"n = {layers.replace('-', ' to ')}"
        if pd.isna(boost["points"]):
            text = f"AnB+ and base networks were trained on different targets only ({_unpaired(boost)})"
        else:
            says = {1: "yes, AnB+ ends above", -1: "no, AnB+ ends below", 0: "AnB+ cannot be told from"}[verdict(boost)]
            text = f"{says} the base network of its own target: {number(boost)}, mean over {named}"
            if abs(mixed := boost["unpaired_points"] - boost["points"]) > EASIER:
                text += f"; {_unpaired(boost)}, of which {mixed:+.1f} come from comparing different target tasks"
        alone = boost.to_frame().T
        yield halves, f"{subject(halves, alone)} {text}. {_over_selffer(rows, layers)}", hedge(alone)


def _unpaired(effect: pd.Series) -> str:
    networks = effect["unpaired_networks"].replace(" / ", " against ")
    return f"the paper's unpaired way gives {effect['unpaired_points']:.1f} points ({networks} networks)"


def _over_selffer(rows: pd.DataFrame, layers: str) -> str:
    """Whether transfer helps more than training twice as long does by itself."""
    if ("boost_over_selffer", layers) not in rows.index:
        return "Without BnB+ it cannot be told how much of that is the longer training."
    boost = rows.loc[("boost_over_selffer", layers)]
    if pd.isna(boost["points"]):
        return f"Over BnB+ no target task has both; {_unpaired(boost)}."
    says = {
        1: "Transfer adds {} to what the same training gives from the task's own features, BnB+.",
        -1: "But the task's own features, trained again (BnB+), end higher: AnB+ over BnB+ is {}.",
        0: "Most of it may be the longer training: over BnB+ it is {}, which cannot be told from zero.",
    }
    return says[verdict(boost)].format(number(boost))


def _distance(effects: pd.DataFrame) -> Iterator[Part]:
    kinds = {halves: per_depth(effects, "total_drop", halves) for halves in kinds_of_halves(effects)}
    kinds = {halves: drops.dropna(subset="points") for halves, drops in kinds.items()}
    kinds = {halves: drops for halves, drops in kinds.items() if not drops.empty}
    shared = set.intersection(*(set(drops.index) for drops in kinds.values())) if len(kinds) > 1 else set()
    if not shared:
        return
    depth = max(shared)
    drops = {halves: table.loc[depth] for halves, table in kinds.items()}
    listed = ", ".join(f"{number(drop)} between {halves}" for halves, drop in drops.items())
    (least, small), *_, (most, large) = sorted(drops.items(), key=lambda item: item[1]["points"])
    apart = _apart(small, large)
    told = f"most between {most}, least between {least}" if apart else "the differences are too small to be told apart"
    basis = _basis([(halves, "", hedge(drop.to_frame().T)) for halves, drop in drops.items()])
    yield "all halves", f"At n = {depth} frozen transfer loses {listed}: {told}.", basis


def _apart(small: pd.Series, large: pd.Series) -> bool:
    """Whether two effects differ: by intervals that do not overlap or, without both, by twice the noise."""
    if has_interval(small) and has_interval(large):
        return bool(large["low"] > small["high"])
    return bool(large["points"] - small["points"] > 2 * (noise_of(small) ** 2 + noise_of(large) ** 2) ** 0.5)


def _untrained(results: pd.DataFrame, effects: pd.DataFrame) -> Iterator[Part]:
    for halves in kinds_of_halves(effects):
        drops = per_depth(effects, "random_drop", halves).dropna(subset="points")
        if drops.empty:
            continue
        first, last = drops.iloc[0], drops.iloc[-1]
        text = f"on {halves} they lose {number(first)} at n = {first.name}"
        text += f" and {number(last)} at n = {last.name}" if len(drops) > 1 else ""
        rows = main_variant(results[results["group"] == "random"])
        idle = rows[(rows[SCORE] < NOT_LEARNED * rows["base"]) & (rows["partition"].isin(_partitions(results, halves)))]
        if len(idle):
            text += f"; at {depths_in_words(idle['depth'].unique())} the layers above did not learn at all"
        yield halves, f"{_capital(text)}.", hedge(drops)


def _partitions(results: pd.DataFrame, halves: str) -> list[str]:
    return [name for name in results["partition"].unique() if halves_of(name) == halves]


def _copy_advice(boosts: pd.DataFrame) -> str:
    best = boosts.loc[boosts["points"].idxmax()]
    if verdict(best) != 1:
        return f"fine-tuning copied layers brought nothing certain (at best {number(best)}, n = {best.name})"
    margin = 2 * noise_of(best)
    alike = [
        depth for depth, boost in boosts.iterrows() if boost["points"] > best["points"] - margin and depth != best.name
    ]
    others = f" ({depths_in_words(alike)} did about as well)" if alike else ""
    return f"copy the first {best.name} layers and fine-tune them{others}, {number(best)} over training from scratch"


def _freeze_advice(drops: pd.DataFrame) -> str:
    cheap = []
    for depth, drop in drops.iterrows():
        if not at_most(drop, TOLERANCE):
            break
        cheap.append(depth)
    if not cheap:
        return f"freeze none: freezing n = {drops.index[0]} already costs {number(drops.iloc[0])}"
    beyond = drops[drops.index > cheap[-1]]
    more = f" (the first {beyond.index[0]} cost {number(beyond.iloc[0])})" if len(beyond) else ""
    return f"to save time freeze at most the first {cheap[-1]}, which costs {TOLERANCE:.0f} point or less{more}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
