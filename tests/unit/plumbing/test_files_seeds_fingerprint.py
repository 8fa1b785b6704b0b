import json
import subprocess
import sys

import pytest
from helpers import ROOT

from workflow_scripts.plumbing.files import atomic_path, sha256_file, write_json, write_text
from workflow_scripts.plumbing.fingerprint import code_fingerprint
from workflow_scripts.study.seeds import derive_seed


def test_a_failed_write_leaves_the_old_file_and_no_temporary(tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"old": 1})
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads(path.read_text()) == {"old": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["result.json"]


def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    script = (
        "import os, sys, time; from workflow_scripts.plumbing.files import atomic_path\n"
        "with atomic_path(sys.argv[1]) as path: path.touch(); print(flush=True); time.sleep(60)"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", script, tmp_path / "figure.pdf"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    writer.stdout.readline()
    write_text(tmp_path / "figure.pdf", "whole")
    assert len(list(tmp_path.iterdir())) == 2
    writer.kill()
    writer.wait()
    assert len(list(tmp_path.iterdir())) == 2
    write_text(tmp_path / "figure.pdf", "whole again")
    assert [file.name for file in tmp_path.iterdir()] == ["figure.pdf"]


def test_nan_is_not_written_as_json(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"loss": float("nan")})
    assert not (tmp_path / "x.json").exists()


def test_checksum_is_sha256(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256_file(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_seeds_depend_on_every_name_its_type_and_the_order():
    seeds = {derive_seed(0, "A"), derive_seed("A", 0), derive_seed("0", "A"), derive_seed(1, "A"), derive_seed("0A")}
    assert len(seeds) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(0, "A") == derive_seed(0, "A")


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "workflow_scripts"
    folder.mkdir()
    (folder / "step.py").write_text(
        '"""Doc."""\nfrom workflow_scripts.library import helper\n\n\n'
        'def run(x):\n    """Doc."""\n    return helper(x)\n'
    )
    (folder / "library.py").write_text("import math\n\n\ndef helper(x):\n    return math.sqrt(x) + 1\n")
    (folder / "other.py").write_text("value = 1\n")
    return folder


def changed(package, name, old, new):
    from workflow_scripts.plumbing import fingerprint

    before = code_fingerprint("step", package)
    path = package / f"{name}.py"
    path.write_text(path.read_text().replace(old, new))
    fingerprint._tree_and_imports.cache_clear()
    return code_fingerprint("step", package) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("step", '"""Doc."""', '"""Another."""'),
        ("step", "return helper(x)", "return helper(\n        x  # why\n    )"),
        ("library", "import math\n", "# a comment\nimport math\n\n"),
        ("other", "value = 1", "value = 2"),
    ],
)
def test_words_layout_and_foreign_modules_do_not_count(package, name, old, new):
    assert not changed(package, name, old, new)


@pytest.mark.parametrize(("name", "old", "new"), [("step", "helper(x)", "helper(x + 1)"), ("library", "+ 1", "+ 2")])
def test_code_counts_also_in_imported_modules(package, name, old, new):
    assert changed(package, name, old, new)
