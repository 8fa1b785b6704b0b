"""Checks of a dataset of kind torchvision before any work. Light on purpose: the Snakefile calls this at parse time."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import jsonschema

from workflow_scripts.dataset.torchvision_sets import SETS, refusal, set_files
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.text_file import sought_in

DRAWN = "{val_per_class: 10, seed: 0}"
OWN_KEYS = ("root", "download")  # of kind torchvision, beside study/leaves.DATASET_LEAVES


def fill_root(dataset: object) -> None:
    """Let `path` of a section `dataset` of kind torchvision be its `root`, in place. Other values stay to be checked.

    A dataset that reads no files, as FakeData, gets a name in place of a path.
    """
    if isinstance(dataset, dict) and dataset.get("kind") == "torchvision":
        root = dataset.get("root")
        dataset["path"] = f"torchvision_{dataset.get('name')}" if root is None else root


def check_torchvision(section: str, dataset: Mapping) -> None:
    """Raise InputError for a dataset that torchvision does not have, for a key that it does not take, and for a key of
    this kind in a section of another. `section` is the section's key.
    """
    if dataset["kind"] != "torchvision":
        for key in OWN_KEYS:
            if dataset.get(key):
                raise _wrong(section, key, f"it is for kind torchvision, not {dataset['kind']}. Remove the key")
        return
    name = dataset["name"]
    if said := refusal(name):
        raise _wrong(section, "name", said.rstrip("."))
    known = SETS[name]
    _check_options(section, name, dataset.get("options") or {})
    if known.files({}) and dataset.get("root") is None:
        raise _wrong(section, "root", f"{name} has files. Name the folder that has them, as torchvision's root")
    if dataset.get("download") and not known.downloads:
        why = "has no files" if not known.files({}) else "cannot be downloaded by torchvision"
        raise _wrong(section, "download", f"{name} {why}. Set it to false")
    if known.val is None and dataset.get("split") is None:
        raise _wrong(section, "split", f"{name} has no validation images of its own. Draw some, as with {DRAWN}")
    if known.val is not None and dataset.get("split") is not None:
        raise _wrong(section, "split", f"{name} has validation images of its own. Set it to null")


def _check_options(section: str, name: str, options: Mapping) -> None:
    known = SETS[name].options
    for option, value in options.items():
        if option not in known:
            near = get_close_matches(option, known, n=1)
            choice = f"Did you mean {near[0]}?" if near else f"It takes {', '.join(known) or 'none'}"
            raise _wrong(section, f"options.{option}", f"{name} has no such option. {choice}")
        error = next(jsonschema.Draft202012Validator(known[option]).iter_errors(value), None)
        if error is not None or (isinstance(value, float) and known[option].get("type") == "integer"):
            raise _wrong(section, f"options.{option}", f"{value!r} is none of {name}'s. Give {_wanted(known[option])}")
    for option in SETS[name].required:
        if option not in options:
            raise _wrong(section, "options", f"{name} needs {option}. Give {_wanted(known[option])}")


def _wanted(schema: Mapping) -> str:
    if "enum" in schema:
        return " or ".join(schema["enum"])
    if schema["type"] == "array":
        return f"{schema['minItems']} whole numbers, as [3, 32, 32]"
    if schema["type"] == "boolean":
        return "true or false"
    return f"a whole number from {schema['minimum']}" + (f" to {schema['maximum']}" if "maximum" in schema else "")


def check_torchvision_files(section: str, dataset: Mapping) -> None:
    """Raise InputError, saying what to put where, unless the files of the checked section `dataset` are there.

    Those that torchvision is to download need not be.
    """
    name, root = dataset["name"], Path(dataset["path"])
    files = [] if dataset.get("download") else set_files(root, name, dataset.get("options"))
    remedy = f", or set {section}.download to true" * SETS[name].downloads
    if files and not root.is_dir():
        raise _wrong(section, "root", f"{root} is not a folder{sought_in(root)}. Name the one that has {name}{remedy}")
    if missing := [str(file.relative_to(root)) for file in files if not file.exists()]:
        raise _wrong(
            section, "root", f"{root} has no {missing[0]}. Put {' and '.join(missing)} of {name} there{remedy}"
        )


def _wrong(section: str, key: str, said: str) -> InputError:
    return InputError(f"configuration: {section}.{key}: {said}{'' if said.endswith('?') else '.'}")
