import json
import subprocess

import pytest
from helpers import PYTHON, ROOT

from workflow_scripts.plumbing.files import atomic_path, same_place, sha256_file, write_json, write_text


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
        [PYTHON, "-c", script, tmp_path / "figure.pdf"], cwd=ROOT, stdout=subprocess.PIPE, text=True
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


def test_one_place_may_be_written_in_many_ways(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("a")
    assert same_place("a", "./a/", str(tmp_path / "a"), "link")
    assert same_place(None, None)
    assert not same_place("a", "b")
    assert not same_place("a", None)
    assert same_place("x\0y", "x\0y")
    assert not same_place("x\0y", "x")
