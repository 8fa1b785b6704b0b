"""torchvision's classification datasets: what their classes are called with, and where they have what is asked of them.

It is of torchvision 0.29.1; a test compares it with the library. Light on purpose: the Snakefile imports this at parse
time.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

OptionFiles = Callable[[Mapping], tuple[str, ...]]


@dataclass(frozen=True)
class TorchvisionSet:
    """What one class of torchvision.datasets is called with, and which attributes it has.

    `train` and `val` are the arguments that give either's images; `val` is None where the class has one list of images,
    which dataset.split divides. `files` gives what the class reads, below its root, for given options. `labels` is the
    attribute with an entry for each image, None where only reading the images tells. `names` is that with the names of
    the classes, and `words` one that says more of them. `order` is one with a key for each image where the class lists
    images as the disk does. `options` are the further arguments that may be given, each with its JSON schema.
    """

    train: Mapping[str, object]
    val: Mapping[str, object] | None
    files: OptionFiles
    labels: str | None
    names: str | None = None
    words: str | None = None
    order: str | None = None
    options: Mapping[str, Mapping] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    downloads: bool = True


def _at(*places: str) -> OptionFiles:
    return lambda options: places


def _by_flag(labels: str, *places: str, names: str | None = None, **more: object) -> TorchvisionSet:
    """A class with the argument `train`."""
    return TorchvisionSet({"train": True}, {"train": False}, _at(*places), labels, names, **more)


def _by_split(train: str, val: str, labels: str | None, *places: str, **more: object) -> TorchvisionSet:
    """A class with the argument `split`."""
    return TorchvisionSet({"split": train}, {"split": val}, _at(*places), labels, **more)


def _whole(labels: str | None, files: OptionFiles, **more: object) -> TorchvisionSet:
    """A class without a split."""
    return TorchvisionSet({}, None, files, labels, **more)


def _places(options: Mapping) -> tuple[str, ...]:
    size = "256" if options.get("small") else "large"
    lists = ("categories_places365.txt", "places365_train_standard.txt", "places365_val.txt")
    return (*lists, f"data_{size}_standard", f"val_{size}")


def _imagenette(options: Mapping) -> tuple[str, ...]:
    return ({"320px": "imagenette2-320", "160px": "imagenette2-160"}.get(options.get("size"), "imagenette2"),)


def _omniglot(options: Mapping) -> tuple[str, ...]:
    part = "images_background" if options.get("background", True) else "images_evaluation"
    return (f"omniglot-py/{part}", f"omniglot-py/{part}.zip")


LFW = {"original": ("lfw", "lfw.tgz"), "deepfunneled": ("lfw-deepfunneled", "lfw-deepfunneled.tgz")}


def _lfw(options: Mapping) -> tuple[str, ...]:
    images = LFW.get(options.get("image_set"), ("lfw_funneled", "lfw-funneled.tgz"))
    return tuple(f"lfw-py/{name}" for name in (*images, "people.txt", "lfw-names.txt"))


def _one_of(*values: object) -> dict:
    return {"enum": list(values)}


def _number(least: int) -> dict:
    return {"type": "integer", "minimum": least}


SETS = {
    "CIFAR10": _by_flag("targets", "cifar-10-batches-py", names="classes"),
    "CIFAR100": _by_flag("targets", "cifar-100-python", names="classes"),
    "CLEVRClassification": _by_split("train", "val", "_labels", "clevr/CLEVR_v1.0"),
    "Caltech101": _whole("y", _at("caltech101/101_ObjectCategories"), names="categories"),
    "Caltech256": _whole("y", _at("caltech256/256_ObjectCategories"), names="categories"),
    "Country211": _by_split("train", "valid", "targets", "country211", names="classes"),
    "DTD": _by_split(
        "train", "val", "_labels", "dtd/dtd", names="classes", options={"partition": _number(1) | {"maximum": 10}}
    ),
    "EMNIST": _by_flag(
        "targets",
        "EMNIST/raw",
        names="classes",
        options={"split": _one_of("byclass", "bymerge", "balanced", "letters", "digits", "mnist")},
        required=("split",),
    ),
    "EuroSAT": _whole("targets", _at("eurosat/2750"), names="classes"),
    "FER2013": _by_split("train", "test", "_samples", "fer2013", downloads=False),
    "FGVCAircraft": _by_split(
        *("train", "val", "_labels", "fgvc-aircraft-2013b/data"),
        names="classes",
        options={"annotation_level": _one_of("variant", "family", "manufacturer")},
    ),
    "FakeData": _whole(
        None,
        _at(),
        options={
            "size": _number(1),
            "image_size": {"type": "array", "items": _number(1), "minItems": 3, "maxItems": 3},
            "num_classes": _number(1),
            "random_offset": _number(0),
        },
        downloads=False,
    ),
    "FashionMNIST": _by_flag("targets", "FashionMNIST/raw", names="classes"),
    "Flowers102": _by_split(
        *("train", "val", "_labels", "flowers-102/jpg", "flowers-102/imagelabels.mat", "flowers-102/setid.mat"),
        names="classes",
    ),
    "Food101": _by_split("train", "test", "_labels", "food-101/meta", "food-101/images", names="classes"),
    "GTSRB": _by_split("train", "test", "_samples", "gtsrb/GTSRB", "gtsrb/GT-final_test.csv"),
    "INaturalist": TorchvisionSet(
        {"version": "2021_train"},
        {"version": "2021_valid"},
        _at("2021_train", "2021_valid"),
        "index",
        "all_categories",
        order="index",
    ),
    "Imagenette": TorchvisionSet(
        {"split": "train"},
        {"split": "val"},
        _imagenette,
        "_samples",
        "wnids",
        "classes",
        options={"size": _one_of("full", "320px", "160px")},
    ),
    "KMNIST": _by_flag("targets", "KMNIST/raw", names="classes"),
    "LFWPeople": _whole(
        "targets",
        _lfw,
        names="class_to_idx",
        options={"image_set": _one_of("original", "funneled", "deepfunneled")},
        downloads=False,
    ),
    "MNIST": _by_flag("targets", "MNIST/raw", names="classes"),
    "Omniglot": _whole(
        "_flat_character_images",
        _omniglot,
        names="_characters",
        order="_flat_character_images",
        options={"background": {"type": "boolean"}},
    ),
    "OxfordIIITPet": _by_split(
        *("trainval", "test", "_labels", "oxford-iiit-pet/annotations", "oxford-iiit-pet/images"), names="classes"
    ),
    "Places365": TorchvisionSet(
        {"split": "train-standard"},
        {"split": "val"},
        _places,
        "targets",
        "classes",
        options={"small": {"type": "boolean"}},
    ),
    "QMNIST": _by_flag("targets", "QMNIST/raw", names="classes"),
    "RenderedSST2": _by_split("train", "val", "_samples", "rendered-sst2", names="classes"),
    "SEMEION": _whole("labels", _at("semeion.data")),
    "STL10": _by_split(
        "train", "test", "labels", "stl10_binary", names="classes", options={"folds": _number(0) | {"maximum": 9}}
    ),
    "SUN397": _whole("_labels", _at("SUN397"), names="classes", order="_image_files"),
    "SVHN": _by_split("train", "test", "labels", "train_32x32.mat", "test_32x32.mat"),
    "StanfordCars": _by_split(
        "train",
        "test",
        "_samples",
        *(f"stanford_cars/{name}" for name in ("devkit", "cars_train", "cars_test", "cars_test_annos_withlabels.mat")),
        names="classes",
        downloads=False,
    ),
    "USPS": _by_flag("targets", "usps.bz2", "usps.t.bz2"),
}

# Why the other classes of torchvision.datasets cannot be used.
INSTEAD = {
    "CelebA": "its validation images are of other people than its training images",
    "DatasetFolder": "it is a tree of folders: set dataset.kind to folder",
    "ImageFolder": "it is a tree of folders: set dataset.kind to folder",
    "ImageNet": "its archives are read in place: set dataset.kind to ilsvrc",
    "LSUN": "it needs a package that is not installed, and a cache that it unpickles",
    "PCAM": "it needs a package that is not installed",
}
NO_CLASSES = (
    *("CREStereo", "CarlaStereo", "Cityscapes", "CocoCaptions", "CocoDetection", "ETH3DStereo", "FallingThingsStereo"),
    *("Flickr30k", "Flickr8k", "FlyingChairs", "FlyingThings3D", "HD1K", "HMDB51", "InStereo2k", "Kinetics", "Kitti"),
    *("Kitti2012Stereo", "Kitti2015Stereo", "KittiFlow", "LFWPairs", "LSUNClass", "Middlebury2014Stereo"),
    *("MovingMNIST", "PhotoTour", "SBDataset", "SBU", "SceneFlowStereo", "Sintel", "SintelStereo", "UCF101"),
    *("VOCDetection", "VOCSegmentation", "VisionDataset", "WIDERFace"),
)


def refusal(name: str) -> str | None:
    """Why the dataset `name` cannot be used and which can, as a sentence or two; None if it can."""
    if name in SETS:
        return None
    if name in INSTEAD:
        return f"torchvision's {name} cannot be used, since {INSTEAD[name]}."
    lower = {known.lower(): known for known in SETS}
    near = [lower[one] for one in difflib.get_close_matches(name.lower(), lower, n=3)]
    choice = f"Did you mean {' or '.join(near)}?" if near else f"Choose {', '.join(SETS)}."
    if name in NO_CLASSES:
        return f"torchvision's {name} does not give one class for each image. {choice}"
    return f"torchvision has no dataset {name}. {choice}"


def set_files(root: str | Path, name: str, options: Mapping | None = None, **_: object) -> list[Path]:
    """The files and folders that torchvision's dataset `name` reads below `root`, for given options."""
    return [Path(root, place) for place in SETS[name].files(options or {})]
