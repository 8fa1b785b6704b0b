"""Which figures a study has, and what each is made from. Light on purpose: the Snakefile calls this."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.plumbing.cli import naming
from workflow_scripts.results.given_tables import read_networks
from workflow_scripts.study.jobs import BASE, TrainingJob
from workflow_scripts.study.matrix import study_jobs
from workflow_scripts.study.partition_names import NEEDS_HIERARCHY, parse_partition
from workflow_scripts.study.paths import results_folder

KEYS = ("partition", "source", "target", "treatment")


@dataclass(frozen=True)
class StudyFacts:
    """What decides which figures a study has."""

    curves: bool
    transfer: int  # partitions with transfer curves
    halves: bool  # whether a partition into equal halves uses all training images
    reduced: bool  # whether a partition uses the first images of each class
    preserved: bool
    trained: bool  # rather than read from a results table
    hierarchy: bool
    reference: bool


@dataclass(frozen=True)
class FigureRow:
    """A figure: its inputs by the option of its step, workflow_scripts.report.figures.<name>, and when a study has it.

    Inputs are names that figure_files knows.
    """

    inputs: Mapping[str, str]
    when: Callable[[StudyFacts], bool]


# In the order of the report.
FIGURES = {
    "figure2": FigureRow({"results": "results"}, lambda study: study.halves),
    "effects": FigureRow({"effects": "effects"}, lambda study: study.curves),
    "boost": FigureRow({"table": "boost"}, lambda study: study.halves and study.transfer > 0),
    "figure3": FigureRow({"results": "results"}, lambda study: study.curves),
    "hierarchy": FigureRow(
        {"results": "results", "partitions": "partitions"},
        lambda study: study.trained and study.transfer > 1 and study.hierarchy,
    ),
    "reduced": FigureRow({"results": "results"}, lambda study: study.reduced),
    "preserved": FigureRow({"results": "results"}, lambda study: study.preserved),
    "comparison": FigureRow(
        {"results": "results", "reference": "reference"}, lambda study: study.curves and study.reference
    ),
    "similarity": FigureRow(
        {"results": "results", "similarity": "similarity"}, lambda study: study.trained and study.transfer > 0
    ),
    "filters": FigureRow(
        {"filters": "filters", "shares": "shares", "weights": "base_weights"}, lambda study: study.trained
    ),
    "learning": FigureRow({"readings": "readings"}, lambda study: study.trained),
}


def study_figures(config: Mapping) -> list[str]:
    """The names of the figures of a checked configuration, in the order of the report.

    Raises InputError for a results table that cannot be read.
    """
    facts = study_facts(config)
    return [name for name, row in FIGURES.items() if row.when(facts)]


def figure_files(config: Mapping) -> dict[str, dict[str, str | list[str]]]:
    """For each of the study's figures the files that it is made from, by the options of its step.

    Raises InputError as study_figures.
    """
    results, jobs = results_folder(config), study_jobs(config)
    curves = [job for job in jobs if job.kind != BASE]
    compared = sorted({(job.partition, job.seed) for job in curves if job.kind == "transfer"})
    files = {name: f"{results}/tables/{name}.csv" for name in ("effects", "boost", "filters", "shares")} | {
        "results": f"{results}/results.csv",
        "readings": f"{results}/learning_curves.csv",
        "reference": (config["reference"] or {}).get("results"),
        "partitions": [f"{results}/partitions/{name}.json" for name in sorted({job.partition for job in curves})],
        "similarity": [f"{results}/similarity/{partition}-seed{seed}.csv" for partition, seed in compared],
        "base_weights": [f"{results}/{job.stem}.safetensors" for job in jobs if job.kind == BASE],
    }
    return {
        figure: {option: files[name] for option, name in FIGURES[figure].inputs.items()}
        for figure in study_figures(config)
    }


def study_facts(config: Mapping) -> StudyFacts:
    """The StudyFacts of a checked configuration, from its matrix or its results table."""
    table, reference = config["results_table"], config["reference"]
    jobs = study_jobs(config) if table is None else _tabled_jobs(Path(table))
    curves = [job for job in jobs if job.kind != BASE]
    names = [parse_partition(partition) for partition in {job.partition for job in jobs}]
    equal = [name for name in names if name.family not in {"whole", *NEEDS_HIERARCHY}]
    return StudyFacts(
        curves=bool(curves),
        transfer=len({job.partition for job in curves if job.kind == "transfer"}),
        halves=any(name.images_per_class is None for name in equal),
        reduced=any(name.images_per_class for name in names),
        preserved=any(job.preserve for job in curves),
        trained=table is None,
        hierarchy=config["dataset"]["kind"] != "folder",
        reference=bool(reference) and table != reference["results"],
    )


def _tabled_jobs(path: Path) -> Collection[TrainingJob]:
    with naming("results_table"):
        rows = read_networks(path)
    jobs = {(*(row[key] for key in KEYS), int(row["preserve"] in (1, 2))) for row in rows}
    return {TrainingJob(partition, 0, *network) for partition, *network in jobs}
