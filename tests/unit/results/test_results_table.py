"""Tables that come from elsewhere: read whatever their order, or refused by name."""

import subprocess
import sys

import pandas as pd
import pytest
from helpers import ROOT

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.report.figures.figure2 import plot_transfer
from workflow_scripts.report.figures.figure3 import plot_distance
from workflow_scripts.results.groups import load_results, mean_by_depth
from workflow_scripts.results.import_results import import_results
from workflow_scripts.results.table import missing_networks, read_results
from workflow_scripts.study.columns import RESULT_COLUMNS

PUBLISHED = ROOT / "configs" / "published_results.csv"


def published_lines():
    return PUBLISHED.read_text().splitlines()


def written(tmp_path, lines):
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_committed_facts_are_the_published_ones(shared):
    """The published scores as they are, and beside them the validation images of each task, 50 of each class."""
    ours = pd.read_csv(PUBLISHED, dtype=str)
    images = ours.pop("val_images").astype(int)
    assert ours.equals(pd.read_csv(shared / "reference" / "published_results.csv", dtype=str))
    halves = pd.read_csv(shared / "reference" / "imagenet_natural_manmade.csv")["half"].value_counts()
    classes = {"natman A": halves["natural"], "natman B": halves["manmade"]}
    tasks = ours["partition"].str.replace("_.*", "", regex=True) + " " + ours["target"]
    default = tasks.str.startswith("whole").map({True: 1000, False: 500})
    assert images.equals(50 * tasks.map(classes).fillna(default).astype(int))


def test_any_order_of_rows_and_columns_is_the_same_table(tmp_path):
    shuffled = pd.read_csv(PUBLISHED, dtype=str).sample(frac=1, random_state=0).iloc[:, ::-1]
    path = tmp_path / "shuffled.csv"
    shuffled.to_csv(path, index=False)
    assert read_results(path).equals(read_results(PUBLISHED))
    names = list(read_results(path))
    assert names == [name for name in RESULT_COLUMNS if name in names]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [line.replace("top1_best10_mean", "top1") for line in lines], "no column 'top1_best10_mean'"),
        (
            lambda lines: [lines[0] + ",colour", *(line + ",red" for line in lines[1:])],
            "the column 'colour' is unknown",
        ),
        (lambda lines: [*lines, lines[3]], r"line 150: it names a network a second time \(natman, A, B, 2, frozen"),
        (
            lambda lines: [*lines, "random0,A,B,1,pruned,1,0.5,0.5,50"],
            "line 150: treatment is 'pruned' but must be one of",
        ),
        (lambda lines: [*lines, "random0,C,B,1,frozen,1,0.5,0.5,50"], "line 150: source is 'C'"),
        (lambda lines: [*lines, "random0,A,random,1,frozen,1,0.5,0.5,50"], "line 150: target is 'random'"),
        (lambda lines: [*lines, "0random,A,B,1,frozen,1,0.5,0.5,50"], "line 150: '0random' is not a partition's name"),
        (
            lambda lines: [*lines, "random9,A,B,1,frozen,1,52.5,0.5,50"],
            "line 150: top1_best10_mean is '52.5' but must be",
        ),
        (lambda lines: [*lines, "random9,A,B,1,frozen,1,-0.1,0.5,50"], "line 150: top1_best10_mean is '-0.1'"),
        (lambda lines: [*lines, "random9,A,B,1,frozen,1,0.5,inf,50"], "line 150: top1_last is 'inf'"),
        (lambda lines: [*lines, "random9,A,B,1,frozen,1,high,0.5,50"], "line 150: top1_best10_mean is 'high'"),
        (
            lambda lines: [*lines, "random9,A,B,1.5,frozen,1,0.5,0.5,50"],
            "line 150: depth is '1.5' but must be a whole number",
        ),
        (lambda lines: [*lines, "random9,A,B,,frozen,1,0.5,0.5,50"], "line 150: depth is ''"),
        (lambda lines: [*lines, "random9,A,B,0,frozen,1,0.5,0.5,50"], "line 150: a base network, and no other"),
        (lambda lines: [*lines, "random9,A,A,2,base,1,0.5,0.5,50"], "line 150: a base network, and no other"),
        (lambda lines: [*lines, "random9,A,B,0,base,1,0.5,0.5,50"], "line 150: a base network, and no other"),
        (lambda lines: [*lines, "random9,A,B,1,frozen,1,0.5,0.5,7,8"], "line 150: expected 9 values, found 10"),
        (
            lambda lines: [lines[0] + ",diverged", *(line + ",maybe" for line in lines[1:])],
            "line 2: diverged is 'maybe'",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_line(tmp_path, change, message):
    path = written(tmp_path, change(published_lines()))
    with pytest.raises(InputError, match=message) as caught:
        read_results(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_spreadsheets_table_is_the_same_table(tmp_path, mark):
    """Its own separator, line ends, byte order mark, names and truth values; the line of a mistake stays right."""
    lines = [line.replace(",", mark) for line in published_lines()]
    lines = [
        f"{lines[0].upper()}{mark}Diverged".replace("TOP1_LAST", " Top1 last "),
        "",
        *(f"{line}{mark}FALSE" for line in lines[1:]),
    ]
    path = tmp_path / "table.csv"
    path.write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    assert read_results(path).equals(read_results(PUBLISHED))
    path.write_bytes(
        "\r\n".join(
            [*lines, mark.join(["random9", "A", "B", "1", "frozen", "1"]) + f"{mark}0,5{mark}0.5{mark}5{mark}FALSE"]
        ).encode()
    )
    with pytest.raises(
        InputError, match=r"line 151: top1_best10_mean is '0,5' but must be a fraction .* a decimal point"
    ):
        read_results(path)


def test_missing_networks_are_listed_and_leave_gaps(tmp_path):
    lines = [line for line in published_lines() if not line.startswith("natman,A,B,4")]
    lines = [line for line in lines if not line.startswith("random2,B,B,0,base")]
    lines = [line.replace("natman,B,A,3,frozen,450000,0.625024", "natman,B,A,3,frozen,450000,NaN") for line in lines]
    path = written(tmp_path, lines)
    missing = missing_networks(read_results(path))
    known = set(missing_networks(read_results(PUBLISHED)))  # fine-tuned runs that were never published
    assert known == {
        "random1: A to A, finetuned, seed 0: n = 1, 2, 4, 7",
        "random1: A to B, finetuned, seed 0: n = 1, 5, 6, 7",
    }
    assert set(missing) - known == {
        "natman: A to B, frozen, seed 0: n = 4",
        "natman: B to A, frozen, seed 0: n = 3",
        "random2: base network of B, seed 0",
    }
    results = load_results(path)
    assert len(results) == 148 - 3
    natman = results[(results["partition"] == "natman") & (results["group"] == "AnB")]
    line = mean_by_depth(natman[natman["target"] == "B"])
    assert list(line.index) == [1, 2, 3, 4, 5, 6, 7]
    assert list(line.index[line.isna()]) == [4]
    drawn = {text.get_label(): text.get_ydata() for text in plot_distance(results).axes[0].get_lines()}
    assert list(pd.isna(drawn["natural to man-made"])) == [False, False, False, True, False, False, False]
    plot_transfer(results)


def test_a_study_of_few_depths_has_no_gaps(tmp_path):
    lines = [line for line in published_lines() if line.split(",")[3] not in {"2", "4", "6"}]
    results = load_results(written(tmp_path, lines))
    assert list(mean_by_depth(results[results["group"] == "AnB"]).index) == [1, 3, 5, 7]


def test_an_imported_table_is_the_same_table(tmp_path):
    import_results(PUBLISHED, tmp_path / "results.csv", tmp_path / "results.json")
    assert read_results(tmp_path / "results.csv").equals(read_results(PUBLISHED))


def test_a_refused_table_is_one_line_and_leaves_nothing(tmp_path):
    path = written(tmp_path, [*published_lines(), "random0,A,B,1,pruned,1,0.5,0.5,50"])
    outputs = ["--results", str(tmp_path / "out" / "results.csv"), "--summary", str(tmp_path / "out" / "results.json")]
    command = [sys.executable, "-m", "workflow_scripts.results.import_results", "--table", str(path), *outputs]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: {path} line 150: treatment is 'pruned'")
    assert not (tmp_path / "out").exists()


def test_a_table_without_any_score_is_refused(tmp_path):
    path = written(tmp_path, [published_lines()[0], "random0,A,A,0,base,1,,,"])
    with pytest.raises(InputError, match="no network has a top1_best10_mean"):
        import_results(path, tmp_path / "results.csv", tmp_path / "results.json")
