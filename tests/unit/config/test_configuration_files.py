"""Files that are not configurations, lists that divide no dataset: each refused in one line that names the place."""

import copy
import json
import re

import pytest
from helpers import ROOT, alias_bomb, default_config

from workflow_scripts.config.checks import check_config, check_dataset
from workflow_scripts.config.file import check_config_file
from workflow_scripts.dataset.sample.classes import SAMPLE_CLASSES
from workflow_scripts.partition.halves import read_artifacts
from workflow_scripts.plumbing.cli import InputError, one_line

EXTRA = "configs/imagenet_extra_artifacts.txt"
SCHEMA = ROOT / "schemas" / "config.schema.yaml"
CONFIG = default_config()
WNIDS = [sample_class.wnid for sample_class in SAMPLE_CLASSES]
GOOD_ROWS = [f"{wnid},{'AB'[number % 2]}" for number, wnid in enumerate(WNIDS)]
LISTS = [  # bytes of a CSV of halves of the sample, or what is there in its place, and the reason
    (None, "the file does not exist"),
    ("folder", "it is not a file"),
    (b"\xff\xfe\x00", "line 1: the byte 0x00 is not UTF-16 text"),
    ("class,half\n" + "caf\u00e9,A\n", "line 2: the byte 0xe9 is not UTF-8 text"),  # written as Latin-1
    (b"", "it is empty"),
    (b"\0" * 1000, "line 1: it holds a null character"),
    (b'class,half\n"' + b"a" * 200_000, "is not a readable CSV"),
    (["class,group", *GOOD_ROWS], "it has no column 'half'"),
    (["class|half", *GOOD_ROWS], "Its first line has 'class|half'. Give it class, half, separated by commas"),
    (["c1ass,half", *GOOD_ROWS], "'class' and 'c1ass' look alike, but differ (character 2: 'l' against '1')"),
    (GOOD_ROWS, "it has no column 'class'. Its first line has 'n91000001', 'A'"),
    (["class;half", *GOOD_ROWS], "line 2: expected 2 values, as in the header, found 1, separated by ';'"),
    (["class,half,half", *(f"{row},A" for row in GOOD_ROWS)], "the column 'half' is there twice"),
    (["class,half"], "it has no rows"),
    (["class,half", *GOOD_ROWS, "n1"], "line 42: expected 2 values, as in the header, found 1"),
    (["class,half", *GOOD_ROWS, "n1,A,A"], "line 42: expected 2 values, as in the header, found 3"),
    (["class,half", *GOOD_ROWS[1:], "n91000001,C"], "half 'C' is not one of"),
    (["class,half", *GOOD_ROWS[1:], "n91000001,wild"], "line 41: half 'wild' is not one of"),
    (["class,half", *GOOD_ROWS[1:], '"n91000001,A'], "line 41: it is not a readable CSV (a quoted value does not end)"),
    (["class,half", *GOOD_ROWS[1:], "n91000001,\u0410"], "is not one of"),
    (["class,half", *GOOD_ROWS[1:], "n91000001,"], "half '' is not one of"),
    (["class,half", *GOOD_ROWS, ",A"], "a row has no class"),
    (["class,half", "", *GOOD_ROWS, GOOD_ROWS[0]], "line 43: class 'n91000001' has two rows, the first on line 3"),
    (["class,half", *GOOD_ROWS, "n91000001,B"], "class 'n91000001' has two rows"),
    (["class,half", *(f"{wnid},A" for wnid in WNIDS)], "half B has 0 classes"),
    (["class,half", f"{WNIDS[0]},A", *(f"{wnid},B" for wnid in WNIDS[1:])], "half A has 1 class,"),
    (["class,half", *GOOD_ROWS[:-1]], f"class '{WNIDS[-1]}' of the dataset has no row"),
    (["class,half", *GOOD_ROWS, "n02119789,A"], "class 'n02119789' is not a class of the dataset"),
    (["class,half", *GOOD_ROWS[1:], "n9100000\u0661,A"], "is not a class of the dataset"),
]
YAMLS = [  # a configuration file's text or bytes, and the reason
    ("study: a\ntraining:\n  crop: 32\n  device: cpu\n  crop: 24\n", "line 5: crop stands here twice"),
    ("training: {crop: 32, crop: 24}\n", "line 1: crop stands here twice"),
    ("matrix:\n  - {partition: whole, partition: random0}\n", "line 2: partition stands here twice"),
    ('study: a\n"study": b\n', "line 2: study stands here twice"),
    ('{"study": "a", "study": "b"}', "study stands here twice"),
    ('{"training": {"crop": 1, "crop": 2}}', "crop stands here twice"),
    ("", "it has no keys at its top level"),
    ("# nothing\n", "it has no keys at its top level"),
    ("null\n", "it has no keys at its top level"),
    ("study\n", "it has no keys at its top level"),
    ("- study: a\n", "it has no keys at its top level"),
    ("[1, 2]", "it has no keys at its top level"),
    ("study: a\n---\nstudy: b\n", "line 2: but found another document"),
    ("%YAML 3.0\n---\nstudy: a\n", "line 1: found incompatible YAML document"),
    ("training:\n\tcrop: 32\n", "line 2: found character '\\t'"),
    ("depths: [1, 2\nseeds: [0]\n", "line 2: "),
    ("study: 'a\n", "line 2: found unexpected end of stream"),
    ("study: a: b\n", "line 1: mapping values are not allowed here"),
    ("study a\nseeds: [0]\n", "line 2: "),
    ("study: *nowhere\n", "line 1: found undefined alias"),
    ("study: !!python/object/apply:os.getcwd []\n", "line 1: could not determine a constructor for the tag"),
    ("study: !!python/name:os.system\n", "line 1: could not determine a constructor for the tag"),
    ("study: !mine a\n", "line 1: could not determine a constructor for the tag '!mine'"),
    ("study: !!binary é\n", "line 1: failed to convert base64"),
    ("? [1, 2]\n: a\n", "line 1: a list or section cannot be a key"),
    ("? {a: 1}\n: a\n", "line 1: a list or section cannot be a key"),
    ("training: {<<: 3}\n", "line 1: expected a mapping"),
    ("training: &a {crop: *a}\n", "line 1: it holds more than a study can have"),
    ("depths: &a [1, *a]\n", "line 1: it holds more than a study can have"),
    ("training: &a {<<: *a}\n", "line 1: it holds more than a study can have"),
    (alias_bomb("[1, 1]", "[", "]"), "it holds more than a study can have"),
    (alias_bomb("{x: 1}", "{", "}"), "it holds more than a study can have"),
    (alias_bomb("{x: 1}", "{<<: [", "]}"), "it holds more than a study can have"),
    ("depths: " + "[" * 5000 + "]" * 5000, "is nested too deeply"),
    ('{"depths": ' + "[" * 100_000 + "]" * 100_000 + "}", "is nested too deeply"),
    ("seeds: [" + "9" * 5000 + "]\n", "it is not valid YAML (Exceeds the limit"),
    ("study: 2020-13-45\n", "it is not valid YAML (month must be"),
    ("study: a\0b\n", "line 1: it holds a null character"),
    ("study: \x1b[31m\n", "it is not valid YAML (unacceptable character"),
    (bytes(range(256)), "line 3: the byte 0x80 is not UTF-8 text"),
    ("study: caf\u00e9\n".encode("latin-1"), "is not UTF-8 text"),
    ("study: a\n".encode("utf-16"), "is not UTF-8 text"),
    ("study: " + "a" * 400_000, "it has more than 300,000 bytes"),
]


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


def with_list(path):
    return copy.deepcopy(CONFIG) | {"matrix": [{"partition": "whole"}, {"partition": "mine", "csv": str(path)}]}


def refused(config):
    with pytest.raises(InputError) as caught:
        check_config(config, SCHEMA)
    return one_line(caught.value)


@pytest.mark.parametrize(("content", "reason"), LISTS, ids=lambda value: ascii(value)[:40])
def test_a_list_of_halves_that_divides_nothing_is_refused(tmp_path, content, reason):
    path = tmp_path / "halves.csv"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        text = "\n".join(content) if isinstance(content, list) else content
        path.write_bytes(text if isinstance(text, bytes) else text.encode("latin-1" if "\u00e9" in text else "utf-8"))
    line = refused(with_list(path))
    assert line.startswith("configuration: matrix[1].csv: ")
    assert reason in line


def test_a_good_list_of_halves_is_taken(tmp_path):
    for first in ("class,half", "\ufeffclass,half", '"class","half"'):
        (tmp_path / "halves.csv").write_text("\r\n".join([first, *GOOD_ROWS, ""]), encoding="utf-8")
        check_config(with_list(tmp_path / "halves.csv"), SCHEMA)


def test_a_list_of_halves_is_compared_with_a_tree_of_images(tmp_path):
    for split in ("train", "val"):
        for name in "abcd":
            (tmp_path / split / name).mkdir(parents=True)
    (tmp_path / "halves.csv").write_text("class,half\na,A\nb,A\nc,B\nd,B\n")
    config = with_list(tmp_path / "halves.csv")
    config["dataset"] |= {"kind": "folder", "path": str(tmp_path)}
    check_config(config, SCHEMA)
    check_dataset(config["dataset"])
    for split in ("train", "val"):
        (tmp_path / split / "e").mkdir()
    assert "matrix[1].csv" in refused(config) and "class 'e' of the dataset has no row" in refused(config)


@pytest.mark.parametrize(("text", "reason"), YAMLS, ids=lambda value: ascii(value)[:40])
def test_a_file_that_is_no_configuration_is_refused(tmp_path, text, reason):
    path = tmp_path / "study.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=f"^configuration: {re.escape(str(path))}") as caught:
        check_config_file(path)
    assert reason in one_line(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "base: &base {crop: 32}\nmatrix: [{partition: a}, {partition: a}]\ntraining: *base\n",
        "rates: &rates {base: 1, frozen: 1}\ntraining: {learning_rate: {<<: *rates, base: 2}}\n",
        "\ufeffstudy: a\n",
        "---\nstudy: a\n...\n",
        '{\n\t"study": "a",\n\t"seeds": [0]\n}\n',
        json.dumps(CONFIG),
    ],
)
def test_what_yaml_and_json_allow_is_taken(tmp_path, text):
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    check_config_file(tmp_path / "study.yaml")


def test_the_values_of_reference_tables_are_checked_before_any_work(tmp_path):
    """They are used after the training only."""
    results, printed = tmp_path / "results.csv", tmp_path / "printed.csv"
    header = "partition,source,target,depth,treatment,top1_best10_mean\n"
    config = copy.deepcopy(CONFIG) | {"reference": {"results": str(results), "printed": str(printed)}}
    results.write_text(f"{header}random0,A,B,1,frozen,52.5\n")
    assert "reference.results: " in refused(config) and "line 2: top1_best10_mean is '52.5'" in refused(config)
    results.write_text(f"{header}random0,A,B,1,frozen,0.525\n")
    printed.write_text("quantity;percent;source\nx;62,5;y\n")
    assert "reference.printed: " in refused(config) and "line 2: percent is '62,5' but must be a number" in refused(
        config
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_in_every_list_are_ignored(tmp_path, encoding):
    """Of natman.extra_artifacts, the tables and the CSV of halves."""
    config = copy.deepcopy(CONFIG)
    leaves = {("results_table",): "configs/published_results.csv", ("natman", "extra_artifacts"): EXTRA}
    leaves |= {("reference", key): CONFIG["reference"][key] for key in ("results", "printed")}
    for number, ((*sections, leaf), source) in enumerate(leaves.items()):
        path = tmp_path / f"{number}.txt"
        path.write_bytes((ROOT / source).read_text().replace("\n", "\r\n").encode(encoding))
        section = config[sections[0]] if sections else config
        section[leaf] = str(path)
    check_config(config, SCHEMA)
    assert read_artifacts(config["natman"]["extra_artifacts"]) == set((ROOT / EXTRA).read_text().split())
