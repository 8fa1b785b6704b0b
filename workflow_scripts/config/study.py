"""All checks of a study that come before any work. Light on purpose: the Snakefile calls this at parse time."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from workflow_scripts.config.checks import check_config, check_dataset, check_store, dataset_key
from workflow_scripts.config.command_line import CommandLine
from workflow_scripts.config.dataset_state import is_packed
from workflow_scripts.config.snakemake_notes import NOTES, check_notes
from workflow_scripts.dataset.glance import missing_files
from workflow_scripts.plumbing.files import check_writable
from workflow_scripts.study.datasets import study_datasets
from workflow_scripts.study.leaves import dataset_leaves
from workflow_scripts.study.paths import results_folder, store_folder


def check_study(config: Mapping, schema: Path, command_line: CommandLine, placed: Callable[[str], str] = str) -> None:
    """Raise InputError, in one line that names the place, unless the study can be run as `command_line` asks.

    Checked are keys and values of `config`, and that the study's folders and Snakemake's can be written to. `placed`
    gives the place of a path below the working directory.
    """
    check_config(config, schema, placed)
    if command_line.keeps_notes:
        check_writable(NOTES)  # Snakemake itself would show a traceback
    if command_line.writes:
        stores = [placed(str(store_folder(one))) for one in study_datasets(config).values()]
        packed = config["results_table"] is not None
        wanted = [store for store in stores if not (packed or Path(store, "manifest.json").exists())]
        check_writable(placed(str(results_folder(config))), *wanted)


def check_made(config: Mapping, placed: Callable[[str], str] = str, touches: bool = False) -> None:
    """Raise InputError, in one line that names the place, unless work can start from what is there.

    Checked are the datasets' files, the packed stores and, unless Snakemake is to touch everything, its notes. A target
    that needs none of them needs no check, as the plan of a study. `placed` is as in check_study.
    """
    for one in study_datasets(config).values() if config["results_table"] is None else ():
        _check_made(one, dataset_key(config, one["dataset"]["name"]), placed)
    if not touches:
        check_notes(placed(str(results_folder(config))))


def _check_made(config: Mapping, key: str, placed: Callable[[str], str]) -> None:
    """check_made for the one dataset of `config`, the section `key` of the study's configuration."""
    store, dataset = placed(str(store_folder(config))), config["dataset"]
    if is_packed(config, placed) and (missing := missing_files(dataset_leaves(dataset), dataset["path"])):
        print(f"note: {key}.path: {missing[0]} is not there. {store} is used as it is.", file=sys.stderr)
    else:
        check_dataset(dataset, key)
    check_store(Path(store), config["store"]["max_bad_fraction"])
