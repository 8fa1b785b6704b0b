"""Odd studies through every step after training, with warnings as errors. Nothing fails, and empty places say why.

The tables are in tests/odd_studies.py. What needs weights or Snakemake is in tests/workflow/test_odd_runs.py.
"""

import json
import re

import pandas as pd
import pytest
from helpers import ROOT
from odd_studies import ODD_STUDIES, distances_of, diverged, loaded, readings_of, similarity_of, table, units_of

from workflow_scripts.report.figures.boost import plot_boost
from workflow_scripts.report.figures.comparison import plot_comparison
from workflow_scripts.report.figures.distances import plot_distances
from workflow_scripts.report.figures.effects import plot_effects
from workflow_scripts.report.figures.figure2 import plot_transfer
from workflow_scripts.report.figures.figure3 import plot_distance
from workflow_scripts.report.figures.hierarchy import plot_hierarchy
from workflow_scripts.report.figures.learning import plot_learning
from workflow_scripts.report.figures.norm_statistics import plot_statistics
from workflow_scripts.report.figures.preserved import plot_preserved
from workflow_scripts.report.figures.pretrained import plot_pretrained
from workflow_scripts.report.figures.reduced import plot_reduced
from workflow_scripts.report.figures.similarity import plot_similarity
from workflow_scripts.report.figures.target_images import plot_target_images
from workflow_scripts.report.interactive import chart_items
from workflow_scripts.report.write_report import page_content, render, table_entry
from workflow_scripts.results.advice import advice
from workflow_scripts.results.compare_published import comparison_table, read_printed
from workflow_scripts.results.effects import effect_table, read_effects
from workflow_scripts.results.findings import findings
from workflow_scripts.results.groups import load_results
from workflow_scripts.results.norm_statistics import read_statistics, statistics_table
from workflow_scripts.results.table import missing_networks, read_results
from workflow_scripts.results.tables import boost_table, drop_table
from workflow_scripts.results.target_images import read_target_images, target_images_table
from workflow_scripts.results.units import read_units, unit_names

pytestmark = pytest.mark.filterwarnings("error")

QUICK = [
    "all diverged",
    "only AnB",
    "only random and base",
    "one network",
    "selffers of all classes",
    "all base diverged",
    "all right or all wrong",
    "norm statistics of a pretrained source",
    "deep networks",
    "controls of fine-tuning alone",
    "drawn images",
    "drawn images of one number",
]
TABLES = ("effects", "norm_statistics", "target_images", "boost", "drops", "units")
NO_NUMBER = re.compile(r"\b(?:nan|NaN|inf|None)\b|-0\.0+\b")
EFFECTS = {}  # the effects of a results table by its text: two tests need them, and they take seconds
TRAINED_SUMMARY = {"training": {"jobs": 1, "hours": {"cpu": 1.0, "gpu": 0}, "devices": ["cpu"]}}


def studies(quick):
    """All odd studies as parameters; those that are not in `quick` are slow."""
    return [pytest.param(name, marks=[] if name in quick else pytest.mark.slow) for name in ODD_STUDIES]


@pytest.fixture(scope="module")
def published():
    return load_results(ROOT / "configs" / "published_results.csv")


def tables_of(made, folder):
    """The tables of a study as the steps after make_tables read them, by name."""
    results = loaded(made, folder)
    key = (folder / "results.csv").read_text()
    if key not in EFFECTS:
        EFFECTS[key] = effect_table(results)
    makers = {"effects": lambda _: EFFECTS[key], "boost": boost_table, "drops": drop_table}
    makers |= {
        "norm_statistics": statistics_table,
        "target_images": target_images_table,
        "units": lambda results: units_of(int(results["depth"].max())),
    }
    for name, make in makers.items():
        make(results).round(4).to_csv(folder / f"{name}.csv", index=False)
    tables = {"effects": read_effects(folder / "effects.csv"), "boost": pd.read_csv(folder / "boost.csv")}
    tables["target_images"] = read_target_images(folder / "target_images.csv")
    tables["norm_statistics"] = read_statistics(folder / "norm_statistics.csv")
    return results, tables


def config(study):
    """What a page needs of a configuration."""
    return {"study": study, "training": {"architecture": "mini_caffenet"}}


def visible(page):
    """The page's text without styles, code and downloads."""
    body = page[page.index("</head>\n<body>") :]
    return re.sub(r"<script>.*?</script>|<style>.*?</style>|base64,[^\"]*|<pre>.*?</pre>", "", body, flags=re.DOTALL)


def page_of(made, folder, caplog):
    """The page of a study, which must be sound."""
    results, tables = tables_of(made, folder)
    missing = missing_networks(read_results(folder / "results.csv"))
    units = read_units(folder / "units.csv")
    answers = findings(results, tables["effects"], tables["norm_statistics"], unit_names(units))
    found = {"findings": answers, "advice": advice(tables["effects"], unit_names(units)), "missing": missing}
    assert not NO_NUMBER.search(json.dumps(found, allow_nan=False))
    charts = chart_items(results, tables["effects"], readings_of(made), units)
    assert not caplog.records  # Bokeh complains of empty charts here
    captions = ROOT / "report"
    entries = [table_entry(folder / f"{name}.csv", captions / f"{name}.rst") for name in TABLES]
    of_study = results, tables["effects"], units, TRAINED_SUMMARY, found
    page = render(captions / "page.html.j2", page_content(*of_study, charts, entries, [], config("odd")))
    assert not NO_NUMBER.search(visible(page)), NO_NUMBER.search(visible(page))
    assert ('id="chart-glance"' in page or bool(charts)) == ("Bokeh.embed.embed_item" in page)
    return page


@pytest.mark.parametrize("name", studies(QUICK))
def test_the_page_of_an_odd_study_is_sound(name, tmp_path, caplog):
    page = page_of(ODD_STUDIES[name], tmp_path, caplog)
    if "diverged" in name and "diverged" in ODD_STUDIES[name]:
        assert f"{ODD_STUDIES[name]['diverged'].sum()} of the networks diverged." in page


@pytest.mark.parametrize("name", studies([*QUICK[:4], *QUICK[-4:]]))
def test_the_figures_of_an_odd_study_are_sound(name, tmp_path, published):
    made = ODD_STUDIES[name]
    results, tables = tables_of(made, tmp_path)
    units = read_units(tmp_path / "units.csv")
    figures = [
        plot_transfer(results),
        plot_transfer(results, units),
        plot_pretrained(results, units),
        plot_statistics(tables["norm_statistics"], units),
        plot_effects(tables["effects"], units),
        plot_target_images(tables["target_images"], units),
        plot_boost(tables["boost"]),
        plot_distance(results, units),
        plot_hierarchy(results, {"random0": 4.0, "natman": 6.0}),
        plot_reduced(results),
        plot_preserved(results, units),
        plot_comparison(results, published),
        plot_distances(distances_of(results, max(7, results["depth"].max())), results, units),
        *(plot_similarity(results, similarity_of(results, cka)) for cka in (0.5, float("nan"))),
        *([plot_learning(readings, made)] if (readings := readings_of(made)) is not None else []),
    ]
    for figure in figures:
        figure.draw_without_rendering()
        texts = [text.get_text() for axes in figure.axes for text in axes.texts]
        shown = [axes for axes in figure.axes if axes.has_data() and axes.axison]
        assert shown or any(texts), figure.get_label()
        assert not any(NO_NUMBER.search(text) for text in [*texts, *(axes.get_title() for axes in figure.axes)])
    comparison_table(results, published, read_printed(ROOT / "configs" / "published_printed.csv"))


def test_a_page_on_diverged_networks_says_that_none_trained(tmp_path, caplog):
    """The four lines of a field report: they killed the page."""
    text = visible(page_of(ODD_STUDIES["four lines, all diverged"], tmp_path, caplog))
    assert "This report covers 4 networks." in text
    assert "4 of the networks diverged." in text
    assert "No network trained: all 4 diverged. There is nothing to compare." in text
    assert "The report therefore gives no advice on what to copy." in text
    assert text.count("Diverged, in no mean:") == 4


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("only base", "No curve was measured."),
        ("all curves diverged", "All networks of curves diverged."),
        ("only AnB", "No target has the trained networks that one of"),
    ],
)
def test_a_page_without_findings_says_why(name, sentence, tmp_path, caplog):
    assert sentence in visible(page_of(ODD_STUDIES[name], tmp_path, caplog))


def sentences(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts if len(text.get_text()) > 1]


def test_empty_axes_say_why(tmp_path):
    results, tables = tables_of(ODD_STUDIES["all diverged"], tmp_path)
    assert "No network trained: all 26 diverged." in sentences(plot_transfer(results))
    assert "No network trained: all 6 diverged." in sentences(plot_distance(results))
    assert "No target task has two trained networks to be compared." in sentences(plot_effects(tables["effects"]))
    assert "No AnB+ network of equal halves is trained." in sentences(plot_boost(tables["boost"]))
    one = loaded(diverged(ODD_STUDIES["one network"]), tmp_path)
    assert "No network trained: 1 diverged." in sentences(plot_transfer(one))
    assert "No target has a trained base network." in sentences(
        plot_distance(loaded(ODD_STUDIES["all base diverged"], tmp_path))
    )


def test_similarity_that_cannot_be_computed_says_why(tmp_path):
    results, unknown = loaded(table(), tmp_path), similarity_of(table(), float("nan"))
    assert any("the base networks diverged" in text for text in sentences(plot_similarity(results, unknown)))
    few = sentences(plot_similarity(results, unknown.assign(images=2)))
    assert any("CKA needs 4 validation images\nof a target, and there are 2." in text for text in few)


def test_what_needs_more_validation_images_is_said_on_the_page(tmp_path):
    results = loaded(table(val_images=2), tmp_path)
    found = {"findings": [], "advice": "", "missing": []}
    figure = {"name": "similarity", "title": "t", "caption": "c", "data": ""}
    of_study = results, effect_table(results), None, TRAINED_SUMMARY, found
    for figures, count in (([figure], 2), ([], 0)):
        content = page_content(*of_study, [], [], figures, config("odd"))
        assert len(content["left_out"]) == count
    page = render(ROOT / "report/page.html.j2", page_content(*of_study, [], [], [figure], config("")))
    assert "These could not be computed:" in page
    assert "Linear CKA needs 4 validation images, and this task has 2." in page


def test_diverged_networks_are_crosses_in_the_chart(tmp_path):
    made = ODD_STUDIES["one target diverged"]
    results, tables = tables_of(made, tmp_path)
    networks = json.dumps(chart_items(results, tables["effects"], None)[0]["item"])
    assert "diverged, in no mean" in networks
    assert networks.count("<b>diverged</b> loss") == made["diverged"].sum()
    assert "without a trained base network" in networks
    sound = chart_items(*(lambda pair: (pair[0], pair[1]["effects"], None))(tables_of(table(), tmp_path)))
    assert "diverged, in no mean" not in json.dumps(sound[0]["item"])


def test_a_lost_loss_is_a_cross_on_its_learning_curve():
    made = ODD_STUDIES["one depth diverged"]
    crosses = [
        line for axes in plot_learning(readings_of(made), made).axes for line in axes.lines if line.get_marker() == "x"
    ]
    assert sum(len(line.get_xdata()) for line in crosses) == (made["diverged"]).sum()
    assert all(x == 4 for line in crosses for x in line.get_xdata())  # the first reading
