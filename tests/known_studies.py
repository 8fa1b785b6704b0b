"""Studies that nobody trained, of known truth, and what every sentence on any study must hold.

A study is a table of truths (points from base by group, shallow and deep), a kind of halves, depths, seeds, and noise
whose mean is exactly zero. What may be said of it follows from these alone.
"""

import re

import numpy as np
from odd_studies import loaded, table, units_of

from workflow_scripts.report.glance import glance
from workflow_scripts.results.advice import advice
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.findings import findings, unanswered
from workflow_scripts.results.lacking import lacking
from workflow_scripts.results.norm_statistics import statistics_table
from workflow_scripts.results.units import read_units, unit_names

GROUPS = ("base", "BnB", "BnB+", "AnB", "AnB+", "random")
NOTHING = dict.fromkeys(GROUPS, (0, 0))
LOSS = NOTHING | {"AnB": (0, -20), "PnB": (0, -20), "AnB+": (12, 12), "PnB+": (12, 12), "random": (-30, -40)}
GAIN = {group: tuple(-points for points in ends) for group, ends in LOSS.items()}
KINDS = {  # name -> partitions, groups, pair
    "random": (["random0"], GROUPS, False),
    "four tasks": (["random0", "random1"], GROUPS, False),
    "natman": (["natman"], GROUPS, False),
    "distances": (["near0", "far1"], GROUPS, False),
    "csv": (["mine"], GROUPS, False),
    "first images": (["random0_first_5_per_class", "random0"], ("base", "BnB", "AnB"), False),
    "pair": (["birds_cars"], GROUPS, True),
    "pretrained": (["whole"], ("base", "BnB", "BnB+", "PnB", "PnB+", "random"), False),
    "pretrained pair": (["birds_cars"], ("base", "BnB", "PnB", "PnB+"), True),
    "no selffers": (["random0"], ("base", "AnB", "AnB+"), False),
    "selffers alone": (["whole"], ("base", "BnB"), False),
    "no base": (["random0"], ("BnB", "AnB", "AnB+", "BnB+"), False),
    "drawn": (["random0", "random0_draw_1_per_class", "random0_draw_30_per_class"], ("base", "AnB", "AnB+"), False),
    "drawn pretrained": (["whole", "whole_draw_2_per_class"], ("base", "BnB", "PnB", "PnB+"), False),
}
DEPTHS = {"one unit": (1,), "one depth": (9,), "some of 60": (1, 20, 60)}
LABELS = {  # what names a kind of halves -> the partitions that may be called so
    "random halves": "random",
    "natural": "natman",
    "man-made": "natman",
    "near halves": "near",
    "far halves": "far",
    "all classes": "whole",
    "mine": "mine",
    "birds": "birds",
    "equal halves": "nothing",
}
BROKEN = re.compile(r"\bnan\b|NaN|None|\binf\b|-0\.0+\b|  |[^,.]\.\.|\( | \)|n = [\d, toand]*\bn = |\b(\w+) \1\b")


def study(kind, depths=(1, 4, 7), seeds=(0, 1, 2), truth=NOTHING, noise=0.2, **columns):
    """A results table of the kind whose networks lie `truth` points above base, halves of the depths each."""
    partitions, groups, pair = KINDS[kind]
    rng, shifts = np.random.default_rng(0), {}

    def score(group, target, depth, seed):
        """Each network's noise has the mean zero over three seeds, or over the two targets with one seed."""
        ends = truth.get(group, (0, 0))
        key = (group, depth) if len(seeds) == 1 else (group, depth, target)
        spread = (-1, 1) if len(seeds) == 1 else np.linspace(-1, 1, len(seeds))
        drawn = shifts.setdefault(key, rng.uniform(0.3, 1) * rng.permutation(spread))
        shift = drawn[int(target == "B") if len(seeds) == 1 else seeds.index(seed)]
        points = ends[int(depth > np.median(depths) or len(depths) == 1)] + noise * shift
        return 0.5 + 0.05 * (target == "B") + points / 100

    made = table(partitions, groups, depths, seeds, score=score, **{"val_images": 2000, **columns})
    names = {"A": "birds to cars", "B": "cars to birds"}
    return made.assign(pair=made["target"].map(names)) if pair else made


def told(made, folder):
    """All lines of text on a study."""
    results = loaded(made, folder)
    effects = effect_table(results)
    units_of(max(1, int(results["depth"].max()))).to_csv(folder / "units.csv", index=False)
    units = read_units(folder / "units.csv")
    found = findings(results, effects, statistics_table(results), unit_names(units))
    screen = glance(effects, units)
    marked = [row["n"] for one in screen["tables"] for row in one["rows"] if row["chosen"]]
    lines = [line for one in found for line in one["answer"].split("\n")] or [unanswered(results)]
    return {
        "answers": {one["question"]: one["answer"] for one in found},
        "advice": advice(effects, unit_names(units)),
        "lines": lines + advice(effects, unit_names(units)).split("\n"),
        "notes": [*(one["basis"] for one in found), *lacking(results, effects)],
        "titles": [one["title"] for one in screen["tables"]],
        "marked": marked,
        "effects": effects,
    }


def depths_named(text):
    """The depths that a text names."""
    named = {int(number) for number in re.findall(r"first (\d+) units", text)}
    named |= {1} if "the first unit" in text else set()
    for run in re.findall(r"n = (\d+(?:(?:, | and | to )\d+(?!\d|\.\d| (?:points|images|units)))*)", text):
        for part in re.split(", | and ", run):
            first, *last = map(int, part.split(" to "))
            named |= set(range(first, (last or [first])[0] + 1))
    return named


def check_words(made, found):
    """Nothing is named that the table lacks, and no sentence is broken or said twice in its line."""
    partitions, depths = set(made["partition"]), set(made["depth"]) - {0}
    groups = set(loaded_groups(made))
    for text in [*found["lines"], *found["titles"], *found["notes"]]:
        assert not BROKEN.search(text), text
        for label, family in LABELS.items():
            if label in text.lower() and "{partition: whole" not in text:
                assert any(name.startswith(family) for name in partitions), (label, text)
        if "birds" in "".join(partitions):
            assert "halves" not in text, text
        assert not (made["source"] == "pretrained").all() or "halves" not in text
    for text in found["lines"]:
        assert depths_named(text) <= depths, text
        without = re.sub(r"Without BnB\+?|control BnB\+\.|no BnB", "", text)
        assert set(re.findall(r"\b[ABP]nB\+?", without)) <= groups | ({"BnB"} if "BnB+" in groups else set()), text
        sentences = re.split(r"(?<=[.:]) (?=[A-Z])", text)
        assert len(sentences) == len(set(sentences)), text
        assert text.endswith((".", ":")) and re.match(r"[A-Z]|mine|birds|cars", text), text


def loaded_groups(made):
    return made.apply(
        lambda row: (
            "base"
            if row["treatment"] == "base"
            else ("P" if row["source"] == "pretrained" else "B" if row["source"] == row["target"] else "A")
            + "nB"
            + "+" * (row["treatment"] == "finetuned")
        ),
        axis=1,
    )
