"""More than 200 bad configurations, each refused in one line that names the key."""

import copy
import json
import math
import re

import pytest
import yaml
from helpers import ROOT

from workflow_scripts.cli import InputError
from workflow_scripts.config import check_config, check_dataset
from workflow_scripts.config_file import check_config_file
from workflow_scripts.refusal import refusal
from workflow_scripts.sample_images import SAMPLE_CLASSES

SCHEMA = ROOT / "schemas" / "config.schema.yaml"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
ANY_TYPE = ([], {}, {"a": 1}, [[1]], math.nan, math.inf)
WRONG = {
    bool: ("yes", 1, 0, None),
    int: ("1", 1.5, 64.0, True, -1, None, "two", 10**400, 10**15),
    float: ("1e-3x", True, -0.5, None, 1e300, 10**400),
    str: (5, 1.5, True, "", "\n", "a\nb", None, b"a", "x\0y"),
}
NAMES = (
    "..",
    ".",
    "../a",
    "a/b",
    "/",
    "-a",
    ".hidden",
    "a b",
    "\u202eabc",
    "a\x1b[31m",
    "café",
    "stud\u0443",
    "a" * 5000,
)
PARTITIONS = (
    *("whole_first_0_per_class", "whole_first_-1_per_class", "whole_first__per_class", "whole_first_01_per_class"),
    *("whole_first_99999999999_per_class", "random0_first_81_per_class", "whole_first_1300_per_class", "random"),
    *("random-1", "random00000000001", "near", "natman0", "Whole", "wh\u043ele", "random0 ", "random0\n", "a" * 101),
)
LENGTHS = ("0 epochs", "0.0 epochs", "1e9 epochs", "1234567 epochs", "2 epochs\n", "\u0662 epochs", "-1 epochs", 10**10)


def leaves(section, path=()):
    for key, value in section.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def changed(path, value):
    config = copy.deepcopy(CONFIG)
    section = config
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value
    return config


def wrong_values(value):
    if value is None:
        return [{"a": 1}, True]
    if isinstance(value, list):
        return [None, "x", 3, {}, [], [None], [value, value], [*value, *value], [value] * 1001]
    return [*ANY_TYPE, *WRONG[type(value)]]


def wrong_leaves():
    for path, value in leaves(CONFIG):
        yield from ((path, wrong) for wrong in wrong_values(value))


def special_values():
    """What is wrong for some keys only."""
    yield from ((path, name) for name in NAMES for path in (("study",), ("dataset", "name")))
    yield from ((("training", key), length) for key in ("duration", "validate_every") for length in LENGTHS)
    for key in ("results", "printed"):
        yield from ((("reference", key), wrong) for wrong in ("nowhere.csv", "tests", "a" * 5000, "x\0y"))
    yield from ((("results_table",), wrong) for wrong in ("nowhere.csv", "tests", "README.md", "a" * 5000))
    yield from ((("natman", "extra_artifacts"), wrong) for wrong in ("nowhere.txt", "tests", "", "a" * 5000))
    yield from ((("depths",), wrong) for wrong in ([0], [-1], [8], [1, 8], [1, 1], [1.0], ["1"], [10**30], [[1]]))
    yield from ((("seeds",), wrong) for wrong in ([-1], [2**32], [10**30], [0, 0], [0.0], [True], [*range(1001)]))
    yield from ((("store", f"{split}_shards"), 999) for split in ("train",))
    yield from ((("training", "crop"), wrong) for wrong in (37, 8, 1025))


WRONG_VALUES = [*wrong_leaves(), *special_values()]
MISSPELT = [(path, path[-1][0] + path[-1][2:] if len(path[-1]) > 3 else path[-1] + "s") for path, _ in leaves(CONFIG)]
# Letters that look like the key's own, and characters that change what a terminal shows.
UNKNOWN = ["tr\u0430ining", "study\u202e", "\u200bseeds", "store\x1b[2K", "-study", "", "a" * 5000, 1, True, None, 2.5]
ENTRIES = [
    ({"partition": "whole", "csv": "nowhere.csv"}, ".csv: partition whole is not read"),
    ({"partition": "random0", "csv": "nowhere.csv"}, ".csv: partition random0 is not read"),
    ({"partition": "mine"}, ".partition: mine is not random"),
    ({"partition": "random0", "depths": [8]}, ".depths: 8 is too deep"),
    ({"partition": "random0", "depths": []}, ".depths: [] "),
    ({"partition": "random0", "depths": [0]}, ".depths[0]: 0"),
    ({"partition": "random0", "depths": [2, 2]}, ".depths: [2, 2] has non-unique"),
    ({"partition": "random0", "transfer": ["frozen"], "depths": [7], "preserve": 1}, ".depths: 7 is too deep"),
    ({"partition": "random0", "transfer": ["finetuned"], "depths": [1], "preserve": 1}, ".preserve: goes with"),
    ({"partition": "random0", "preserve": 1.0}, ".preserve: 1.0 is not"),
    ({"partition": "random0", "preserve": True}, ".preserve: True is not"),
    ({"partition": "random0", "targets": ["whole"]}, ".targets: whole is no half"),
    ({"partition": "random0", "targets": []}, ".targets: [] "),
    ({"partition": "random0", "targets": ["A", "A"]}, ".targets: ['A', 'A'] has non-unique"),
    ({"partition": "whole", "targets": ["A"]}, ".targets: A is no half"),
    ({"partition": "whole", "transfer": ["frozen"]}, ".transfer: partition whole has no other half"),
    ({"partition": "random0", "random": ["finetuned"]}, ".random[0]: 'finetuned' is not one of"),
    ({"partition": "random0", "selffer": "frozen"}, ".selffer: 'frozen' is not of type"),
    ({"partition": "random0", "init": "xavier"}, ".init: 'xavier' is not one of"),
    ({"transfer": ["frozen"]}, ": 'partition' is a required property"),
    ({}, ": 'partition' is a required property"),
    (["random0"], ": ['random0'] is not of type 'object'"),
    ("random0", ": 'random0' is not of type 'object'"),
    (None, ": None is not of type 'object'"),
]
WNIDS = [sample_class.wnid for sample_class in SAMPLE_CLASSES]
GOOD_ROWS = [f"{wnid},{'AB'[number % 2]}" for number, wnid in enumerate(WNIDS)]
LISTS = [  # bytes of a CSV of halves of the sample, or what is there in its place, and the reason
    (None, "does not exist"),
    ("folder", "is not a file"),
    (b"\xff\xfe\x00", "is not a readable CSV"),
    ("class,half\n" + "caf\u00e9,A\n", "is not a readable CSV"),  # written as Latin-1
    (b"", "has no column 'class'"),
    (b"\0" * 1000, "has no column 'class'"),
    (b'class,half\n"' + b"a" * 200_000, "is not a readable CSV"),
    (["class,group", *GOOD_ROWS], "has no column 'half'"),
    (["Class,half", *GOOD_ROWS], "has no column 'class'"),
    (["class;half", *GOOD_ROWS], "has no column 'class'"),
    (["class,half,half", *(f"{row},A" for row in GOOD_ROWS)], "has the column 'half' twice"),
    (["class,half"], "has no rows"),
    (["class,half", *GOOD_ROWS, "n1"], "line 42 has not one value"),
    (["class,half", *GOOD_ROWS, "n1,A,A"], "line 42 has not one value"),
    (["class,half", *GOOD_ROWS[1:], "n91000001,C"], "half 'C' is none of"),
    (["class,half", *GOOD_ROWS[1:], "n91000001,a"], "half 'a' is none of"),
    (["class,half", *GOOD_ROWS[1:], "n91000001, A"], "half ' A' is none of"),
    (["class,half", *GOOD_ROWS[1:], "n91000001,\u0410"], "is none of"),
    (["class,half", *GOOD_ROWS[1:], "n91000001,"], "half '' is none of"),
    (["class,half", *GOOD_ROWS, ",A"], "a row without a class"),
    (["class,half", *GOOD_ROWS, GOOD_ROWS[0]], "names class 'n91000001' twice"),
    (["class,half", *GOOD_ROWS, "n91000001,B"], "names class 'n91000001' twice"),
    (["class,half", *(f"{wnid},A" for wnid in WNIDS)], "half B of"),
    (["class,half", f"{WNIDS[0]},A", *(f"{wnid},B" for wnid in WNIDS[1:])], "half A of"),
    (["class,half", *GOOD_ROWS[:-1]], f"disagree on class '{WNIDS[-1]}'"),
    (["class,half", *GOOD_ROWS, "n02119789,A"], "disagree on class 'n02119789'"),
    (["class,half", *GOOD_ROWS[1:], "n9100000\u0661,A"], "disagree on class"),
]
EXPONENTIAL = [
    f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]" for below, name in zip("abcdefgh", "bcdefghi", strict=True)
]
SECTIONS = [
    re.sub(r"\[(.*)\]", lambda m: "{" + ", ".join(f"k{n}: {a}" for n, a in enumerate(m[1].split(", "))) + "}", line)
    for line in EXPONENTIAL
]
MERGED = [line.replace("[", "{<<: [").replace("]", "]}") for line in EXPONENTIAL]
YAMLS = [  # a configuration file's text or bytes, and the reason
    ("study: a\ntraining:\n  crop: 32\n  device: cpu\n  crop: 24\n", "line 5: crop stands here twice"),
    ("training: {crop: 32, crop: 24}\n", "line 1: crop stands here twice"),
    ("matrix:\n  - {partition: whole, partition: random0}\n", "line 2: partition stands here twice"),
    ('study: a\n"study": b\n', "line 2: study stands here twice"),
    ('{"study": "a", "study": "b"}', "study stands here twice"),
    ('{"training": {"crop": 1, "crop": 2}}', "crop stands here twice"),
    ("", "has no keys at its top level"),
    ("# nothing\n", "has no keys at its top level"),
    ("null\n", "has no keys at its top level"),
    ("study\n", "has no keys at its top level"),
    ("- study: a\n", "has no keys at its top level"),
    ("[1, 2]", "has no keys at its top level"),
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
    ("training: &a {crop: *a}\n", "line 1: an alias stands inside"),
    ("depths: &a [1, *a]\n", "line 1: an alias stands inside"),
    ("training: &a {<<: *a}\n", "line 1: an alias stands inside"),
    ("\n".join(["a: &a [1, 1]", *EXPONENTIAL]), "aliases stand for more than"),
    ("\n".join(["a: &a {x: 1}", *SECTIONS]), "aliases stand for more than"),
    ("\n".join(["a: &a {x: 1}", *MERGED]), "aliases stand for more than"),
    ("depths: " + "[" * 5000 + "]" * 5000, "is nested too deeply"),
    ('{"depths": ' + "[" * 100_000 + "]" * 100_000 + "}", "is nested too deeply"),
    ("seeds: [" + "9" * 5000 + "]\n", "is no valid YAML: Exceeds the limit"),
    ("study: 2020-13-45\n", "is no valid YAML: month must be"),
    ("study: a\0b\n", "is no valid YAML: unacceptable character"),
    ("study: \x1b[31m\n", "is no valid YAML: unacceptable character"),
    (bytes(range(256)), "is no UTF-8 text (byte 128)"),
    ("study: caf\u00e9\n".encode("latin-1"), "is no UTF-8 text"),
    ("study: a\n".encode("utf-16"), "is no UTF-8 text"),
    ("study: " + "a" * 400_000, "has more than 300,000 bytes"),
]


def refused(config):
    with pytest.raises(InputError) as caught:
        check_config(config, SCHEMA)
    line = refusal(caught.value)
    assert line.isprintable() and len(line) < 1100
    return line


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_there_are_more_than_200():
    assert len([*WRONG_VALUES, *MISSPELT, *UNKNOWN, *PARTITIONS, *ENTRIES, *LISTS, *YAMLS]) > 800


@pytest.mark.parametrize(("path", "wrong"), WRONG_VALUES, ids=lambda value: ascii(value)[:40])
def test_a_wrong_value_is_refused_by_its_key(path, wrong):
    assert refused(changed(path, wrong)).startswith(f"configuration: {'.'.join(path)}")


@pytest.mark.parametrize(("path", "name"), MISSPELT, ids=lambda value: repr(value)[:40])
def test_a_misspelt_key_is_refused_with_the_right_one(path, name):
    config = changed((*path[:-1], name), 1)
    line = refused(config)
    assert line.startswith(f"configuration: unknown key {'.'.join((*path[:-1], name))}")
    if len(path[-1]) > 3:
        assert re.search(r"did you mean '\w+'\?", line)


@pytest.mark.parametrize("path", [path for path, _ in leaves(CONFIG)], ids=".".join)
def test_a_missing_key_is_named(path):
    config = copy.deepcopy(CONFIG)
    section = config
    for key in path[:-1]:
        section = section[key]
    del section[path[-1]]
    assert path[-1] in refused(config)


@pytest.mark.parametrize("key", UNKNOWN, ids=lambda value: ascii(value)[:40])
def test_no_other_key_is_taken_for_a_known_one(key):
    for config in (changed((key,), 1), changed(("training", key), 1), changed(("matrix", 0, key), 1)):
        assert "unknown key" in refused(config)
    assert "unknown key" in refused(changed(("training",), CONFIG["training"] | dict.fromkeys(UNKNOWN)))


@pytest.mark.parametrize("name", PARTITIONS, ids=lambda value: ascii(value)[:40])
def test_a_partition_that_cannot_be_is_refused(name):
    assert refused(changed(("matrix", 0, "partition"), name)).startswith("configuration: matrix[0].partition: ")


@pytest.mark.parametrize(("entry", "reason"), ENTRIES, ids=lambda value: ascii(value)[:40])
def test_an_entry_that_cannot_be_is_refused(entry, reason):
    assert refused(changed(("matrix", 1), entry)).startswith(f"configuration: matrix[1]{reason}")


@pytest.mark.parametrize(("content", "reason"), LISTS, ids=lambda value: ascii(value)[:40])
def test_a_list_of_halves_that_divides_nothing_is_refused(tmp_path, content, reason):
    path = tmp_path / "halves.csv"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        text = "\n".join(content) if isinstance(content, list) else content
        path.write_bytes(text if isinstance(text, bytes) else text.encode("latin-1" if "\u00e9" in text else "utf-8"))
    line = refused(changed(("matrix", 1), {"partition": "mine", "csv": str(path)}))
    assert line.startswith(
        f"configuration: matrix[1].csv: {reason}" if "half " in reason[:5] else "configuration: matrix[1].csv: "
    )
    assert reason in line


def test_a_good_list_of_halves_is_taken(tmp_path):
    for first in ("class,half", "\ufeffclass,half", '"class","half"'):
        (tmp_path / "halves.csv").write_text("\r\n".join([first, *GOOD_ROWS, ""]), encoding="utf-8")
        check_config(changed(("matrix", 1), {"partition": "mine", "csv": str(tmp_path / "halves.csv")}), SCHEMA)


def test_a_list_of_halves_is_compared_with_a_tree_of_images(tmp_path):
    for split in ("train", "val"):
        for name in "abcd":
            (tmp_path / split / name).mkdir(parents=True)
    (tmp_path / "halves.csv").write_text("class,half\na,A\nb,A\nc,B\nd,B\n")
    config = changed(("matrix",), [{"partition": "mine", "csv": str(tmp_path / "halves.csv")}])
    config["dataset"] |= {"kind": "folder", "path": str(tmp_path)}
    check_config(config, SCHEMA)
    check_dataset(config["dataset"])
    (tmp_path / "train" / "e").mkdir()
    assert "matrix[0].csv" in refused(config) and "disagree on class 'e'" in refused(config)


@pytest.mark.parametrize("path", ["nowhere", "tests", "x\0y", "a" * 5000, "README.md/x"], ids=lambda value: value[:20])
@pytest.mark.parametrize("kind", ["folder", "ilsvrc"])
def test_a_dataset_that_is_not_there_is_refused(kind, path):
    with pytest.raises(InputError, match=r"^configuration: dataset\.path: .* does not exist; put it there or correct"):
        check_dataset(CONFIG["dataset"] | {"kind": kind, "path": path})


@pytest.mark.parametrize(("text", "reason"), YAMLS, ids=lambda value: ascii(value)[:40])
def test_a_file_that_is_no_configuration_is_refused(tmp_path, text, reason):
    path = tmp_path / "study.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=f"^configuration: {re.escape(str(path))}") as caught:
        check_config_file(path)
    assert reason in refusal(caught.value)


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


def nested(depth):
    value = [1]
    for _ in range(depth):
        value = [value] * 9
    return value


def test_lists_of_lists_are_refused_before_they_are_compared():
    cycle = [1]
    cycle.append(cycle)
    for value in (nested(30), cycle, {"a": nested(12)}):
        assert refused(changed(("depths",), value)).startswith("configuration: depths")
    assert refused(changed(("training", "crop"), nested(12))).startswith("configuration: training.crop")
