"""The figure of probes and the page of a study with probes, also of one without any network."""

import re

import pytest
from helpers import ROOT
from made_up_probes import diverged, every_source, few_images, loaded, probe_rows, table
from odd_studies import loaded as loaded_results
from odd_studies import table as results_table

from workflow_scripts.report.figures.probes import plot_probes
from workflow_scripts.report.interactive import chart_items
from workflow_scripts.report.probe_table import unit_tables
from workflow_scripts.report.write_report import page_content, render
from workflow_scripts.results.advice import advice
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.findings import findings
from workflow_scripts.results.groups import load_results
from workflow_scripts.study.columns import RESULT_COLUMNS

pytestmark = pytest.mark.filterwarnings("error")
SUMMARY = {"training": {"jobs": 0, "hours": {"cpu": 0.0, "gpu": 0}, "devices": []}}
TRAINED = {"training": {"jobs": 1, "hours": {"cpu": 1.0, "gpu": 0}, "devices": ["cpu"]}}


def results_of(folder, made=None):
    if made is not None:
        return loaded_results(made, folder)
    (folder / "empty.csv").write_text(",".join(RESULT_COLUMNS) + "\n")
    return load_results(folder / "empty.csv")


def page_of(probes, results):
    """The visible part of the page."""
    effects = effect_table(results)
    found = {"findings": findings(results, effects, probes=probes), "advice": advice(effects), "missing": []}
    content = page_content(
        results,
        effects,
        None,
        TRAINED if len(results) else SUMMARY,
        found,
        chart_items(results, effects, None),
        [],
        [],
        {"study": "tried", "training": {"architecture": "mini_caffenet"}},
        (),
        probes,
    )
    page = render(ROOT / "report/page.html.j2", content)
    return page[page.index("</head>\n<body>") :]


def drawn_lines(axes):
    return {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}


def test_each_source_is_a_line_with_its_intervals_its_cut_and_all_units(tmp_path):
    figure = plot_probes(loaded(table(*every_source()), tmp_path), results_of(tmp_path))
    panel, network = figure.axes
    lines = drawn_lines(panel)
    pretrained = lines["linear classifier, pretrained network"]
    assert pretrained.get_ydata()[5] == pytest.approx(90)
    assert len(lines) == 4 + 1  # and the largest class
    assert lines["share of the largest class"].get_ydata()[0] == pytest.approx(10)
    assert len({line.get_color() for line in lines.values()}) == 5
    assert [text.get_text() for text in panel.texts] == ["90.0 %", "82.5 %", "82.5 %", "18.0 %"]
    dashes = [segment for part in panel.collections if hasattr(part, "get_segments") for segment in part.get_segments()]
    across = [segment for segment in dashes if segment[0][1] == segment[1][1]]
    assert sorted(round(segment[0][1], 1) for segment in across) == [18.0, 83.5, 83.5, 91.0]
    labels = [label.get_text() for label in network.get_xticklabels()]
    assert labels[0] == "1\nconv1" and labels[-1] == "all"
    assert [line.get_label() for line in network.lines] == ["parameters", "multiplications"]


def test_frozen_networks_are_dashed_beside_their_probes(tmp_path):
    results = results_of(tmp_path, results_table(["random0"], ("base", "AnB", "AnB+", "PnB"), (1, 3)))
    lines = drawn_lines(plot_probes(loaded(table(*every_source()), tmp_path), results).axes[0])
    frozen = {name: line for name, line in lines.items() if name.startswith("units above")}
    assert list(frozen) == ["units above trained (frozen PnB)", "units above trained (frozen AnB)"]
    for name, line in frozen.items():
        assert line.get_linestyle() == "--"
        assert line.get_ydata()[0] == pytest.approx(100 * (0.65 - 0.01 * (0.8 if "PnB" in name else 1)))
    assert (
        frozen["units above trained (frozen AnB)"].get_color() != frozen["units above trained (frozen PnB)"].get_color()
    )


def test_amounts_of_images_have_a_panel_with_bars_over_draws(tmp_path):
    figure = plot_probes(loaded(table(*few_images()), tmp_path), results_of(tmp_path))
    titles = [axes.get_title() for axes in figure.axes[:2]]
    assert titles == ["all classes", "all classes: linear classifier, pretrained network"]
    lines = drawn_lines(figure.axes[1])
    amounts = ["1 image of each class", "5 images of each class, 74.2 % at n = 6", "all images, 90.3 % at n = 6"]
    assert [*lines][:3] == amounts  # one image chooses no cut
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == amounts[::-1]
    assert not any("of each class" in text.get_text() for text in figure.legends[0].get_texts())


def test_what_diverged_leaves_a_gap_and_an_empty_figure_says_why(tmp_path):
    made = table(probe_rows())
    some = plot_probes(loaded(diverged(made, made["depth"] == 3), tmp_path), results_of(tmp_path)).axes
    assert [value == value for value in drawn_lines(some[0])["linear classifier, pretrained network"].get_ydata()][
        :4
    ] == [
        True,
        True,
        False,
        True,
    ]
    assert len(some[1].lines[0].get_ydata()) == 8 and all(value == value for value in some[1].lines[0].get_ydata())
    none = plot_probes(loaded(diverged(made, made["seed"] == 0), tmp_path), results_of(tmp_path)).axes
    assert [text.get_text() for text in none[0].texts] == ["No probe has finite features."]


def test_the_page_of_probes_alone_opens_with_the_cut_and_a_table_by_unit(tmp_path):
    page = page_of(loaded(table(probe_rows()), tmp_path), results_of(tmp_path))
    order = [
        "<h1>Where should mini_caffenet be cut?</h1>",
        "This report covers 9 probes",
        "No network was trained.",
        '<p class="advice">Cut after layer3.0 (n = 6)',
    ]
    order += [
        '<th class="name">last unit</th>',
        "<td>90.0 (88.8 to 91.2)</td>",
        'id="findings"',
        "Is the last unit the best",
    ]
    places = [page.index(text) for text in order]
    assert places == sorted(places)
    (chosen,) = re.findall(r'<tr class="chosen">(.*?)</tr>', page)
    assert re.findall(r">([^<>]+)</td>", chosen) == [
        *(
            "6",
            "layer3.0 (cut here)",
            "90.0 (88.8 to 91.2)",
            "89.0",
            "+6.0 (+4.8 to +7.2)",
            "384",
            "66.7",
            "66.7",
            "6.67",
        )
    ]
    assert page.count("Where should the network be cut") == 1
    for other in ("No curve was measured", "Which units can be reused", "Key numbers", "All networks", "0 networks"):
        assert other not in page
    assert "No probe is missing or has diverged." in page
    assert not re.search(r"\b(?:nan|None|inf)\b", page[: page.index('id="made"')])


def test_the_page_of_probes_beside_curves_has_both(tmp_path):
    results = results_of(tmp_path, results_table(["random0"], ("base", "AnB", "BnB")))
    page = page_of(loaded(table(*every_source()), tmp_path), results)
    assert "This report covers 72 probes" in page and "This report covers 14 networks." in page
    assert (
        page.index('id="cut"') < page.index('<h2 id="glance">Which units can be reused') < page.index('id="findings"')
    )
    assert "Key numbers" in page and "All networks" in page
    assert page.count("<details><summary>Random halves, ") == 3  # the first is open
    assert page.count('<tr class="chosen">') == 4 + 1  # and the advice on freezing


def test_a_page_without_probes_is_as_before(tmp_path):
    results = results_of(tmp_path, results_table(["random0"], ("base",)))
    page = page_of(None, results)
    assert "No curve was measured." in page and "Which units can be reused" in page
    assert 'id="cut"' not in page and "probe" not in page


def test_diverged_probes_are_in_the_table_and_among_what_failed(tmp_path):
    made = table(probe_rows(milliseconds=None))
    probes = loaded(diverged(made, made["depth"] == 6), tmp_path)
    page = page_of(probes, results_of(tmp_path))
    assert "<td>features not finite</td>" in page
    assert "Diverged, in no mean: probe of whole, pretrained to whole, seed 0, n = 6 (layer3.0)" in page
    assert "ms an image" not in page
    (only,) = unit_tables(probes)
    assert [row["chosen"] for row in only["rows"]].index(True) == 6
