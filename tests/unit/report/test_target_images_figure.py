"""The figure of numbers of target images: a line for each, its own base network, and the plain figures free of them."""

from itertools import pairwise

import pandas as pd
import pytest
from odd_studies import loaded, table, units_of

from workflow_scripts.report.figures.comparison import relative_curves
from workflow_scripts.report.figures.effects import plot_effects
from workflow_scripts.report.figures.figure2 import plot_transfer
from workflow_scripts.report.figures.figure3 import plot_distance
from workflow_scripts.report.figures.learning import plot_learning
from workflow_scripts.report.figures.target_images import plot_target_images
from workflow_scripts.report.interactive import chart_items
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.target_images import target_images_table

AMOUNTS = {"random0_draw_2_per_class": 0.2, "random0_draw_10_per_class": 0.4, "random0": 0.6}
GAIN = {"base": 0, "BnB": 0.01, "AnB": 0.05, "AnB+": 0.08, "random": -0.1}


def made(groups=("base", "BnB", "AnB", "AnB+"), seeds=(0, 1, 2)):
    def studied(name, base):
        def score(group, target, depth, seed):
            return base + GAIN[group] + 0.003 * seed * (1 + depth) - 0.01 * depth * (group == "AnB")

        return table([name], groups, seeds=seeds, score=score)

    return pd.concat([studied(*item) for item in AMOUNTS.items()], ignore_index=True)


def test_each_treatment_has_a_line_and_a_base_for_each_number_of_images(tmp_path):
    figure = plot_target_images(target_images_table(loaded(made(), tmp_path)), units_of().set_index("depth").iloc[:-1])
    panels = [axes for axes in figure.axes if axes.axison]
    titles = ["transfer AnB", "transfer AnB+, fine-tuned", "selffer BnB"]
    assert [axes.get_title() for axes in panels] == [f"random halves: {title}" for title in titles]
    for axes, group in zip(panels, ("AnB", "AnB+", "BnB"), strict=True):
        lines = {line.get_gid(): line for line in axes.lines if line.get_gid()}
        assert list(lines) == ["2", "10", "all"]
        bases = {
            line.get_color(): line.get_ydata()[0] for line in axes.lines if not line.get_gid() and len(line.get_ydata())
        }
        for label, base in zip(lines, AMOUNTS.values(), strict=True):
            gain = 100 * (GAIN[group] - 0.01 * (group == "AnB"))
            assert lines[label].get_ydata()[0] == pytest.approx(100 * base + gain + 100 * 0.003 * 2)
            assert bases[lines[label].get_color()] == pytest.approx(100 * base + 100 * 0.003)
        light = [sum(line.get_color()[:3]) for line in lines.values()]
        assert light == sorted(light, reverse=True)  # from few to all
        assert {text.get_text() for text in axes.texts} == set(lines)
        whiskers = [segment for part in axes.collections for segment in part.get_segments()]
        assert len(whiskers) == 9 and all(low[1] < high[1] for low, high in whiskers)


def test_numbers_at_close_lines_stand_apart(tmp_path):
    same = [table([name], ("base", "AnB"), score=lambda *_: 0.5) for name in AMOUNTS]
    (axes,) = plot_target_images(target_images_table(loaded(pd.concat(same, ignore_index=True), tmp_path))).axes
    heights = sorted(text.get_position()[1] for text in axes.texts)
    low, high = axes.get_ylim()
    assert min(after - before for before, after in pairwise(heights)) > 0.04 * (high - low)


def test_without_curves_on_drawn_images_it_says_so(tmp_path):
    figure = plot_target_images(target_images_table(loaded(table(), tmp_path)))
    assert "No network with copied units was trained" in figure.axes[0].texts[0].get_text()


def test_plain_figures_and_charts_are_free_of_drawn_images(tmp_path):
    every = loaded(made(("base", "BnB", "AnB", "AnB+", "random")), tmp_path)
    plain = every[every["partition"] == "random0"]
    effects = effect_table(every)
    for draw in (plot_transfer, plot_distance):
        ours, theirs = (
            [[list(line.get_ydata()) for line in axes.lines] for axes in draw(rows).axes] for rows in (every, plain)
        )
        assert ours == theirs
    assert relative_curves(every)["random"].equals(relative_curves(plain)["random"])
    assert not any("drawn" in axes.get_title() for axes in plot_effects(effects).axes)
    titles = [chart["title"] for chart in chart_items(every, effects, None)]
    assert titles == [chart["title"] for chart in chart_items(plain, effect_table(plain), None)]


def test_long_titles_of_learning_curves_have_two_lines():
    curve = {
        "partition": "random0_draw_10_per_class",
        "source": "A",
        "target": "B",
        "treatment": "finetuned",
        "depth": 1,
    }
    curve |= {
        "seed": 0,
        "preserve": 0,
        "init": "he",
        "norm_statistics": "",
        "learning_rate": "",
        "top1": 0.5,
        "loss": 1.0,
        "train_loss": 1.0,
    }
    readings = pd.DataFrame([curve | {"iteration": iteration} for iteration in (4, 12)])
    assert plot_learning(readings, readings).axes[0].get_title() == "random0_draw_10_per_class:\nA to B, finetuned"
    short = readings.assign(partition="random0")
    short = plot_learning(short, short).axes[0].get_title()
    assert short == "random0: A to B, finetuned"
