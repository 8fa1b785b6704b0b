"""Which learning rate is reported, on built tables with known answers."""

import numpy as np
import pandas as pd
import pytest
from odd_studies import diverged, loaded, table, where

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.report.figures.rates import plot_rates
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.findings import findings
from workflow_scripts.results.rate_words import chosen_in_words
from workflow_scripts.results.rates import chosen_rates, rate_table, read_rates
from workflow_scripts.results.table import missing_networks, read_results
from workflow_scripts.study.columns import HELD_OUT, SCORE

GROUPS = ("base", "BnB", "AnB", "AnB+")
QUESTION = "Which learning rates were chosen?"


def with_rates(held_out, treatment="finetuned", seeds=(0, 1)):
    """A study whose networks of `treatment` have these rates, with held-out accuracies by rate, or by depth and rate.

    The validation accuracy of a rate is its number in hundredths, whatever the held-out one is.
    """
    made = table(["random0"], GROUPS, seeds=seeds).assign(learning_rate="0.02", **{HELD_OUT: 0.5})
    several, others = made[made["treatment"] == treatment], made[made["treatment"] != treatment]
    rows = [others]
    for number, (rate, accuracy) in enumerate(held_out.items()):
        accuracies = [accuracy.get(depth, 0) if isinstance(accuracy, dict) else accuracy for depth in several["depth"]]
        rows.append(several.assign(learning_rate=rate, **{HELD_OUT: accuracies, SCORE: number / 100}))
    return pd.concat(rows, ignore_index=True)


def read(made, folder):
    made.to_csv(folder / "results.csv", index=False)
    return read_results(folder / "results.csv")


def test_the_rate_that_is_best_on_held_out_images_is_chosen_whatever_validation_says(tmp_path):
    results = read(with_rates({"0.1": 0.6, "0.01": 0.8, "0.001": 0.7}), tmp_path)
    chosen = rate_table(results)[lambda rows: rows["chosen"]]
    assert set(chosen["learning_rate"]) == {"0.01"}
    assert set(chosen["treatment"]) == {"finetuned"}  # the others have one rate
    assert len(chosen) == 2 * 3  # targets and depths
    assert chosen["held_out"].tolist() == pytest.approx([80] * 6)
    assert chosen["top1"].tolist() == pytest.approx([1] * 6)
    left = chosen_rates(results)
    assert set(left.loc[left["treatment"] == "finetuned", "learning_rate"]) == {"0.01"}
    assert len(left) == len(table(["random0"], GROUPS, seeds=(0, 1)))


def test_each_depth_has_its_own_and_the_mean_over_seeds_decides(tmp_path):
    made = with_rates({"0.1": {1: 0.9, 4: 0.5, 7: 0.5}, "1e-05": {1: 0.1, 4: 0.6, 7: 0.6}})
    first_seed = where(made, learning_rate="0.1", seed=0, depth=7)
    made.loc[first_seed, HELD_OUT] = 0.8  # its mean is now 0.65
    results = loaded(made, tmp_path)
    tuned = results[results["group"] == "AnB+"]
    assert tuned.groupby("depth")["learning_rate"].unique().map(list).to_dict() == {
        1: ["0.1"],
        4: ["1e-05"],
        7: ["0.1"],
    }
    text = next(
        one
        for one in findings(results, effect_table(results), rates=rate_table(read_results(tmp_path / "results.csv")))
        if one["question"] == QUESTION
    )
    assert "random0, B to A, finetuned: 1e-05 at n = 4, 0.1 at n = 1 and 7." in text["answer"]
    assert "Validation images choose nothing." in text["basis"]


def test_of_equal_rates_the_lowest_is_chosen_and_a_diverged_network_is_always_wrong(tmp_path):
    equal = rate_table(read(with_rates({"0.1": 0.6, "0.003": 0.6}), tmp_path))
    assert set(equal.loc[equal["chosen"], "learning_rate"]) == {"0.003"}
    made = with_rates({"0.1": 0.9, "0.003": 0.4})
    failed = rate_table(read(diverged(made, where(made, learning_rate="0.1", seed=0, depth=4)), tmp_path))
    chosen = failed[failed["chosen"]]
    assert chosen.groupby("depth")["learning_rate"].unique().map(list).to_dict() == {1: ["0.1"], 4: ["0.1"], 7: ["0.1"]}
    assert failed.loc[failed["chosen"] & (failed["depth"] == 4), "held_out"].tolist() == pytest.approx([45, 45])
    assert failed.loc[failed["chosen"] & (failed["depth"] == 4), "diverged"].tolist() == [1, 1]


def test_rates_of_base_networks_decide_what_others_are_compared_with(tmp_path):
    results = loaded(with_rates({"0.1": 0.6, "0.01": 0.8}, "base"), tmp_path)
    assert (results["group"] == "base").sum() == 4
    assert set(results["base"]) == {0.01}


def test_rates_of_base_networks_are_named_where_base_is_compared_with_copies(tmp_path):
    results = loaded(with_rates({"0.1": 0.6, "0.01": 0.8}, "base"), tmp_path)
    rates = rate_table(read_results(tmp_path / "results.csv"))
    basis = {one["question"]: one["basis"] for one in findings(results, effect_table(results), rates=rates)}
    assert "Copied units come from those of the first rate" in basis["Which trouble dominates where?"]
    others = rates[rates["treatment"] != "base"]
    basis = {one["question"]: one["basis"] for one in findings(results, effect_table(results), rates=others)}
    assert "first rate" not in basis["Which trouble dominates where?"]


def test_findings_on_drawn_images_say_that_some_choose_a_rate(tmp_path):
    made = with_rates({"0.1": 0.6, "0.01": 0.8})
    drawn = pd.concat([made, made.assign(partition="random0_draw_5_per_class")])
    for several in (True, False):
        drawn = drawn if several else drawn[drawn["learning_rate"] != "0.01"].assign(**{HELD_OUT: None})
        results = loaded(drawn, tmp_path)
        basis = {one["question"]: one["basis"] for one in findings(results, effect_table(results))}
        assert (
            "are held out to choose learning rates" in next(rests for asked, rests in basis.items() if "few" in asked)
        ) == several


def test_a_rate_of_its_own_for_each_seed_is_no_choice(tmp_path):
    made = with_rates({"0.1": 0.6})
    made.loc[made["seed"] == 1, "learning_rate"] = "0.3"
    results = read(made, tmp_path)
    assert rate_table(results).empty
    assert len(chosen_rates(results)) == len(made)


@pytest.mark.parametrize("missing", ["column", "all", "one"])
def test_rates_among_which_nothing_can_choose_are_refused(tmp_path, missing):
    made = with_rates({"0.1": 0.6, "0.01": 0.8})
    if missing == "column":
        made = made.drop(columns=HELD_OUT)
    else:
        made.loc[slice(None) if missing == "all" else made.index[-1:], HELD_OUT] = np.nan
    said = r"results.csv line \d+: the network \(random0, .*\) has several .*, but not always a held_out_top1"
    with pytest.raises(InputError, match=said):
        read(made, tmp_path)
    one = made[made["learning_rate"] != "0.01"]
    assert len(read(one, tmp_path)) == len(one)


@pytest.mark.parametrize("rate", ["", "0.5"])
def test_seeds_of_different_rates_are_refused(tmp_path, rate):
    made = with_rates({"0.1": 0.6, "0.01": 0.8})
    made.loc[where(made, learning_rate="0.01", seed=1), "learning_rate"] = rate
    with pytest.raises(InputError, match="values of learning_rate, but not the same in each seed, or an empty one"):
        read(made, tmp_path)


def test_a_rate_that_is_written_in_two_ways_is_one(tmp_path):
    with pytest.raises(InputError, match="it names a network a second time"):
        read(with_rates({"0.1": 0.6, "0.10": 0.8}), tmp_path)
    assert set(read(with_rates({"1e-1": 0.6}), tmp_path)["learning_rate"]) == {"0.02", "0.1"}


def test_variants_have_their_names_though_base_networks_have_one_rate(tmp_path):
    made = with_rates({"0.1": 0.6, "0.01": 0.8}, "frozen").assign(init="he")
    other = made[made["depth"] > 0].assign(init="caffe")
    tried = rate_table(read(pd.concat([made, other]), tmp_path))
    assert set(tried["variant"]) == {"", "caffe init"}
    said = [text for _, text, _ in chosen_in_words(tried)]
    assert len(said) == len({text.split(":")[0] for text in said})


def test_a_study_of_one_rate_has_no_such_table(tmp_path):
    results = read(with_rates({"0.02": 0.6}), tmp_path)
    assert rate_table(results).empty
    assert chosen_rates(results) is results
    plain = read(table(), tmp_path)
    assert rate_table(plain).empty
    for none in (rate_table(plain), rate_table(results)):
        assert list(chosen_in_words(none)) == []
    assert missing_networks(read(with_rates({"0.1": 0.6, "0.01": 0.8}), tmp_path)) == []


def titles_of(made):
    return [axes.get_title() for axes in plot_rates(made).axes if axes.get_title()]


@pytest.mark.parametrize("treatment", ["finetuned", "base"])
def test_the_figure_has_a_panel_for_each_curve(tmp_path, treatment):
    made = rate_table(read(with_rates({"0.1": 0.6, "0.01": 0.8}, treatment), tmp_path))
    made.to_csv(tmp_path / "rates.csv", index=False)
    back = read_rates(tmp_path / "rates.csv")
    pd.testing.assert_frame_equal(back, made, check_dtype=False)
    wanted = {"finetuned": ["random0:\nB to A, finetuned", "random0:\nA to B, finetuned"]}
    assert titles_of(back) == wanted.get(treatment, ["random0:\nbase network of A", "random0:\nbase network of B"])
    plot_rates(made.iloc[:0])


def with_variants(folder):
    """The rate_table of frozen curves of four variants, of which each has its own best rate, and of base networks."""
    best = {"": "0.1", "1 preserved": "0.01", "batch statistics": "0.001", "caffe init": "1e-05"}
    plain = table(["random0"], ("base", "base twice", "AnB"), seeds=(0,), targets="B")
    frozen = plain[plain["treatment"] == "frozen"]
    made = {"": plain, "1 preserved": frozen.assign(preserve=1)}
    made |= {"batch statistics": frozen.assign(norm_statistics="batch"), "caffe init": frozen.assign(init="caffe")}
    rows = [
        rows.assign(learning_rate=rate, **{HELD_OUT: 0.6 + 0.2 * (rate == best[variant])})
        for variant, rows in made.items()
        for rate in best.values()
    ]
    made = pd.concat(rows, ignore_index=True)
    twice = made["treatment"] == "base_twice"
    made.loc[twice, HELD_OUT] = 0.1 + 0.2 * (made.loc[twice, "learning_rate"] == "1e-05")
    return rate_table(read(made, folder))


def test_each_variant_is_a_panel_and_none_is_a_zigzag(tmp_path):
    figure = plot_rates(with_variants(tmp_path))
    panels = {axes.get_title().removeprefix("random0:\n"): axes for axes in figure.axes if axes.get_title()}
    assert list(panels) == [
        *("base network of B", "base network of B, trained twice as long", "A to B, frozen"),
        *(f"A to B, frozen, {variant}" for variant in ("1 preserved", "batch statistics", "caffe init")),
    ]
    for name, axes in panels.items():
        lines = [list(line.get_xdata()) for line in axes.get_lines() if line.get_linestyle() == "-"]
        drawn = [line for line in lines if line]
        assert drawn == ([] if name.startswith("base") else [[1, 4, 7]] * 4)


def test_sentences_name_every_variant_and_length_with_its_own_rate(tmp_path):
    said = [text for _, text, _ in chosen_in_words(with_variants(tmp_path))]
    depths = "at n = 1, 4 and 7."
    assert said == [
        "random0, base network of B: 0.1.",
        "random0, base network of B, trained twice as long: 1e-05.",
        f"random0, A to B, frozen: 0.1 {depths}",
        f"random0, A to B, frozen, 1 preserved: 0.01 {depths}",
        f"random0, A to B, frozen, batch statistics: 0.001 {depths}",
        f"random0, A to B, frozen, caffe init: 1e-05 {depths}",
    ]


def test_a_mean_with_diverged_networks_has_a_cross(tmp_path):
    made = with_rates({"0.1": 0.9, "0.003": 0.4})
    failed = rate_table(read(diverged(made, where(made, learning_rate="0.1", seed=0, depth=4, target="A")), tmp_path))
    figure = plot_rates(failed)
    crosses = [line for axes in figure.axes for line in axes.get_lines() if line.get_marker() == "x"]
    assert [(list(line.get_xdata()), list(line.get_ydata())) for line in crosses] == [([4], [45])]
    assert "has diverged networks, which count as 0 %" in [text.get_text() for text in figure.legends[0].get_texts()]
