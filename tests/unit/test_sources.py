import io
import tarfile

import numpy as np
import pytest
from helpers import TRAIN_PER_CLASS, VAL_PER_CLASS
from PIL import Image

from workflow_scripts.cli import InputError
from workflow_scripts.dataset import share
from workflow_scripts.draw_sample import draw_sample
from workflow_scripts.files import sha256_file
from workflow_scripts.folder import FolderDataset
from workflow_scripts.ilsvrc import DEVKIT, TRAIN_TAR, VAL_TAR, IlsvrcDataset, read_devkit
from workflow_scripts.sample_images import SAMPLE_CLASSES, draw_image


def test_the_sample_is_the_same_bytes_for_any_number_of_processes(archives, tmp_path):
    draw_sample(tmp_path, 0, TRAIN_PER_CLASS, VAL_PER_CLASS, processes=1)
    for name in (TRAIN_TAR, VAL_TAR, DEVKIT):
        assert sha256_file(tmp_path / name) == sha256_file(archives / name)


def test_the_sample_is_a_miniature_imagenet():
    assert len(SAMPLE_CLASSES) == 40
    assert sorted(c.wnid for c in SAMPLE_CLASSES) == [c.wnid for c in SAMPLE_CLASSES]
    assert [c.half for c in SAMPLE_CLASSES].count("natural") == 20
    images = [draw_image(SAMPLE_CLASSES[0], np.random.default_rng(seed)) for seed in range(100)]
    assert len({image.size for image in images}) > 20
    assert {image.mode for image in images} == {"RGB", "L"}


def test_the_devkit_has_the_struct_of_imagenets(archives):
    synsets, truth = read_devkit(archives / DEVKIT)
    fields = [
        "ILSVRC2012_ID",
        "WNID",
        "words",
        "gloss",
        "num_children",
        "children",
        "wordnet_height",
        "num_train_images",
    ]
    assert list(synsets.dtype.names) == fields
    leaves = [row for row in synsets if row["num_children"] == 0]
    assert sorted(int(row["ILSVRC2012_ID"]) for row in leaves) == list(range(1, 41))
    inner = {str(row["WNID"]) for row in synsets if row["num_children"] > 0}
    assert {"n00001740", "n00021939"} <= inner
    assert len(truth) == 40 * VAL_PER_CLASS


def test_ilsvrc_streams_are_in_class_order_and_shares_add_up(archives):
    dataset = IlsvrcDataset(archives)
    names = dataset.class_list().names
    assert names == tuple(sorted(names))
    together = list(dataset.train_images(0, 1))
    assert together == [image for shard in range(3) for image in dataset.train_images(shard, 3)]
    assert [index for _, index, _ in together] == [index for index in range(40) for _ in range(TRAIN_PER_CLASS)]
    assert all(name.startswith(names[index]) for name, index, _ in together)
    val = [image for shard in range(3) for image in dataset.val_images(shard, 3)]
    assert [name for name, _, _ in val] == [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, len(val) + 1)]


def test_validation_labels_are_the_drawn_classes(archives):
    """The label of a validation image, found through ground truth and devkit, is the class it was drawn from."""
    from workflow_scripts.draw_sample import draw_class

    dataset = IlsvrcDataset(archives)
    drawn = {
        jpeg: index
        for index, sample_class in enumerate(SAMPLE_CLASSES)
        for jpeg in draw_class("val", VAL_PER_CLASS, 0, sample_class)
    }
    for _, index, data in dataset.val_images(0, 1):
        assert drawn[data] == index


def test_shares_are_contiguous_and_whole():
    parts = [share(10, shard, 3) for shard in range(3)]
    assert [index for part in parts for index in part] == list(range(10))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_missing_and_truncated_archives_are_named(archives, tmp_path):
    with pytest.raises(InputError, match=r"img_train\.tar is missing"):
        IlsvrcDataset(tmp_path)
    for name in (TRAIN_TAR, VAL_TAR, DEVKIT):
        (tmp_path / name).symlink_to(archives / name)
    (tmp_path / VAL_TAR).unlink()
    (tmp_path / VAL_TAR).write_bytes((archives / VAL_TAR).read_bytes()[: 200 * 512])
    with pytest.raises(InputError, match=r"img_val\.tar"):
        list(IlsvrcDataset(tmp_path).val_images(0, 1))
    (tmp_path / DEVKIT).unlink()
    (tmp_path / DEVKIT).write_bytes(b"no devkit")
    with pytest.raises(InputError, match="not a readable ILSVRC-2012 development kit"):
        IlsvrcDataset(tmp_path)


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    for split, count in (("train", 3), ("val", 2)):
        for label, name in enumerate(("ape", "bee", "cat", "dog")):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                color = (60 * label, number, 0)
                Image.new("RGB", (10, 12), color).save(root / split / name / f"{number}.png")
    return root


def test_a_tree_and_its_tar_are_the_same_dataset(tree, tmp_path):
    with tarfile.open(tmp_path / "tree.tar", "w") as tar:
        tar.add(tree, arcname="some/where")
    folder, tarred = FolderDataset(tree), FolderDataset(tmp_path / "tree.tar")
    assert folder.class_list() == tarred.class_list()
    assert folder.class_list().names == ("ape", "bee", "cat", "dog")
    for split in ("train_images", "val_images"):
        images = list(getattr(folder, split)(0, 1))
        assert images == list(getattr(tarred, split)(0, 1))
        assert [index for _, index, _ in images] == sorted(index for _, index, _ in images)
    assert len(list(folder.train_images(1, 2))) == 6


def test_folder_mistakes_are_named(tree, tmp_path):
    with pytest.raises(InputError, match="neither a folder nor a tar"):
        FolderDataset(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no images train/<class>"):
        FolderDataset(tmp_path / "tree" / "train")
    (tree / "train" / "eel").mkdir()
    with pytest.raises(InputError, match="'eel' is not in both"):
        FolderDataset(tree)


def test_a_compressed_tar_is_refused_in_one_line(tree, tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(tree, arcname="tree")
    (tmp_path / "tree.tar").write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match="uncompressed"):
        FolderDataset(tmp_path / "tree.tar")
