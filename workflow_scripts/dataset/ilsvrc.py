"""ILSVRC-2012 as a Dataset: the official archives read in place, or the folders extracted from them."""

import functools
import re
from collections.abc import Mapping
from pathlib import Path

from workflow_scripts.dataset.dataset import ClassList, ImageSource, ilsvrc_files, share
from workflow_scripts.dataset.devkit import read_devkit
from workflow_scripts.dataset.tars import Member
from workflow_scripts.dataset.trees import TarTree, Tree, class_files, data_tree, open_tree
from workflow_scripts.plumbing.cli import InputError

VAL_NAME = re.compile(r"ILSVRC2012_val_(\d{8})\.JPEG")


class IlsvrcDataset:
    """Training and validation images, each an archive or a folder, and the devkit (a dataset.Dataset)."""

    def __init__(self, folder: str | Path) -> None:
        """Open the devkit in `folder`. Raises InputError naming what is missing or unreadable."""
        self.train, self.val, devkit = ilsvrc_files(folder)
        for path in (self.train, self.val, devkit):
            if not path.exists():
                raise InputError(f"{path}: the file is missing. Put it there or correct dataset.path.")
        self.devkit = read_devkit(devkit)

    def class_list(self) -> ClassList:
        """The low-level synsets in WNID order, and the whole hierarchy above them."""
        return self.devkit.classes

    def survey(self) -> dict[str, int]:
        """The number of images by split. An archive of training images counts as many as the devkit says.

        Raises InputError if a class has no tar or, in a tree, a different number of images than the devkit says. Raises
        it also if validation images and ground truth do not agree.
        """
        names = self.devkit.classes.names
        if self.train.is_dir():
            train = sum(len(self._class_images(index)) for index in range(len(names)))
        else:
            train = sum(self.devkit.train_images)
            for name in names:
                self._class_tar(name)
        return {"train": train, "val": len(self._val_images)}

    def images(self, split: str, shard: int, shards: int) -> list[ImageSource]:
        """One share of the classes' training images by class, then name, or of the validation images by number."""
        if split == "val":
            return [self._val_images[position] for position in share(len(self._val_images), shard, shards)]
        indices = share(len(self.devkit.classes.names), shard, shards)
        return [image for index in indices for image in self._class_images(index)]

    @property
    def left_out(self) -> int:
        """See dataset.Dataset. What lies about in the inner tars of an archive is left out too, but not counted."""
        return self._train_tree.left_out + self._val_tree.left_out

    @property
    def read_from(self) -> Mapping[str, str]:
        """See dataset.Dataset."""
        return {"train": self.train.name, "val": self.val.name}

    @property
    def not_read(self) -> tuple[str, ...]:
        """See dataset.Dataset."""
        return ()

    @functools.cached_property
    def _train_tree(self) -> Tree:
        """The training images' tree, with the classes' folders or tars at its top."""
        return data_tree(open_tree(self.train), self.devkit.classes.names, files=True)

    @functools.cached_property
    def _val_tree(self) -> Tree:
        return data_tree(open_tree(self.val), self.devkit.classes.names, files=True)

    def _class_images(self, index: int) -> list[ImageSource]:
        wnid = self.devkit.classes.names[index]
        if self.train.is_dir():
            tree, folder = self._train_tree, wnid
        else:
            tree, folder = data_tree(TarTree(self.train, self._class_tar(wnid)), (), files=True), ""
        images = [ImageSource(f"{wnid}/{name}", index, *place) for name, place in class_files(tree, folder).items()]
        if strange := [image.name for image in images if not image.name.startswith(f"{wnid}/{wnid}_")]:
            raise InputError(
                f"{self.train}: class {wnid} holds {strange[0]!r}, an image of a different class. Move it."
            )
        if len(images) != (expected := self.devkit.train_images[index]):
            raise InputError(
                f"{self.train}: class {wnid} has {len(images)} images, expected {expected}, so it is not "
                "whole. Get it again, or use dataset.kind folder, which takes any number."
            )
        return sorted(images, key=lambda image: image.name)

    def _class_tar(self, wnid: str) -> Member:
        tars = self._train_tree.files("")
        try:
            _, offset, size = tars[f"{wnid}.tar"]
        except KeyError:
            found = next(iter(tars), "nothing")
            raise InputError(
                f"{self.train}: it has no member {wnid}.tar (its first is {found}), so it is not whole. Get it again."
            ) from None
        return Member(f"{wnid}.tar", offset, size)

    @functools.cached_property
    def _val_images(self) -> list[ImageSource]:
        """The validation images by number, with the ground truth's labels. Class folders must agree with these."""
        found = [(_val_number(image.name), image) for image in self._val_sources()]
        labels = self.devkit.val_labels
        if sorted(number for number, _ in found) != list(range(1, len(labels) + 1)):
            raise InputError(
                f"{self.val}: it has {len(found)} images, but the devkit's ground truth labels images 1 to "
                f"{len(labels)}. Get the incomplete one again."
            )
        images = []
        for number, image in sorted(found, key=lambda pair: pair[0]):
            label = labels[number - 1]
            if image.class_index not in (label, -1):
                wnids = [self.devkit.classes.names[index] for index in (image.class_index, label)]
                raise InputError(
                    f"{image.path}: the folder of {image.name} is {wnids[0]}, but the ground truth says {wnids[1]}. "
                    "Move it."
                )
            images.append(ImageSource(image.name, label, image.path, image.offset, image.size))
        return images

    def _val_sources(self) -> list[ImageSource]:
        """The validation images in any order; the class index is -1 where no folder gives it."""
        class_index = {name: index for index, name in enumerate(self.devkit.classes.names)}
        tree = self._val_tree
        if unknown := [name for name in tree.folders("") if name not in class_index]:
            place = tree.at(unknown[0])
            raise InputError(f"{place}: the devkit has no class of that name. Rename or remove the folder.")
        sources = [ImageSource(name, -1, *place) for name, place in tree.files("").items()]
        for wnid in tree.folders(""):
            files = class_files(tree, wnid)
            sources += [ImageSource(name, class_index[wnid], *place) for name, place in files.items()]
        return sources


def _val_number(name: str) -> int:
    match = VAL_NAME.fullmatch(name)
    if match is None:
        raise InputError(f"the validation images: {name!r} is not ILSVRC2012_val_########.JPEG. Rename or remove it.")
    return int(match[1])
