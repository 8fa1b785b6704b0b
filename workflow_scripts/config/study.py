"""All checks of a study that come before any work. Light on purpose: the Snakefile calls this at parse time."""

from pathlib import Path

from workflow_scripts.config.checks import check_config, check_dataset, check_store
from workflow_scripts.config.command_line import CommandLine
from workflow_scripts.config.paths import expand_paths
from workflow_scripts.config.snakemake_notes import check_notes
from workflow_scripts.plumbing.files import check_writable
from workflow_scripts.study.paths import results_folder, store_folder

WITHOUT_DATA = "plan"  # the target that estimates a study's cost before its data are there
READS_ONLY = "verify"  # the target that compares files with their records


def check_study(config: dict, schema: Path, command_line: CommandLine) -> None:
    """Raise InputError, in one line that names the place, unless the study can be run as `command_line` asks.

    Paths in `config` are expanded first, in place (paths.expand_paths). Checked are keys and values of `config`, the
    dataset's files, the packed store, folders that must be writable, and Snakemake's notes.
    """
    expand_paths(config)
    check_config(config, schema)
    trained = config["results_table"] is None
    if trained and WITHOUT_DATA not in command_line.targets:
        check_dataset(config["dataset"])
    store, results = store_folder(config), results_folder(config)
    check_store(store, config["store"]["max_bad_fraction"])
    check_writable(".snakemake")  # Snakemake itself would show a traceback
    if command_line.writes:
        packed = (store / "manifest.json").exists() or not trained
        check_writable(results, *([] if packed else [store]))
    if not command_line.touches and READS_ONLY not in command_line.targets:
        check_notes(results)
