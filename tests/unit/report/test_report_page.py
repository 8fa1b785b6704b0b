"""The report page: whole, escaped, the same bytes each time, and without errors in a real browser."""

import base64
import json
import re
import shutil
import subprocess

import pandas as pd
import pytest
from helpers import PYTHON, ROOT

from workflow_scripts.plumbing.records import record_of, write_record
from workflow_scripts.report.interactive import chart_items, network_name, sparkline
from workflow_scripts.report.write_report import diverged_networks, table_entry
from workflow_scripts.results.advice import advice
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.findings import findings
from workflow_scripts.results.groups import load_results
from workflow_scripts.results.tables import drop_table
from workflow_scripts.study.columns import KEY_COLUMNS

PUBLISHED = ROOT / "configs" / "published_results.csv"
HOSTILE = '<script>alert("x")</script> & "quotes"'
BODY = "</head>\n<body>"  # Bokeh's code has a <body> of its own
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def readings_of(results):
    rows = [
        dict(zip(KEY_COLUMNS, network, strict=True)) | {"iteration": iteration, "top1": iteration / 100}
        for network in results[KEY_COLUMNS].itertuples(index=False, name=None)
        for iteration in (10, 20, 30)
    ]
    return pd.DataFrame(rows)


def folder_of_a_study(folder):
    """Everything a page is made from: the published networks, one of them diverged, and a hostile caption and cause."""
    table = pd.read_csv(PUBLISHED).assign(diverged=False, diverged_cause="")
    table.loc[5, ["diverged", "diverged_cause"]] = [True, HOSTILE]
    table.to_csv(folder / "results.csv", index=False)
    results = load_results(folder / "results.csv")
    effects = effect_table(results)
    effects.to_csv(folder / "effects.csv", index=False)
    drop_table(results).to_csv(folder / "drops.csv", index=False)
    readings_of(results).to_csv(folder / "learning_curves.csv", index=False)
    found = {"findings": findings(results, effects), "advice": advice(effects), "missing": ["random9: " + HOSTILE]}
    write_record(folder / "findings.json", found)
    summary = {"training": {"jobs": 3, "hours": {"cpu": 1.5, "gpu": 0}, "devices": ["cpu"]}, "provenance": {}}
    write_record(folder / "trained.json", summary)
    summary = {"imported": {"path": "t.csv", "sha256": "0" * 64, "bytes": 5}, "provenance": {}}
    write_record(folder / "imported.json", summary)
    (folder / "figure.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>')
    (folder / "caption.rst").write_text(f"Title {HOSTILE}\n\nCaption.\n")
    for names in (("results.csv", "learning_curves.csv"), ("effects.csv", "drops.csv"), ("figure.svg",)):
        write_record(record_of(folder / names[0]), {}, [folder / name for name in names])


def make_page(folder, name, *options, summary="trained.json"):
    """Run the step; the page's text."""
    inputs = {"results": "results.csv", "summary": summary, "findings": "findings.json", "output": name}
    command = [
        PYTHON,
        "-m",
        "workflow_scripts.report.write_report",
        "--template",
        str(ROOT / "report/page.html.j2"),
    ]
    command += [word for key, file in inputs.items() for word in (f"--{key}", str(folder / file))]
    caption = str(folder / "caption.rst")
    command += [
        "--tables",
        str(folder / "effects.csv"),
        str(folder / "drops.csv"),
        "--table-captions",
        caption,
        caption,
    ]
    command += ["--figures", str(folder / "figure.svg"), "--captions", caption]
    command += ["--config", json.dumps({"study": "tried <b>", "training": {"architecture": "mini_caffenet"}}), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return (folder / name).read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    folder_of_a_study(folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return make_page(folder, "page.html", "--readings", str(folder / "learning_curves.csv"))


def test_it_opens_with_the_question_the_answer_a_chart_and_a_table(page):
    order = ["<h1>Which units of mini_caffenet can be reused?</h1>", '<p class="advice" id="glance">Between tasks like']
    order += ['id="chart-glance"', "<th>frozen<br>(AnB)</th>", "What would make the answer surer", 'id="findings"']
    order += ["shows no lasting cost up to n = 3.", "What the answers rest on", 'id="note-1"']
    order += ['id="reading"', 'id="missing"', 'id="numbers"', 'id="charts"', "data:image/svg+xml", "data:text/csv"]
    places = [page.index(text, page.index(BODY)) for text in order]
    assert places == sorted(places)


def test_text_is_escaped(page):
    body = page[page.index(BODY) :]
    assert "<script>alert" not in body
    assert "random9: &lt;script&gt;" in body
    assert "Title &lt;script&gt;" in body
    assert "tried &lt;b&gt;" in body


def test_nothing_is_loaded_from_elsewhere(page):
    assert not re.search(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=[\"']?(?:https?:)?//", page)
    style = page[page.index("<style>") : page.index("</style>")]
    assert "@import" not in style
    assert "url(" not in style


def test_missing_and_diverged_networks_are_listed(page, folder):
    assert "Missing: random9" in page
    assert "Diverged, in no mean: A5B of natman, seed 0:" in page
    results = load_results(folder / "results.csv")
    assert len(diverged_networks(results)) == 1
    assert diverged_networks(load_results(PUBLISHED)) == []


def test_duplicates_are_told_of_first_and_only_if_there_are_some(page, folder):
    said = {}
    for name, sentence in (("none", ""), ("some", "3 of 50 validation images (6.00%) are also training images.")):
        (folder / name / "packed").mkdir(parents=True)
        write_record(folder / name / "packed" / "duplicates.json", {"sentence": sentence})
        said[name] = make_page(folder, f"{name}.html", "--duplicates", str(folder / name / "packed/duplicates.json"))
    assert "<strong>Duplicates" not in page + said["none"]
    told = said["some"].index("<strong>Duplicates.</strong> some: 3 of 50 validation images")
    assert said["some"].index("What this study found") < told < said["some"].index("shows no lasting cost")


def test_tables_download_as_they_are(page, folder):
    for name in ("effects", "drops"):
        data = re.search(rf'download="{name}.csv" href="data:text/csv;base64,([^"]*)"', page)[1]
        assert base64.b64decode(data) == (folder / f"{name}.csv").read_bytes()


def test_the_same_inputs_are_the_same_bytes(page, folder):
    assert make_page(folder, "again.html", "--readings", str(folder / "learning_curves.csv")) == page


def test_an_imported_study_has_no_learning_curves(folder):
    page = make_page(folder, "imported.html", summary="imported.json")
    assert "taken from the table t.csv" in page
    assert "SHA-256 0000" in page
    assert "polyline" not in page[page.index(BODY) :]


def test_networks_are_named_as_in_the_paper():
    names = {network_name(row) for _, row in load_results(PUBLISHED).iterrows()}
    assert {"A3B", "A3B+", "B7B", "A7A+", "base B", "random 3 whole"} <= names | {"B7B"}


def test_the_chart_holds_every_network_with_its_curve(folder):
    results = load_results(folder / "results.csv")
    charts = {chart["target"]: chart for chart in chart_items(results, effect_table(results), readings_of(results))}
    assert list(charts) == ["chart-networks", "chart-drops", "chart-costs0"]
    text = json.dumps(charts["chart-networks"]["item"])
    shown = results[results["partition"].str.startswith("random")]
    assert text.count("<polyline") == len(shown)
    bases = results[results["group"] == "base"]
    assert chart_items(bases[bases["partition"] == "whole"], effect_table(bases), None) == []


def test_a_learning_curve_fits_its_box():
    drawn = re.search(r'points="([^"]*)"', sparkline([10, 20, 40], [0.0, 0.5, 0.4]))[1]
    points = [tuple(map(float, point.split(","))) for point in drawn.split()]
    assert points[0] == (38.5, 41.0)
    assert points[1][1] == 3.0
    assert points[2][0] == 148.0


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium, in which this test opens the page")
@pytest.mark.parametrize("width", [390, 1200])
def test_in_a_browser_the_charts_are_drawn_and_nothing_overflows(page, folder, width):
    """At a phone's width Chromium's window is 500 pixels at least, so a frame of that width holds the page."""
    measure = """<script>addEventListener("load", () => setTimeout(() => {
        const found = [...document.querySelectorAll(".chart")].map(chart => chart.querySelectorAll("*").length);
        const text = JSON.stringify([document.documentElement.scrollWidth, innerWidth, found]);
        parent.postMessage(text, "*"); }, 3000));</script>"""
    (folder / "inside.html").write_text(page.replace("</body>", measure + "</body>"))
    (folder / "outside.html").write_text(
        f'<iframe src="inside.html" style="width:{width}px;height:3000px;border:0"></iframe><p id="told"></p>'
        '<script>addEventListener("message", event => told.textContent = event.data)</script>'
    )
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    command += ["--allow-file-access-from-files", "--virtual-time-budget=20000", "--dump-dom"]
    opened = subprocess.run([*command, f"file://{folder}/outside.html"], capture_output=True, text=True, timeout=120)
    console = [line for line in opened.stderr.splitlines() if "CONSOLE" in line]
    assert not [line for line in console if re.search(r"error|warn|uncaught", line, re.IGNORECASE)]
    content, window, charts = json.loads(re.search(r'<p id="told">([^<]*)</p>', opened.stdout)[1])
    assert window == width
    assert content <= window
    assert len(charts) == 3
    assert min(charts) >= 1


def test_tables_have_rates_as_they_were_written_and_enough_decimals(tmp_path):
    row = {"partition": "random0", "learning_rate": "1e-05", "init": "", "distance": 0.00123, "barrier_points": 1.234}
    row |= {"lowest_top1": 0.5678, "top1_at_0.5": 0.56784, "top1": 61.234}
    pd.DataFrame([row, row | {"distance": None, "learning_rate": ""}]).to_csv(tmp_path / "made.csv", index=False)
    entry = table_entry(tmp_path / "made.csv", ROOT / "report/distances.rst")
    cells = re.findall("<td>(.*?)</td>", entry["html"])
    assert cells[:8] == ["random0", "1e-05", "", "0.0012", "1.23", "0.5678", "0.5678", "61.23"]
    assert cells[9:12] == ["", "", ""]
    assert entry["title"] == "How far do copied units move?"
