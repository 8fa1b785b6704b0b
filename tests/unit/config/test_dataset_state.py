"""The edition of a dataset: the same for the same data, wherever they lie and whatever was surveyed in between."""

import json
import shutil

import pytest
from helpers import FOLDER, default_config

from workflow_scripts.config import dataset_state as module
from workflow_scripts.config.dataset_state import dataset_state, is_packed
from workflow_scripts.dataset.identity import dataset_content, dataset_place
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.study.paths import shard_files, store_folder


class Study:
    """A tree of images, the notes of its survey, and Snakemake's."""

    def __init__(self, folder):
        self.folder, self.store, self.notes = folder, folder / "store", folder / "notes"
        self.store.mkdir()
        self.write("here")

    def write(self, name, pixels=b"1"):
        for split in ("train", "val"):
            (self.folder / name / split / "a").mkdir(parents=True, exist_ok=True)
            (self.folder / name / split / "a" / "1.ppm").write_bytes(pixels)

    def state(self, name):
        dataset = {"kind": "folder", "path": str(self.folder / name), "name": "d"}
        return dataset_state(dataset, self.store, self.notes)

    def survey(self, name):
        """As the step survey_dataset does."""
        path = str(self.folder / name)
        found = {"place": dataset_place(FOLDER, path), "content": dataset_content(FOLDER, path)}
        write_record(self.store / "dataset.json", found | {"edition": self.state(name).edition})


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


@pytest.fixture
def looks(monkeypatch):
    """The paths whose content was looked at."""
    looked_at = []
    monkeypatch.setattr(
        module, "dataset_content", lambda dataset, path: looked_at.append(path) or dataset_content(dataset, path)
    )
    return looked_at


def test_a_first_survey_changes_no_edition_and_needs_no_look(study, looks):
    before = study.state("here").edition
    study.survey("here")
    assert study.state("here").edition == before
    assert json.loads(before)["place"].endswith("here")
    assert looks == []


def test_moved_data_keep_their_edition_and_are_looked_at_once(study, looks):
    study.survey("here")
    edition = study.state("here").edition
    (study.folder / "here").rename(study.folder / "there")
    assert [study.state("there").edition for _ in range(3)] == [edition] * 3
    assert len(looks) == 1
    study.survey("there")  # for a reason of its own
    assert study.state("there").edition == edition


def test_other_data_have_another_edition_before_their_survey_and_after_it(study):
    study.survey("here")
    edition = study.state("here").edition
    study.write("there", b"2")
    other = study.state("there").edition
    assert other != edition
    assert study.state("here").edition == edition  # nothing was surveyed
    study.survey("there")
    assert study.state("there").edition == other
    assert study.state("here").edition not in (edition, other)


def test_other_data_in_the_place_that_data_were_moved_from_are_noticed(study):
    study.survey("here")
    edition = study.state("here").edition
    (study.folder / "here").rename(study.folder / "there")
    assert study.state("there").edition == edition
    study.write("here", b"2")
    assert study.state("here").edition != edition


def test_an_archive_of_another_size_in_its_place_is_noticed(study):
    (study.folder / "a.tar").write_bytes(b"1" * 10)
    study.survey("a.tar")
    edition = study.state("a.tar").edition
    (study.folder / "a.tar").write_bytes(b"1" * 11)
    assert study.state("a.tar").edition != edition


def test_data_that_are_gone_keep_their_edition(study):
    study.survey("here")
    edition = study.state("here").edition
    shutil.rmtree(study.folder / "here" / "val")
    state = study.state("here")
    assert state.edition == edition
    assert state.missing == (str(study.folder / "here" / "val"),)


def test_notes_that_cannot_be_written_or_read_cost_a_second_look_only(study, looks):
    study.survey("here")
    edition = study.state("here").edition
    (study.folder / "here").rename(study.folder / "there")
    study.notes.write_text("not a folder")
    assert study.state("there").edition == study.state("there").edition == edition
    assert len(looks) == 2
    study.notes.unlink()
    study.state("there")
    (note,) = study.notes.iterdir()
    note.write_text("{")
    assert study.state("there").edition == edition


def test_a_store_is_packed_if_it_has_the_studys_shards(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = default_config()
    store = store_folder(config)
    store.mkdir(parents=True)
    for name in ("classes.csv", "hierarchy.csv", "split.csv", "survey.json", "dataset.json", "quarantine.csv"):
        (store / name).touch()
    for name in shard_files(config, "u8", "csv", "crc", "json"):
        (tmp_path / name).touch()
    assert not is_packed(config)
    write_record(store / "manifest.json", {"shards": {"train": [{}, {}], "val": [{}]}})
    assert is_packed(config)
    assert not is_packed(config | {"store": config["store"] | {"train_shards": 1}})
    (store / "val-000.u8").unlink()
    assert not is_packed(config)
