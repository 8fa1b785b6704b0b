"""The table of torchvision's datasets against the installed torchvision."""

import inspect
import re

import pytest
import torchvision
from torchvision import datasets

from workflow_scripts.dataset.torchvision_sets import INSTEAD, NO_CLASSES, SETS, refusal

CLASSES = {name for name in datasets.__all__ if inspect.isclass(getattr(datasets, name))}
NOT_OPTIONS = {"self", "root", "transform", "target_transform", "transforms", "loader", "download", "kwargs"}
# Arguments that are no options, since the workflow needs one of their values.
FIXED = {
    **{"INaturalist": {"target_type"}, "Caltech101": {"target_type"}, "OxfordIIITPet": {"target_types"}},
    **{"LFWPeople": {"split"}, "QMNIST": {"what", "compat"}},
}


def parameters(name):
    """The parameters of a class, those of its base class too where it passes them on."""
    found = {}
    for base in getattr(datasets, name).__mro__:
        own = inspect.signature(base.__init__).parameters
        found = dict(own) | found
        if "kwargs" not in own:
            return found
    return found


def source(name):
    return "\n".join(inspect.getsource(base) for base in getattr(datasets, name).__mro__ if base is not object)


def test_the_table_is_of_the_installed_version():
    assert torchvision.__version__.split("+")[0] == "0.29.1"


def test_every_dataset_is_in_the_table_or_refused():
    assert set(SETS) | set(INSTEAD) | set(NO_CLASSES) == CLASSES
    assert len(CLASSES) == len(SETS) + len(INSTEAD) + len(NO_CLASSES)


@pytest.mark.parametrize("name", SETS)
def test_options_and_splits_are_all_that_a_class_takes(name):
    known, taken = SETS[name], parameters(name)
    chosen = {*known.train, *(known.val or {})}
    assert chosen | set(known.options) <= set(taken)
    assert set(taken) - NOT_OPTIONS == chosen | set(known.options) | FIXED.get(name, set())
    required = {one for one in taken if taken[one].default is inspect.Parameter.empty} - {"self", "root", "kwargs"}
    assert set(known.required) == required - chosen
    assert known.downloads <= ("download" in taken)


@pytest.mark.parametrize("name", SETS)
def test_the_values_of_splits_and_options_are_known_to_the_class(name):
    known, text = SETS[name], source(name)
    values = [*known.train.values(), *(known.val or {}).values()]
    values += [value for schema in known.options.values() for value in schema.get("enum", ())]
    for value in (value for value in values if isinstance(value, str)):
        assert f'"{value}"' in text or f'"{value}"' in inspect.getsource(inspect.getmodule(getattr(datasets, name)))


@pytest.mark.parametrize("name", SETS)
def test_the_attributes_are_those_of_the_class(name):
    known, text = SETS[name], source(name)
    for attribute in filter(None, (known.labels, known.names, known.words, known.order)):
        assert re.search(rf"(self\.{attribute}\b|^    {attribute})\b.*=|def {attribute}\(", text, re.MULTILINE), (
            attribute
        )


@pytest.mark.parametrize("name", sorted(set(SETS) - {"FakeData"}))
def test_the_files_are_named_in_the_classs_source(name):
    """In parts, since the source joins them."""
    module = inspect.getsource(inspect.getmodule(getattr(datasets, name)))
    for option in SETS[name].options.get("size", {"enum": [None]})["enum"]:
        for file in SETS[name].files({"size": option}):
            for part in re.split(r"[/_.-]", file):
                assert part.lower() in f"{module} {name}".lower(), file


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cifar100", "no dataset cifar100. Did you mean CIFAR100"),
        ("OxfordPets", "Did you mean OxfordIIITPet"),
        ("ImageNet", "set dataset.kind to ilsvrc"),
        ("VOCDetection", "VOCDetection does not give one class for each image. Choose CIFAR10, "),
        ("Kinetics", "does not give one class"),
        ("zzz", "no dataset zzz. Choose CIFAR10, "),
    ],
)
def test_other_names_are_refused_with_the_nearest(name, said):
    assert said in refusal(name)


def test_datasets_of_the_table_are_not_refused():
    assert not [name for name in SETS if refusal(name)]
