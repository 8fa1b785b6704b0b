"""Image lists in the paper's published form, and their md5 sums."""

import subprocess

import numpy as np
import pytest
from helpers import PYTHON, ROOT, TRAIN_PER_CLASS

from workflow_scripts.dataset.dataset import ClassList
from workflow_scripts.dataset.devkit import ground_truth, read_devkit
from workflow_scripts.dataset.tables import read_names
from workflow_scripts.partition.division import natman_halves
from workflow_scripts.partition.write_list import image_list, published_md5, read_partition, validation_labels
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import write_json


def test_labels_run_from_zero_in_class_order():
    names, indices = ["d.JPEG", "a.JPEG", "c.JPEG", "b.JPEG"], np.array([3, 0, 2, 3])
    assert image_list(names, indices, np.array([2, 3])) == "d.JPEG 1\nc.JPEG 0\nb.JPEG 1\n"
    assert image_list(names, indices, np.array([2, 3]), 1) == "d.JPEG 1\nc.JPEG 0\n"


def run(tmp_path, *options):
    output = tmp_path / "list.txt"
    command = [PYTHON, "-m", "workflow_scripts.partition.write_list", *options, "--output", str(output)]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False)
    return done, output.read_text() if output.exists() else None


def test_ground_truth_and_store_give_the_same_list(archives, store, halves, tmp_path):
    options = ("--partition", "random0", "--half", "B")
    done, by_truth = run(tmp_path, "--ground-truth", archives / "ILSVRC2012_devkit_t12.tar.gz", *options)
    assert done.returncode == 0
    assert "(60 images, the published sum is cce39b" in done.stdout  # ImageNet's, not the sample's
    assert run(tmp_path, "--manifest", store, *options)[1] == by_truth
    devkit = read_devkit(archives / "ILSVRC2012_devkit_t12.tar.gz")
    expected = [
        f"ILSVRC2012_val_{number:08d}.JPEG {halves['B'].index(devkit.classes.names[label])}"
        for number, label in enumerate(devkit.val_labels, start=1)
        if devkit.classes.names[label] in halves["B"]
    ]
    assert by_truth.splitlines() == expected


def test_training_lists_of_halves_and_reduced_data(store, halves, tmp_path):
    write_json(tmp_path / "mine.json", {"halves": halves, "train_images_per_class": 2})
    options = ("--manifest", store, "--split", "train", "--partition")
    _, reduced = run(tmp_path, *options, tmp_path / "mine.json", "--half", "A")
    wnid = halves["A"][0]
    assert reduced.splitlines()[:3] == [
        f"{wnid}/{wnid}_1.JPEG 0",
        f"{wnid}/{wnid}_2.JPEG 0",
        f"{halves['A'][1]}/{halves['A'][1]}_1.JPEG 1",
    ]
    assert len(reduced.splitlines()) == 40
    _, whole = run(tmp_path, *options, "whole_first_4_per_class", "--half", "whole")
    assert len(whole.splitlines()) == 40 * 4
    assert run(tmp_path, *options, "whole", "--half", "whole")[1].count("\n") == 40 * TRAIN_PER_CLASS


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--partition", "random0", "--half", "C"), "error: --half: C is not one of A, B"),
        (("--partition", "mine", "--half", "A"), "error: --partition: mine is neither a file nor random<seed>"),
        (("--partition", "a-b", "--half", "A"), "error: --partition: 'a-b' is not a partition's name, nor a file"),
        (("--partition", "README.md", "--half", "A"), "error: README.md: it is not a readable JSON file"),
        (("--partition", "random0", "--half", "A", "--split", "train"), "error: --split: the ground truth is of val"),
    ],
)
def test_mistakes_are_one_line(archives, tmp_path, options, message):
    done, written = run(tmp_path, "--ground-truth", archives / "ILSVRC2012_devkit_t12.tar.gz", *options)
    assert (done.returncode, written) == (1, None)
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


def test_a_devkit_decides_graded_halves_too_and_a_list_of_labels_does_not(archives, true_validation_labels, tmp_path):
    options = ("--partition", "far0", "--half", "A")
    done, _ = run(tmp_path, "--ground-truth", archives / "ILSVRC2012_devkit_t12.tar.gz", *options)
    assert "60 images, no published sum" in done.stdout
    done, _ = run(tmp_path, "--ground-truth", true_validation_labels, *options)
    assert done.stderr.startswith("error: the dataset: it has no hierarchy of classes")


def test_a_file_that_is_no_partition_is_named(archives, tmp_path):
    write_json(tmp_path / "x.json", {"halves": {}})
    with pytest.raises(InputError, match=r"x\.json is not a partition, as it has no 'train_images_per_class'"):
        read_partition(str(tmp_path / "x.json"), ClassList(("a", "b"), ("a", "b")))


def test_a_ground_truth_may_have_a_mark_and_any_line_ends(tmp_path):
    (tmp_path / "truth.txt").write_bytes(b"\xef\xbb\xbfx n00000002\r\n\r\ny n00000001 \r\n")
    names, classes, indices = validation_labels(tmp_path / "truth.txt")
    assert (len(names), classes.names, indices.tolist()) == (2, ("n00000001", "n00000002"), [1, 0])
    assert ground_truth(b"\xef\xbb\xbf490\r361\r") == [490, 361]
    with pytest.raises(InputError, match="which is not an ILSVRC2012_ID"):
        ground_truth("\u00b2".encode())


def test_a_ground_truth_without_wnids_is_refused(tmp_path):
    (tmp_path / "truth.txt").write_text("490\n361\n")
    with pytest.raises(InputError, match="not every line ends in a WNID"):
        validation_labels(tmp_path / "truth.txt")


def test_every_published_sum_has_its_place():
    table = read_names(ROOT / "configs" / "published_lists.csv")
    assert len(table) == 33
    assert not table.duplicated(["partition", "half", "split"]).any()
    assert published_md5("random0", "A", "val") == "2f10009e20d77eb7007cf70674958b94"
    assert published_md5("random4", "A", "val") is None


@pytest.mark.slow
def test_all_published_validation_lists(true_validation_labels, real_hierarchy, tmp_path):
    """With ILSVRC's true labels, the lists of all eleven tasks have the md5 sums that the paper's authors published."""
    classes, edges = real_hierarchy
    extras = set((ROOT / "configs" / "imagenet_extra_artifacts.txt").read_text().split())
    natman = tmp_path / "natman.json"
    halves = natman_halves(classes, edges, "n00021939", extras)
    write_json(natman, {"halves": halves, "train_images_per_class": None})
    table = read_names(ROOT / "configs" / "published_lists.csv").query("split == 'val'")
    for row in table.itertuples():
        partition = natman if row.partition == "natman" else row.partition
        done, _ = run(tmp_path, "--ground-truth", true_validation_labels, "--partition", partition, "--half", row.half)
        assert done.stdout.startswith(row.md5)
        assert "the published sum)" in done.stdout


def test_partitions_by_file_and_by_name(tmp_path):
    write_json(tmp_path / "x.json", {"halves": {"A": ["a"], "B": ["b"]}, "train_images_per_class": 7})
    classes = ClassList(("a", "b"), ("a", "b"))
    assert read_partition(str(tmp_path / "x.json"), classes) == ({"A": ["a"], "B": ["b"]}, 7)
    with pytest.raises(InputError, match=r"whole_draw_3_per_class depend on a study's seed\. Read them from its task"):
        read_partition("whole_draw_3_per_class", classes)
    assert read_partition("whole_first_3_per_class", classes) == ({"whole": ["a", "b"]}, 3)
