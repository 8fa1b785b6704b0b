"""Expands `~` and `$VARIABLE` in the paths of a configuration. Light on purpose: used at parse time."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from workflow_scripts.config.network_input import is_weights_file
from workflow_scripts.plumbing.cli import InputError

VARIABLE = re.compile(r"\$(\w+|\{[^}]*\})", re.ASCII)  # as os.path.expandvars finds them
SECTION_LEAVES = {"dataset": ("path", "root"), "natman": ("extra_artifacts",), "reference": ("results", "printed")}


def expand_paths(config: dict) -> None:
    """Expand `~`, `~user`, `$VARIABLE` and `${VARIABLE}` in every path of `config`, in place.

    A path that stays relative starts at the working directory. Raises InputError naming the key for a variable that is
    not set, a user without a home, braces, and a dash at the start. Values that are no text are left to the schema.
    """
    for key, section, leaf in path_leaves(config):
        if isinstance(section.get(leaf), str):
            section[leaf] = expanded(key, section[leaf])


def expanded(key: str, path: str) -> str:
    """`path` with its variables and home expanded; as it is where a `$` belongs to the name of a file that is there."""
    unset = [name for name in VARIABLE.findall(path) if not os.environ.get(name.strip("{}"))]
    if unset:
        if os.path.exists(path):  # noqa: PTH110 - False for what can be no name, where Path.exists raises
            return path
        raise InputError(
            f"configuration: {key}: {path}: the variable ${unset[0]} is not set or is empty. Set it, or write the path "
            "out."
        )
    whole = os.path.expandvars(path)
    try:
        whole = str(Path(whole).expanduser()) if whole.startswith("~") else whole
    except RuntimeError:
        raise InputError(
            f"configuration: {key}: {path}: {whole.split('/')[0]} has no home here. Write the path out, or ./{whole} "
            "for a name that begins with ~."
        ) from None
    if {"{", "}"} & set(whole):
        raise InputError(
            f"configuration: {key}: {whole}: it holds braces, which are Snakemake's. Rename it or use a link."
        )
    if whole.startswith("-"):
        raise InputError(f"configuration: {key}: {whole}: it begins with a dash, as an option does. Write ./{whole}")
    return whole


def path_leaves(config: dict) -> Iterator[tuple[str, dict, str]]:
    """Each path of the configuration: its full key, the section it is in and its key there. It may have any type."""
    yield "results_table", config, "results_table"
    for name, leaves in SECTION_LEAVES.items():
        if isinstance(section := config.get(name), dict):
            yield from ((f"{name}.{leaf}", section, leaf) for leaf in leaves)
    datasets = config.get("datasets")
    for name, section in datasets.items() if isinstance(datasets, dict) else ():
        if isinstance(section, dict):
            yield from ((f"datasets.{name}.{leaf}", section, leaf) for leaf in SECTION_LEAVES["dataset"])
    training = config.get("training")
    if isinstance(training, dict) and is_weights_file(training.get("pretrained")):
        yield "training.pretrained", training, "pretrained"
    entries = config.get("matrix")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict):
            yield f"matrix[{number}].csv", entry, "csv"
