"""Checking the entries of a configuration's matrix: partitions, their lists, depths and curves that can be.

Light on purpose: the Snakefile calls this at parse time.
"""

import re
from collections import Counter

from workflow_scripts.config.pairs import check_pair, check_same_halves
from workflow_scripts.config.units import ALL
from workflow_scripts.dataset.dataset import has_hierarchy
from workflow_scripts.dataset.glance import known_classes
from workflow_scripts.network.catalogue import UnitCost, has_batch_norm
from workflow_scripts.partition.halves import check_classes, check_sizes, read_halves, table_names
from workflow_scripts.plumbing.cli import InputError, naming
from workflow_scripts.plumbing.files import same_place
from workflow_scripts.study.datasets import dataset_of, dataset_sections
from workflow_scripts.study.jobs import BASE, PROBE, RANDOM, STAGED
from workflow_scripts.study.leaves import architecture_name, dataset_leaves, tries_rates
from workflow_scripts.study.matrix import ALL_IMAGES, SOURCES, entry_partitions, job_rates
from workflow_scripts.study.partition_names import NEEDS_HIERARCHY, parse_partition

MAX_NETWORKS = 100_000  # the paper has 163
MOST_UNITS = 200  # of a network that is not described yet


def check_number(config: dict, units: list[UnitCost] | None) -> None:
    """Raise InputError if the matrix asks for more networks than any study can train."""
    every = range(1, len(units)) if units else range(MOST_UNITS)
    curves = 0
    for entry in config["matrix"]:
        targets = entry.get("targets", parse_partition(entry["partition"]).halves)
        kinds = sum(len(job_rates(config["training"], one)) for kind in SOURCES for one in entry.get(kind, ()))
        depths = entry.get("depths", config["depths"])
        bases = (1 + entry.get("base_twice", False)) * len(job_rates(config["training"], BASE))
        curves += (
            len(entry_partitions(entry)) * len(targets) * (bases + kinds * len(every if depths == ALL else depths))
        )
    if (networks := curves * len(config["seeds"])) > MAX_NETWORKS:
        raise InputError(
            f"configuration: matrix: it asks for up to {networks:,} networks with {len(config['seeds'])} seeds, more "
            f"than {MAX_NETWORKS:,}. Shorten it."
        )


def check_entry(key: str, entry: dict, config: dict, units: list[UnitCost] | None) -> None:
    """Raise InputError naming `key`, matrix[i], or what is below it, unless this entry of the matrix can be trained.

    Depths are checked if the network's `units` are known; else a first job checks them.
    """
    _check_amounts(key, entry, config["training"])
    check_same_halves(key, entry, config)
    if entry.get("halves"):
        check_pair(key, entry, config)
    else:
        _check_partition(key, entry, config)
    for half in parse_partition(entry["partition"]).halves:
        _check_images(key, entry, dataset_sections(config)[dataset_of(config, entry["partition"], half)])
    if units:
        _check_depths(key, entry, config, len(units))
    _check_curves(key, entry)
    _check_source(key, entry, config["training"])


def _check_depths(key: str, entry: dict, config: dict, units: int) -> None:
    depths, preserve = entry.get("depths", config["depths"]), entry.get("preserve", 0)
    depths = range(1, units) if depths == ALL else depths
    if max(depths) + preserve >= units:
        where = f"{key}.depths" if "depths" in entry else "depths"
        preserved = f" with {preserve} preserved units above" if preserve else ""
        raise InputError(
            f"configuration: {where}: {max(depths)} is too deep{preserved}. {config['training']['architecture']} has "
            f"{units} units, of which {units - 1} can be copied. Give matrix entries depths that fit."
        )


def _check_curves(key: str, entry: dict) -> None:
    curves = {one for kind in SOURCES for one in entry.get(kind, [])}
    treatments = [one for kind in SOURCES if kind != RANDOM for one in entry.get(kind, [])]
    for name in ("preserve", "init", "norm_statistics"):
        if name in entry and PROBE in curves:
            raise InputError(
                f"configuration: {key}.{name}: it does not apply to probes. Give them an entry of their own."
            )
    learning = {"finetuned", STAGED} & set(treatments)
    if entry.get("preserve") and (entry.get(RANDOM) or learning):
        raise InputError(
            f"configuration: {key}.preserve: it is for frozen selffer, transfer and pretrained curves only. Give "
            "fine-tuned, staged and random curves an entry of their own."
        )
    if entry.get("norm_statistics") and learning:
        raise InputError(
            f"configuration: {key}.norm_statistics: it is for frozen curves only. Give fine-tuned and staged curves an "
            "entry of their own."
        )
    if entry.get("base_twice") and not curves - {PROBE}:
        raise InputError(f"configuration: {key}.base_twice: the entry has no curves to compare with. Remove the key.")
    halves = set(parse_partition(entry["partition"]).halves)
    if wrong := set(entry.get("targets", halves)) - halves:
        raise InputError(
            f"configuration: {key}.targets: {min(wrong)} is not a half of partition {entry['partition']}. Correct it."
        )
    if halves == {"whole"} and entry.get("transfer"):
        raise InputError(
            f"configuration: {key}.transfer: partition {entry['partition']} has one half only. Remove the key."
        )


def _check_source(key: str, entry: dict, training: dict) -> None:
    if entry.get("pretrained") and training["pretrained"] is None:
        raise InputError(
            f"configuration: {key}.pretrained: training.pretrained names no weights. Give a safetensors file or a tag "
            "there."
        )
    if entry.get("norm_statistics") and has_batch_norm(architecture_name(training)) is False:
        raise InputError(
            f"configuration: {key}.norm_statistics: {training['architecture']} has no norm layers with running "
            "statistics. Remove the key."
        )


def _check_partition(key: str, entry: dict, config: dict) -> None:
    name, csv = entry["partition"], entry.get("csv")
    parsed = parse_partition(name)
    family, seeded = parsed.family, parsed.seed is not None
    if re.search(r"_first_.*_per_class$", family):
        raise InputError(
            f"configuration: {key}.partition: {name}: <k> in _first_<k>_per_class must be 1 to 999999999. Correct it."
        )
    if csv is not None:
        if family == "whole" or seeded:
            raise InputError(
                f"configuration: {key}.csv: partition {name} is not read from a CSV. Choose a different name."
            )
        with naming(f"{key}.csv"):
            _check_halves(csv, config["dataset"])
    elif family in NEEDS_HIERARCHY and not has_hierarchy(config["dataset"]):
        raise InputError(
            f"configuration: {key}: partition {name} needs a hierarchy of classes, which a {config['dataset']['kind']} "
            "dataset does not have. Give its halves as csv."
        )
    elif family != "natman" and family != "whole" and not seeded:
        raise InputError(
            f"configuration: {key}.partition: {name} is not random<seed>, near<seed>, middle<seed>, far<seed>, natman "
            "or whole. Correct it, or give its halves as csv, or as halves of two datasets."
        )
    if not same_place(*(other.get("csv") for other in config["matrix"] if other["partition"] == name)):
        raise InputError(f"configuration: {key}.csv: partition {name} is given different CSV files. Keep one.")


def _check_halves(csv: str, dataset: dict) -> None:
    half_of = read_halves(csv)
    counts = Counter(half_of.values())
    check_sizes(csv, {half: counts[half] for half in "AB"})
    if classes := _known_classes(dataset):
        check_classes(csv, half_of, table_names(classes))


def _known_classes(dataset: dict) -> list[str]:
    """The dataset's classes, as far as they are known without reading an archive; else none."""
    if dataset["kind"] == "sample":
        from workflow_scripts.dataset.sample.classes import (
            SAMPLE_CLASSES,  # heavy: only where a sample is divided by a CSV
        )

        return [sample_class.wnid for sample_class in SAMPLE_CLASSES]
    return known_classes(dataset_leaves(dataset), dataset["path"])


def _check_amounts(key: str, entry: dict, training: dict) -> None:
    """Raise InputError for drawn images as a partition, or of one that has the first images of each class only.

    Also for single images in a study that holds some out.
    """
    name = entry["partition"]
    first = parse_partition(name).images_per_class
    if re.search(r"_draw_.*_per_class$", name):
        raise InputError(
            f"configuration: {key}.partition: {name}: drawn images have no partition of their own. Name the partition "
            "that they are drawn from, and give their number in target_images_per_class."
        )
    if tries_rates(training) and 1 in (first, *entry.get("target_images_per_class", ())):
        raise InputError(
            f"configuration: {key}: of 1 image of each class none can be held out to choose among several rates of "
            "training.learning_rate. Give each treatment one rate, or remove the number."
        )
    if "target_images_per_class" in entry and parse_partition(name).images_per_class is not None:
        raise InputError(
            f"configuration: {key}.target_images_per_class: partition {name} has the first images of "
            "each class only. Name the partition without _first_<k>_per_class, or remove the key."
        )


def _check_images(key: str, entry: dict, dataset: dict) -> None:
    """Raise InputError if the sample has too few images. For other datasets, making the task checks this."""
    there, amounts = dataset["sample"]["train_per_class"], entry.get("target_images_per_class", [])
    wanted = {
        f"partition: {entry['partition']}": parse_partition(entry["partition"]).images_per_class or 0,
        "target_images_per_class": max((amount for amount in amounts if amount != ALL_IMAGES), default=0),
    }
    for where in (where for where, images in wanted.items() if dataset["kind"] == "sample" and images > there):
        raise InputError(
            f"configuration: {key}.{where}: the sample has {there} training images of each class. Lower the number or "
            "raise sample.train_per_class of the dataset."
        )
