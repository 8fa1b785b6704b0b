"""Checking whether a study can measure the lines between networks of two seeds. Light on purpose, as checks.py."""

from collections.abc import Mapping

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.study.jobs import PROBE
from workflow_scripts.study.matrix import SOURCES, entry_partitions
from workflow_scripts.study.partition_names import plain_partition


def check_interpolation(config: Mapping) -> None:
    """Raise InputError if figures.interpolation_steps asks for lines whose ends the study does not have or keep."""
    if config["figures"]["interpolation_steps"] is None or config["results_table"] is not None:
        return
    why = {
        "it needs the networks of curves. Set running.keep_curve_weights to true": (
            not config["running"]["keep_curve_weights"]
        ),
        "it needs pairs of seeds, and seeds has one. Add a seed": len(config["seeds"]) < 2,
        "it needs fine-tuned networks on all images, and the matrix asks for none. Add a curve `finetuned`": (
            not any(_has_ends(entry) for entry in config["matrix"])
        ),
    }
    for said in (said for said, holds in why.items() if holds):
        raise InputError(f"configuration: figures.interpolation_steps: {said}, or remove the key.")


def _has_ends(entry: Mapping) -> bool:
    """Whether an entry of the matrix asks for a curve of which all units learn, on all images of a partition."""
    treatments = {one for kind in SOURCES for one in entry.get(kind, ())} - {"frozen", PROBE}
    return bool(treatments) and any(plain_partition(name) == name for name in entry_partitions(entry))
