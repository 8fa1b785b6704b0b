"""Where a study's files lie, below the working directory. Light on purpose: the Snakefile calls this at parse time."""

from collections.abc import Mapping
from pathlib import Path


def results_folder(config: Mapping) -> Path:
    """The study's results directory."""
    return Path("results", config["study"])


def dataset_folder(config: Mapping) -> Path:
    """The folder of the dataset, which studies share."""
    return Path("data", config["dataset"]["name"])


def store_folder(config: Mapping) -> Path:
    """The folder of the packed store, which studies of the same image size share."""
    return dataset_folder(config) / f"packed_{config['store']['image_size']}_{config['store']['resize']}"


def shard_files(config: Mapping, *suffixes: str) -> list[str]:
    """The files with `suffixes` of all shards: pixels (u8), index (csv), checksums (crc), record (json)."""
    store, counts = store_folder(config), {split: config["store"][f"{split}_shards"] for split in ("train", "val")}
    shards = [f"{store}/{split}-{shard:03d}" for split, count in counts.items() for shard in range(count)]
    return [f"{shard}.{suffix}" for shard in shards for suffix in suffixes]


def description_file(config: Mapping) -> Path:
    """The record of the units of the study's network."""
    return results_folder(config) / "tables" / "units.json"
