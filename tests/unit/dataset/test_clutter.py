"""What lies about is left out and counted by every reader of trees and archives, and each allows leading folders."""

import gzip
import io
import os
import tarfile

import pytest
from helpers import FOLDER

from workflow_scripts.config.checks import check_dataset
from workflow_scripts.dataset.clutter import lies_about
from workflow_scripts.dataset.dataset import ILSVRC_ARCHIVES
from workflow_scripts.dataset.folder import FolderDataset
from workflow_scripts.dataset.identity import dataset_content
from workflow_scripts.dataset.ilsvrc import IlsvrcDataset
from workflow_scripts.dataset.sample.draw_sample import tar_bytes
from workflow_scripts.dataset.tars import tar_index
from workflow_scripts.plumbing.cli import InputError

TRAIN_TAR, VAL_TAR, DEVKIT = ILSVRC_ARCHIVES
FILES = (
    ".DS_Store",
    "._0.png",
    "Thumbs.db",
    "desktop.ini",
    "Icon\r",
    ".nfs000123",
    "0.png:Zone.Identifier",
    ".directory",
)
FOLDERS = ("__MACOSX", "@eaDir", ".ipynb_checkpoints", ".git", "PaxHeaders.1234", "#recycle", "lost+found")


@pytest.mark.parametrize("name", [*FILES, *FOLDERS, "THUMBS.DB", "Desktop.ini", "pax_global_header", "$RECYCLE.BIN"])
def test_what_lies_about(name):
    assert lies_about(name)


@pytest.mark.parametrize("name", [".", "..", "0.png", "Thumbs", "n01440764", "icon", "_", "thumbs.db.png", "recycle"])
def test_what_does_not_lie_about(name):
    assert not lies_about(name)


def litter(folder):
    """Let everything lie about in `folder`; how many files and folders these are."""
    for name in FILES:
        (folder / name).write_bytes(b"no image")
    for name in FOLDERS:
        (folder / name).mkdir()
        (folder / name / "0.png").write_bytes(b"no image")
    (folder / ".link").symlink_to("/nowhere")
    os.mkfifo(folder / ".pipe")
    return len(FILES) + len(FOLDERS) + 2


def tarred(tree, path, arcname, kind=tarfile.PAX_FORMAT):
    with tarfile.open(path, "w", format=kind) as tar:
        tar.add(tree, arcname=arcname)
    return path


def names(dataset):
    return [image.name for split in ("train", "val") for image in dataset.images(split, 0, 1)]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("leading", [".", "tree", "./some/where"])
def test_a_tree_and_its_tar_leave_out_the_same(tree, tmp_path, leading, kind):
    clean = names(FolderDataset(tree))
    littered = sum(litter(tree / place) for place in (".", "train", "val", "train/ape", "val/dog"))
    tar = tarred(tree, tmp_path / "tree.tar", leading, kind)
    if leading != ".":
        (tmp_path / "above" / leading).parent.mkdir(parents=True)
        tree.rename(tmp_path / "above" / leading)
        tree = tmp_path / "above"
    for path in (tree, tar):
        dataset = FolderDataset(path)
        assert dataset.survey() == {"train": 12, "val": 8}
        assert dataset.left_out == littered
        assert names(dataset) == clean
        check_dataset({"kind": "folder", "path": str(path)})


def member(tar, name, kind=tarfile.REGTYPE, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    tar.addfile(info, io.BytesIO(data))


def test_what_lies_about_in_a_tar_is_never_refused(tree, tmp_path):
    """Links, devices, absolute names, names twice or not in UTF-8, and what macOS puts beside each file."""
    path = tarred(tree, tmp_path / "tree.tar", "tree")
    with tarfile.open(path, "a", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
        member(tar, "tree/.latest", tarfile.SYMTYPE, linkname="/etc/passwd")
        member(tar, "tree/.hard", tarfile.LNKTYPE, linkname="tree/train/ape/0.png")
        member(tar, "tree/.null", tarfile.CHRTYPE, devmajor=1, devminor=3)
        member(tar, "/tree/.DS_Store")
        member(tar, "tree/../.DS_Store")
        member(tar, "tree/train/.caf\xe9")
        for _ in range(2):
            member(tar, "tree/train/ape/._0.png", data=b"\0\5\x16\7")
            member(tar, "__MACOSX/tree/train/ape/._0.png", data=b"\0\5\x16\7")
    dataset = FolderDataset(path)
    assert dataset.survey() == {"train": 12, "val": 8}
    assert dataset.left_out == 6  # those above the archive are in no folder of it


def test_headers_that_are_no_members_do_not_matter(tree, tmp_path):
    """A label of GNU tar, a comment for all members, large attributes of macOS, names of 300 characters."""
    (tree / "train" / "ape" / f"{'a' * 240}.png").write_bytes(b"")
    with tarfile.open(tmp_path / "tree.tar", "w", pax_headers={"comment": "x" * 300}) as tar:
        member(tar, "a label", b"V")
        attributes = {"LIBARCHIVE.xattr.com.apple.ResourceFork": "A" * 100_000}
        for file in sorted(tree.rglob("*.png")):
            info = tar.gettarinfo(file, f"./{'long/' * 20}{file.relative_to(tree)}")
            info.pax_headers = attributes
            with open(file, "rb") as content:
                tar.addfile(info, content)
    assert FolderDataset(tmp_path / "tree.tar").survey() == {"train": 13, "val": 8}


def test_an_empty_class_is_one_in_a_tar_too(tree, tmp_path):
    (tree / "train" / "eel").mkdir()
    (tree / "val" / "eel").mkdir()
    for path in (tree, tarred(tree, tmp_path / "tree.tar", "tree")):
        with pytest.raises(InputError, match="class 'eel' has no train images"):
            FolderDataset(path).survey()


def test_what_is_no_file_is_named_in_a_tree_too(tree):
    os.mkfifo(tree / "train" / "ape" / "pipe.png")
    with pytest.raises(InputError, match=r"pipe\.png: it is neither a file nor a folder"):
        FolderDataset(tree).survey()


@pytest.mark.parametrize("place", ["train/ape/round.png", "train/round", "val/round"])
def test_a_link_that_leads_round_is_named(tree, place):
    (tree / place).symlink_to("round" if place.endswith("round") else "round.png")
    with pytest.raises(InputError, match=r"round(\.png)?: it is a link to a file that does not exist"):
        FolderDataset(tree).survey()
        dataset_content(FOLDER, str(tree))


def test_an_image_in_place_of_a_tar_is_not_called_damaged(tree):
    image = next((tree / "train" / "ape").iterdir())
    with pytest.raises(InputError, match=r"it is a PNG, not a whole, uncompressed tar archive\. Correct the path"):
        FolderDataset(image)


def test_folders_that_never_end_are_no_leading_folders(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path)
    with pytest.raises(InputError, match="Wanted is train/<class>"):
        FolderDataset(tmp_path)


def retarred(path, add=(), lead="", change=lambda name, data: data):
    """The tar at `path` again, with `lead` before each name, and more members."""
    with tarfile.open(path) as tar:
        members = [(member.name, tar.extractfile(member).read()) for member in tar if member.isfile()]
    return tar_bytes([(lead + name, change(name, data)) for name, data in members] + list(add))


@pytest.mark.parametrize("lead", ["", "./", "ILSVRC/2012/"])
def test_every_archive_of_imagenet_may_be_littered(archives, tmp_path, lead):
    def littered(name):
        return [(f"{lead}.DS_Store", b"x"), (f"{lead}._{name}", b"x"), (f"__MACOSX/{lead}._{name}", b"x")]

    def inner(name, data):
        (tmp_path / "inner.tar").write_bytes(data)
        return retarred(tmp_path / "inner.tar", littered(f"{name[:9]}_1.JPEG"), lead)

    (tmp_path / TRAIN_TAR).write_bytes(retarred(archives / TRAIN_TAR, littered("n91000001.tar"), lead, inner))
    (tmp_path / VAL_TAR).write_bytes(retarred(archives / VAL_TAR, littered("ILSVRC2012_val_00000001.JPEG"), lead))
    devkit = retarred(archives / DEVKIT, littered("meta.mat"), lead)
    clean = IlsvrcDataset(archives)
    for packed in (gzip.compress(devkit), devkit):  # some browsers unpack it
        (tmp_path / DEVKIT).write_bytes(packed)
        dataset = IlsvrcDataset(tmp_path)
        assert dataset.class_list() == clean.class_list()
        assert dataset.survey() == clean.survey()
        assert dataset.left_out == 6
        assert names(dataset) == names(clean)
    image = dataset.images("train", 1, 40)[0]
    assert image.read() == clean.images("train", 1, 40)[0].read()


def test_every_folder_of_imagenet_may_be_littered(archives, tmp_path):
    clean = IlsvrcDataset(archives)
    wnids = clean.class_list().names
    for split, folders in (("train", wnids), ("val", [])):
        root = tmp_path / split / "ILSVRC2012"
        for folder in folders:
            (root / folder).mkdir(parents=True)
        root.mkdir(parents=True, exist_ok=True)
        for image in clean.images(split, 0, 1):
            (root / image.name).write_bytes(image.read())
    with tarfile.open(archives / DEVKIT) as tar:
        tar.extractall(tmp_path / "ILSVRC2012_devkit_t12", filter="data")
    littered = sum(litter(tmp_path / place) for place in ("train", "val/ILSVRC2012", f"train/ILSVRC2012/{wnids[0]}"))
    litter(tmp_path / "ILSVRC2012_devkit_t12")
    dataset = IlsvrcDataset(tmp_path)
    assert dataset.survey() == clean.survey()
    assert dataset.left_out == littered
    assert names(dataset) == names(clean)


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_packed_tar_is_called_so_by_every_reader(tree, tmp_path, mode):
    for name in ("tree.tar", TRAIN_TAR):
        with tarfile.open(tmp_path / name, mode) as tar:
            tar.add(tree, arcname="tree")
        with pytest.raises(
            InputError, match=r"it is \w+-compressed, not a whole, uncompressed tar .* Unpack it, as with"
        ):
            tar_index(tmp_path / name)
    with pytest.raises(InputError, match=r"nor an uncompressed tar, but \w+-compressed \(unpack it"):
        check_dataset({"kind": "folder", "path": str(tmp_path / "tree.tar")})
