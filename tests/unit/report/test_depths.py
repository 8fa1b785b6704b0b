"""Axes of depths for any number of units, and the frame of figure 2 for a pretrained source."""

import pytest
from matplotlib.figure import Figure
from odd_studies import ODD_STUDIES, loaded, table, units_of, with_statistics

from workflow_scripts.report.depths import depth_axis, short_name, thinned
from workflow_scripts.report.figures.figure2 import plot_transfer
from workflow_scripts.report.figures.norm_statistics import plot_statistics
from workflow_scripts.report.figures.pretrained import plot_pretrained
from workflow_scripts.results.norm_statistics import statistics_table
from workflow_scripts.results.units import read_units

pytestmark = pytest.mark.filterwarnings("error")


def units(folder, deepest):
    units_of(deepest).to_csv(folder / "units.csv", index=False)
    return read_units(folder / "units.csv")


def labels(axes):
    return [label.get_text() for label in axes.get_xticklabels()]


def test_few_depths_are_labelled_by_number_and_name(tmp_path):
    axes = Figure((8, 4)).subplots()
    depth_axis(axes, [0, 1, 4, 7], units(tmp_path, 7))
    assert labels(axes) == ["0", "1\nconv1", "4\nlayer1.2", "7\nlayer2.2"]
    depth_axis(axes, [0, 1, 4, 7])
    assert labels(axes) == ["0", "1", "4", "7"]


def test_many_depths_are_upright_and_thinned(tmp_path):
    axes = Figure((8, 4)).subplots()
    depth_axis(axes, range(1, 53), units(tmp_path, 52))
    assert len(labels(axes)) <= 20
    assert labels(axes)[-1] == "layer17.2  52"
    assert axes.get_xticklabels()[0].get_rotation() == 90


@pytest.mark.parametrize("count", [1, 19, 20, 21, 40, 41, 200])
def test_the_deepest_depth_has_a_label(count):
    depths = list(range(1, count + 1))
    assert thinned(depths)[-1] == count
    assert len(thinned(depths)) <= 20
    assert count > 20 or thinned(depths) == depths


def test_long_names_keep_their_end():
    assert short_name("encoder.layers.encoder_layer_11") == "encoder_layer_11"
    assert short_name("layer1.0") == "layer1.0"
    assert short_name("a" * 30) == "a" * 15 + "…"


def test_a_pretrained_source_is_drawn_with_all_controls(tmp_path):
    made = with_statistics(ODD_STUDIES["a pretrained source"], "target", "batch")
    results = loaded(made, tmp_path)
    figure = plot_pretrained(results, units(tmp_path, 7))
    points, lines, shares = figure.axes
    drawn = sum(len(collection.get_offsets()) for collection in points.collections)
    assert drawn == len(results)
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(told) == len(set(told)) == 6 + 3 * 2
    assert {"pretrained PnB", "pretrained PnB, batch statistics", "selffer BnB, target statistics"} <= set(told)
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in lines.get_lines()}
    assert len(looks) == 1 + len(told)  # and the line of base
    key = next(text.get_text() for text in lines.texts if "\n" in text.get_text())
    assert "PnB: where it is below BnB (shaded), specialisation" in key
    assert [line.get_label() for line in shares.get_lines()] == ["parameters", "multiplications"]
    assert shares.get_lines()[0].get_ydata()[-1] == pytest.approx(100)


def test_each_kind_of_halves_has_its_column(tmp_path):
    results = loaded(ODD_STUDIES["a pretrained source of halves and of all"], tmp_path)
    figure = plot_pretrained(results)
    assert len(figure.axes) == 2 * 3
    titles = [axes.get_title() for axes in figure.axes[:3]]
    assert titles[0].startswith("each network (all classes, 1 target task")
    assert len(plot_transfer(results, units(tmp_path, 7)).axes) == 3


def test_changes_by_norm_statistics_are_drawn(tmp_path):
    made = with_statistics(table(), "target", "batch")
    figure = plot_statistics(statistics_table(loaded(made, tmp_path)), units(tmp_path, 7))
    assert [axes.get_title() for axes in figure.axes if axes.get_title()] == [
        "random halves:\nselffer BnB",
        "random halves:\ntransfer AnB",
    ]
    heights = [list(line.get_ydata()) for line in figure.axes[1].get_lines()]
    assert pytest.approx([-4, -4, -4]) in heights
    assert pytest.approx([-2, -2, -2]) in heights
