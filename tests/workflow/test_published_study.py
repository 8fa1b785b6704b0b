"""configs/published.yaml: the paper's own networks in place of training, from table to page."""

import re
import shutil
import zipfile

import pandas as pd
import pytest
import yaml
from helpers import check_report

from workflow_scripts.plumbing.files import read_json

PUBLISHED = "configs/published.yaml"
RESULTS = "results/published"
FIGURES = ("figure2", "figure3", "effects", "boost", "reduced")


@pytest.fixture(scope="module")
def study(checkout):
    """A checkout in which the published study is finished."""
    published = checkout(PUBLISHED)
    published.snakemake()
    return published


def test_tables_may_lie_anywhere_and_their_content_decides(study, tmp_path):
    copies = {name: str(tmp_path / f"{name}.csv") for name in ("results", "printed")}
    for name, copied in copies.items():
        shutil.copyfile(study.folder / f"configs/published_{name}.csv", copied)
    elsewhere = {"study": "published", "results_table": copies["results"], "reference": copies}
    (study.folder / "elsewhere.yaml").write_text(yaml.safe_dump(elsewhere))
    assert "Nothing to be done" in study.snakemake("--dry-run", study="elsewhere.yaml")
    printed = (tmp_path / "printed.csv").read_text()
    (tmp_path / "printed.csv").write_text(f"{printed}\n")
    planned = study.snakemake("--dry-run", "--quiet", "rules", study="elsewhere.yaml")
    jobs = set(re.findall(r"^(\w+) +1$", planned, re.MULTILINE))
    assert jobs == {"write_findings", "write_report", "all"}
    lines = (tmp_path / "results.csv").read_text().splitlines()
    (tmp_path / "results.csv").write_text("\n".join(lines[:-1]))
    assert re.search("^import_results +1$", study.snakemake("--dry-run", study="elsewhere.yaml"), re.MULTILINE)


def table(study, name):
    return pd.read_csv(study.folder / RESULTS / "tables" / f"{name}.csv", dtype={"layers": str})


def test_nothing_is_trained_and_everything_drawn(study):
    assert not (study.folder / "data").exists()
    assert len(pd.read_csv(study.folder / RESULTS / "results.csv")) == 148
    signatures = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    for kind, signature in signatures.items():
        drawn = sorted((study.folder / RESULTS / "figures").glob(f"*.{kind}"))
        assert [path.stem for path in drawn] == sorted(FIGURES)
        assert all(path.read_bytes().startswith(signature) for path in drawn)
    summary = read_json(study.folder / RESULTS / "results.json")
    assert summary["imported"]["path"] == "configs/published_results.csv"
    assert "Nothing to be done" in study.snakemake()


def test_snakemakes_own_report_is_made_as_page_and_as_archive(study, tmp_path):
    """With what `make run` installs; Snakemake leaves what only its report needs to an extra."""
    study.snakemake("--report", str(tmp_path / "report.html"))
    page = (tmp_path / "report.html").read_text()
    check_report(page, study.folder, FIGURES, drawn=RESULTS)
    study.snakemake("--report", str(tmp_path / "report.zip"))
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        zipped = next(name for name in archive.namelist() if name.count("/") == 1 and name.endswith("report.html"))
        check_report(archive.read(zipped).decode(), study.folder, FIGURES, drawn=RESULTS)
        stored = {name.rpartition("/")[2] for name in archive.namelist()}
    assert {f"{figure}.{kind}" for figure in FIGURES for kind in ("png", "svg", "pdf")} <= stored


def test_the_papers_numbers_come_out(study):
    numbers = table(study, "comparison").set_index("quantity")
    assert numbers.loc["base networks of random halves, mean", "this_study"] == pytest.approx(62.5, abs=0.05)
    printed = numbers.dropna(subset="printed")
    assert len(printed) == 7
    assert (printed["published_logs"] - printed["printed"]).abs().max() <= 0.05
    assert printed["printed_against_logs"].str.startswith("agree").all()
    natman = [numbers.loc[f"AnB onto the man-made half, n = {depth}", "this_study"] for depth in range(1, 8)]
    assert natman == pytest.approx([53.92, 52.14, 50.08, 46.16, 40.98, 37.42, 29.14])
    reduced = [numbers.loc[f"base network on {images} images a class", "this_study"] for images in (100, 250, 1300)]
    assert reduced == pytest.approx([0.11, 38.43, 55.18])


def test_paired_and_unpaired_boosts_stand_side_by_side(study):
    boost = table(study, "effects").query("effect == 'boost_over_base'").set_index("layers")
    assert list(boost.loc[["1-7", "3-7", "5-7"], "points"]) == pytest.approx([1.0, 1.2, 1.2], abs=0.06)
    assert list(boost.loc[["1-7", "3-7", "5-7"], "unpaired_points"]) == pytest.approx([1.6, 1.8, 2.06], abs=0.01)


def test_the_page_opens_with_the_findings_and_lists_what_is_missing(study):
    page = (study.folder / RESULTS / "report.html").read_text()
    finding = "AnB stays below the selffer control BnB from n = 4 on."
    assert page.index(finding) < page.index('<img src="data:image/svg+xml')
    assert "random1: A to B, finetuned, seed 0: n = 1, 5, 6, 7" in page


def run_with(study, name, lines, **settings):
    """Run a study of a table with these lines; what Snakemake printed."""
    (study.folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    settings = {"study": name, "results_table": f"{name}.csv"} | settings
    (study.folder / f"{name}.yaml").write_text(yaml.safe_dump(settings))
    return study.snakemake(study=f"{name}.yaml", check=False)


def test_a_wrong_table_is_refused_by_line_and_nothing_is_drawn(study):
    lines = (study.folder / "configs/published_results.csv").read_text().splitlines()
    printed = run_with(study, "wrong", [*lines, "random0,A,B,1,pruned,1,0.5,0.5,9"])
    place = "error: configuration: results_table: wrong.csv line 150: "
    assert f"{place}treatment is 'pruned' but must be one of base, base_twice, finetuned, frozen, staged" in printed
    assert "Traceback" not in printed
    assert not (study.folder / "results/wrong").exists()


def test_a_table_of_few_columns_is_refused_before_any_job(study):
    printed = run_with(study, "few", ["partition,score", "random0,0.5"])
    assert "error: configuration: results_table: few.csv: it has no column 'source'. Its first line has" in printed
    assert not (study.folder / "results/few").exists()
    printed = study.snakemake("--config", "results_table=nowhere.csv", check=False)
    assert "error: configuration: results_table: nowhere.csv: the file does not exist" in printed


def test_a_table_with_gaps_preserved_layers_and_no_reference_is_drawn(study):
    lines = (study.folder / "configs/published_results.csv").read_text().splitlines()
    kept = [f"{line},0" for line in lines[1:] if not line.startswith(("natman,A,B,4", "random0,B,B,0"))]
    kept += [f"{line},1" for line in lines if line.startswith("random0,A,B") and ",frozen," in line]
    printed = run_with(study, "gaps", [f"{lines[0]},preserve", *kept], reference=None)
    assert "Error" not in printed
    folder = study.folder / "results/gaps"
    assert (folder / "figures/preserved.pdf").exists()
    assert not (folder / "tables/comparison.csv").exists()
    missing = read_json(folder / "tables/findings.json")["missing"]
    assert {"natman: A to B, frozen, seed 0: n = 4", "random0: base network of B, seed 0"} <= set(missing)
