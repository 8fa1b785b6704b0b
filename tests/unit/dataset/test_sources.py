import io
import os
import tarfile

import numpy as np
import pytest
import scipy.io
from helpers import TRAIN_PER_CLASS, VAL_PER_CLASS

from workflow_scripts.dataset.dataset import ILSVRC_ARCHIVES, share
from workflow_scripts.dataset.devkit import read_devkit
from workflow_scripts.dataset.folder import FolderDataset
from workflow_scripts.dataset.ilsvrc import IlsvrcDataset
from workflow_scripts.dataset.sample.classes import SAMPLE_CLASSES, draw_image
from workflow_scripts.dataset.sample.draw_sample import draw_class, draw_sample, tar_bytes, write_tar
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import sha256_file

TRAIN_TAR, VAL_TAR, DEVKIT = ILSVRC_ARCHIVES


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
    with tarfile.open(archives / DEVKIT) as tar:
        meta = tar.extractfile("ILSVRC2012_devkit_t12/data/meta.mat").read()
    synsets = scipy.io.loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]
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


def test_the_devkit_gives_classes_counts_and_labels(archives):
    devkit = read_devkit(archives / DEVKIT)
    assert devkit.classes.names == tuple(sample.wnid for sample in SAMPLE_CLASSES)
    assert devkit.train_images == (TRAIN_PER_CLASS,) * 40
    assert sorted(devkit.val_labels) == sorted([*range(40)] * VAL_PER_CLASS)


def test_ilsvrc_images_are_in_class_order_and_shares_add_up(archives):
    dataset = IlsvrcDataset(archives)
    names = dataset.class_list().names
    assert names == tuple(sorted(names))
    together = dataset.images("train", 0, 1)
    assert together == [image for shard in range(3) for image in dataset.images("train", shard, 3)]
    assert [image.class_index for image in together] == [index for index in range(40) for _ in range(TRAIN_PER_CLASS)]
    assert all(image.name.startswith(f"{names[image.class_index]}/") for image in together)
    val = [image.name for shard in range(3) for image in dataset.images("val", shard, 3)]
    assert val == [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, len(val) + 1)]
    assert dataset.survey() == {"train": len(together), "val": len(val)}


def test_images_are_in_the_order_of_the_papers_lists(tmp_path, archives):
    """As strings: n01440764_10026 comes before n01440764_9981, so that "first k per class" means the paper's."""
    folder = copied(archives, tmp_path)
    wnid = SAMPLE_CLASSES[0].wnid
    members = [(f"{wnid}_{number}.JPEG", b"") for number in (9981, 10026, 100, 10027)]
    members += [(f"{wnid}_{number}.JPEG", b"") for number in (5, 40)]
    rewritten(folder / TRAIN_TAR, lambda name, data: tar_bytes(members) if name == f"{wnid}.tar" else data)
    names = [image.name for image in IlsvrcDataset(folder).images("train", 0, 40)]
    assert names == [f"{wnid}/{wnid}_{number}.JPEG" for number in (100, 10026, 10027, 40, 5, 9981)]


def test_validation_labels_are_the_drawn_classes(archives):
    """The label of a validation image, found through ground truth and devkit, is the class it was drawn from."""
    drawn = {
        jpeg: index
        for index, sample_class in enumerate(SAMPLE_CLASSES)
        for jpeg in draw_class("val", VAL_PER_CLASS, 0, sample_class)
    }
    for image in IlsvrcDataset(archives).images("val", 0, 1):
        assert drawn[image.read()] == image.class_index


def extracted(archives, folder, flat):
    """The tree that extracting the archives gives, `val` flat or by class."""
    by_archive = IlsvrcDataset(archives)
    names = by_archive.class_list().names
    for image in by_archive.images("train", 0, 1):
        (folder / "train" / image.name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "train" / image.name).write_bytes(image.read())
    for image in by_archive.images("val", 0, 1):
        parent = folder / "val" if flat else folder / "val" / names[image.class_index]
        parent.mkdir(parents=True, exist_ok=True)
        (parent / image.name).write_bytes(image.read())
    with tarfile.open(archives / DEVKIT) as tar:
        tar.extractall(folder, filter="data")
    return folder


def encoded_images(dataset, split):
    """Names, classes and bytes, wherever the dataset has them from."""
    return [(image.name, image.class_index, image.read()) for image in dataset.images(split, 0, 1)]


@pytest.mark.parametrize("flat", [True, False], ids=["val flat", "val by class"])
def test_an_extracted_tree_is_the_same_dataset(archives, tmp_path, flat):
    tree, archived = IlsvrcDataset(extracted(archives, tmp_path, flat)), IlsvrcDataset(archives)
    assert tree.class_list() == archived.class_list()
    assert tree.survey() == archived.survey()
    for split in ("train", "val"):
        assert encoded_images(tree, split) == encoded_images(archived, split)


def test_an_incomplete_tree_is_refused(archives, tmp_path):
    folder = extracted(archives, tmp_path, flat=False)
    val_folder = sorted((folder / "val").iterdir())[0]
    image = sorted(val_folder.iterdir())[0]
    other = sorted((folder / "val").iterdir())[1]
    moved = image.rename(other / image.name)
    with pytest.raises(InputError, match=f"the folder of {image.name} is {other.name}, but the ground truth says"):
        IlsvrcDataset(folder).survey()
    moved.unlink()
    with pytest.raises(InputError, match=r"119 images, but the devkit's ground truth labels images 1 to 120"):
        IlsvrcDataset(folder).survey()
    val_folder.rename(folder / "val" / "n12345678")
    with pytest.raises(InputError, match=r"n12345678: the devkit has no class of that name"):
        IlsvrcDataset(folder).survey()
    (folder / "train" / val_folder.name).rename(folder / "train" / "elsewhere")
    with pytest.raises(InputError, match=f"class {val_folder.name} has 0 images, expected {TRAIN_PER_CLASS}"):
        IlsvrcDataset(folder).survey()


def copied(archives, folder):
    for name in ILSVRC_ARCHIVES:
        (folder / name).write_bytes((archives / name).read_bytes())
    return folder


def rewritten(path, change):
    """The tar at `path` with `change(name, data)` in place of each member's bytes; None leaves a member out."""
    with tarfile.open(path) as tar:
        members = [(member.name, tar.extractfile(member).read()) for member in tar]
    changed = [(name, change(name, data)) for name, data in members]
    write_tar(path, [(name, data) for name, data in changed if data is not None])


def test_incomplete_and_exchanged_archives_are_refused(archives, tmp_path):
    wnid, other = SAMPLE_CLASSES[3].wnid, SAMPLE_CLASSES[4].wnid
    folder = copied(archives, tmp_path)
    (folder / TRAIN_TAR).write_bytes((archives / VAL_TAR).read_bytes())
    with pytest.raises(InputError, match=r"no member n\d+\.tar .*ILSVRC2012_val_00000001\.JPEG.*so it is not whole"):
        IlsvrcDataset(folder).survey()
    copied(archives, folder)
    rewritten(folder / TRAIN_TAR, lambda name, data: None if name == f"{wnid}.tar" else data)
    with pytest.raises(InputError, match=rf"no member {wnid}\.tar"):
        IlsvrcDataset(folder).survey()
    copied(archives, folder)
    with tarfile.open(folder / TRAIN_TAR) as tar:
        exchanged = tar.extractfile(f"{other}.tar").read()
    rewritten(folder / TRAIN_TAR, lambda name, data: exchanged if name == f"{wnid}.tar" else data)
    with pytest.raises(InputError, match=f"class {wnid} holds '{wnid}/{other}_1.JPEG', an image of a different class"):
        IlsvrcDataset(folder).images("train", 0, 1)
    copied(archives, folder)
    rewritten(folder / VAL_TAR, lambda name, data: None if "_00000007" in name else data)
    with pytest.raises(InputError, match=r"119 images, but the devkit's ground truth labels images 1 to 120"):
        IlsvrcDataset(folder).survey()
    (folder / VAL_TAR).write_bytes((archives / TRAIN_TAR).read_bytes())
    with pytest.raises(InputError, match=r"the validation images: 'n\d+\.tar'"):
        IlsvrcDataset(folder).survey()


def test_a_class_that_is_not_whole_is_refused(archives, tmp_path):
    """In an archive, a hole of zeros between its images; in a tree, an image that is gone or in the wrong folder."""
    folder, wnid = copied(archives, tmp_path), SAMPLE_CLASSES[3].wnid
    short = tar_bytes([(f"{wnid}_{number}.JPEG", b"x") for number in range(TRAIN_PER_CLASS - 1)])
    rewritten(folder / TRAIN_TAR, lambda name, data: short if name == f"{wnid}.tar" else data)
    with pytest.raises(InputError, match=f"class {wnid} has 5 images, expected 6"):
        IlsvrcDataset(folder).images("train", 0, 1)
    (tmp_path / "tree").mkdir()
    tree = extracted(archives, tmp_path / "tree", flat=True)
    image = sorted((tree / "train" / wnid).iterdir())[0]
    moved = image.rename(tree / "train" / SAMPLE_CLASSES[5].wnid / image.name)
    with pytest.raises(InputError, match=f"class {wnid} has 5 images, expected 6"):
        IlsvrcDataset(tree).survey()
    image.write_bytes(moved.read_bytes())
    with pytest.raises(
        InputError, match=f"class {SAMPLE_CLASSES[5].wnid} holds .*{image.name}', an image of a different"
    ):
        IlsvrcDataset(tree).survey()


def test_ground_truth_of_no_class_is_refused(archives, tmp_path):
    folder = copied(archives, tmp_path)
    truth = "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt"
    rewritten(folder / DEVKIT, lambda name, data: b"41\n" + data if name == truth else data)
    with pytest.raises(InputError, match="the ground truth has ILSVRC2012_ID 41"):
        IlsvrcDataset(folder)


def test_shares_are_contiguous_and_whole():
    parts = [share(10, shard, 3) for shard in range(3)]
    assert [index for part in parts for index in part] == list(range(10))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_missing_archives_and_bad_devkits_are_named(archives, tmp_path):
    with pytest.raises(InputError, match=r"img_train\.tar: the file is missing"):
        IlsvrcDataset(tmp_path)
    copied(archives, tmp_path)
    (tmp_path / DEVKIT).write_bytes(b"no devkit")
    with pytest.raises(InputError, match="not a readable ILSVRC-2012 development kit"):
        IlsvrcDataset(tmp_path)


def test_a_tree_and_its_tar_are_the_same_dataset(tree, tmp_path):
    with tarfile.open(tmp_path / "tree.tar", "w") as tar:
        tar.add(tree, arcname="some/where")
    folder, tarred = FolderDataset(tree), FolderDataset(tmp_path / "tree.tar")
    assert folder.class_list() == tarred.class_list()
    assert folder.class_list().names == ("ape", "bee", "cat", "dog")
    assert folder.survey() == tarred.survey() == {"train": 12, "val": 8}
    for split in ("train", "val"):
        images = folder.images(split, 0, 1)
        assert encoded_images(folder, split) == encoded_images(tarred, split)
        assert [image.class_index for image in images] == sorted(image.class_index for image in images)
    assert len(folder.images("train", 1, 2)) == 6


def test_hidden_files_are_no_images(tree, tmp_path):
    (tree / "train" / "ape" / ".DS_Store").write_bytes(b"")
    for split in ("train", "val"):
        (tree / split / ".cache").mkdir()
        (tree / split / ".cache" / "0.png").write_bytes(b"")
    with tarfile.open(tmp_path / "tree.tar", "w") as tar:
        tar.add(tree, arcname="tree")
    for path in (tree, tmp_path / "tree.tar"):
        assert FolderDataset(path).survey() == {"train": 12, "val": 8}


def test_images_that_would_be_lost_are_named(tree, tmp_path):
    (tree / "val" / "bee" / "link.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(InputError, match=r"link\.png: it is a link to a file that does not exist"):
        FolderDataset(tree).survey()
    (tree / "val" / "bee" / "link.png").unlink()
    (tree / "train" / "bee" / "more").mkdir()
    (tree / "train" / "bee" / "more" / "0.png").write_bytes(b"")
    with tarfile.open(tmp_path / "tree.tar", "w") as tar:
        tar.add(tree, arcname="tree")
    for path in (tree, tmp_path / "tree.tar"):
        with pytest.raises(InputError, match=r"bee/more.* a folder inside a class"):
            FolderDataset(path).survey()


def test_names_that_are_not_utf_8_are_refused(tree):
    (tree / "train" / "bee" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"")
    with pytest.raises(InputError, match=r"name 'caf\\udce9\.png' is not UTF-8"):
        FolderDataset(tree).survey()


def test_folder_mistakes_are_named(tree, tmp_path):
    with pytest.raises(InputError, match="neither a folder nor a tar"):
        FolderDataset(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"found the folders .ape/.*Wanted is train/<class>/<image>"):
        FolderDataset(tmp_path / "tree" / "train")
    (tree / "train" / "eel").mkdir()
    with pytest.raises(InputError, match=r"train/ alone has the class 'eel'. Add it, remove it or exclude it"):
        FolderDataset(tree)
    (tree / "val" / "eel").mkdir()
    with pytest.raises(InputError, match="class 'eel' has no train images"):
        FolderDataset(tree).survey()


def test_a_tar_of_two_trees_is_refused(tree, tmp_path):
    with tarfile.open(tmp_path / "two.tar", "w") as tar:
        tar.add(tree, arcname="one")
        tar.add(tree, arcname="two")
    with pytest.raises(InputError, match=r"found the folders .one/., .two/"):
        FolderDataset(tmp_path / "two.tar")


def test_a_tar_that_shrinks_while_it_is_read_is_named(tree, tmp_path):
    with tarfile.open(tmp_path / "tree.tar", "w") as tar:
        tar.add(tree, arcname="tree")
    image = FolderDataset(tmp_path / "tree.tar").images("val", 0, 1)[-1]
    with open(tmp_path / "tree.tar", "rb+") as file:
        file.truncate(image.offset + 1)
    with pytest.raises(InputError, match="so it has changed or is not whole"):
        image.read()


def test_a_compressed_tar_is_refused_in_one_line(tree, tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(tree, arcname="tree")
    (tmp_path / "tree.tar").write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match="uncompressed"):
        FolderDataset(tmp_path / "tree.tar")
