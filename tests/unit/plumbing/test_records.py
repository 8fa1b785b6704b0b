"""Records of files: what they notice, what they name, and what `snakemake verify` says of a study."""

import json
from pathlib import Path

import pytest

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import read_json, sha256_file, write_json
from workflow_scripts.plumbing.records import (
    Verified,
    Verifier,
    check_agreement,
    expect,
    opened,
    read_record,
    record_of,
    verified,
    write_record,
)
from workflow_scripts.plumbing.verify_study import verify


@pytest.fixture
def study(tmp_path):
    """Two files in a chain, each with its record: late.csv was made from early.csv."""
    for name, sources in (("early", []), ("late", ["early.csv"])):
        path = tmp_path / f"{name}.csv"
        path.write_text(f"{name}\n1\n")
        record = {"count": 1.5, "name": "naïve 猫"}
        write_record(path.with_suffix(".json"), record, [path], [tmp_path / source for source in sources])
    return tmp_path


def refusal(call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    (line,) = str(caught.value).splitlines()
    return line


def test_what_is_whole_is_read(study):
    assert read_record(study / "late.json")["count"] == 1.5
    early, late = verified(study / "early.csv"), verified(study / "late.csv")
    assert (late.path, late.sha256) == (study / "late.csv", sha256_file(study / "late.csv"))
    assert Path(late).read_text() == "late\n1\n"
    assert expect(late, early, count=1.5)["name"] == "naïve 猫"
    check_agreement([early, late])
    assert verify([study]) == (4, [])


def test_every_changed_byte_of_a_record_is_noticed(study):
    """Whitespace between tokens apart, which says nothing."""
    path = study / "late.json"
    content = path.read_bytes()
    for place, byte in enumerate(content):
        path.write_bytes(content[:place] + bytes([byte ^ 1]) + content[place + 1 :])
        if not chr(byte).isspace():
            assert str(path) in refusal(read_record, path), place


@pytest.mark.parametrize("content", [b"", b"\0" * 50, b"{", b"[1]", b"\xff\xfe", b"{}", b'{"seal": 3}', b'"text"'])
def test_what_is_no_record_is_refused_by_name(study, content):
    (study / "late.json").write_bytes(content)
    for call in (read_record, verified):
        assert str(study / "late.json") in refusal(call, study / "late.json")
    assert str(study / "late.json") in refusal(verified, study / "late.csv")


def test_a_file_of_another_content_is_refused_by_name(study):
    (study / "late.csv").write_text("late\n2\n")
    assert refusal(verified, study / "late.csv").startswith(
        f"{study / 'late.csv'}: its checksum is not the one in {study / 'late.json'}"
    )
    (study / "late.csv").unlink()
    assert "late.csv: the file is missing" in refusal(verified, study / "late.csv")


def test_a_pair_from_another_study_is_refused_by_its_origin(study):
    """late.csv and its record are whole, but early.csv was made anew."""
    (study / "early.csv").write_text("early\n7\n")
    write_record(study / "early.json", {}, [study / "early.csv"])
    assert "late.csv: made from a different" in refusal(verified, study / "late.csv")
    late = Verified(study / "late.csv", sha256_file(study / "late.csv"), read_record(study / "late.json"))
    assert "late.csv: made from a different" in refusal(expect, late, verified(study / "early.csv"))
    assert "late.csv: made from a different" in refusal(check_agreement, [verified(study / "early.csv"), late])


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"count": 2}, "count is 1.5, expected 2"),
        ({"sort": "a"}, 'sort is null, expected "a"'),
        ({"settings": {"rate": 1}}, "settings.rate is 0.5, expected 1"),
        ({"networks": [{"depth": 1}, {"depth": 3}]}, "networks[1].depth is 2, expected 3"),
        ({"networks": [{"depth": 1}]}, "the number of networks is 2, expected 1"),
        ({"settings": 3}, "settings is "),
    ],
)
def test_a_file_of_other_names_or_settings_is_refused_by_the_first_difference(tmp_path, fields, place):
    record = {"count": 1.5, "settings": {"rate": 0.5, "more": 1}, "networks": [{"depth": 1}, {"depth": 2, "score": 3}]}
    write_record(tmp_path / "x.json", record)
    file = opened(tmp_path / "x.json")
    assert f"x.json: {place}" in refusal(lambda: expect(file, **fields))
    expect(file, settings={"rate": 0.5}, networks=[{"depth": 1}, {"depth": 2}])


def test_no_file_is_hashed_twice(study, monkeypatch):
    hashed = []

    def counting(path):
        hashed.append(str(path))
        return sha256_file(path)

    monkeypatch.setattr("workflow_scripts.plumbing.records.sha256_file", counting)
    verifier = Verifier()
    early, late = verifier.verified(study / "early.csv"), verifier.verified(study / "late.csv")
    expect(late, early)
    check_agreement([early, late])
    write_record(study / "last.json", {}, made_from=[early, late])
    assert sorted(hashed) == [str(study / "early.csv"), str(study / "late.csv")]


def test_a_record_written_by_hand_is_refused(study):
    record = read_json(study / "late.json")
    write_json(study / "late.json", record | {"count": 2.5})
    assert "it is damaged" in refusal(read_record, study / "late.json")
    del record["seal"]
    write_json(study / "late.json", record)
    assert "it has no seal" in refusal(read_record, study / "late.json")


def test_records_of_other_names(tmp_path):
    assert record_of(tmp_path / "classes.csv") == tmp_path / "survey.json"
    assert record_of(tmp_path / "train-000.u8") == tmp_path / "train-000.json"
    assert record_of(tmp_path / "a.json") == tmp_path / "a.json"


def test_verify_tells_all_faults_at_once(study):
    (study / "early.csv").write_text("early\n3\n")
    (study / "late.csv").unlink()
    (study / "third.json").write_text(json.dumps({"seal": "x"}))
    _, faults = verify([study])
    assert [fault.split(": ")[0] for fault in faults] == [
        *(str(study / "early.csv"), str(study / "late.csv"), str(study / "late.json"), str(study / "third.json"))
    ]


def test_verify_of_nothing_says_what_to_do(tmp_path):
    assert "Run snakemake first" in refusal(verify, [tmp_path])
