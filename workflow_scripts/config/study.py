"""All checks of a study that come before any work. Light on purpose: the Snakefile calls this at parse time."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from workflow_scripts.config.checks import check_config, check_dataset, check_store
from workflow_scripts.config.command_line import CommandLine
from workflow_scripts.config.dataset_state import is_packed
from workflow_scripts.config.snakemake_notes import NOTES, check_notes
from workflow_scripts.dataset.glance import missing_files
from workflow_scripts.plumbing.files import check_writable
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
        store, results = (placed(str(folder(config))) for folder in (store_folder, results_folder))
        packed = config["results_table"] is not None or Path(store, "manifest.json").exists()
        check_writable(results, *([] if packed else [store]))


def check_made(config: Mapping, placed: Callable[[str], str] = str, touches: bool = False) -> None:
    """Raise InputError, in one line that names the place, unless work can start from what is there.

    Checked are the dataset's files, the packed store and, unless Snakemake is to touch everything, its notes. A target
    that needs none of them needs no check, as the plan of a study. `placed` is as in check_study.
    """
    store, results = (placed(str(folder(config))) for folder in (store_folder, results_folder))
    if config["results_table"] is None:
        if is_packed(config, placed) and (missing := _missing(config["dataset"])):
            print(f"note: dataset.path: {missing[0]} is not there. {store} is used as it is.", file=sys.stderr)
        else:
            check_dataset(config["dataset"])
        check_store(Path(store), config["store"]["max_bad_fraction"])
    if not touches:
        check_notes(results)


def _missing(dataset: Mapping) -> list[Path]:
    return missing_files(dataset_leaves(dataset), dataset["path"])
