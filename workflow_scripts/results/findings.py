"""A study's findings in sentences, made from its table of effects and no surer than the intervals allow."""

from collections.abc import Iterator

import pandas as pd

from workflow_scripts.results.effects import kinds_of_halves, per_depth
from workflow_scripts.results.groups import halves_of, main_variant, not_diverged
from workflow_scripts.results.verdicts import (
    UNSURE,
    at_most,
    decimal,
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
EASIER = 0.3  # points; a larger difference between the paired and the unpaired boost gets a sentence
NOT_LEARNED = 0.1  # share of the base network's score; a network with random features below it has not learned

NO_ADVICE = (
    "No trained transfer network has a trained base network to be compared with."
    " The report therefore gives no advice on what to copy."
)

TROUBLES = {"lost co-adaptation": "coadaptation", "specialisation": "specialisation"}  # name -> effect

Part = tuple[str, str, str]  # kind of halves, the sentences on them, what these rest on


def findings(results: pd.DataFrame, effects: pd.DataFrame) -> list[dict[str, str]]:
    """The study's answers, each with `question`, `answer` (a line per kind of halves) and `basis` (what it rests on).

    `results` are from groups.load_results, `effects` from effects.effect_table. Questions that the study's networks
    cannot answer are left out.
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
    """How many units to copy and how many to freeze: a line per kind of halves, or why there is no advice."""
    sentences = []
    for halves in kinds_of_halves(effects):
        boosts, drops = (
            per_depth(effects, name, halves).dropna(subset="points") for name in ("boost_over_base", "total_drop")
        )
        parts = [give(rows) for give, rows in ((_copy_advice, boosts), (_freeze_advice, drops)) if not rows.empty]
        if parts:
            sentences.append(f"Between tasks like {halves}: {' '.join(parts)}")
    return "\n".join(sentences) or NO_ADVICE


def unanswered(results: pd.DataFrame) -> str:
    """Why a study's networks answer no question, in sentences."""
    trained = not_diverged(results)
    if trained.empty:
        return f"No network trained: {'all ' * (len(results) > 1)}{len(results)} diverged. There is nothing to compare."
    if not (results["group"] != "base").any():
        return "No curve was measured. These networks therefore answer none of the paper's questions."
    if not (trained["group"] != "base").any():
        return "All networks of curves diverged. The base networks alone answer none of the paper's questions."
    return (
        "No target has the trained networks that a comparison needs. These networks therefore answer none of the"
        " paper's questions."
    )


def _basis(parts: list[Part]) -> str:
    """What the answers rest on: said once if it is the same for all, else by kind of halves."""
    if len({basis for _, _, basis in parts}) == 1:
        return parts[0][2]
    return " ".join(f"{_capital(halves)}: {basis}" for halves, _, basis in parts)


def _generality(effects: pd.DataFrame) -> Iterator[Part]:
    for halves in kinds_of_halves(effects):
        costs, control = per_depth(effects, "specialisation", halves), "the selffer control BnB"
        costs = costs.dropna(subset="points")
        if costs.empty:
            costs, control = per_depth(effects, "total_drop", halves).dropna(subset="points"), "the base network"
        if costs.empty:
            continue
        first = lasting_from(costs)
        text = _no_lasting_cost(costs, control) if first is None else _lasting_cost(costs, control, first)
        yield halves, f"{subject(halves, costs)} {text}", hedge(costs)


def _lasting_cost(costs: pd.DataFrame, control: str, first: int) -> str:
    before, deepest = costs.index[costs.index < first], costs.iloc[-1]
    if len(before):
        sentences = [f"Frozen transfer (AnB) shows no lasting cost up to n = {before[-1]}."]
        sentences.append(f"AnB stays below {control} from n = {first} on.")
    else:
        sentences = ["The features are not general at any measured depth."]
        sentences.append(f"Frozen transfer (AnB) stays below {control} from n = {first} on.")
    at_last = f" and {number(deepest)} at n = {deepest.name}" if deepest.name != first else ""
    sentences.append(f"The gap is {number(costs.loc[first])} at n = {first}{at_last}.")
    if "selffer" not in control:
        sentences.append("Without selffers, lost co-adaptation and specialisation cannot be separated.")
    return " ".join(sentences)


def _no_lasting_cost(costs: pd.DataFrame, control: str) -> str:
    below = [depth for depth, cost in costs.iterrows() if verdict(cost) == 1]
    if below:
        return (
            f"Frozen transfer (AnB) lies below {control} at {depths_in_words(below)}, but not measurably at the"
            " greatest depth. A lasting boundary was not found."
        )
    largest = costs.loc[costs["points"].idxmax()]
    return (
        f"Frozen transfer (AnB) does not lie measurably below {control} at any depth."
        f" The largest difference is {number(largest)} at n = {largest.name}."
    )


def _dominance(effects: pd.DataFrame) -> Iterator[Part]:
    for halves in kinds_of_halves(effects):
        difference = per_depth(effects, "dominance", halves).dropna(subset="points")
        if difference.empty:
            continue
        costs = {column: per_depth(effects, column, halves) for column in TROUBLES.values()}
        places = {name: [] for name in (*TROUBLES, "both alike", "neither")}
        for depth, row in difference.iterrows():
            places[_dominant(row, *(cost.loc[depth] for cost in costs.values()))].append(depth)
        sentences = [_worst(name, places[name], costs[column]) for name, column in TROUBLES.items() if places[name]]
        if tied := places["both alike"]:
            sentences.append(f"A cost shows at {depths_in_words(tied)}, but which trouble is larger is undecided.")
        if free := places["neither"]:
            sentences.append(f"Neither {' nor '.join(TROUBLES)} is measurably above zero at {depths_in_words(free)}.")
        sentences += _selffer_gain(costs["coadaptation"])
        yield halves, f"{subject(halves, difference)} {' '.join(sentences)}", hedge(difference)


def _worst(trouble: str, depths: list[int], costs: pd.DataFrame) -> str:
    """Where a trouble dominates, and its largest cost there."""
    worst = costs.loc[depths].sort_values("points").iloc[-1]
    dominates = f"{_capital(trouble)} dominates at {depths_in_words(depths)}."
    return f"{dominates} Its largest cost there is {number(worst)}, at n = {worst.name}."


def _dominant(difference: pd.Series, coadaptation: pd.Series, specialisation: pd.Series) -> str:
    """Which trouble is larger at one depth. A trouble is named only if its own cost is above zero."""
    costs = verdict(coadaptation) == 1, verdict(specialisation) == 1
    if not any(costs):
        return "neither"
    larger = verdict(difference)
    if larger == 1 and costs[1]:
        return "specialisation"
    return "lost co-adaptation" if larger == -1 and costs[0] else "both alike"


def _selffer_gain(coadaptation: pd.DataFrame) -> list[str]:
    gained = [depth for depth, cost in coadaptation.iterrows() if verdict(cost) == -1]
    if not gained:
        return []
    return [
        f"BnB lies above base at {depths_in_words(gained)}.",
        "Training the upper units a second time helps by itself.",
        "The base networks had therefore not converged, and a loss of co-adaptation may be hidden.",
    ]


def _fine_tuning(effects: pd.DataFrame) -> Iterator[Part]:
    for halves in kinds_of_halves(effects):
        rows = effects[effects["halves"] == halves].set_index(["effect", "layers"])
        if "boost_over_base" not in rows.index:
            continue
        layers = "1-7" if ("boost_over_base", "1-7") in rows.index else rows.loc["boost_over_base"].index[-1]
        boost = rows.loc[("boost_over_base", layers)]
        if pd.isna(boost["points"]):
            text = f"No target task has both AnB+ and a base network. {_unpaired(boost, 'base')}"
        else:
            text = _over_base(boost, _measured(effects, halves, layers))
        alone = boost.to_frame().T
        yield halves, f"{subject(halves, alone)} {text} {_over_selffer(rows, layers)}", hedge(alone)


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


def _distance(effects: pd.DataFrame) -> Iterator[Part]:
    kinds = {halves: per_depth(effects, "total_drop", halves) for halves in kinds_of_halves(effects)}
    kinds = {halves: drops.dropna(subset="points") for halves, drops in kinds.items()}
    kinds = {halves: drops for halves, drops in kinds.items() if not drops.empty}
    shared = set.intersection(*(set(drops.index) for drops in kinds.values())) if len(kinds) > 1 else set()
    if not shared:
        return
    depth = max(shared)
    drops = {halves: table.loc[depth] for halves, table in kinds.items()}
    (first, loss), *others = drops.items()
    lead = "Frozen" if all(map(has_interval, drops.values())) else f"{_capital(UNSURE)}, frozen"
    sentences = [f"{lead} transfer (AnB) loses {number(loss)} at n = {depth} between {first}."]
    sentences += [f"It loses {number(drop)} between {halves}." for halves, drop in others]
    (least, small), *_, (most, large) = sorted(drops.items(), key=lambda item: item[1]["points"])
    told = f"The loss is largest between {most} and smallest between {least}."
    undecided = "Whether the distance matters is undecided: the losses do not differ measurably."
    sentences.append(told if _apart(small, large) else undecided)
    basis = _basis([(halves, "", hedge(drop.to_frame().T)) for halves, drop in drops.items()])
    yield "all halves", " ".join(sentences), basis


def _apart(small: pd.Series, large: pd.Series) -> bool:
    """Whether two effects differ: their intervals do not overlap or, without both, by more than twice the noise."""
    if has_interval(small) and has_interval(large):
        return bool(large["low"] > small["high"])
    return bool(large["points"] - small["points"] > 2 * (noise_of(small) ** 2 + noise_of(large) ** 2) ** 0.5)


def _untrained(results: pd.DataFrame, effects: pd.DataFrame) -> Iterator[Part]:
    for halves in kinds_of_halves(effects):
        drops = per_depth(effects, "random_drop", halves).dropna(subset="points")
        if drops.empty:
            continue
        first, last = drops.iloc[0], drops.iloc[-1]
        at_last = f" and {number(last)} at n = {last.name}" if len(drops) > 1 else ""
        text = f"{subject(halves, drops)} Untrained features lose {number(first)} at n = {first.name}{at_last}."
        rows = main_variant(results[results["group"] == "random"])
        idle = rows[(rows[SCORE] < NOT_LEARNED * rows["base"]) & (rows["partition"].isin(_partitions(results, halves)))]
        if len(idle):
            text += f" The units above them did not learn at all at {depths_in_words(idle['depth'].unique())}."
        yield halves, text, hedge(drops)


def _partitions(results: pd.DataFrame, halves: str) -> list[str]:
    return [name for name in results["partition"].unique() if halves_of(name) == halves]


def _copy_advice(boosts: pd.DataFrame) -> str:
    best = boosts.loc[boosts["points"].idxmax()]
    if verdict(best) != 1:
        none = f"Fine-tuning copied units brought no measurable gain{_hedged(best)}."
        return f"{none} The best is {number(best)}, at n = {best.name}."
    margin = 2 * noise_of(best)
    alike = [
        depth for depth, boost in boosts.iterrows() if boost["points"] > best["points"] - margin and depth != best.name
    ]
    sentences = [f"Copy {_first_units(best.name)} and fine-tune {'it' if best.name == 1 else 'them'}."]
    sentences.append(f"This gains {number(best)} over training from scratch{_hedged(best)}.")
    if alike:
        sentences.append(f"Copying {depths_in_words(alike)} did about as well.")
    return " ".join(sentences)


def _freeze_advice(drops: pd.DataFrame) -> str:
    cheap = []
    for depth, drop in drops.iterrows():
        if not at_most(drop, TOLERANCE):
            break
        cheap.append(depth)
    if not cheap:
        first = drops.iloc[0]
        return f"Freeze no unit. Freezing n = {first.name} already costs {number(first)}{_hedged(first)}."
    beyond = drops[drops.index > cheap[-1]]
    more = f" Freezing {_first_units(beyond.index[0])} costs {number(beyond.iloc[0])}." if len(beyond) else ""
    costs = f"This costs {TOLERANCE:.0f} point or less{_hedged(drops.loc[cheap[-1]])}."
    return f"To save time, freeze at most {_first_units(cheap[-1])}. {costs}{more}"


def _hedged(effect: pd.Series) -> str:
    """What ends a sentence on the effect: that it holds in these runs, unless an interval says more."""
    return "" if has_interval(effect) else f" {UNSURE}"


def _first_units(depth: int) -> str:
    return "the first unit" if depth == 1 else f"the first {depth} units"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
