"""Bad configurations given to Snakemake itself: one line that names the key, within seconds, and nothing is written."""

import os
import resource
import subprocess

import pytest
from helpers import PYTHON, alias_bomb

pytestmark = pytest.mark.slow

CPU_SECONDS = 5  # of which Python and Snakemake take more than one to start
STUDY = "study.yaml"
FEW = "partition,source,depth\nrandom0,A,1\n"
LISTS = {
    "twice.csv": "class,half\nn91000001,A\nn91000001,B\n",
    "one.csv": "class,half\nn91000001,A\nn91000002,B\nn91000003,B\n",
    "latin.csv": "class,half\ncaf\u00e9,A\n",
    "few.csv": FEW,
}


def partition(name):
    return "matrix: [{partition: mine, csv: " + name + "}]\n"


# The study's file and what the one line begins with.
STUDIES = [
    ("trainig: {crop: 32}\n", "trainig: the key is unknown. Did you mean training?"),
    ("tr\u0430ining: {crop: 32}\n", "tr\u0430ining: the key is unknown. Did you mean training?"),
    ("training: {crop: big}\n", "training.crop: 'big' is not of type 'integer'"),
    ("training: {duration: 1" + "0" * 400 + "}\n", "training.duration: the number is beyond 1e+18"),
    ("training: {duration: 0 epochs}\n", "training.duration: '0 epochs' is not valid"),
    ("training: {input_scale: .nan}\n", "training.input_scale: nan is not a finite number"),
    ("training: {crop: 32, crop: 24}\n", "{folder}/study.yaml, line 1: crop stands here twice"),
    ("depths: [1, 8]\n", "depths: 8 is too deep"),
    ("study: " + "a" * 5000 + "\n", "study: 'aaa"),
    ('study: "a\\u202e\\e[31m"\n', "study: 'a\\u202e\\x1b[31m' does not match"),
    (
        "matrix: [{partition: whole_first_81_per_class}]\n",
        "matrix[0].partition: whole_first_81_per_class: the sample has 80",
    ),
    (partition("nowhere.csv"), "matrix[0].csv: nowhere.csv: the file does not exist"),
    (partition("rules"), "matrix[0].csv: rules: it is not a file"),
    (partition("twice.csv"), "matrix[0].csv: twice.csv line 3: class 'n91000001' has two rows"),
    (partition("one.csv"), "matrix[0].csv: one.csv: half A has 1 class,"),
    (
        "dataset: {name: x, kind: folder, path: nowhere}\nmatrix: [{partition: whole}]\n",
        "dataset.path: nowhere does not",
    ),
    (
        "natman: {extra_artifacts: latin.csv}\n",
        "natman.extra_artifacts: latin.csv line 2: the byte 0xe9 is not UTF-8 text",
    ),
    ("reference: {printed: few.csv}\n", "reference.printed: few.csv: it has no column 'quantity'"),
    ("depths: &a [*a]\n", "{folder}/study.yaml, line 1: it holds more than a study can have"),
    (alias_bomb("[1, 1]", "[", "]"), "{folder}/study.yaml, line 3: it holds more than a study can have"),
]
# What is put in the place of config.yaml, which the workflow checks before Snakemake reads it.
MAIN_FILES = [
    ("study: a\n\tdepths: [1]\n", "config.yaml, line 2: found character '\\t'"),
    (
        "study: !!python/object/apply:os.system [touch pwned]\n",
        "config.yaml, line 1: could not determine a constructor",
    ),
    (bytes(range(256)), "config.yaml line 3: the byte 0x80 is not UTF-8 text"),
    (alias_bomb("{x: 1}", "{", "}"), "config.yaml, line 2: it holds more than a study can have"),
    ("training: &a {crop: *a}\n", "config.yaml, line 1: it holds more than a study can have"),
]
OVERRIDES = [
    ("sedes=3", "sedes: the key is unknown. Did you mean seeds?"),
    ("study=", "study: None is not of type 'string'"),
    ("depths=[&a [*a]]", "depths: "),
]
# Files of --configfile that Snakemake refuses before it reads the workflow: no line of ours, but no harm either.
SNAKEMAKES_OWN = [
    ("hello\n", "Config file must be given as JSON or YAML with keys at top level."),
    ("study: a\n\tdepths: [1]\n", "Config file is not valid JSON or YAML."),
    ("study: !!python/object/apply:os.system [touch pwned]\n", "Config file is not valid JSON or YAML."),
    ("study: caf\u00e9\n".encode("latin-1"), "UnicodeDecodeError"),  # with a traceback, as the next one
    ("training: &a {crop: *a}\n", "RecursionError"),
]


class Refused:
    """What a run of Snakemake that must fail printed, and that it wrote nothing and took little time."""

    def __init__(self, folder, *options):
        before, seconds = tree(folder), cpu_seconds()
        command = [PYTHON, "-m", "snakemake", "--cores", "1", *options]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SNAKEMAKE")}
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
        self.printed = done.stdout + done.stderr
        self.errors = [line for line in self.printed.split("\n") if line.startswith("error:")]
        assert done.returncode != 0, self.printed
        assert cpu_seconds() - seconds < CPU_SECONDS
        assert tree(folder) == before

    def check(self, beginning):
        (line,) = self.errors
        assert line.startswith(f"error: configuration: {beginning}")
        assert line.isprintable() and len(line) < 1100
        assert "Traceback" not in self.printed


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tree(folder):
    """The files and folders in `folder` with their sizes and times, but Snakemake's and Python's own."""
    paths = [path for path in folder.rglob("*") if not {".snakemake", "__pycache__"} & set(path.parts)]
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.is_file()} | dict.fromkeys(
        path for path in paths if path.is_dir()
    )


@pytest.fixture(scope="module")
def folder(checkout):
    folder = checkout(STUDY).folder
    for name, text in LISTS.items():
        (folder / name).write_text(text, encoding="latin-1")
    return folder


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize(("content", "beginning"), STUDIES, ids=lambda value: ascii(value)[:40])
def test_a_bad_study_is_refused_in_one_line(folder, content, beginning):
    write(folder / STUDY, content)
    Refused(folder, "--configfile", STUDY).check(beginning.replace("{folder}", str(folder)))


@pytest.mark.parametrize(("content", "beginning"), MAIN_FILES, ids=lambda value: ascii(value)[:40])
def test_a_bad_main_file_is_refused_in_one_line(folder, content, beginning):
    before = (folder / "config.yaml").read_bytes()
    write(folder / "config.yaml", content)
    try:
        Refused(folder).check(beginning)
    finally:
        (folder / "config.yaml").write_bytes(before)


@pytest.mark.parametrize(("override", "beginning"), OVERRIDES)
def test_a_bad_override_is_refused_in_one_line(folder, override, beginning):
    Refused(folder, "--config", override).check(beginning)


@pytest.mark.parametrize(("content", "words"), SNAKEMAKES_OWN, ids=lambda value: ascii(value)[:40])
def test_what_snakemake_itself_refuses_does_no_harm(folder, content, words):
    write(folder / STUDY, content)
    refused = Refused(folder, "--configfile", STUDY)
    assert words in refused.printed
    assert not refused.errors
