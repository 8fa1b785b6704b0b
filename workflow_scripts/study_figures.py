"""Which figures a study has: those that its networks can fill. Light on purpose: the Snakefile calls this."""

from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.csv_table import read_table
from workflow_scripts.matrix import base_jobs, curve_jobs, parse_variant
from workflow_scripts.partition_names import NEEDS_HIERARCHY, parse_partition
from workflow_scripts.refusal import naming

KEYS = ("partition", "source", "target", "treatment")


@dataclass(frozen=True)
class Network:
    """What decides in which figures a network, or all of a curve's, can be shown."""

    partition: str
    source: str
    target: str
    treatment: str
    preserve: int


def study_networks(config: dict) -> set[Network]:
    """The base networks and curves of a checked configuration, from its matrix or its results table.

    Raises InputError if the results table is no CSV with the columns KEYS; its values are checked when it is imported.
    """
    if config["results_table"] is not None:
        return _tabled_networks(Path(config["results_table"]))
    bases = {Network(job.partition, job.half, job.half, "base", 0) for job in base_jobs(config)}
    curves = {
        Network(job.partition, job.source, job.target, job.treatment, parse_variant(job.variant)[0])
        for job in curve_jobs(config)
    }
    return bases | curves


def study_figures(config: dict) -> list[str]:
    """The names of the figures of a checked configuration, in the order of the report."""
    networks = study_networks(config)
    curves = {network for network in networks if network.treatment != "base"}
    transfer = {curve.partition for curve in curves if curve.source not in {curve.target, "random"}}
    names = {network.partition: _name(network.partition) for network in networks}
    halves = [name for name in names.values() if name and name.family not in {"whole", *NEEDS_HIERARCHY}]
    trained, reference = config["results_table"] is None, config["reference"]
    wanted = {
        "figure2": any(name.images_per_class is None for name in halves),
        "effects": bool(curves),
        "boost": any(name.images_per_class is None for name in halves) and bool(transfer),
        "figure3": bool(curves),
        "hierarchy": trained and len(transfer) > 1 and config["dataset"]["kind"] != "folder",
        "reduced": any(name and name.images_per_class for name in names.values()),
        "preserved": any(curve.preserve for curve in curves),
        "comparison": bool(curves and reference) and config["results_table"] != reference["results"],
        "similarity": trained and bool(transfer),
        "filters": trained,
        "learning": trained,
    }
    return [name for name, fits in wanted.items() if fits]


def _tabled_networks(path: Path) -> set[Network]:
    with naming("results_table"):
        rows = read_table(path, KEYS)
    return {Network(*(row[key] for key in KEYS), int(row.get("preserve") in ("1", "2"))) for row in rows}


def _name(partition: str) -> object:
    try:
        return parse_partition(partition)
    except ValueError:
        return None  # refused by line when the table is imported
