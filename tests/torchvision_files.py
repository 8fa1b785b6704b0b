"""Files of torchvision's datasets as torchvision reads them, written by tests and benchmarks."""

import hashlib
import pickle

import numpy as np
from PIL import Image
from torchvision import datasets


def cifar100(root, monkeypatch, train=8, val=2, names=("apple", "bear", "can", "dolphin", "elm")):
    """Write CIFAR-100 of `train` and `val` images a class in its own format; returns the images of both, by split.

    torchvision's checksums are replaced by those of these files until the test ends, and stay checked.
    """
    images = write_cifar100(root, train, val, names)
    expect_cifar100(root, monkeypatch.setattr)
    return images


def write_cifar100(root, train, val, names):
    """Write such files; returns their images."""
    folder = root / datasets.CIFAR100.base_folder
    folder.mkdir(parents=True)
    random, images = np.random.default_rng(0), {}
    for split, each in (("train", train), ("test", val)):
        labels = np.tile(np.arange(len(names)), each).tolist()
        images[split] = random.integers(0, 256, (len(labels), 3072), dtype=np.uint8)
        content = {"data": images[split], "fine_labels": labels, "coarse_labels": [0] * len(labels)}
        (folder / split).write_bytes(pickle.dumps(content))
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": list(names)}))
    return {split: some.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) for split, some in images.items()}


def expect_cifar100(root, set_attribute=setattr):
    """Let torchvision take the CIFAR-100 below `root`, by its checksums, for the one that it knows."""
    folder = root / datasets.CIFAR100.base_folder
    md5 = {file.name: hashlib.md5(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    for split in ("train", "test"):
        set_attribute(datasets.CIFAR100, f"{split}_list", [[split, md5[split]]])
    set_attribute(datasets.CIFAR100, "meta", datasets.CIFAR100.meta | {"md5": md5["meta"]})


def eurosat(root, classes=5, each=6):
    """Write EuroSAT, a folder of JPEGs for each class, which has no checksums."""
    for label in range(classes):
        folder = root / "eurosat" / "2750" / f"Class{label}"
        folder.mkdir(parents=True)
        for number in range(each):
            Image.new("RGB", (40, 30), (50 * label, 40 * number, 0)).save(folder / f"Class{label}_{number}.jpg")


def pets(root, classes=3, each=4):
    """Write Oxford-IIIT Pets as torchvision reads them: half of the images of each class are for training."""
    folder = root / "oxford-iiit-pet"
    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    for split, numbers in (("trainval", range(each)), ("test", range(each, 2 * each))):
        lines = [f"breed_{'abc'[label]}_{number} {label + 1} 1 1" for label in range(classes) for number in numbers]
        (folder / "annotations" / f"{split}.txt").write_text("\n".join(lines) + "\n")
    for label in range(classes):
        for number in range(2 * each):
            color = (80 * label, 30 * number, 255 - 60 * label)
            Image.new("RGB", (60, 50), color).save(folder / "images" / f"breed_{'abc'[label]}_{number}.jpg")
