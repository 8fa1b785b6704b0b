"""Records that vouch for files: what they notice, what they name, and what `snakemake verify` says of a study."""

import base64
import json

import pytest
from workflow_scripts.plumbing.lineage import check_agreement

from workflow_scripts.config.snakemake_notes import check_notes
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import read_json, write_json
from workflow_scripts.plumbing.records import expect, read_record, record_of, verified, write_record
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
    assert verified(study / "late.csv") == study / "late.csv"
    assert expect(study / "late.csv", study / "early.csv")["name"] == "naïve 猫"
    check_agreement([study / "early.csv", study / "late.csv"])
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
    assert refusal(verified, study / "late.csv").startswith(f"{study / 'late.csv'} is damaged, or another's")
    (study / "late.csv").unlink()
    assert "late.csv is missing" in refusal(verified, study / "late.csv")


def test_a_pair_from_another_study_is_refused_by_its_origin(study):
    """late.csv and its record are whole, but early.csv was made anew."""
    (study / "early.csv").write_text("early\n7\n")
    write_record(study / "early.json", {}, [study / "early.csv"])
    assert "late.csv was not made from this" in refusal(expect, study / "late.csv", study / "early.csv")
    assert "different states" in refusal(check_agreement, [study / "early.csv", study / "late.csv"])


def test_a_record_written_by_hand_is_refused(study):
    record = read_json(study / "late.json")
    write_json(study / "late.json", record | {"count": 2.5})
    assert "is damaged" in refusal(read_record, study / "late.json")
    del record["seal"]
    write_json(study / "late.json", record)
    assert "has no seal" in refusal(read_record, study / "late.json")


def test_records_of_other_names(tmp_path):
    assert record_of(tmp_path / "classes.csv") == tmp_path / "survey.json"
    assert record_of(tmp_path / "train-000.u8") == tmp_path / "train-000.json"
    assert record_of(tmp_path / "a.json") == tmp_path / "a.json"


def test_verify_tells_all_faults_at_once(study):
    (study / "early.csv").write_text("early\n3\n")
    (study / "late.csv").unlink()
    (study / "third.json").write_text(json.dumps({"seal": "x"}))
    _, faults = verify([study])
    assert [next(word for word in fault.split() if str(study) in word) for fault in faults] == [
        *(str(study / "early.csv"), str(study / "late.csv"), str(study / "late.json"), str(study / "third.json"))
    ]


def test_verify_of_nothing_says_what_to_do(tmp_path):
    assert "run snakemake first" in refusal(verify, [tmp_path])


def test_a_finished_study_without_snakemakes_notes_is_refused(tmp_path):
    """Snakemake would take its results for those of whatever configuration there is now."""
    results, notes = tmp_path / "results", tmp_path / ".snakemake"
    check_notes(results, notes)
    results.mkdir()
    (results / "results.json").touch()
    assert "run snakemake --touch --forceall first" in refusal(check_notes, results, notes)
    name = base64.urlsafe_b64encode(f"{results}/results.json".encode()).decode()
    for kind in ("metadata", "incomplete"):
        (notes / kind).mkdir(parents=True)
        (notes / kind / name).touch()
        check_notes(results, notes)
        (notes / kind / name).unlink()
