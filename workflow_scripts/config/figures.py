"""Which figures a study has, and what each is made from. Light on purpose: the Snakefile calls this."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.dataset.dataset import has_hierarchy
from workflow_scripts.plumbing.cli import naming
from workflow_scripts.plumbing.files import sha256_file
from workflow_scripts.results.given_tables import read_networks
from workflow_scripts.study.columns import KEY_COLUMNS
from workflow_scripts.study.datasets import pair_partitions, study_datasets
from workflow_scripts.study.jobs import BASE, PRETRAINED, RANDOM, TrainingJob
from workflow_scripts.study.lines import seed_lines
from workflow_scripts.study.matrix import has_probes_alone, probe_jobs, study_jobs
from workflow_scripts.study.partition_names import NEEDS_HIERARCHY, PartitionName, parse_partition, plain_partition
from workflow_scripts.study.paths import results_folder

TABLE_FILES = ("effects", "boost", "norm_statistics", "rates", "target_images", "probes", "filters", "shares")
TABLE_FILES += ("distances", "interpolation")
# Tables of figures of the same names, in the order of the report's tables.
OWN_TABLES = ("boost", "norm_statistics", "rates", "target_images", "distances", "interpolation")
KEYS = ("partition", "source", "target", "treatment")


@dataclass(frozen=True)
class StudyFacts:
    """What decides which figures a study has.

    Where images of a partition are drawn, only `drawn`, `statistics` and `preserved` count its curves.
    """

    curves: bool
    transfer: int  # partitions with transfer curves from their other half
    pretrained: bool  # whether there are curves of a pretrained network
    compared: bool  # whether there are curves that the published ones can be set beside
    distant: bool  # whether there are curves that figure 3 shows: transfer between halves, or random features
    rates: bool  # whether several learning rates are tried
    statistics: bool  # whether there are curves with norm statistics of their own
    pairs: bool  # whether a partition takes its halves from two datasets
    halves: bool  # whether a partition into equal halves uses all training images
    reduced: bool  # whether a partition uses the first images of each class
    drawn: bool  # whether there are curves onto drawn images
    preserved: bool
    moved: bool  # whether there are curves with copied units that learn
    lines: bool  # whether there are lines between networks of two seeds
    filters: bool  # whether base networks are trained on all images of a partition, or on its first ones
    probes: bool
    trained: bool  # whether there are networks, and they are trained rather than read from a results table
    hierarchy: bool
    reference: bool


@dataclass(frozen=True)
class FigureRow:
    """A figure: its inputs by the option of its step, workflow_scripts.report.figures.<name>, and when a study has it.

    Inputs are names that figure_files knows. Those that a study lacks are left out.
    """

    inputs: Mapping[str, str]
    when: Callable[[StudyFacts], bool]


WITH_UNITS = {"results": "results", "units": "units"}
# In the order of the report.
FIGURES = {
    "probes": FigureRow({"probes": "probes", "results": "results"}, lambda study: study.probes),
    "pretrained": FigureRow(WITH_UNITS, lambda study: study.pretrained),
    "figure2": FigureRow(WITH_UNITS, lambda study: study.halves),
    "pairs": FigureRow(WITH_UNITS, lambda study: study.pairs),
    "effects": FigureRow({"effects": "effects", "units": "units"}, lambda study: study.curves),
    "target_images": FigureRow({"table": "target_images", "units": "units"}, lambda study: study.drawn),
    "norm_statistics": FigureRow({"table": "norm_statistics", "units": "units"}, lambda study: study.statistics),
    "rates": FigureRow({"table": "rates", "units": "units"}, lambda study: study.rates),
    "boost": FigureRow({"table": "boost"}, lambda study: study.halves and study.transfer > 0),
    "figure3": FigureRow(WITH_UNITS, lambda study: study.distant),
    "hierarchy": FigureRow(
        {"results": "results", "partitions": "partitions"},
        lambda study: study.trained and study.transfer > 1 and (study.hierarchy or study.pairs),
    ),
    "reduced": FigureRow({"results": "results"}, lambda study: study.reduced),
    "preserved": FigureRow(WITH_UNITS, lambda study: study.preserved),
    "comparison": FigureRow(
        {"results": "results", "reference": "reference"}, lambda study: study.compared and study.reference
    ),
    "similarity": FigureRow(
        WITH_UNITS | {"similarity": "similarity"}, lambda study: study.trained and study.transfer > 0
    ),
    "distances": FigureRow({"distances": "distances"} | WITH_UNITS, lambda study: study.trained and study.moved),
    "interpolation": FigureRow({"table": "interpolation"} | WITH_UNITS, lambda study: study.lines),
    "filters": FigureRow(
        {"filters": "filters", "shares": "shares", "weights": "base_weights"}, lambda study: study.filters
    ),
    "learning": FigureRow({"readings": "readings", "results": "results"}, lambda study: study.trained),
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
    curves = [job for job in undrawn_jobs(jobs) if job.kind != BASE]
    compared = sorted({(job.partition, job.seed) for job in curves if job.kind == "transfer"})
    files = {name: f"{results}/tables/{name}.csv" for name in TABLE_FILES} | {
        "units": f"{results}/tables/units.csv" if config["results_table"] is None else None,
        "results": f"{results}/results.csv",
        "readings": f"{results}/learning_curves.csv",
        "reference": (config["reference"] or {}).get("results"),
        "partitions": [
            f"{results}/partitions/{name}.json"
            for name in sorted({job.partition for job in curves} - pair_partitions(config))
        ],
        "similarity": [f"{results}/similarity/{partition}-seed{seed}.csv" for partition, seed in compared],
        "base_weights": [f"{results}/{job.stem}.safetensors" for job in filtered_jobs(jobs)],
    }
    return {
        figure: {option: files[name] for option, name in FIGURES[figure].inputs.items() if files[name] is not None}
        for figure in study_figures(config)
    }


def study_facts(config: Mapping) -> StudyFacts:
    """The StudyFacts of a checked configuration, from its matrix or its results table."""
    table, reference = config["results_table"], config["reference"]
    jobs, pairs = (study_jobs(config), pair_partitions(config)) if table is None else _tabled_jobs(Path(table))
    return StudyFacts(
        **_curve_facts([job for job in jobs if job.kind != BASE], pairs),
        rates=any(job.rate for job in jobs),
        **_partition_facts(jobs, pairs, _only_probed(config["matrix"])),
        lines=bool(seed_lines(config)),
        filters=table is None and bool(filtered_jobs(jobs)),
        probes=table is None and bool(probe_jobs(config)),
        trained=table is None and bool(jobs),
        hierarchy=any(has_hierarchy(one["dataset"]) for one in study_datasets(config).values()),
        reference=bool(reference) and (table is None or sha256_file(table) != sha256_file(reference["results"])),
    )


def _curve_facts(every: Collection[TrainingJob], pairs: Collection[str]) -> dict[str, bool | int]:
    """The StudyFacts on curves."""
    curves = undrawn_jobs(every)
    return {
        "curves": bool(curves),
        "transfer": len({job.partition for job in curves if job.kind == "transfer"}),
        "pretrained": any(job.kind == PRETRAINED for job in curves),
        "compared": any(_is_published(job) for job in curves if job.partition not in pairs),
        "distant": any(job.kind in ("transfer", RANDOM) for job in curves),
        "statistics": any(job.norm_statistics for job in every),
        "drawn": len(curves) < len(every),
        "preserved": any(job.preserve for job in every),
        "moved": any(job.preserve or job.treatment != "frozen" for job in curves),
    }


def _only_probed(matrix: Collection[Mapping]) -> set[str]:
    """The partitions of which only probes are asked for."""
    asked = {
        alone: {entry["partition"] for entry in matrix if has_probes_alone(entry) is alone} for alone in (True, False)
    }
    return asked[True] - asked[False]


def _partition_facts(jobs: Collection[TrainingJob], pairs: Collection[str], probed: Collection[str]) -> dict[str, bool]:
    """The StudyFacts on partitions, without those that are there only for sources: of transfer onto drawn images, or of
    probes, which are those `probed`.
    """
    plain = undrawn_jobs(jobs)
    sources = {plain_partition(drawn) for drawn in {job.partition for job in jobs} - {job.partition for job in plain}}
    shown = {job.partition for job in plain if job.kind != BASE or job.partition not in sources | set(probed)}
    names = {partition: parse_partition(partition) for partition in shown}
    return {
        "pairs": bool(shown & set(pairs)),
        "halves": any(_is_equal(name) and name.images_per_class is None for name in map(names.get, shown - set(pairs))),
        "reduced": any(name.images_per_class for name in names.values()),
    }


def undrawn_jobs(jobs: Iterable[TrainingJob]) -> list[TrainingJob]:
    """The jobs on all images of a partition, or on its first ones."""
    return [job for job in jobs if plain_partition(job.partition) == job.partition]


def filtered_jobs(jobs: Iterable[TrainingJob]) -> list[TrainingJob]:
    """The jobs whose base networks' first layers are shown, but none of twice the length or of a further rate."""
    return [job for job in undrawn_jobs(jobs) if job.treatment == BASE and not job.rate]


def _is_equal(name: PartitionName) -> bool:
    """Whether a partition of this name has halves as alike as random ones: no graded ones, and not all classes."""
    return name.family not in {"whole", *NEEDS_HIERARCHY}


def _is_published(job: TrainingJob) -> bool:
    """Whether the paper has a curve of this kind: between equal halves, onto the natural or man-made one, or random."""
    name = parse_partition(job.partition)
    equal = name.images_per_class is None and _is_equal(name)
    return (
        job.kind == RANDOM or (name.family == "natman" and job.kind == "transfer") or (equal and job.kind != PRETRAINED)
    )


def _tabled_jobs(path: Path) -> tuple[Collection[TrainingJob], set[str]]:
    """The jobs of the networks in a results table, and the partitions of it that are pairs."""
    with naming("results_table"):
        rows = read_networks(path)
    networks = {tuple(row[key] for key in KEY_COLUMNS) for row in rows}
    several = len({key[:-1] for key in networks}) < len(networks)  # the last is the learning rate
    jobs = {(*(row[key] for key in KEYS), int(row["preserve"] > 0), row["norm_statistics"]) for row in rows}
    found = {
        TrainingJob(partition, 0, *names, preserve, norm_statistics=statistics, rate=float(several))
        for partition, *names, preserve, statistics in jobs
    }
    return found, {row["partition"] for row in rows if row["pair"]}


def caption_title(root: Path, figure: str) -> str:
    """The first line of a figure's caption for Snakemake's report, in the workflow's folder `root`."""
    return (root / f"report/{figure}.rst").read_text(encoding="utf-8").partition("\n")[0]
