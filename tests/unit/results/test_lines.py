"""Lines between networks of two seeds: barriers by hand, and sentences that say no more than the pairs do."""

import pandas as pd
import pytest
from odd_studies import loaded, table

from workflow_scripts.report.figures.interpolation import plot_interpolation
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.findings import findings
from workflow_scripts.results.interpolation import line_table, noise_points, read_lines
from workflow_scripts.results.line_findings import BETWEEN_SEEDS, between_seeds
from workflow_scripts.study.columns import KEY_COLUMNS

STUDY = {"matrix": [{"partition": "random0"}, {"partition": "whole"}], "dataset": {"name": "own"}}


def lines_of(results, fall, folder, images=1000):
    """interpolation.csv of a study whose networks have 80 % at each end, and `fall` of group and unit less between."""
    fine_tuned = results[results["group"].isin(["base", "AnB+", "BnB+", "PnB+"])]
    rows = [
        row[KEY_COLUMNS].to_dict()
        | {"other_seed": row["seed"] + 1, "unit_number": number, "unit": f"u{number}" if number else "all units"}
        | {"top1_at_0": 0.8, "top1_at_0.5": 0.8 - fall(row["group"], number, row["seed"]), "top1_at_1": 0.8}
        | {"val_images": images}
        for _, row in fine_tuned[fine_tuned["seed"] < results["seed"].max()].iterrows()
        for number in range(4)
    ]
    made = line_table([pd.DataFrame(rows)], STUDY)
    made.round(6).to_csv(folder / "interpolation.csv", index=False)
    return read_lines(folder / "interpolation.csv", results)


def study(folder, groups=("base", "BnB+", "AnB+"), seeds=(0, 1, 2), partition="random0"):
    return loaded(table([partition], groups, depths=(1, 3), seeds=seeds, targets="B"), folder)


def test_a_barrier_is_the_mean_of_the_ends_less_the_lowest():
    names = dict.fromkeys(KEY_COLUMNS, 0) | {"partition": "random0", "target": "A", "other_seed": 1}
    row = names | {"unit_number": 0, "unit": "all units", "val_images": 10}
    row |= {"top1_at_0": 0.9, "top1_at_0.25": 0.5, "top1_at_0.5": 0.6, "top1_at_1": 0.7}
    (line,) = line_table([pd.DataFrame([row])], STUDY).to_dict("records")
    assert line["lowest_top1"] == 0.5
    assert line["barrier_points"] == pytest.approx(30)
    assert line["drop_points"] == pytest.approx(40)


def test_a_shared_source_without_a_barrier_is_told_from_base_networks_with_one(tmp_path):
    results = study(tmp_path, ("base", "PnB+"), partition="whole")
    lines = lines_of(results, lambda group, unit, seed: 0.6 + 0.1 * seed if group == "base" else 0.002, tmp_path)
    ((halves, text, basis),) = between_seeds(lines)
    assert halves == "all classes"
    assert text == (
        "All classes, in these runs: Between PnB+ of two seeds at n = 3, accuracy does not fall measurably: by 0.2"
        " points (0.2 to 0.2, 2 pairs). Both ends began as the same pretrained network, but for their fresh units above"
        " n. Moving one unit alone to the other end costs nothing measurable. Between base networks of two seeds,"
        " accuracy falls by 65.0 points (60.0 to 70.0, 2 pairs)."
    )
    assert "no interval is given" in basis


def test_sources_of_their_own_are_named_and_units_have_their_range(tmp_path):
    lines = lines_of(study(tmp_path, seeds=(0, 1)), lambda group, unit, seed: 0.1 * (unit or 5), tmp_path)
    ((_, text, _),) = between_seeds(lines)
    assert "Between AnB+ of two seeds at n = 3, accuracy falls by 50.0 points (1 pair)." in text
    assert text.count("Each end began as a network of its own seed, so a barrier is to be expected.") == 2
    assert text.count("Moving one unit alone to the other end costs 10.0 (u1) to 30.0 points (u3).") == 2


def test_few_images_decide_nothing(tmp_path):
    fall = lambda group, unit, seed: 0.05  # noqa: E731
    few, many = (lines_of(study(tmp_path), fall, tmp_path, images) for images in (50, 5000))
    assert (noise_points(few) > noise_points(many)).all()
    assert "does not fall measurably: by 5.0 points" in next(between_seeds(few))[1]
    assert "does not fall measurably" not in next(between_seeds(many))[1]
    exact = lines_of(study(tmp_path), lambda group, unit, seed: -0.2, tmp_path)
    assert (noise_points(exact) > 0).all()


def test_a_drop_has_the_noise_of_one_end_and_a_barrier_that_of_both():
    line = {"top1_at_0": [0.5], "top1_at_0.5": [0.2], "top1_at_1": [0.99], "lowest_top1": [0.2], "val_images": [10_000]}
    barrier, drop = (noise_points(pd.DataFrame(line), column).item() for column in ("barrier_points", "drop_points"))
    first, last, lowest = 0.5 * 0.5, 0.99 * 0.01, 0.2 * 0.8
    assert drop == pytest.approx(100 * ((first + lowest) / 10_000) ** 0.5, rel=0.01)
    assert barrier == pytest.approx(100 * (((first + last) / 4 + lowest) / 10_000) ** 0.5, rel=0.01)


def test_the_answer_is_among_the_findings_where_there_are_lines(tmp_path):
    results = study(tmp_path)
    lines = lines_of(results, lambda group, unit, seed: 0.3, tmp_path)
    asked = [one["question"] for one in findings(results, effect_table(results), lines=lines)]
    assert BETWEEN_SEEDS in asked
    assert BETWEEN_SEEDS not in [one["question"] for one in findings(results, effect_table(results))]
    assert not list(between_seeds(lines[lines["group"] == "base"]))


@pytest.mark.parametrize("groups", [("base", "BnB+", "AnB+"), ("base", "PnB+")])
def test_the_figure_shows_the_way_the_barrier_and_the_units(tmp_path, groups):
    results = study(tmp_path, groups, partition="whole" if "PnB+" in groups else "random0")
    lines = lines_of(results, lambda group, unit, seed: 0.1 * unit if unit else 0.5, tmp_path)
    figure = plot_interpolation(lines)
    figure.draw_without_rendering()
    along, by_depth, by_unit = figure.axes
    last = {line.get_label(): list(line.get_ydata()) for line in by_unit.get_lines()}
    assert all(values == pytest.approx([10, 20, 30]) for values in last.values())
    assert len(last) == len(groups)
    assert [list(line.get_ydata()) for line in along.get_lines()][-1] == pytest.approx([80, 30, 80])
    assert all(max(line.get_ydata()) == pytest.approx(50) for line in by_depth.get_lines())
    own = any("each from its own source" in label for label in last)
    assert own != any("from one source" in label for label in last)


def test_without_lines_the_figure_says_so(tmp_path):
    results = study(tmp_path)
    (panel, *_) = plot_interpolation(lines_of(results, lambda *_: 0.1, tmp_path)[:0]).axes
    assert panel.texts[0].get_text() == "No pair of fine-tuned networks trained."
