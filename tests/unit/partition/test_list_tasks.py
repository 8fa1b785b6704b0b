"""The table of tasks: classes, images, and the fewest, median and most images of a class."""

import subprocess

import numpy as np
import pandas as pd
import pytest
from helpers import PYTHON, ROOT, TRAIN_PER_CLASS, VAL_PER_CLASS, save_tasks

from workflow_scripts.partition.list_tasks import task_row
from workflow_scripts.partition.make_task import spread, write_task
from workflow_scripts.partition.task import Task
from workflow_scripts.plumbing.files import read_json


@pytest.fixture
def uneven():
    """A task of three classes with 5, 1 and 2 training images, and 8, 0 and 2 validation images."""
    train, val = np.repeat(np.arange(3), [5, 1, 2]), np.repeat(np.arange(3), [8, 0, 2])
    return Task(np.arange(8), train, np.arange(10), val, np.zeros((4, 4, 3)), 3)


def test_the_spread_of_images_over_classes():
    assert spread(np.array([5, 1, 2])) == {"fewest": 1, "median": 2.0, "most": 5}
    assert spread(np.array([4, 1])) == {"fewest": 1, "median": 2.5, "most": 4}


def test_the_record_of_a_task_has_them_and_the_table_too(uneven, tmp_path):
    write_task(uneven, tmp_path / "random0-A.npz", {"partition": "random0", "half": "A"}, [])
    record = read_json(tmp_path / "random0-A.json")
    assert record["images"]["val_per_class"] == {"fewest": 0, "median": 2.0, "most": 8}
    row = task_row(record, "birds")
    assert list(row.values()) == ["random0", "A", "birds", 3, 8, 1, 2.0, 5, 10, 0, 2.0, 8, 0.8]


def test_the_step_writes_a_row_for_each_task(store, tasks, tmp_path):
    save_tasks(tasks, store, tmp_path)
    files = [str(tmp_path / f"{half}.json") for half in "AB"]
    outputs = ["--output", str(tmp_path / "tasks.csv"), "--record", str(tmp_path / "tasks.json")]
    command = [PYTHON, "-m", "workflow_scripts.partition.list_tasks", "--tasks", *files, "--datasets", "one", "two"]
    subprocess.run([*command, *outputs], cwd=ROOT, check=True)
    table = pd.read_csv(tmp_path / "tasks.csv")
    assert list(table["half"]) == ["A", "B"]
    assert list(table["dataset"]) == ["one", "two"]
    assert set(table["train_most_per_class"]) == set(table["train_fewest_per_class"]) == {TRAIN_PER_CLASS}
    assert set(table["val_median_per_class"]) == {VAL_PER_CLASS}
    assert set(table["majority_share"]) == {0.05}
    assert set(read_json(tmp_path / "tasks.json")["made_from"]) == set(files)
