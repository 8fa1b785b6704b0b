"""Checking a study's configuration: its JSON schema, then what a schema cannot say. One line per mistake.

Light on purpose: the Snakefile calls this at parse time.
"""

import difflib
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

from workflow_scripts.config.interpolation import check_interpolation
from workflow_scripts.config.matrix import check_entry, check_number
from workflow_scripts.config.network_input import is_weights_file
from workflow_scripts.config.reading import check_reading, check_sample
from workflow_scripts.config.schema import check_sizes, check_types
from workflow_scripts.config.torchvision_checks import check_torchvision, check_torchvision_files
from workflow_scripts.config.units import known_units
from workflow_scripts.dataset.dataset import ilsvrc_files
from workflow_scripts.dataset.layout import ilsvrc_error
from workflow_scripts.dataset.layouts import loose_layout
from workflow_scripts.dataset.trees import FolderTree
from workflow_scripts.network.catalogue import has_batch_norm, known_architectures
from workflow_scripts.network.inputs import INSTALLED, INSTALLED_NETWORK
from workflow_scripts.network.weights_file import check_weights_file
from workflow_scripts.partition.halves import read_artifacts
from workflow_scripts.plumbing.cli import InputError, naming
from workflow_scripts.plumbing.formats import HEAD, Format, file_format
from workflow_scripts.plumbing.records import read_record
from workflow_scripts.plumbing.text_file import sought_in
from workflow_scripts.results.given_tables import read_networks, read_printed_numbers
from workflow_scripts.study.datasets import dataset_sections
from workflow_scripts.study.groups import AUTO
from workflow_scripts.study.leaves import architecture_name, dataset_leaves
from workflow_scripts.study.matrix import with_used_rates
from workflow_scripts.study.paths import description_file


def check_config(config: dict, schema: Path, placed: Callable[[str], str] = str) -> None:
    """Raise InputError naming the first offending key, unless `config` is a valid study.

    `placed` gives the place of a path below the working directory: there, the study's file on the units of a network
    that the catalogue does not hold may lie.
    """
    check_sizes(config)
    check_types(config, schema)
    _check_files(config)
    _check_datasets(config)
    if config["results_table"] is None:
        _check_network(config["training"])
    _check_training(config)
    check_interpolation(config)
    units, config = known_units(config, Path(placed(str(description_file(config))))), with_used_rates(config)
    for number, entry in enumerate(config["matrix"]):
        check_entry(f"matrix[{number}]", entry, config, units)
    check_number(config, units)


def dataset_key(config: Mapping, name: str) -> str:
    """The key of the section of the dataset called `name`."""
    return "dataset" if name == config["dataset"]["name"] else f"datasets.{name}"


def check_dataset(dataset: dict, key: str = "dataset") -> None:
    """Raise InputError if the files that the checked section `dataset` names are not there (the sample is drawn).

    `key` is the section's.
    """
    kind, path = dataset["kind"], Path(dataset["path"])
    try:
        if kind == "torchvision":
            reasons = []
            check_torchvision_files(key, dataset)
        elif kind != "sample" and not path.exists():
            reasons = [f"{path} does not exist{sought_in(path)}"]
        elif kind == "ilsvrc" and not path.is_dir():
            reasons = [f"{path} is not a folder"]
        elif kind == "folder" and path.is_file() and path.suffix.lower() in (".csv", ".tsv"):
            raise InputError(f"configuration: {key}.path: {path} is no folder, but a table. Set {key}.kind to table.")
        elif kind == "folder" and not path.is_dir() and (found := _no_tar(path)):
            reasons = [f"{path} is neither a folder nor an uncompressed tar, but {found.name} ({found.remedy})"]
        else:
            reasons = []
            with naming(f"{key}.path"):
                _check_layout(dataset_leaves(dataset), path)
    except (OSError, ValueError) as error:  # a name too long, a folder that may not be entered
        reasons = [f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"]
    if reasons:
        raise InputError(f"configuration: {key}.path: {reasons[0]}. Put it there or correct the path.")


def _check_layout(dataset: dict, path: Path) -> None:
    """Raise InputError, saying what was found, unless the names at `path` are as the dataset's kind wants them.

    An archive is left to the survey.
    """
    loose_layout(dataset, path)
    missing = [file.name for file in ilsvrc_files(path) if not file.exists()] if dataset["kind"] == "ilsvrc" else []
    if missing:
        raise ilsvrc_error(str(path), FolderTree(path), missing[0])


def _no_tar(path: Path) -> Format | None:
    """The format of the file at `path`, None if it is an uncompressed tar."""
    try:
        tarfile.open(path, "r:").close()  # reads the first header only
    except tarfile.TarError:
        with open(path, "rb") as file:
            return file_format(file.read(HEAD))
    return None


def check_store(store: Path, max_bad_fraction: float) -> None:
    """Raise InputError if the manifest of the finished `store` is damaged or a shard has too many undecodable images.

    A study with a larger `max_bad_fraction` may have packed that shard.
    """
    if not (store / "manifest.json").exists():
        return
    for shards in read_record(store / "manifest.json")["shards"].values():
        for shard in shards:
            if shard["quarantined"] > max_bad_fraction * (shard["images"] + shard["quarantined"]):
                raise InputError(
                    f"configuration: store.max_bad_fraction: more than {max_bad_fraction:g} of "
                    f"{store}/{shard['file']} cannot be decoded ({shard['quarantined']} images, see quarantine.csv "
                    "there). Fix them and delete that folder, or raise the fraction."
                )


def _check_files(config: dict) -> None:
    """Raise InputError unless the tables of results, the reference and the list of man-made classes can be used."""
    reference = config["reference"] or {}
    files = {
        "results_table": (config["results_table"], read_networks),
        "reference.results": (reference.get("results"), read_networks),
        "reference.printed": (reference.get("printed"), read_printed_numbers),
        "natman.extra_artifacts": (config["natman"]["extra_artifacts"], read_artifacts),
    }
    for key, (path, read) in files.items():
        if path is not None:
            with naming(key):
                read(path)


def _check_datasets(config: dict) -> None:
    """Raise InputError for datasets that are called alike, and for sections that say two things."""
    taken = {config["dataset"]["name"].casefold(): config["dataset"]}  # some file systems know no capitals
    for name, section in config["datasets"].items():
        other = taken.setdefault(name.casefold(), section)
        if other is not section and "torchvision" == other["kind"] == section["kind"]:
            raise InputError(
                f"configuration: datasets.{name}: both parts of {name} would lie in data/{name}. Keep one, or write "
                "the other into a tree of folders, of kind folder."
            )
        if other is not section or section["name"] != name:
            raise InputError(
                f"configuration: datasets.{name}: the name belongs to a different dataset. Rename it, and give no "
                "key `name` here."
            )
    for name, section in dataset_sections(config).items():
        key = dataset_key(config, name)
        check_sample(key, section, config["store"])
        check_reading(key, section)
        check_torchvision(key, section)


def _check_network(training: dict) -> None:
    """Raise InputError for a name of torchvision's that does not exist, and for weights that are no safetensors file.

    The names of timm are known to its own process only.
    """
    name, known = training["architecture"], known_architectures()
    if name.startswith("torchvision:") and name not in known:
        near = difflib.get_close_matches(name, known, n=3)
        raise InputError(
            f"configuration: training.architecture: no network that can be cut into units is called {name}. "
            f"Choose {' or '.join(near) or 'a different one'}."
        )
    if (pretrained := training["pretrained"]) is None:
        return
    if is_weights_file(pretrained):
        with naming("training.pretrained"):
            check_weights_file(Path(pretrained))
    elif pretrained == INSTALLED and name != INSTALLED_NETWORK:
        raise InputError(
            f"configuration: training.pretrained: installed is for {INSTALLED_NETWORK}, not {name}. Set "
            "training.architecture to it, or name other weights."
        )
    elif ":" not in name:
        raise InputError(
            f"configuration: training.pretrained: {name} belongs to no library that has weights {pretrained}. Give a "
            "safetensors file."
        )


def _check_training(config: dict) -> None:
    training = config["training"]
    if training["crop"] > config["store"]["image_size"]:
        raise InputError(f"configuration: training.crop: {training['crop']} is larger than store.image_size. Lower it.")
    running = config["running"]
    if running["depths_per_job"] == AUTO and running["devices"] is None:
        raise InputError(
            "configuration: running.depths_per_job: auto needs running.devices, the number of devices that the study "
            "may use at once. Give it."
        )
    if (gpus := running["gpus_per_job"]) > 1:
        wrong = {
            "training.device is cpu": training["device"] != "cuda",
            f"training.batch_size is only {training['batch_size']}": training["batch_size"] < gpus,
            "running.jobs_per_gpu is above 1": running["jobs_per_gpu"] > 1,
            "each GPU would have batch statistics of its own": bool(has_batch_norm(architecture_name(training))),
        }
        for why in (why for why, holds in wrong.items() if holds):
            raise InputError(
                f"configuration: running.gpus_per_job: must be 1 while {why} (it is {gpus}). Correct one of them."
            )
