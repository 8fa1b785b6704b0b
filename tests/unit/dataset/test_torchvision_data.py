"""torchvision's datasets through its own readers: names, labels and pixels, drawn splits, and refusals in one line."""

import bz2
import csv
import os
import pickle
import shutil
import threading

import numpy as np
import pytest
import torch
from helpers import pack
from PIL import Image
from torchvision import datasets
from torchvision_files import cifar100, eurosat

from workflow_scripts.dataset.identity import dataset_content, dataset_place
from workflow_scripts.dataset.sources import dataset_identity, open_dataset
from workflow_scripts.dataset.torchvision_reader import Library
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.store import decode as decoding
from workflow_scripts.store.packed import PackedSplit

FAKE = {
    "kind": "torchvision",
    "name": "FakeData",
    "options": {"size": 100, "image_size": [3, 12, 16], "num_classes": 5},
    "split": {"seed": 0, "val_per_class": 3},
}
CIFAR = {"kind": "torchvision", "name": "CIFAR100"}
EUROSAT = {"kind": "torchvision", "name": "EuroSAT", "split": {"seed": 0, "val_fraction": 0.2}}


def of(name, **leaves):
    return {"kind": "torchvision", "name": name, **leaves}


def test_cifar100_in_its_own_format_is_packed_as_it_is(tmp_path, monkeypatch):
    images = cifar100(tmp_path / "root", monkeypatch)
    manifest = pack(CIFAR, tmp_path / "root", tmp_path, 32)
    for split, part in (("train", "train"), ("val", "test")):
        packed = PackedSplit(manifest, split)
        order = np.argsort(np.tile(np.arange(5), len(images[part]) // 5), kind="stable")
        assert np.array_equal(packed.images(np.arange(len(packed))), images[part][order])
        assert packed.class_indices().tolist() == sorted(packed.class_indices())
        assert len(set(packed.names())) == len(packed)
    assert PackedSplit(manifest, "val").names()[:3] == ["apple/0", "apple/5", "bear/1"]
    opened = open_dataset(CIFAR, str(tmp_path / "root"))
    assert opened.class_list().names == ("apple", "bear", "can", "dolphin", "elm")
    assert opened.survey() == {"train": 40, "val": 10}
    assert opened.read_from == {"train": "train=True", "val": "train=False"}


class Payload:
    """Whose unpickling makes a folder."""

    def __init__(self, place):
        self.place = str(place)

    def __reduce__(self):
        return os.mkdir, (self.place,)


@pytest.mark.parametrize("name", ["train", "test", "meta"])
def test_files_that_torchvision_does_not_know_are_not_unpickled(tmp_path, monkeypatch, name):
    cifar100(tmp_path, monkeypatch)
    (tmp_path / "cifar-100-python" / name).write_bytes(pickle.dumps(Payload(tmp_path / "unpickled")))
    with pytest.raises(InputError, match=r"torchvision's CIFAR100 in .*: it cannot be read \(Dataset .* corrupted"):
        open_dataset(CIFAR, str(tmp_path))
    assert not (tmp_path / "unpickled").exists()


def test_fake_data_are_drawn_into_two_splits(tmp_path):
    opened = open_dataset(FAKE, "nowhere")
    assert opened.class_list().names == tuple("01234")
    assert opened.survey() == {"train": 85, "val": 15}
    sources = {split: opened.images(split, 0, 1) for split in ("train", "val")}
    names = [source.name for split in sources.values() for source in split]
    assert sorted(int(name.split("/")[1]) for name in names) == list(range(100))
    reader = datasets.FakeData(100, (3, 12, 16), 5)
    for source in (*sources["train"][::9], *sources["val"]):
        image, label = reader[int(source.name.split("/")[1])]
        assert np.array_equal(source.read(), image)
        assert source.class_index == label
        assert source.name.startswith(f"{label}/")
    rows = list(opened.split_rows())
    assert {path for path, _, split in rows if split == "val"} == {source.name for source in sources["val"]}
    assert len(rows) == 100


def test_shares_are_the_whole(tmp_path):
    opened = open_dataset(FAKE, "nowhere")
    shares = [source.name for shard in range(3) for source in opened.images("train", shard, 3)]
    assert shares == [source.name for source in opened.images("train", 0, 1)]


def test_classes_are_left_out(tmp_path):
    eurosat(tmp_path)
    opened = open_dataset(EUROSAT | {"exclude": ["Class2"]}, str(tmp_path))
    assert opened.class_list().names == ("Class0", "Class1", "Class3", "Class4")
    assert opened.survey() == {"train": 20, "val": 4}
    assert {source.class_index for source in opened.images("val", 0, 1)} == {0, 1, 2, 3}
    with pytest.raises(InputError, match=r"dataset.exclude names 'Class9'"):
        open_dataset(EUROSAT | {"exclude": ["Class9"]}, str(tmp_path))


def test_more_threads_give_the_same_pixels_and_leave_torchs_random_numbers_alone(tmp_path):
    opened = open_dataset(FAKE, "nowhere")
    torch.manual_seed(7)
    state = torch.get_rng_state()
    one, four = (
        [image for _, image in decoding.decode_all(opened.images("train", 0, 1), 8, "warp", threads)]
        for threads in (1, 4)
    )
    assert np.array_equal(one, four)
    assert torch.equal(torch.get_rng_state(), state)


def test_readers_are_asked_one_image_at_a_time():
    class Reader:
        inside, most = 0, 0

        def __getitem__(self, position):
            self.inside += 1
            self.most = max(self.most, self.inside)
            threading.Event().wait(0.002)
            self.inside -= 1
            return Image.new("L", (9, 9), position), 0

    sources = open_dataset(FAKE, "nowhere").images("val", 0, 1)
    reader = Reader()
    sources = [type(source)(source.name, 0, reader, number) for number, source in enumerate(sources)]
    decoded = [image[0, 0, 0] for _, image in decoding.decode_all(sources, 8, "warp", 4)]
    assert decoded == list(range(15))
    assert reader.most == 1


@pytest.mark.parametrize(
    ("mode", "colour", "becomes"),
    [
        ("L", 100, (100, 100, 100)),
        ("1", 1, (255, 255, 255)),
        ("RGBA", (9, 9, 9, 0), (255, 255, 255)),
        ("LA", (9, 0), (255, 255, 255)),
        ("I;16", 65535, (255, 255, 255)),
        ("P", 0, (0, 0, 0)),
    ],
)
def test_decoded_images_become_what_encoded_ones_do(mode, colour, becomes):
    image = Image.new(mode, (20, 10), colour)
    assert (decoding.square(image, 8, "warp") == becomes).all()


def test_what_has_no_range_or_too_many_pixels_is_left_out():
    for image in (Image.new("F", (9, 9)), Image.new("1", (20_000, 5_000))):
        with pytest.raises(decoding.BadImage):
            decoding.square(image, 8, "warp")


def test_damaged_files_are_left_out_and_missing_ones_named(tmp_path):
    eurosat(tmp_path)
    folder = tmp_path / "eurosat/2750/Class0"
    (folder / "Class0_1.jpg").write_bytes(b"broken")
    (folder / "Class0_2.jpg").write_bytes((folder / "Class0_3.jpg").read_bytes()[:-200])
    sources = open_dataset(EUROSAT, str(tmp_path)).images("train", 0, 5)
    sources += open_dataset(EUROSAT, str(tmp_path)).images("val", 0, 5)
    found = {source.name: image for source, image in decoding.decode_all(sources, 8, "warp", 1)}
    bad = {name: str(image) for name, image in found.items() if isinstance(image, decoding.BadImage)}
    assert set(bad) == {"Class0/01", "Class0/02"}
    assert "cannot identify image file" in bad["Class0/01"]
    shutil.rmtree(folder)
    with pytest.raises(InputError, match=r"Class0_\d\.jpg: it cannot be read \(No such file or directory\)"):
        list(decoding.decode_all(sources, 8, "warp", 1))


def test_the_order_of_the_disk_decides_nothing(tmp_path, monkeypatch):
    """SUN397 lists its images as the disk does."""
    for number, name in enumerate(("/a/abbey", "/b/bar", "/c/cafe", "/d/dam")):
        (tmp_path / "SUN397" / name[1:]).mkdir(parents=True)
        for image in range(3):
            Image.new("RGB", (9, 9), (number, image, 0)).save(tmp_path / "SUN397" / name[1:] / f"sun_{image}.jpg")
    (tmp_path / "SUN397/ClassName.txt").write_text("/a/abbey\n/b/bar\n/c/cafe\n/d/dam\n")
    dataset = of("SUN397", split={"seed": 0, "val_per_class": 1})

    def pixels():
        opened = open_dataset(dataset, str(tmp_path))
        return opened.class_list().names, [
            (one.name, np.asarray(one.read()).sum()) for one in opened.images("train", 0, 1)
        ]

    first = pixels()
    listed = type(tmp_path).rglob
    monkeypatch.setattr(type(tmp_path), "rglob", lambda self, pattern: list(listed(self, pattern))[::-1])
    assert pixels() == first
    assert first[0] == ("abbey", "bar", "cafe", "dam")


def test_usps_has_labels_as_names_and_grey_images(tmp_path):
    for name in ("usps.bz2", "usps.t.bz2"):
        lines = [f"{label} " + " ".join(f"{pixel}:{label / 10}" for pixel in range(1, 257)) for label in range(1, 11)]
        (tmp_path / name).write_bytes(bz2.compress("\n".join(lines).encode()))
    opened = open_dataset(of("USPS"), str(tmp_path))
    assert opened.class_list().names == tuple("0123456789")
    assert opened.images("val", 0, 1)[9].read().getpixel((0, 0)) == 255


def test_images_without_labels_are_refused(tmp_path, monkeypatch):
    (tmp_path / "fer2013").mkdir()
    for name, columns in (("train.csv", ["emotion", "pixels"]), ("test.csv", ["pixels"])):
        with open(tmp_path / "fer2013" / name, "w", newline="") as file:
            table = csv.DictWriter(file, columns, extrasaction="ignore")
            table.writeheader()
            table.writerows({"emotion": label, "pixels": " ".join(["7"] * 48 * 48)} for label in range(7))
    monkeypatch.setattr("torchvision.datasets.fer2013.check_integrity", lambda *args, **more: True)
    with pytest.raises(InputError, match=r"FER2013 in .*: its files have images without labels"):
        open_dataset(of("FER2013"), str(tmp_path))


def test_a_class_of_one_split_is_refused_and_may_be_left_out(tmp_path, monkeypatch):
    cifar100(tmp_path, monkeypatch, names=tuple("abcdef"))
    monkeypatch.setattr(datasets.CIFAR100, "__getitem__", None)  # labels are known without pixels
    whole = datasets.CIFAR100.__init__

    def without_f(self, *args, **more):
        whole(self, *args, **more)
        self.targets = [0 if label == 5 and not self.train else label for label in self.targets]

    monkeypatch.setattr(datasets.CIFAR100, "__init__", without_f)
    with pytest.raises(InputError, match=r"class 'f' has no val images\. Leave it out: dataset\.exclude"):
        open_dataset(CIFAR, str(tmp_path)).survey()
    assert open_dataset(CIFAR | {"exclude": ["f"]}, str(tmp_path)).survey()["train"] == 40


def test_equal_names_are_told_apart_and_words_are_kept(tmp_path, monkeypatch):
    cifar100(tmp_path, monkeypatch, names=("crane", "bear", "crane", "dog"))
    assert open_dataset(CIFAR, str(tmp_path)).class_list().names == ("crane 0", "bear", "crane 2", "dog")
    for split in ("train", "val"):
        for wnid in ("n01440764", "n02102040", "n02979186", "n03000684"):
            (tmp_path / "imagenette2-160" / split / wnid).mkdir(parents=True)
            Image.new("RGB", (9, 9)).save(tmp_path / "imagenette2-160" / split / wnid / "1.JPEG")
    listed = open_dataset(of("Imagenette", options={"size": "160px"}), str(tmp_path)).class_list()
    assert listed.names[0] == "n01440764" and listed.words[0] == "tench, Tinca tinca"


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        (
            "CIFAR100",
            {},
            "(Dataset not found or corrupted). Put cifar-100-python there, or set dataset.download to true.",
        ),
        ("Caltech101", {}, "Put caltech101/101_ObjectCategories there, or set"),
        ("SVHN", {}, "Put train_32x32.mat, test_32x32.mat there, or set"),
        ("StanfordCars", {}, "(Dataset not found). Put stanford_cars/devkit, "),
        ("USPS", {}, "No such file or directory"),
        ("Imagenette", {"size": "320px"}, "Put imagenette2-320 there, or set"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(tmp_path, name, options, said):
    with pytest.raises(InputError) as refusal:
        open_dataset(of(name, options=options), str(tmp_path))
    assert str(refusal.value).startswith(f"torchvision's {name} in {tmp_path}: it cannot be read (")
    assert said in str(refusal.value)
    assert "download=True" not in str(refusal.value)


def test_a_download_that_fails_says_what_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(InputError) as refusal:
        Library("CIFAR100", {}, tmp_path).reader("train", download=True)
    said = str(refusal.value)
    assert said.startswith(f"torchvision's CIFAR100 in {tmp_path}: it cannot be downloaded from https://www.cs.toronto")
    assert said.endswith("Put cifar-100-python there, or run this where there is internet.")


def test_what_is_there_is_not_downloaded_again(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    cifar100(tmp_path, monkeypatch)
    assert len(Library("CIFAR100", {}, tmp_path).reader("val", download=True)) == 10


def test_the_content_is_the_files_below_the_root(tmp_path):
    eurosat(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    (tmp_path / "two" / "other dataset").mkdir()
    one, two = (dataset_content(EUROSAT, str(tmp_path / name)) for name in ("one", "two"))
    assert one == two
    (tmp_path / "two/eurosat/2750/Class1/Class1_0.jpg").write_bytes(b"other")
    assert dataset_content(EUROSAT, str(tmp_path / "two")) != one


def test_the_identity_has_name_and_options(tmp_path):
    (tmp_path / "train_32x32.mat").write_bytes(b"12345")
    (tmp_path / "test_32x32.mat").write_bytes(b"123")
    assert dataset_identity(of("SVHN"), str(tmp_path)) == of("SVHN") | {"bytes": [5, 3], "drawn": None}
    assert dataset_identity(FAKE, "nowhere") == FAKE | {"bytes": [], "drawn": None}
    assert dataset_place(FAKE, "nowhere")["dataset"] == FAKE
    assert dataset_content(FAKE, "nowhere") == dataset_content(FAKE, "elsewhere")
