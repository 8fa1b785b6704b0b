"""Every sentence of findings, advice, what a study lacks and the first screen, on studies of known truth."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from known_studies import BROKEN, DEPTHS, GAIN, KINDS, LOSS, NOTHING, check_words, loaded_groups, study, told
from odd_studies import diverged, table, where, with_statistics
from scipy.special import stdtrit

from workflow_scripts.results import effects as effects_room
from workflow_scripts.results.advice import TOLERANCE, advice, clearly_worse, depth_to_freeze
from workflow_scripts.results.effects import per_depth
from workflow_scripts.results.verdicts import at_most, depths_in_words, difference, hedge, number, verdict

CLAIM = re.compile(
    r"(lies|stays) (below|above)|dominates at|Yes, |No, |(?<!no measurable )gains? |Do not|already|learn at all"
    r"|is lost:|(lower|raise) [ABP]nB|(loses?|costs?) (?!0\.0)(?=\d)(?!1 point or less)|larger (between|from)"
    r"|end higher|adds \d|units (deeper|shallower)"
)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Student's intervals without the bootstrap, which takes long. No answer here is near an interval's end."""
    monkeypatch.setattr(effects_room, "mean_interval", student)


def student(samples, weights):
    centre = sum(weight * sample.mean() for weight, sample in zip(weights, samples, strict=True))
    parts = [weight**2 * sample.var(ddof=1) / len(sample) for weight, sample in zip(weights, samples, strict=True)]
    if sum(parts) < 1e-15:
        return np.nan, np.nan
    freedom = sum(parts) ** 2 / sum(part**2 / (len(sample) - 1) for part, sample in zip(parts, samples, strict=True))
    width = stdtrit(freedom, 0.975) * sum(parts) ** 0.5
    return centre - width, centre + width


PRODUCT = [*itertools.product(KINDS, DEPTHS, (0, 0.2), ((0,), (0, 1, 2)))]


@pytest.mark.parametrize(("kind", "depths", "noise", "seeds"), PRODUCT[::11])
def test_what_is_not_there_is_not_claimed(kind, depths, noise, seeds, tmp_path):
    made = study(kind, DEPTHS[depths], seeds, NOTHING, noise)
    found = told(made, tmp_path)
    check_words(made, found)
    for line in found["lines"]:
        assert not CLAIM.search(line), (CLAIM.search(line)[0], line)


def sentence(found, question, start=""):
    """The answer to a question that begins so, in the line that begins so."""
    answer = next((text for asked, text in found["answers"].items() if asked.startswith(question)), "")
    return next((line for line in answer.split("\n") if line.startswith(start)), "")


LARGE = [one for one in KINDS if one not in ("selffers alone", "no base", "drawn", "drawn pretrained")]


CASES = [(kind, ((0,), (0, 1, 2))[n % 2], LOSS) for n, kind in enumerate(LARGE)]
CASES += [(kind, seeds, GAIN) for kind, seeds, _ in CASES[::3]]


@pytest.mark.parametrize(("kind", "seeds", "truth"), CASES)
def test_what_is_large_is_said_with_its_sign_and_depth(kind, seeds, truth, tmp_path):
    """Frozen transfer changes 20 points at n = 60, fine-tuned transfer 12 at each depth, and BnB nothing."""
    made = study(kind, DEPTHS["some of 60"], seeds, truth)
    found, source = told(made, tmp_path), "PnB" if "pretrained" in kind else "AnB"
    check_words(made, found)
    loss, control = truth is LOSS, "base network" if kind == "no selffers" else "selffer control BnB"
    general = sentence(found, "From which depth")
    assert f"lies {'below' if loss else 'above'} the {control} at n = 60" in general
    assert "no lasting cost up to n = 20" in general if loss else "not lie measurably below" in general
    assert re.search(r"(20|19)\.\d points", general)
    if control != "base network":
        trouble = sentence(found, "Which trouble")
        assert ("Specialisation dominates at n = 60, where it costs " in trouble) == loss
        assert trouble.count("dominates") == loss and "above base" not in trouble
    if f"{source}+" in set(loaded_groups(made)):
        tuning = sentence(found, "Does fine-tuning")
        assert ("Yes, " if loss else "No, ") in tuning and f"is {'' if loss else '-'}1" in tuning
        assert found["advice"].count("Copy the first" if loss else "copied units loses") >= 1
    for line in found["advice"].split("\n"):
        wanted = "at most the first 20 units" if loss else "Freezing the first 60 units gains"
        assert wanted in re.sub(r" \((up to )?(conv|layer)[\d.]+\)", "", line), line
    assert set(found["marked"]) == ({20} if loss else {60})
    assert (
        not [line for line in found["lines"] if len(seeds) == 1 and "in these runs" not in line.lower() + line]
        or kind == "four tasks"
    )


@pytest.mark.parametrize("kind", ["pair", "first images"])
def test_other_things_than_the_distance_are_no_distance(kind, tmp_path):
    made = study(kind, (1, 4), (0,), LOSS)
    made.loc[made["target"] == "A", "top1_best10_mean"] -= 0.1 * (made["source"] != made["target"])
    assert "Does the distance between the tasks matter?" not in told(made, tmp_path)["answers"]


def test_the_two_nearest_of_three_kinds_are_not_told_apart(tmp_path):
    made = [study("distances", (1, 4), (0,), LOSS), study("natman", (1, 4), (0,), NOTHING)]
    text = told(pd.concat(made), tmp_path)["answers"]["Does the distance between the tasks matter?"]
    assert "largest" not in text and "smallest" not in text
    assert re.search("The loss is larger between (near|far) halves than between natural / man-made halves.", text)


def test_diverged_networks_are_named_in_no_answer_and_asked_for_by_no_line(tmp_path):
    made = study("random", (1, 4, 7), (0, 1, 2), LOSS)
    made = made[made["source"] != "random"]
    without = diverged(made, (made["source"] == made["target"]) & (made["depth"] > 0) | (made["depth"] == 7))
    found = told(without, tmp_path)
    assert not [line for line in found["lines"] if "n = 7" in line or "dominates" in line]
    assert not any("selffer: [" in note for note in found["notes"])
    nothing = told(diverged(made), tmp_path)
    assert nothing["lines"][0] == f"No network trained: all {len(made)} diverged. There is nothing to compare."


def test_a_careless_freeze_of_drawn_images_is_compared_with_its_own_number(tmp_path):
    """It was looked for among the effects of all images: an exception."""
    made = study("drawn", (1, 4), (0, 1, 2), NOTHING, 0)
    made = with_statistics(made, "batch", change=0.3)
    text = told(made, tmp_path)["answers"]["What do the norm statistics of frozen units change?"]
    line = next(line for line in text.split("\n") if line.startswith("Random halves, 30 drawn images a class"))
    assert "would have reported base - AnB as 30.0 points at n = 1, where it is 0.0." in line


def test_what_is_better_on_an_easier_target_alone_does_not_win(tmp_path):
    """Target B is far easier, and only there n = 4 was trained: it is 5 points worse than n = 1."""
    made = study("drawn", (1, 4), (0, 1, 2), {"AnB": (5, 0)})
    harder = (made["target"] == "A") & (made["partition"] == "random0_draw_1_per_class")
    made.loc[harder, "top1_best10_mean"] -= 0.3
    lines = told(made[~(harder & (made["depth"] == 4))], tmp_path)["answers"]
    one = next(text for question, text in lines.items() if question.startswith("With few")).split("\n")[1]
    assert one.startswith("With 1 image of each class: freeze the first unit (conv1).")


def test_which_n_is_best_is_undecided_where_no_n_differs(tmp_path):
    made = study("drawn", (1, 4), (0,), NOTHING, 0)
    few = where(made, partition="random0_draw_1_per_class", depth=4, treatment="frozen")
    made.loc[few, "top1_best10_mean"] += 0.001
    lines = told(made, tmp_path)["answers"]
    last = next(text for question, text in lines.items() if question.startswith("With few")).split("\n")[-1]
    assert last.startswith("Freezing does best at n = 4 with 1 image, n = 1 and 4 with 30 and all images.")
    assert last.endswith("undecided: at either number, freezing does not differ measurably between these n.")


def test_the_whole_dataset_is_named_once(tmp_path):
    made = table(["whole"], ("base", "BnB"), score=lambda *_: 0.5, classes=10, majority_share=0.45)
    assert told(made, tmp_path)["answers"]["Does the largest class explain a score?"].startswith("whole: 45.0 % of")


@pytest.mark.parametrize(
    ("depths", "words"),
    [
        ([7], "n = 7"),
        ([2, 1], "n = 1 and 2"),
        (range(1, 61), "n = 1 to 60"),
        (range(1, 60, 3), "n = 1, 4, ..., 58"),
        ([1, 2, 3, 7, 9, 10], "n = 1 to 3, 7, 9 and 10"),
    ],
)
def test_depths_in_a_row_are_a_range(depths, words):
    assert depths_in_words(depths) == words


def rows(points, halves="random halves"):
    """Effects of these points, half widths of intervals (None for none) and noise by depth."""
    made = pd.DataFrame(points, columns=["points", "width", "noise_points"]).astype(float)
    made = made.assign(low=made["points"] - made["width"], high=made["points"] + made["width"], halves=halves)
    return made.assign(layers=[str(depth) for depth in range(1, len(made) + 1)], interval="none: too few runs (1 seed)")


def test_advice_claims_nothing_of_undecided_depths():
    drops = rows([(-3, 1, 0.2), (-4, 9, 0.2)]).assign(effect="total_drop")  # the second gains more, or loses
    assert "Freezing the first unit gains 3.0 points" in advice(drops)
    assert "the most of all depths" not in advice(drops)
    alike = rows([(-3, 0.8, 0.2), (-3.1, 0.8, 0.2)]).assign(effect="total_drop")
    assert "the most of all depths" not in advice(alike)
    boosts = rows([(-1, 0.5, 0.2), (-1.5, 9, 0.2)]).assign(effect="boost_over_base")
    assert "brought no measurable gain. The best is -1.0 points" in advice(boosts)
    assert "It loses at n = 1." in advice(boosts)
    alone = advice(boosts.iloc[:1])
    assert "Fine-tuning copied units loses 1.0 points (0.5 to 1.5), at n = 1." in alone


EFFECT = st.tuples(
    st.floats(-30, 30).map(lambda value: round(value, 1)),
    st.none() | st.floats(0.1, 10),
    st.sampled_from([0.2, 2, np.nan]),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@example([(value / 3 - 8, 1.0 + value % 3, 0.2) for value in range(60)], True, True)
@given(st.lists(EFFECT, min_size=1, max_size=12), st.booleans(), st.booleans())
def test_no_advice_is_on_a_depth_that_another_beats(points, certain, pretrained):
    """With intervals of all or of some depths, and one to sixty units."""
    points = [(value, width or 1.0, noise) for value, width, noise in points] if certain else points
    halves = f"random halves{', pretrained source' * pretrained}"
    effects = pd.concat([rows(points, halves).assign(effect=one) for one in ("total_drop", "boost_over_base")])
    text, drops = advice(effects), per_depth(effects, "total_drop", halves)
    assert not BROKEN.search(text), text
    chosen = depth_to_freeze(drops)
    if chosen is not None:
        assert f"{'the first unit' if chosen == 1 else f'the first {chosen} units'}" in text
        assert at_most(drops.loc[chosen], TOLERANCE)
        gaps = [difference(drops.loc[chosen], drop) for _, drop in drops.iterrows()]
        assert not any(verdict(gap) == 1 and gap["points"] > TOLERANCE for gap in gaps)
        if "at most" in text:
            assert not clearly_worse(drops) & set(range(1, chosen))
    boosts = per_depth(effects, "boost_over_base", halves)
    if "the most of all depths" in text:
        best = drops.loc[int(re.search(r"Freezing the first (\d+|unit)", text)[1].replace("unit", "1")), "points"]
        assert (drops["points"] > best).sum() == len(drops) - 1 > 0
    if "loses at every depth" in text:
        assert all(verdict(boost) == -1 for _, boost in boosts.iterrows())
    copied = re.search(r"Copy the first (?:(\d+) units|unit) and", text)
    if copied:
        best = boosts.loc[int(copied[1] or 1)]
        assert verdict(best) == 1
        sure = boosts[[verdict(boost) == 1 for _, boost in boosts.iterrows()]]
        assert not any(verdict(difference(boost, best)) == 1 for _, boost in sure.iterrows())
    else:
        assert not any(verdict(boost) == 1 for _, boost in boosts.iterrows())
    if "Freeze no unit" in text or "already costs" in text:
        assert all(verdict(drop) == 1 or drop["points"] > 0 for _, drop in drops.iterrows())
    for found in re.findall(r"Freezing the first (?:(\d+) units|unit) costs", text):
        assert verdict(drops.loc[int(found or 1)]) == 1


def test_numbers_that_count_do_not_look_like_zero():
    told = rows([(0.03, 0.01, np.nan), (0.8, 0.77, np.nan), (0.03, 0.04, np.nan)])
    said = [number(effect) for _, effect in told.iterrows()]
    assert said == ["0.03 points (0.02 to 0.04)", "0.80 points (0.03 to 1.57)", "0.0 points (0.0 to 0.1)"]


def test_what_answers_rest_on_names_each_kind_of_interval_and_chance():
    made = rows([(1, 1, 1)] * 40).assign(interval=["over 3 target tasks"] * 20 + ["over 4 target tasks"] * 20)
    assert "intervals over 3 target tasks or over 4 target tasks. Of 40 differences, 2 may count by chance." in hedge(
        made
    )


def test_of_equal_costs_the_shallowest_depth_is_named():
    drops = pd.concat([rows([(2 + 1e-13, 0.5, 1), (2, 0.4, 1)]).assign(effect="total_drop")])
    assert advice(drops).endswith("Freeze no unit. Freezing n = 1 already costs 2.0 points (1.5 to 2.5).")
