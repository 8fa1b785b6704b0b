"""The table of probes, its means and the cut, and what the findings say of them."""

import math

import pandas as pd
import pytest
from made_up_probes import accuracy, diverged, every_source, few_images, loaded, probe_rows, table
from odd_studies import loaded as loaded_results
from odd_studies import table as results_table

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.findings import findings
from workflow_scripts.results.groups import load_results
from workflow_scripts.results.probes import (
    TOGETHER,
    best_cut,
    cheapest_cut,
    depth_table,
    diverged_probes,
    probe_sets,
    with_most_images,
)
from workflow_scripts.study.columns import RESULT_COLUMNS

pytestmark = pytest.mark.filterwarnings("error")
CUT, LAST = "Where should the network be cut", "Is the last unit"
TOGETHER_ASKED, ABOVE = "Are the features of all units together", "What does training the units above"
UNTRAINED, FEW = "Does a linear classifier need trained", "With few target images: where"


def no_networks(folder):
    """A study without any network, as load_results gives it."""
    (folder / "empty.csv").write_text(",".join(RESULT_COLUMNS) + "\n")
    return load_results(folder / "empty.csv")


def asked(made, folder, results=None):
    """The findings by question."""
    results = no_networks(folder) if results is None else loaded_results(results, folder)
    return findings(results, effect_table(results), probes=loaded(made, folder))


def answer(found, start):
    return next((one["answer"] for one in found if one["question"].startswith(start)), None)


def only_table(made, folder):
    (one,) = probe_sets(loaded(made, folder))
    return depth_table(one.rows)


def test_sets_are_named_as_groups_of_networks_with_most_images_first(tmp_path):
    probes = loaded(table(*every_source(), *few_images(seeds=(0,))), tmp_path)
    found = [(one.halves, one.group, one.amount) for one in probe_sets(probes)]
    halves = [("random halves", group, math.inf) for group in ("PnB", "AnB", "BnB", "random")]
    drawn = [("all classes", group, amount) for group in ("PnB", "random") for amount in (math.inf, 5, 1)]
    assert found == halves + drawn
    most = [(one.halves, one.group, one.amount) for one in with_most_images(probes)]
    assert most == [*halves, ("all classes", "PnB", math.inf), ("all classes", "random", math.inf)]
    assert {len(one.rows) for one in probe_sets(probes)} == {18, 9}


def test_a_table_without_a_column_is_refused(tmp_path):
    with pytest.raises(InputError, match="it has no column 'top1_low'"):
        loaded(table(probe_rows()).drop(columns="top1_low"), tmp_path)


def test_held_out_images_choose_the_cut_and_validation_images_do_not(tmp_path):
    made = table(probe_rows(held_out=lambda source, depth, seed: 0.5 + 0.1 * (depth in (3, 4))))
    assert best_cut(only_table(made, tmp_path)) == 3  # the shallowest of equals
    assert best_cut(only_table(made.assign(top1=1 - made["top1"]), tmp_path)) == 3
    chosen = only_table(table(probe_rows()), tmp_path)
    assert best_cut(chosen) == 6  # all units together are better, but no depth
    assert chosen.loc[TOGETHER, "held_out"] > chosen.loc[6, "held_out"]
    assert best_cut(only_table(table(probe_rows(held_out_top1=None)), tmp_path)) is None


def test_the_cut_is_of_the_mean_over_seeds(tmp_path):
    def held_out(source, depth, seed):
        return {0: 0.9 * (depth == 2), 1: 0.5 * (depth == 3), 2: 0.5 * (depth == 3)}[seed]

    made = table(*(probe_rows(seed=seed, held_out=held_out) for seed in range(3)))
    assert best_cut(only_table(made, tmp_path)) == 3


def test_the_cheapest_cut_costs_at_most_a_point_of_held_out_accuracy(tmp_path):
    for cost, cheapest in ((0.011, 5), (0.009, 2)):
        made = table(
            probe_rows(
                held_out=lambda _, depth, seed, cost=cost: 0.8 - cost * (depth == 2) - 0.1 * (depth not in (2, 5))
            )
        )
        found = only_table(made, tmp_path)
        assert (best_cut(found), cheapest_cut(found, 5)) == (5, cheapest)


def test_intervals_are_over_seeds_only_where_these_are_runs(tmp_path):
    three = [probe_rows(seed=seed) for seed in range(3)]
    same = only_table(table(*three), tmp_path)
    assert set(same["interval"]) == {"over validation images"}
    assert same.loc[6, "high"] - same.loc[6, "points"] == pytest.approx(1.2)
    drawn = only_table(table(*few_images(amounts=(5,)))[lambda made: made["source"] == "pretrained"], tmp_path)
    assert set(drawn["interval"]) == {"over 3 seeds of this target task only"}
    two = only_table(table(*few_images(seeds=(0, 1), amounts=(5,)))[lambda made: made["source"] == "random"], tmp_path)
    assert set(two["interval"]) == {"over validation images"}
    assert two.loc[1, "points"] == pytest.approx(100 * two_seeds(two), abs=0.01)


def two_seeds(found):
    loss = 0.3 / 5**0.5
    return sum(accuracy("random", 1, seed) * (1 - loss) - loss / 20 for seed in (0, 1)) / 2


def test_the_answer_names_unit_accuracy_and_gap(tmp_path):
    found = asked(table(probe_rows()), tmp_path)
    assert found[0]["question"].startswith(CUT)
    assert found[0]["answer"] == (
        "Cut after layer3.0 (n = 6): 90.0 % (88.8 to 91.2) with a linear classifier, against 84.0 % at the last unit"
        " (4.8 to 7.2 points better)."
    )
    assert "over validation images" in found[0]["basis"] and "never on validation images" in found[0]["basis"]
    assert answer(found, LAST).startswith("No. The cut after layer3.0 (n = 6) lies 6.0 points (4.8 to 7.2) above")
    assert "Undecided. All units together reach 91.0 %" in answer(found, TOGETHER_ASKED)
    assert [answer(found, start) for start in (ABOVE, UNTRAINED, FEW)] == [None] * 3


def test_a_shallower_cut_within_a_point_is_named_with_its_cost(tmp_path):
    made = table(probe_rows(score=lambda _, depth, seed: 0.9 - 0.1 * max(0, 4 - depth) + 0.001 * min(depth, 7)))
    text = answer(asked(made, tmp_path), CUT)
    assert "is after layer2.0 (n = 4): 90.4 % (89.2 to 91.6), for 44 % of the multiplications." in text


@pytest.mark.parametrize(
    ("gap", "start"),
    [(0.02, "No. "), (0.005, "Undecided. "), (-0.02, "Yes. The last unit lies 2.0 points (0.8 to 3.2) above")],
)
def test_the_last_unit_is_judged_only_by_an_interval_without_zero(gap, start, tmp_path):
    rows = probe_rows(
        score=lambda _, depth, seed: 0.5 + gap * (depth == 3) - 0.1 * (depth in (1, 2)),
        held_out=lambda _, depth, seed: 0.5 + 0.1 * (depth == 3),
    )
    assert answer(asked(table(rows), tmp_path), LAST).startswith(start)


def test_a_last_unit_that_is_chosen_is_compared_with_the_next_best(tmp_path):
    found = asked(table(probe_rows(depths=6)), tmp_path)
    assert (
        answer(found, CUT)
        == "Cut after layer3.0 (n = 6), the last unit: 90.0 % (88.8 to 91.2) with a linear classifier."
    )
    assert answer(found, LAST) == "Yes. The next best, layer2.1 (n = 5), lies 10.0 points (8.8 to 11.2) below it."
    assert "from the best cut, after layer3.0 (n = 6): 1.0 points (-0.2 to 2.2)." in answer(found, TOGETHER_ASKED)


@pytest.mark.parametrize(("together", "start"), [(0.95, "Yes. "), (0.91, "Undecided. "), (0.85, "No. ")])
def test_all_units_together_are_judged_beside_the_best_cut(together, start, tmp_path):
    made = table(probe_rows(score=lambda _, depth, seed: together if depth == TOGETHER else accuracy(_, depth, seed)))
    assert answer(asked(made, tmp_path), TOGETHER_ASKED).startswith(start)


def test_each_source_has_a_line_and_frozen_networks_stand_beside(tmp_path):
    scores = {"PnB": 0.95, "AnB": 0.83, "BnB": 0.8}
    results = results_table(
        ["random0"],
        ("base", "AnB", "BnB", "PnB"),
        (3, 6),
        score=lambda group, *_: scores.get(group, 0.7),
        val_images=1000,
    )
    found = asked(table(*every_source()), tmp_path, results)
    lines = answer(found, CUT).split("\n")
    starts = [
        "the pretrained network",
        "the base network of the other task (AnB)",
        "the target's own base network (BnB)",
    ]
    assert [line.split(": ")[0] for line in lines] == [f"Random halves, {start}" for start in starts]
    gains = answer(found, ABOVE).split("\n")
    assert (
        "linear classifier reaches 90.0 %. Training the units above reaches 95.0 % (frozen PnB). This gains 5.0"
        in gains[0]
    )
    assert "differ measurably: 0.5 points" in gains[1] and "This loses 2.5 points" in gains[2]
    assert answer(found, UNTRAINED).count("at every n") == 3


def test_depths_where_untrained_features_are_as_good_are_named(tmp_path):
    jobs = [
        probe_rows(source=source, score=lambda source, depth, seed: 0.3 + 0.1 * (source == "pretrained" and depth > 2))
        for source in ("pretrained", "random")
    ]
    text = answer(asked(table(*jobs), tmp_path), UNTRAINED)
    assert "but not measurably at n = 1 and 2." in text
    assert "10.0 points at n = 3 and 10.0 points at n = 8" in text


def test_each_number_of_images_has_its_cut(tmp_path):
    found = asked(table(*few_images()), tmp_path)
    assert answer(found, CUT).startswith("Cut after layer3.0 (n = 6): 90.3 %")  # of all images
    title, one, five, every = answer(found, FEW).split("\n")
    assert title == "All classes, the pretrained network:"
    assert one.startswith("With 1 image of each class: nothing can be held out of one image a class")
    assert "The features of layer4.0 (n = 8) give" in one
    assert five.startswith("With 5 images of each class: cut after layer3.0 (n = 6): 74.2 %")
    assert every.startswith("With all images: cut after layer3.0 (n = 6): 90.3 %")
    found = asked(table(*few_images(amounts=(1, 5, 10, None))), tmp_path)
    basis = next(one["basis"] for one in found if one["question"].startswith(FEW))
    assert basis.startswith("With 1 image of each class: The ranges")
    assert "With 5 and 10 images of each class: The cut and each penalty were chosen" in basis
    alone = answer(asked(table(*few_images(amounts=(30,))), tmp_path), CUT)
    assert alone.startswith("30 drawn images a class: Cut after layer3.0 (n = 6)")


def test_diverged_probes_are_named_and_never_chosen(tmp_path):
    made = table(probe_rows())
    some = diverged(made, made["depth"].isin([6, 8]))
    text = answer(asked(some, tmp_path), CUT)
    assert text.startswith("Cut after layer3.1 (n = 7)")
    assert text.endswith("Features that are not finite gave no classifier at n = 6 and 8.")
    assert "at the last unit" not in text
    assert diverged_probes(loaded(some, tmp_path))[0] == (
        "probe of whole, pretrained to whole, seed 0, n = 6 (layer3.0): its features are not finite"
    )
    found = asked(diverged(made, made["seed"] == 0), tmp_path)
    assert answer(found, CUT) == "No unit has finite features. There is no cut to advise."
    assert len(found) == 1


def test_no_answer_has_a_number_that_is_none(tmp_path):
    odd = [
        table(*few_images(amounts=(1,))),
        table(probe_rows(depths=1)),
        table(probe_rows(source="random")),
        table(probe_rows()).assign(
            last_gap_low=None, last_gap_high=None, together_gap_low=None, together_gap_high=None
        ),
        table(probe_rows(parameters_share=None, multiplications_share=None, milliseconds=None)),
        table(probe_rows())[lambda made: made["depth"].notna()],
    ]
    for made in odd:
        found = asked(made, tmp_path)
        assert found and not any("nan" in one["answer"] + one["basis"] for one in found)


def test_probes_without_networks_are_no_study_of_curves(tmp_path):
    results = no_networks(tmp_path)
    assert results.empty and list(results["group"].str.startswith("PnB")) == []
    assert isinstance(effect_table(results), pd.DataFrame) and effect_table(results).empty
