"""The two troubles on built tables with known answers, and how often the intervals hold the truth."""

import numpy as np
import pandas as pd
import pytest
from helpers import ROOT
from odd_studies import loaded, table

from workflow_scripts.results.effects import deepest_range, depth_ranges, effect_table, kinds_of_halves, per_depth
from workflow_scripts.results.groups import load_results
from workflow_scripts.results.intervals import mean_interval

PUBLISHED = ROOT / "configs" / "published_results.csv"
COADAPTATION = {1: 0.0, 4: 0.04, 7: 0.01}
SPECIALISATION = {1: 0.0, 4: 0.01, 7: 0.08}


def built(tmp_path, partitions=("random0", "random1"), seeds=(0,), noise=0.0, val_images=None):
    """A results table with the effects above, +0.02 for AnB+, +0.015 for BnB+, harder B halves, and noise."""
    rng = np.random.default_rng(1)
    rows = []
    for number, partition in enumerate(partitions):
        for target, other in ("AB", "BA"):
            for seed in seeds:
                base = 0.6 - 0.05 * (target == "B") + 0.01 * number + noise * rng.normal()
                rows.append((partition, target, target, 0, "base", seed, base))
                for depth, lost in COADAPTATION.items():
                    selffer, specialised = base - lost, base - lost - SPECIALISATION[depth]
                    for source, treatment, score in (
                        (target, "frozen", selffer),
                        (other, "frozen", specialised),
                        (target, "finetuned", base + 0.015),
                        (other, "finetuned", base + 0.02),
                    ):
                        score += noise * rng.normal()
                        rows.append((partition, source, target, depth, treatment, seed, score))
    columns = ["partition", "source", "target", "depth", "treatment", "seed", "top1_best10_mean"]
    table = pd.DataFrame(rows, columns=columns)
    if val_images:
        table["val_images"] = val_images
    table.to_csv(tmp_path / "built.csv", index=False)
    return load_results(tmp_path / "built.csv")


def points(table, effect, column="points"):
    return list(per_depth(table, effect, "random halves")[column])


def test_the_effects_are_told_apart(tmp_path):
    table = effect_table(built(tmp_path))
    assert points(table, "coadaptation") == pytest.approx([0, 4, 1])
    assert points(table, "specialisation") == pytest.approx([0, 1, 8])
    assert points(table, "dominance") == pytest.approx([0, -3, 7])
    assert points(table, "total_drop") == pytest.approx([0, 5, 9])
    assert points(table, "recovery") == pytest.approx([2, 7, 11])
    assert points(table, "boost_over_base") == pytest.approx([2, 2, 2])
    assert points(table, "boost_over_selffer") == pytest.approx([0.5, 0.5, 0.5])
    assert points(table, "specialisation", "unpaired_points") == pytest.approx([0, 1, 8])
    ranges = table[(table["effect"] == "specialisation") & table["layers"].str.contains("-")]
    assert dict(zip(ranges["layers"], ranges["points"], strict=True)) == pytest.approx({"1-7": 3, "3-7": 4.5})


@pytest.mark.parametrize(
    ("depths", "ranges"),
    [
        (range(1, 8), ["1-7", "3-7", "5-7"]),  # the paper's
        ([1, 4, 7], ["1-7", "3-7", "5-7"]),
        (range(1, 11), ["1-10", "4-10", "7-10"]),
        ([2], ["1-2"]),
        ([1], []),
        ([], []),
    ],
)
def test_ranges_of_depths_are_the_papers_for_any_number_of_units(depths, ranges):
    found = [f"{first}-{last}" for first, last in depth_ranges(depths)]
    assert found == ranges
    if ranges:
        assert deepest_range([*map(str, depths), *reversed(found)]) == ranges[0]


def test_a_pretrained_source_takes_the_place_of_the_other_half(tmp_path):
    """PnB costs 0.8 points a unit, AnB 1 point; both have the same controls."""
    groups = ("base", "BnB", "BnB+", "AnB", "PnB", "PnB+", "random")
    made = table(["random0", "whole"], groups, depths=(1, 4, 10), score=None)
    effects = effect_table(loaded(made, tmp_path))
    assert list(kinds_of_halves(effects)) == [
        "random halves",
        "random halves, pretrained source",
        "all classes, pretrained source",
    ]
    for halves, cost in (("random halves", 1), ("random halves, pretrained source", 0.8)):
        assert list(per_depth(effects, "specialisation", halves)["points"]) == pytest.approx(
            [cost, 4 * cost, 10 * cost]
        )
        assert list(per_depth(effects, "coadaptation", halves)["points"]) == pytest.approx([0, 0, 0])
    ends = effects[(effects["halves"] == "all classes, pretrained source") & (effects["layers"] == "10")]
    points = dict(zip(ends["effect"], ends["points"], strict=True))
    assert points["total_drop"] == pytest.approx(8)
    assert points["boost_over_base"] == pytest.approx(2)
    assert points["boost_over_selffer"] == pytest.approx(0)
    assert points["random_drop"] == pytest.approx(50)
    assert "boost_over_base" not in set(effects[effects["halves"] == "random halves"]["effect"])


def test_pairing_is_by_target_task(tmp_path):
    """Without fine-tuned runs on the harder halves B the unpaired boost gains half their difference; the paired not."""
    results = built(tmp_path)
    easy = results[~((results["group"] == "AnB+") & (results["target"] == "B"))]
    table = effect_table(easy)
    assert points(table, "boost_over_base") == pytest.approx([2, 2, 2])
    assert points(table, "boost_over_base", "unpaired_points") == pytest.approx([4.5, 4.5, 4.5])


def test_the_published_boosts_paired_and_unpaired():
    table = effect_table(load_results(PUBLISHED)).set_index(["effect", "layers"])
    for layers, paired, unpaired in (("1-7", 1.0, 1.6), ("3-7", 1.2, 1.8), ("5-7", 1.2, 2.1)):
        row = table.loc[("boost_over_base", layers)]
        assert row["points"].item() == pytest.approx(paired, abs=0.06)
        assert row["unpaired_points"].item() == pytest.approx(unpaired, abs=0.06)
    row = table.loc[("boost_over_selffer", "1-7")]  # AnB+ was published for halves B, BnB+ for halves A
    assert np.isnan(row["points"])
    assert row["interval"] == "none: no target task has all the networks compared"
    assert row["unpaired_points"] == pytest.approx(1.4, abs=0.06)


def test_too_few_runs_give_no_interval(tmp_path):
    table = effect_table(built(tmp_path, partitions=["random0"], noise=0.01))
    assert table[["low", "high", "unpaired_low", "unpaired_high"]].isna().all(axis=None)
    assert set(table["interval"]) == {"none: too few runs (2 target tasks, 1 seed)"}
    seeds = effect_table(built(tmp_path, partitions=["random0"], seeds=(0, 1, 2), noise=0.01))
    assert seeds[["low", "high"]].notna().all(axis=None)
    assert set(seeds["interval"]) == {"over 3 seeds of these 2 target tasks only"}
    tasks = effect_table(built(tmp_path, noise=0.01))
    assert set(tasks["interval"]) == {"over 4 target tasks"}


def test_validation_noise_is_the_binomial_one(tmp_path):
    table = effect_table(built(tmp_path, val_images=1000))
    base = np.array([0.60, 0.55, 0.61, 0.56])
    selffer = base - COADAPTATION[4]
    expected = np.sqrt((base * (1 - base) + selffer * (1 - selffer)).mean() / 1000 / 4)
    assert per_depth(table, "coadaptation", "random halves").loc[4, "noise_points"] == pytest.approx(100 * expected)


def test_noise_is_unknown_where_the_number_of_validation_images_is(tmp_path):
    for column in (None, np.nan):
        table = effect_table(built(tmp_path).assign(val_images=column))
        assert len(table) and table["noise_points"].isna().all()


@pytest.mark.parametrize("top1", [0.0, 1.0])
def test_scores_of_none_or_all_are_not_free_of_noise(top1):
    """The plain standard error is 0. That of plus one right and one wrong is for a share of 1/6 of 4 images."""
    noise = effect_table(loaded_scores(top1, 4))["noise_points"].iloc[0]
    assert noise == pytest.approx(100 * np.sqrt(2 * (1 / 6) * (5 / 6) / 6) * 6 / 4 / np.sqrt(2))
    one = effect_table(loaded_scores(top1, 1))["noise_points"].iloc[0]
    assert 2 * one > 100  # one image tells nothing


def loaded_scores(top1, images):
    """Two target tasks with this score for base and BnB."""
    columns = ["partition", "source", "target", "depth", "treatment", "seed", "top1_best10_mean", "base", "group"]
    rows = [
        ("random0", half, half, depth, treatment, 0, top1, top1, group)
        for half in "AB"
        for depth, treatment, group in ((0, "base", "base"), (1, "frozen", "BnB"))
    ]
    return pd.DataFrame(rows, columns=columns).assign(
        val_images=images, diverged=False, variant="", halves="random halves"
    )


def test_equal_runs_give_no_interval(tmp_path):
    table = effect_table(built(tmp_path, seeds=(0, 1, 2)))
    assert set(table["interval"]) == {"none: the runs do not differ"}
    assert table[["low", "high"]].isna().all(axis=None)
    assert points(table, "specialisation") == pytest.approx([0, 1, 8])


def test_intervals_end_where_scores_do(tmp_path):
    results = built(tmp_path, partitions=["random0"], seeds=(0, 1))
    far = results.assign(top1_best10_mean=(results["seed"] == (results["group"] == "AnB")).astype(float))
    far["base"] = far["seed"] == 0
    table = effect_table(far.assign(base=far["base"].astype(float)))
    wide = table[table["effect"] == "specialisation"]
    assert set(wide["low"]) == {-100}
    assert set(wide["high"]) == {100}
    assert table.loc[table["effect"] == "dominance", ["low", "high"]].abs().max(axis=None) == 200


def test_missing_bases_and_diverged_networks_are_in_no_effect(tmp_path):
    results = built(tmp_path)
    assert points(effect_table(results[results["group"] != "AnB"]), "coadaptation") == pytest.approx([0, 4, 1])
    assert per_depth(effect_table(results[results["group"] != "AnB"]), "specialisation", "random halves").empty
    broken = results.assign(diverged=(results["group"] == "AnB") & (results["depth"] == 4) & (results["target"] == "A"))
    broken.loc[broken["diverged"], "top1_best10_mean"] = 0.0
    row = per_depth(effect_table(broken), "specialisation", "random halves").loc[4]
    assert row["points"] == pytest.approx(1)
    assert row["tasks"] == 2


@pytest.mark.parametrize("count", [3, 4, 8])
def test_intervals_over_tasks_hold_the_truth_as_often_as_they_say(count):
    rng = np.random.default_rng(count)
    trials = 1000
    inside = 0
    for _ in range(trials):
        low, high = mean_interval([rng.normal(1.0, 0.5, count)], [1])
        inside += low <= 1.0 <= high
    assert 0.93 <= inside / trials <= 0.97  # 0.95 plus or minus three standard errors of 1000 trials


def test_intervals_over_seeds_hold_the_truth_of_their_tasks():
    rng = np.random.default_rng(7)
    trials = 1000
    inside = 0
    for _ in range(trials):
        low, high = mean_interval([rng.normal(2.0, 0.5, 3), rng.normal(0.0, 0.5, 3)], [0.5, 0.5])
        inside += low <= 1.0 <= high
    assert 0.93 <= inside / trials <= 0.98


def test_the_whole_tables_intervals_hold_the_truth(tmp_path):
    """From results tables to intervals: tasks of different difficulty, noisy networks, the effect 4 points at n = 4."""
    inside, rng = 0, np.random.default_rng(3)
    clean = built(tmp_path)
    clean = clean[clean["group"].isin(["base", "BnB"]) & clean["depth"].isin([0, 4])]
    for _ in range(150):
        noisy = clean.assign(top1_best10_mean=clean["top1_best10_mean"] + 0.01 * rng.normal(size=len(clean)))
        bases = noisy[noisy["group"] == "base"].set_index(["partition", "target"])["top1_best10_mean"]
        noisy = noisy.drop(columns="base").join(bases.rename("base"), on=["partition", "target"])
        row = per_depth(effect_table(noisy), "coadaptation", "random halves").loc[4]
        inside += row["low"] <= 4 <= row["high"]
    assert inside / 150 >= 0.89  # a coverage of 0.95 falls below with probability 0.002


def test_percentiles_alone_would_not():
    """Why the intervals are not the plain percentile bootstrap's: with four tasks it holds the truth far less often."""
    from scipy.stats import bootstrap

    rng = np.random.default_rng(4)
    inside = 0
    for _ in range(300):
        sample = rng.normal(1.0, 0.5, 4)
        low, high = bootstrap([sample], np.mean, method="percentile", n_resamples=999, rng=rng).confidence_interval
        inside += low <= 1.0 <= high
    assert inside / 300 < 0.9


def test_intervals_are_the_same_bits_each_time():
    samples = [np.array([0.1, 0.4, 0.2]), np.array([0.5, 0.7])]
    assert mean_interval(samples, [1, -1]) == mean_interval(samples, [1, -1])
    assert np.isnan(mean_interval([np.array([0.3, 0.3, 0.3])], [2])).all()
    with pytest.raises(ValueError, match="at least two"):
        mean_interval([np.array([1.0])], [1])
