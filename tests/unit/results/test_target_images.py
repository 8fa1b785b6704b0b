"""How much target data: accuracies by number of drawn images, and findings, on built tables with known answers."""

import pandas as pd
import pytest
from odd_studies import diverged, loaded, table

from workflow_scripts.results.advice import advice
from workflow_scripts.results.effects import effect_table, kinds_of_halves
from workflow_scripts.results.findings import findings
from workflow_scripts.results.groups import halves_of
from workflow_scripts.results.tables import reduced_curve
from workflow_scripts.results.target_images import amounts_in, read_target_images, target_images_table

QUESTION = "With few target images"
SPREAD = {0: 0.0, 1: 0.003, 2: -0.004}
DEPTHS = (1, 4, 7)
# points above training from scratch at the depths, by number of images
DEEPER = {2: {"AnB": (2, 5, 9), "AnB+": (1, 2, 1)}, 30: {"AnB": (2, 5, 1), "AnB+": (1, 2, 1)}}
DEEPER["all"] = {"AnB": (-1, -5, -9), "AnB+": (1, 4, 2)}


def named(amount, plain="random0"):
    return plain if amount == "all" else f"{plain}_draw_{amount}_per_class"


def study(gains, seeds=(0, 1, 2), plain="random0", groups=("base", "AnB", "AnB+"), **options):
    """Networks with these gains in points over base networks of 20, 40 and 60 percent, with some spread by seed."""
    made = []
    for place, (amount, of_groups) in enumerate(gains.items()):

        def score(group, target, depth, seed, place=place, of_groups=of_groups):
            gain = of_groups[group][DEPTHS.index(depth)] if group in of_groups else 0
            jitter = SPREAD[seed] * (1 + 0.3 * len(group) + 0.05 * depth * (target == "B"))
            return 0.2 + 0.2 * place + gain / 100 + jitter

        made.append(
            table([named(amount, plain)], groups, DEPTHS, seeds, score=score, **{"val_images": 4000, **options})
        )
    return pd.concat(made, ignore_index=True)


def found(made, folder):
    results = loaded(made, folder)
    entries = findings(results, effect_table(results))
    return next((entry for entry in entries if entry["question"].startswith(QUESTION)), None), entries


def lines(made, folder):
    entry, _ = found(made, folder)
    return entry["answer"].split("\n")


def test_accuracies_are_of_each_number_of_images(tmp_path):
    made = target_images_table(loaded(study(DEEPER), tmp_path))
    assert amounts_in(made) == ["2", "30", "all"]
    rows = made.set_index(["images_per_class", "group", "depth"])
    assert rows.loc[("2", "base", 0), "points"] == pytest.approx(20, abs=0.2)
    assert rows.loc[("30", "AnB", 4), "points"] == pytest.approx(45, abs=0.2)
    assert rows.loc[("all", "AnB", 7), "points"] == pytest.approx(51, abs=0.2)
    assert set(made["pairs"]) == {6}
    assert (made["low"] < made["points"]).all() and (made["points"] < made["high"]).all()
    assert set(made["interval"]) == {"over 3 seeds of these 2 target tasks only"}
    made.to_csv(tmp_path / "table.csv", index=False)
    pd.testing.assert_frame_equal(read_target_images(tmp_path / "table.csv"), made)


def test_each_number_of_images_gets_an_answer_with_its_numbers(tmp_path):
    head, two, thirty, every, _ = lines(study(DEEPER), tmp_path)
    assert head == "Random halves:"
    assert two.startswith("With 2 images of each class: freeze the first 7 units. This reaches 28.9 % (28.")
    assert "): 7.0 points (" in two
    assert ") above fine-tuning at its best (n = 4) and 9.0 points (" in two
    assert two.endswith(") above training from scratch.")
    assert thirty.startswith("With 30 images of each class: freeze the first 4 units. This reaches 44.9 %")
    assert every.startswith("With all images: copy the first 4 units and fine-tune them. This reaches 63.9 %")
    assert "above freezing at its best (n = 1)" in every


def test_fewer_images_make_the_best_depth_deeper_only_where_runs_show_it(tmp_path):
    noisy = study(DEEPER)
    shallow = (noisy["partition"] == named(2)) & (noisy["depth"] == 4) & (noisy["treatment"] == "frozen")
    noisy.loc[shallow & (noisy["seed"] == 1) & (noisy["target"] == "A"), "top1_best10_mean"] = 0.5
    last = lines(noisy, tmp_path)[-1]
    assert last.startswith("Freezing does best at n = ")
    assert "Fewer images make the best n deeper: by run it lies 5.5 units (" in last
    assert last.endswith(") deeper with 2 images than with all images.")
    alike = lines(study(DEEPER), tmp_path)[-1]  # all six runs have the same best n: nothing to make an interval from
    assert "n = 7 with 2 images, n = 4 with 30 images, n = 1 with all images." in alike
    assert "In these runs, the best n lies 6.0 units deeper with 2 images than with all images." in alike
    assert "No interval is given, because the runs do not differ. Other draws may differ." in alike


def test_the_best_depth_may_get_shallower_or_stay(tmp_path):
    upside = {2: DEEPER["all"], "all": DEEPER[2]}
    assert "the best n lies 6.0 units shallower with 2 images" in lines(study(upside), tmp_path)[-1]
    same = {2: DEEPER[2], "all": DEEPER[2]}
    assert "the best n lies as deep with 2 images as with all images" in lines(study(same), tmp_path)[-1]


def test_a_best_depth_that_differs_by_run_is_undecided(tmp_path):
    made = study({2: DEEPER[2], "all": DEEPER[2]})
    frozen = (made["treatment"] == "frozen") & (made["depth"] == 1)
    for partition, seed, target in (("random0", 1, "A"), (named(2), 2, "B"), (named(2), 0, "B"), ("random0", 0, "A")):
        chosen = frozen & (made["partition"] == partition) & (made["seed"] == seed) & (made["target"] == target)
        made.loc[chosen, "top1_best10_mean"] = 0.9
    assert "Whether fewer images make the best n deeper is undecided: by run it lies" in lines(made, tmp_path)[-1]


def test_what_does_not_differ_measurably_is_undecided(tmp_path):
    five = lines(study({5: {"AnB": (0, 0.1, 0), "AnB+": (0, 0, 0.1)}, "all": DEEPER["all"]}), tmp_path)[1]
    assert five.startswith(
        "With 5 images of each class: it is undecided whether to freeze the first 4 units, copy the first 7 units and"
    )
    assert "and fine-tune them or train from scratch. The first reaches 20.0 % (" in five
    assert "The second lies 0.0 points (-" in five
    assert "The third lies 0.1 points (0.0 to " in five
    assert "above" not in five
    alike = lines(study({5: {"AnB": (5, 5.01, 1), "AnB+": (0, 0, 0)}, "all": DEEPER["all"]}), tmp_path)[1]
    assert alike.endswith("Freezing n = 1 is not measurably worse.")


def test_one_seed_says_what_is_not_known(tmp_path):
    entry, _ = found(study(DEEPER, seeds=(0,)), tmp_path)
    assert entry["answer"].startswith("Random halves, in these runs:")
    assert "because there are too few runs (2 target tasks, 1 seed). Other draws may differ." in entry["answer"]
    assert (
        "Each target has one draw of its images (one seed). What other images would give is not known."
        in entry["basis"]
    )
    assert "two standard errors of the validation images' noise" in entry["basis"]
    several, _ = found(study(DEEPER), tmp_path)
    assert "one draw" not in several["basis"]
    assert "chosen by the runs that score it, which flatters it" in several["basis"]


def test_other_questions_and_advice_are_about_all_images(tmp_path):
    """BnB less AnB is no specialisation where A has seen more images, and few images are no distance."""
    made = study(DEEPER, groups=("base", "BnB", "AnB", "AnB+"))
    _, entries = found(made, tmp_path)
    results = loaded(made, tmp_path)
    plain, _ = found(made[made["partition"] == "random0"], tmp_path)
    assert plain is None
    others = [entry for entry in entries if not entry["question"].startswith(QUESTION)]
    assert others == found(made[made["partition"] == "random0"], tmp_path)[1]
    assert not any("distance" in entry["question"] for entry in entries)
    assert advice(effect_table(results)).count("\n") == 0
    few = made[made["partition"] != "random0"]
    assert advice(effect_table(loaded(few, tmp_path))).startswith("The targets have few images.")
    assert reduced_curve(loaded(few, tmp_path)).empty


def test_effects_are_paired_within_a_number_of_images(tmp_path):
    effects = effect_table(loaded(study(DEEPER), tmp_path)).set_index(["halves", "effect", "layers"])
    kinds = [halves_of("random0"), "random halves, 2 drawn images a class", "random halves, 30 drawn images a class"]
    assert list(kinds_of_halves(effects.reset_index())) == kinds
    assert effects.loc[(kinds[1], "total_drop", "7"), "points"] == pytest.approx(-9, abs=0.01)
    assert effects.loc[(kinds[0], "total_drop", "7"), "points"] == pytest.approx(9, abs=0.01)
    assert halves_of(named(1)) == "random halves, 1 drawn image a class"


def test_base_networks_that_are_sources_only_are_no_number_of_images(tmp_path):
    """Their halves are not the targets'."""
    made = study(DEEPER)
    made = made[(made["partition"] != "random0") | (made["treatment"] == "base")]
    assert amounts_in(target_images_table(loaded(made, tmp_path))) == ["2", "30"]
    assert not any("all images" in line for line in lines(made, tmp_path))
    made = study(DEEPER)
    source = (made["partition"] == "random0") & (made["target"] == "A")
    made = made[(made["target"] == "B") | (source & (made["treatment"] == "base"))]
    made.loc[source & (made["treatment"] == "base"), "top1_best10_mean"] = 0.9
    rows = target_images_table(loaded(made, tmp_path)).set_index(["images_per_class", "group", "depth"])
    assert rows.loc[("all", "base", 0), "points"] == pytest.approx(60, abs=0.2)
    assert rows.loc[("all", "base", 0), "tasks"] == 1


def test_pairs_of_datasets_are_named_by_source_and_target(tmp_path):
    made = study(DEEPER, plain="two")
    made["pair"] = made["target"].map({"A": "birds to cars", "B": "cars to birds"})
    entry, _ = found(made, tmp_path)
    assert entry["answer"].split("\n")[0] == "birds to cars:"
    assert "\ncars to birds:\nWith 2 images of each class: freeze the first 7 units." in entry["answer"]
    assert halves_of(named(5, "two"), "cars to birds") == "cars to birds, 5 drawn images a class"


def test_networks_from_scratch_that_did_not_learn_are_said_to_be_so(tmp_path):
    made = study(DEEPER)
    chance = (made["partition"] == named(2)) & (made["treatment"] == "base")
    two = lines(diverged(made, chance, cause="chance"), tmp_path)[1]
    assert "No network that was trained from scratch on these images learned." in two
    assert "above training from scratch" not in two


def test_a_pretrained_source_has_lines_of_its_own(tmp_path):
    gains = {2: {"PnB": (2, 5, 9), "PnB+": (1, 2, 1)}, "all": {"PnB": (2, 5, 1), "PnB+": (7, 8, 9)}}
    made = study(gains, plain="whole", groups=("base", "PnB", "PnB+"))
    head, two, every, _ = lines(made, tmp_path)
    assert head == "All classes, pretrained source:"
    assert "freeze the first 7 units" in two
    assert "copy the first 7 units and fine-tune them" in every
