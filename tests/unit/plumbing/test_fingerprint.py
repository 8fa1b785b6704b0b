"""What counts in a fingerprint of code, on a made-up package and on the product's own."""

import shutil

import pytest
from helpers import ROOT

from workflow_scripts.plumbing import fingerprint
from workflow_scripts.plumbing.fingerprint import closure, code_fingerprint

PACKAGE = ROOT / "workflow_scripts"
FILES = {
    "room/step.py": '''"""Doc."""
from workflow_scripts.plumbing import cli
from workflow_scripts.room.library import helper


def run(x):
    """Doc."""
    if x < 0:
        raise ValueError(f"{x} is negative")
    print(f"running {x}")
    return helper(x)


def main(parser):
    parser.add_argument("--x", type=int, help="a number")
''',
    "room/library.py": "import math\n\n\ndef helper(x):\n    return math.sqrt(x) + 1\n",
    "room/other.py": "value = 1\n",
    "plumbing/cli.py": "def run():\n    return 1\n",
}


@pytest.fixture
def package(tmp_path):
    for name, text in FILES.items():
        (tmp_path / "workflow_scripts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "workflow_scripts" / name).write_text(text)
    return tmp_path / "workflow_scripts"


def changed(package, module, name, old, new):
    """Whether the fingerprint of `module` is another when `old` is replaced by `new` in the file `name`."""
    before = code_fingerprint(module, package)
    path = package / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    fingerprint._parsed.cache_clear()
    after = code_fingerprint(module, package)
    path.write_text(text)
    fingerprint._parsed.cache_clear()
    return after != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("room/step.py", '"""Doc."""', '"""Another."""'),
        ("room/step.py", '    """Doc."""\n', ""),
        ("room/step.py", "return helper(x)", "return helper(\n        x  # why\n    )"),
        ("room/step.py", "{x} is negative", "must not be negative, but {x} is"),
        ("room/step.py", "running {x}", "now running {x}"),
        ("room/step.py", 'help="a number"', 'help="any number"'),
        ("room/library.py", "import math\n", "# a comment\nimport math\n\n"),
        ("room/other.py", "value = 1", "value = 2"),
        ("plumbing/cli.py", "return 1", "return 2"),
    ],
)
def test_words_layout_plumbing_and_unused_modules_do_not_count(package, name, old, new):
    assert not changed(package, "room.step", name, old, new)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("room/step.py", "helper(x)", "helper(x + 1)"),
        ("room/step.py", "x < 0", "x <= 0"),
        ("room/step.py", "ValueError", "TypeError"),
        ("room/step.py", "type=int", "type=float"),
        ("room/library.py", "+ 1", "+ 2"),
    ],
)
def test_code_counts_also_in_imported_modules(package, name, old, new):
    assert changed(package, "room.step", name, old, new)


def test_the_format_of_records_counts(package, monkeypatch):
    before = code_fingerprint("room.step", package)
    monkeypatch.setattr(fingerprint, "FORMAT_VERSION", fingerprint.FORMAT_VERSION + 1)
    assert code_fingerprint("room.step", package) != before


def test_a_module_that_is_not_there_is_an_error(package):
    with pytest.raises(FileNotFoundError):
        code_fingerprint("room.nothing", package)


def test_what_decides_a_network_is_the_engine_and_nothing_around_it():
    names = closure("training.engine")
    assert names >= {"training.learner", "training.batches", "training.outcome", "network.networks", "study.seeds"}
    assert not names & {f"training.{name}" for name in ("train", "progress", "gpu_lease", "gpus", "checkpoint")}
    assert not [name for name in names if name.startswith(("plumbing", "config", "results", "report", "cost"))]
    assert not names & {"study.matrix", "study.leaves"}


def test_what_decides_a_machines_speed_is_not_how_it_takes_a_gpu():
    assert not closure("cost.speed") & {"training.gpu_lease", "training.gpus", "cost.calibrate"}


@pytest.mark.parametrize("module", ["results.write_findings", "results.make_tables", "results.aggregate"])
def test_no_figure_decides_a_table_or_a_finding(module):
    assert not [name for name in closure(module) if name.startswith("report")]


@pytest.fixture
def product(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "workflow_scripts", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "workflow_scripts"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("training/progress.py", "images/s", "images a second"),
        ("training/gpu_lease.py", "POLL_SECONDS, SAY_SECONDS = 0.5, 600", "POLL_SECONDS, SAY_SECONDS = 2.0, 60"),
        ("training/checkpoint.py", "Training starts from", "The training starts from"),
        ("training/batches.py", "Lower training.crop.", "Make training.crop smaller."),
        ("training/train.py", "interrupted at iteration", "stopped at iteration"),
        ("plumbing/records.py", "the file is missing", "there is no such file"),
        ("study/matrix.py", "sorted(jobs |", "sorted(set() | jobs |"),
        ("report/figures/boost.py", "#999999", "#888888"),
    ],
)
def test_what_decides_no_network_retrains_none(product, name, old, new):
    assert not changed(product, "training.engine", name, old, new)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("store/pack_shard.py", '"images")', '"pictures")'),
        ("store/undecodable.py", "Replace or remove", "Correct or remove"),
        ("plumbing/progress.py", "LOG_SECONDS = 30", "LOG_SECONDS = 60"),
        ("report/plotting.py", '"pdf.fonttype": 42', '"pdf.fonttype": 3'),
    ],
)
def test_what_decides_no_pixel_packs_none_again(product, name, old, new):
    assert not changed(product, "store.pack_shard", name, old, new)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("training/optimizer.py", "rate * group.rate", "2 * rate * group.rate"),
        ("training/outcome.py", "BEST_READINGS = 10", "BEST_READINGS = 9"),
        ("study/schedules.py", "0.5 * (1 +", "0.4 * (1 +"),
        ("study/seeds.py", "[:8]", "[8:16]"),
    ],
)
def test_what_decides_a_network_retrains_it(product, name, old, new):
    assert changed(product, "training.engine", name, old, new)


def test_a_figures_colour_makes_that_figure_stale_and_no_other(product):
    for figure in ("boost", "figure2", "effects"):
        stale = changed(product, f"report.figures.{figure}", "report/figures/boost.py", "#999999", "#888888")
        assert stale == (figure == "boost")
