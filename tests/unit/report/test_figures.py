"""What the figures draw, on a made-up study and on the published results."""

import math

import pandas as pd
import pytest
from helpers import ROOT
from made_up_study import STUDY, records_in
from odd_studies import distances_of, loaded, preserved, readings_of, table

from workflow_scripts.plumbing.files import sha256_file
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.report.figures.boost import plot_boost
from workflow_scripts.report.figures.comparison import plot_comparison
from workflow_scripts.report.figures.distances import plot_distances
from workflow_scripts.report.figures.effects import plot_effects
from workflow_scripts.report.figures.figure2 import plot_transfer
from workflow_scripts.report.figures.figure3 import plot_distance
from workflow_scripts.report.figures.hierarchy import distances, plot_hierarchy
from workflow_scripts.report.figures.learning import plot_learning
from workflow_scripts.report.figures.preserved import plot_preserved
from workflow_scripts.report.figures.reduced import plot_reduced
from workflow_scripts.report.plotting import save_figure
from workflow_scripts.report.write_report import key_numbers
from workflow_scripts.results.aggregate import (
    distance_table,
    load_records,
    reading_table,
    result_table,
)
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.groups import load_results
from workflow_scripts.results.tables import boost_table, drop_table
from workflow_scripts.study.columns import KEY_COLUMNS

PUBLISHED = ROOT / "configs" / "published_results.csv"


@pytest.fixture(scope="module")
def published():
    return load_results(PUBLISHED)


def lines_of(axes):
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()}


def test_halves_read_from_a_csv_are_drawn_like_random_ones(results):
    renamed = results.assign(partition=results["partition"].replace("random0", "mine"))
    points, _ = plot_transfer(renamed).axes
    assert points.get_title().startswith("each network (mine, 2 target tasks")
    assert "mine, AnB" in lines_of(plot_distance(renamed).axes[2])
    assert boost_table(renamed)["networks"].to_list() == [8, 6, 4]


def test_boost_figure_shows_the_table(results):
    table = boost_table(results)
    bars = [container.datavalues for container in plot_boost(table).axes[0].containers]
    assert [list(values) for values in bars] == [list(table[column]) for column in table.columns[1:4]]


def test_the_way_of_each_unit_is_a_mean_over_targets_beside_its_control(results):
    kinds = ("base", "BnB+", "AnB+")
    rows = results[(results["partition"] == "random0") & results["group"].isin(kinds)]
    keys, moved = rows[KEY_COLUMNS].to_dict("records"), []
    for key, group in zip(keys, rows["group"], strict=True):
        for unit in range(1, 8 if group == "base" else key["depth"] + 1):
            far = {"base": 1.0, "BnB+": 0.1, "AnB+": 0.2}[group] * unit + 0.01 * key["depth"] + (key["target"] == "A")
            moved.append(key | {"unit_number": unit, "unit": f"u{unit}", "distance": far})
    elsewhere = rows[rows["group"] == "base"].assign(partition="random1")  # the same letters, but no curve's targets
    results = pd.concat([results, elsewhere])
    others = elsewhere[KEY_COLUMNS].to_dict("records")
    moved += [
        key | {"unit_number": unit, "unit": f"u{unit}", "distance": 50.0} for key in others for unit in range(1, 8)
    ]
    figure = plot_distances(pd.DataFrame(moved), results)
    selffer, transfer, _ = figure.axes
    assert [axes.get_title() for axes in (selffer, transfer)] == [
        "random halves:\nselffer BnB+, fine-tuned",
        "random halves:\ntransfer AnB+, fine-tuned",
    ]
    by_end = {len(line.get_xdata()): list(line.get_ydata()) for line in transfer.get_lines()[:4]}
    assert by_end[3] == pytest.approx([0.2 + 0.03 + 0.5, 0.4 + 0.03 + 0.5, 0.6 + 0.03 + 0.5])
    lines = lines_of(transfer)
    control = lines["control BnB of the same kind, mean over n"][1]
    assert control[0] == pytest.approx(0.1 + 0.01 * 4 + 0.5)  # the mean of n = 1, 3, 5 and 7
    assert control[6] == pytest.approx(0.7 + 0.07 + 0.5)
    assert lines["base, from its random weights"][1] == pytest.approx([unit + 0.5 for unit in range(1, 8)])
    assert "control BnB of the same kind, mean over n" not in lines_of(selffer)


def test_the_control_has_no_line_across_units_that_no_network_moves(tmp_path):
    results = loaded(preserved(table(groups=("base", "BnB", "AnB"), depths=(1, 4))), tmp_path)
    _, transfer, *_ = plot_distances(distances_of(results), results).axes
    assert transfer.get_title() == "random halves:\ntransfer AnB, 1 preserved"
    units, control = lines_of(transfer)["control BnB of the same kind, mean over n"]
    assert units == [2, 3, 4, 5]
    assert control == pytest.approx([0.2, math.nan, math.nan, 0.5], nan_ok=True)


def test_records_of_an_earlier_version_have_no_distances(results, study_folder):
    (axes,) = plot_distances(distance_table(records_in(study_folder)), results).axes
    assert "an earlier version trained it" in axes.texts[0].get_text()


def test_key_numbers(results):
    table = key_numbers(results).set_index(["partition", "group"])
    assert table.loc[("random0", "AnB"), 0] == pytest.approx(65)
    assert table.loc[("random0", "AnB"), 7] == pytest.approx(58)


def test_figure_2_shows_every_network_and_the_means(results):
    figure = plot_transfer(results)
    points, lines = figure.axes
    drawn = sum(len(collection.get_offsets()) for collection in points.collections)
    assert drawn == (results["partition"] == "random0").sum()
    means = [list(line.get_ydata()) for line in lines.get_lines()]
    assert pytest.approx([0.64, 0.62, 0.60, 0.58]) in means
    assert pytest.approx([0.662, 0.666, 0.67, 0.674]) in means


def test_figure_3_shows_drops_from_base(results):
    drops = lines_of(plot_distance(results).axes[2])
    assert drops["random halves, AnB"][1] == pytest.approx([-0.01, -0.03, -0.05, -0.07])
    assert drops["natural / man-made, AnB"][1] == pytest.approx([-0.02, -0.06, -0.10, -0.14])
    assert drops["random features"][1] == pytest.approx([-0.05, -0.15, -0.25, -0.35])


def test_figures_of_the_published_results():
    results = load_results(PUBLISHED)
    points, _ = plot_transfer(results).axes
    shown = results["partition"].str.startswith("random")
    assert sum(len(collection.get_offsets()) for collection in points.collections) == shown.sum()
    drops = lines_of(plot_distance(results).axes[2])
    assert drops["natural / man-made, AnB"][1][6] < drops["random halves, AnB"][1][6] < 0


def test_learning_curves_have_a_panel_per_curve(study_folder):
    readings = reading_table(records_in(study_folder))
    figure = plot_learning(readings, readings)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert len(titles) == 8 + 2 + 1
    assert "natman: A to B, frozen" in titles
    assert all(len(axes.get_lines()) == 5 for axes in figure.axes if axes.get_title())


def with_rates(made):
    """`made` at rates 0.1 and 0.01, and the networks of 0.01."""
    every = pd.concat([made.assign(learning_rate=rate) for rate in ("0.1", "0.01")], ignore_index=True)
    return every, every[every["learning_rate"] == "0.01"]


def test_a_line_of_learning_is_of_one_rate_and_pale_if_it_was_not_chosen():
    every, chosen = with_rates(table(groups=("base", "base twice", "AnB+"), depths=(1, 3), targets="B"))
    panels = {axes.get_title(): axes.get_lines() for axes in plot_learning(readings_of(every), chosen).axes}
    assert list(panels)[:2] == [f"random0: A to B, finetuned\nrate {rate}" for rate in ("0.01", "0.1")]
    for title, alpha in zip(list(panels)[:2], (1, 0.3), strict=True):
        lines = panels[title]
        assert [list(line.get_xdata()) for line in lines] == [[4, 12]] * 4
        assert [line.get_alpha() for line in lines] == [alpha, alpha, 1, 1]
        assert [line.get_linestyle() for line in lines] == ["-", "-", ":", "--"]


def test_base_networks_alone_have_a_panel_for_each_length_and_rate():
    every, chosen = with_rates(table(groups=("base", "base twice"), targets="B"))
    panels = plot_learning(readings_of(every), chosen).axes
    assert [axes.get_title() for axes in panels] == [
        f"random0:{name}\nrate {rate}"
        for name in (" base network of B", "\nbase network of B, trained twice as long")
        for rate in ("0.01", "0.1")
    ]
    assert [list(line.get_xdata()) for axes in panels for line in axes.get_lines()] == [[4, 12]] * 4
    assert [line.get_alpha() for axes in panels for line in axes.get_lines()] == [1, 0.3, 1, 0.3]


def test_a_study_of_base_networks_alone_can_be_drawn(study_folder):
    bases = {**STUDY, "matrix": [{"partition": "random0"}]}
    records = [file.record for file in load_records(bases, study_folder).values()]
    readings = reading_table(records)
    panels = plot_learning(readings, readings).axes
    assert [axes.get_title() for axes in panels] == ["random0: base network of A", "random0: base network of B"]
    assert [len(axes.get_lines()) for axes in panels] == [1, 1]
    results = result_table(records, STUDY)
    results.to_csv(study_folder / "bases.csv", index=False)
    results = load_results(study_folder / "bases.csv")
    plot_transfer(results)
    plot_distance(results)
    assert boost_table(results).empty
    assert len(drop_table(results)) == 0


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_figure_is_the_same_bytes(results, tmp_path, kind):
    for name in ("one", "two"):
        save_figure(plot_transfer(results), [tmp_path / f"{name}.{kind}"], 50, "made by a test")
    assert sha256_file(tmp_path / f"one.{kind}") == sha256_file(tmp_path / f"two.{kind}")
    assert b"made by a test" in (tmp_path / f"one.{kind}").read_bytes()


def test_a_diverged_network_is_counted_and_in_no_mean(results):
    chosen = (results["partition"] == "random0") & (results["group"] == "AnB") & (results["depth"] == 3)
    changed = results.assign(diverged=chosen & (results["target"] == "A"))
    changed.loc[changed["diverged"], "top1_best10_mean"] = 0.0
    row = drop_table(changed).set_index(["partition", "group", "depth"]).loc[("random0", "AnB", 3)]
    assert (row["networks"], row["diverged"]) == (1, 1)
    assert row["top1"] == pytest.approx(results[chosen & (results["target"] == "B")]["top1_best10_mean"].item())
    labels = {text.get_text() for text in plot_transfer(changed).legends[0].get_texts()}
    assert "diverged, in no mean" in labels
    assert "diverged, in no mean" not in {text.get_text() for text in plot_transfer(results).legends[0].get_texts()}


def test_a_diverged_network_leaves_the_means_their_room(results):
    lower = plot_transfer(results).axes[1].get_ylim()
    chosen = (results["seed"] == results["seed"].max()) & (results["treatment"] == "base")
    changed = results.assign(diverged=chosen)
    changed.loc[chosen, "top1_best10_mean"] = -5.0
    points, lines = plot_transfer(changed).axes[:2]
    assert points.get_ylim()[0] < -5 < lower[0] - 1 < lines.get_ylim()[0]


def test_the_two_troubles_are_shaded_and_numbered_in_figure_2(published):
    _, lines = plot_transfer(published).axes
    assert {text.get_text() for text in lines.texts} >= {"1", "2", "3", "4", "5"}
    key = next(text.get_text() for text in lines.texts if len(text.get_text()) > 1)
    assert key.count("\n") == 4
    assert "AnB: where it is below BnB (shaded), specialisation" in key
    assert len(lines.collections) == 2


def test_intervals_are_drawn_where_there_are_any(published):
    effects = effect_table(published)
    random, _, natman, empty = plot_effects(effects).axes
    specialisation = next(line for name, line in lines_of(random).items() if name.startswith("specialisation"))
    assert specialisation[1][-1] == pytest.approx(8.24, abs=0.01)
    drawn = sum(len(bars.get_segments()) for bars in random.collections)
    assert drawn == 3 * 7
    assert not natman.collections
    assert "no intervals, too few runs" in natman.get_title()
    assert "95 % intervals over 4 target tasks" in random.get_title()
    assert not empty.axison


def test_reduced_data(published):
    figure = plot_reduced(published)
    images, scores = lines_of(figure.axes[0])["whole, whole"]
    assert images == [1, 2, 5, 10, 25, 50, 100, 250, 500, 750, 1000, 1300]
    assert scores[-1] == pytest.approx(0.5518, abs=1e-4)


def test_preserved_layers_stand_beside_none(published):
    preserved = published[published["group"].isin(["BnB", "AnB"]) & published["partition"].str.startswith("random")]
    more = preserved.assign(preserve=1, variant="1 preserved", top1_best10_mean=preserved["top1_best10_mean"] + 0.02)
    _, anb = plot_preserved(pd.concat([published, more])).axes
    lines = lines_of(anb)
    change = pd.Series(lines["1 preserved"][1]) - pd.Series(lines["none preserved"][1])
    assert list(change) == pytest.approx([2] * 7)


def test_the_published_curves_lie_under_the_studys(published):
    ours = published.assign(top1_best10_mean=published["top1_best10_mean"] / 2, base=published["base"] / 2)
    figure = plot_comparison(ours[ours["group"].isin(["base", "AnB"])], published)
    assert len([axes for axes in figure.axes if axes.axison]) == 2
    for axes in figure.axes:
        if axes.axison:
            ours_line, published_line = (
                next(values for label, values in lines_of(axes).items() if label.startswith(start))
                for start in ("this study", "published")
            )
            assert ours_line == published_line  # both relative to their own base networks


def test_the_drop_is_drawn_over_the_hierarchy_distance(published, tmp_path):
    for name, mean in (("random0", 4.0), ("natman", 6.0), ("random1", None)):
        write_record(tmp_path / f"{name}.json", {"distance": None if mean is None else {"mean": mean}})
    known = distances(list(tmp_path.glob("*.json")))
    assert known == {"random0": 4.0, "natman": 6.0}
    lines = lines_of(plot_hierarchy(published, known).axes[0])
    assert lines["n = 7"][0] == [4.0, 6.0]
    assert lines["n = 7"][1] == pytest.approx([8.36, 25.01], abs=0.2)
