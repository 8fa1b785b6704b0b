"""More than 200 bad configurations, each refused in one line that names the key."""

import copy
import gzip
import math
import re

import pytest
from helpers import ROOT, default_config, write_sparse_tar

from workflow_scripts.config.checks import check_config, check_dataset
from workflow_scripts.config.matrix import MAX_NETWORKS
from workflow_scripts.plumbing.cli import InputError, one_line
from workflow_scripts.study.matrix import base_jobs, curve_jobs

SCHEMA = ROOT / "schemas" / "config.schema.yaml"
CONFIG = default_config()
ANY_TYPE = ([], {}, {"a": 1}, [[1]], math.nan, math.inf)
WRONG = {
    bool: ("yes", 1, 0, None),
    int: ("1", 1.5, 64.0, True, -1, None, "two", 10**400, 10**15),
    float: ("1e-3x", True, -0.5, None, 1e300, 10**400),
    str: (5, 1.5, True, "", "\n", "a\nb", None, b"a", "x\0y"),
}
NAMES = (
    *("..", ".", "../a", "a/b", "/", "-a", ".hidden", "a b", "caf\u00e9", "stud\u0443", "a" * 5000),
    *("\u202eabc", "a\x1b[31m"),  # what turns a terminal's text around, or colours it
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
        return [None, "x", 3, {}, *([[]] if value else []), [None], [value, value], [value] * 1001]
    return [*ANY_TYPE, *WRONG[type(value)]]


def wrong_leaves():
    for path, value in leaves(CONFIG):
        yield from ((path, wrong) for wrong in wrong_values(value))


def special_values():
    """What is wrong for some keys only."""
    yield from ((path, name) for name in NAMES for path in (("study",), ("dataset", "name")))
    yield from ((("training", key), length) for key in ("duration", "validate_every") for length in LENGTHS)
    for key in ("results", "printed"):
        yield from (
            (("reference", key), wrong) for wrong in ("-x.csv", "{a}.csv", "nowhere.csv", "tests", "a" * 5000, "x\0y")
        )
    yield from ((("results_table",), wrong) for wrong in ("nowhere.csv", "tests", "README.md", "a" * 5000))
    yield from ((("natman", "extra_artifacts"), wrong) for wrong in ("nowhere.txt", "tests", "", "a" * 5000))
    yield from ((("depths",), wrong) for wrong in ([0], [-1], [8], [1, 8], [1, 1], [1.0], ["1"], [10**30], [[1]]))
    yield from ((("seeds",), wrong) for wrong in ([-1], [2**32], [10**30], [0, 0], [0.0], [True], [*range(1001)]))
    paths = ("-rf", "{shard}", "x\0y", "a" * 256, "a/" * 3000, "/data", "~")
    yield from ((("dataset", "path"), wrong) for wrong in paths)
    yield from ((("plan", "devices"), wrong) for wrong in ([0], [1, 1], [1.0], [10**6], ["2"]))
    yield ("store", "train_shards"), 41
    yield ("training", "gpus_per_job"), 2
    yield from ((("training", "crop"), wrong) for wrong in (37, 8, 1025))


WRONG_VALUES = [*wrong_leaves(), *special_values()]
MISSPELT = [(path, path[-1][0] + path[-1][2:] if len(path[-1]) > 3 else path[-1] + "s") for path, _ in leaves(CONFIG)]
# Letters that look like the key's own, and characters that change what a terminal shows.
UNKNOWN = ["tr\u0430ining", "study\u202e", "\u200bseeds", "store\x1b[2K", "-study", "", "a" * 5000, 1, True, None, 2.5]
ENTRIES = [
    ({"partition": "whole", "csv": "nowhere.csv"}, ".csv: partition whole is not read"),
    ({"partition": "random5", "csv": "nowhere.csv"}, ".csv: partition random5 is not read"),
    ({"partition": "mine"}, ".partition: mine is not random"),
    ({"partition": "random0", "depths": [8]}, ".depths: 8 is too deep"),
    ({"partition": "random0", "depths": []}, ".depths: [] "),
    ({"partition": "random0", "depths": [0]}, ".depths[0]: 0"),
    ({"partition": "random0", "depths": [2, 2]}, ".depths: [2, 2] has non-unique"),
    ({"partition": "random0", "transfer": ["frozen"], "depths": [7], "preserve": 1}, ".depths: 7 is too deep"),
    ({"partition": "random0", "transfer": ["finetuned"], "depths": [1], "preserve": 1}, ".preserve: it is for"),
    ({"partition": "random0", "transfer": ["staged"], "depths": [1], "preserve": 1}, ".preserve: it is for"),
    ({"partition": "random0", "random": ["staged"]}, ".random[0]: 'staged' is not"),
    ({"partition": "random0", "transfer": ["probe"], "base_twice": True}, ".base_twice: the entry has no curves"),
    ({"partition": "random0", "base_twice": 2}, ".base_twice: 2 is not"),
    ({"partition": "random0", "preserve": 1.0}, ".preserve: 1.0 is not"),
    ({"partition": "random0", "preserve": True}, ".preserve: True is not"),
    ({"partition": "random0", "targets": ["whole"]}, ".targets: whole is not a half"),
    ({"partition": "random0", "targets": []}, ".targets: [] "),
    ({"partition": "random0", "targets": ["A", "A"]}, ".targets: ['A', 'A'] has non-unique"),
    ({"partition": "whole", "targets": ["A"]}, ".targets: A is not a half"),
    ({"partition": "whole", "transfer": ["frozen"]}, ".transfer: partition whole has one half only"),
    ({"partition": "random0", "random": ["finetuned"]}, ".random[0]: 'finetuned' is not one of"),
    ({"partition": "random0", "selffer": "frozen"}, ".selffer: 'frozen' is not of type"),
    ({"partition": "random0", "init": "xavier"}, ".init: 'xavier' is not one of"),
    ({"transfer": ["frozen"]}, ": 'partition' is a required property"),
    ({}, ": 'partition' is a required property"),
    (["random0"], ": ['random0'] is not of type 'object'"),
    ("random0", ": 'random0' is not of type 'object'"),
    (None, ": None is not of type 'object'"),
]


def refused(config):
    with pytest.raises(InputError) as caught:
        check_config(config, SCHEMA)
    line = one_line(caught.value)
    assert line.isprintable() and len(line) < 1100
    return line


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_there_are_more_than_200():
    assert len([*WRONG_VALUES, *MISSPELT, *UNKNOWN, *PARTITIONS, *ENTRIES]) > 800


@pytest.mark.parametrize(("path", "wrong"), WRONG_VALUES, ids=lambda value: ascii(value)[:40])
def test_a_wrong_value_is_refused_by_its_key(path, wrong):
    assert refused(changed(path, wrong)).startswith(f"configuration: {'.'.join(path)}")


@pytest.mark.parametrize(("path", "name"), MISSPELT, ids=lambda value: repr(value)[:40])
def test_a_misspelt_key_is_refused_with_the_right_one(path, name):
    config = changed((*path[:-1], name), 1)
    line = refused(config)
    assert line.startswith(f"configuration: {'.'.join((*path[:-1], name))}: the key is unknown. ")
    if len(path[-1]) > 3:
        assert re.search(r"Did you mean [\w.]+( or [\w.]+)*\?", line)


@pytest.mark.parametrize("name", ["q" * 5000, "wormup"])
def test_an_unknown_key_has_its_whole_remedy_however_many_keys_are_known(name):
    line = refused(changed(("training", name), 1))
    assert " the key is unknown. Of 24 known keys the closest are " in line
    assert line.endswith(" docs/configuration.md has them all.")
    assert re.search(r"closest are (\w+, ){5}\w+\.", line)
    assert refused(changed(("plan", name), 1)).endswith("unknown. Known keys are devices, images_per_second.")


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
        assert "the key is unknown" in refused(config)
    assert "the key is unknown" in refused(changed(("training",), CONFIG["training"] | dict.fromkeys(UNKNOWN)))


@pytest.mark.parametrize("name", PARTITIONS, ids=lambda value: ascii(value)[:40])
def test_a_partition_that_cannot_be_is_refused(name):
    assert refused(changed(("matrix", 0, "partition"), name)).startswith("configuration: matrix[0].partition: ")


@pytest.mark.parametrize(("entry", "reason"), ENTRIES, ids=lambda value: ascii(value)[:40])
def test_an_entry_that_cannot_be_is_refused(entry, reason):
    assert refused(changed(("matrix", 1), entry)).startswith(f"configuration: matrix[1]{reason}")


@pytest.mark.parametrize("path", ["nowhere", "tests", "x\0y", "a" * 5000, "README.md/x"], ids=lambda value: value[:20])
@pytest.mark.parametrize("kind", ["folder", "ilsvrc"])
def test_a_dataset_that_is_not_there_is_refused(kind, path):
    with pytest.raises(
        InputError,
        match=r"^configuration: dataset\.path: .*"
        r"( does not exist.*\. Put| cannot be read: .*\. Put|: found .*\. Correct)",
    ):
        check_dataset(CONFIG["dataset"] | {"kind": kind, "path": path})


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


def test_a_file_that_is_no_tar_is_no_dataset(tmp_path):
    dataset = CONFIG["dataset"] | {"kind": "folder"}
    for content in (b"", b"x" * 5000, gzip.compress(bytes(10240))):
        (tmp_path / "images.tar").write_bytes(content)
        with pytest.raises(InputError, match=r"dataset\.path: .* is neither a folder nor an uncompressed tar"):
            check_dataset(dataset | {"path": str(tmp_path / "images.tar")})
    write_sparse_tar(tmp_path / "images.tar", 1, 512)
    check_dataset(dataset | {"path": str(tmp_path / "images.tar")})


def test_more_networks_than_anyone_can_train_are_refused():
    config = changed(("seeds",), [*range(1000)])
    check_config(config, SCHEMA)
    assert refused(config | {"matrix": CONFIG["matrix"] * 300}).startswith("configuration: matrix: it asks for up to ")


def test_each_of_several_rates_is_a_network_that_counts():
    config = changed(("seeds",), [*range(1000)])
    check_config(config, SCHEMA)
    for treatments in (("base", "frozen"), ("finetuned",)):
        rates = dict.fromkeys(("base", "frozen", "finetuned"), 0.1)
        rates |= {key: [0.1, 0.01, 0.001, 0.0001] for key in treatments}
        config["training"] = CONFIG["training"] | {"learning_rate": rates}
        jobs = [*base_jobs(config), *curve_jobs(config)]
        wanted = sum(len(job.depths) for job in jobs)
        assert wanted > MAX_NETWORKS
        assert f"it asks for up to {wanted:,} networks with 1000 seeds" in refused(config)


def test_text_that_is_not_utf_8_is_refused_by_its_key():
    """As Python reads the bytes of a command line in another encoding, or as JSON writes half a letter."""
    for path in ("caf\udce9", "\ud83d"):
        config = CONFIG | {"dataset": CONFIG["dataset"] | {"path": path}}
        with pytest.raises(InputError, match=r"dataset\.path: .* is not UTF-8 text\. Rename"):
            check_config(config, SCHEMA)


def test_text_beyond_ascii_is_refused_where_names_are_not_utf_8(monkeypatch):
    config = CONFIG | {"dataset": CONFIG["dataset"] | {"kind": "ilsvrc", "path": "donn\u00e9es"}}
    check_config(config, SCHEMA)
    monkeypatch.setattr("sys.getfilesystemencoding", lambda: "iso8859-1")
    with pytest.raises(
        InputError, match=r"dataset\.path: the letters of 'donn\\xe9es': the locale makes them iso8859-1"
    ):
        check_config(config, SCHEMA)
    check_config(CONFIG, SCHEMA)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"kind": "ilsvrc", "split": {"val_per_class": 1}},
            ".split: it is for kind folder, table and torchvision, not ilsvrc. Remove",
        ),
        ({"exclude": ["a"]}, ".exclude: it is for kind folder, table and torchvision, not sample"),
        ({"kind": "table", "follow_links": True}, ".follow_links: it is for kind folder, not table"),
        ({"kind": "folder", "split": {"seed": 1}}, ".split: it has neither val_per_class nor val_fraction. Give one"),
        (
            {"kind": "table", "split": {"val_per_class": 1, "val_fraction": 0.5}},
            ".split: it has val_per_class and val_fraction. Give one of them",
        ),
        ({"kind": "folder", "split": {"val_fraction": 1.0}}, ".split.val_fraction: 1.0 is"),
        ({"kind": "folder", "split": {"val_per_class": 0}}, ".split.val_per_class: 0 is"),
        ({"kind": "folder", "split": 10}, ".split: 10 is not of type"),
        ({"kind": "folder", "exclude": [2]}, ".exclude[0]: 2 is not of type 'string'. Put it in quotes"),
    ],
)
def test_a_dataset_that_says_two_things_is_refused(change, words):
    line = refused(CONFIG | {"dataset": CONFIG["dataset"] | change})
    assert line.startswith(f"configuration: dataset{words}")
