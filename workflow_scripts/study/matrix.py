"""The study's matrix spelled out: the training jobs that a configuration asks for.

Light on purpose: the Snakefile calls this at parse time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

from workflow_scripts.study.groups import groups_of
from workflow_scripts.study.jobs import BASE, BASE_TWICE, OTHER_HALF, PRETRAINED, PROBE, RANDOM, STAGED, TrainingJob
from workflow_scripts.study.leaves import plain_statistics, rates_of
from workflow_scripts.study.partition_names import drawn_partition, parse_partition

ALL_IMAGES = "all"  # of matrix[].target_images_per_class
SOURCES = ("selffer", "transfer", RANDOM, PRETRAINED)  # keys of an entry, each with its treatments


def curve_jobs(config: Mapping) -> list[TrainingJob]:
    """All curve jobs of a checked configuration, each once, sorted."""
    return [job for curve in whole_curves(config) for job in jobs_of_curve(config, curve)]


def whole_curves(config: Mapping) -> list[TrainingJob]:
    """The curves of a checked configuration as if one job trained all depths of each, sorted."""
    return _whole(config, lambda job: job.treatment != PROBE)


def jobs_of_curve(config: Mapping, curve: TrainingJob) -> list[TrainingJob]:
    """The jobs of one of the whole_curves, sorted. Depths that `running.made` has together stay so."""
    running = config["running"]
    groups = groups_of(curve.depths, running["depths_per_job"], running.get("made", {}).get(curve.folder, ()))
    return [replace(curve, depths=group) for group in groups]


def probe_jobs(config: Mapping) -> list[TrainingJob]:
    """The jobs of probes of a checked configuration, each once with all of its depths, sorted."""
    return _whole(config, lambda job: job.treatment == PROBE)


def _whole(config: Mapping, wanted: Callable[[TrainingJob], bool]) -> list[TrainingJob]:
    """Those of the curves and probes that are `wanted`, each once with all of its depths, sorted."""
    depths_of: dict[TrainingJob, set[int]] = {}
    for job, depths in _asked(config):
        if wanted(job):
            depths_of.setdefault(job, set()).update(depths)
    return [replace(job, depths=tuple(sorted(depths))) for job, depths in sorted(depths_of.items())]


def _asked(config: Mapping) -> Iterator[tuple[TrainingJob, Sequence[int]]]:
    """The curves and probes that the matrix asks for, with depth 0 in place of their depths; and these depths."""
    for entry in config["matrix"]:
        for seed in config["seeds"]:
            for job in _entry_curves(entry, seed, config["training"]):
                yield job, entry.get("depths", config["depths"])


def base_jobs(config: Mapping) -> list[TrainingJob]:
    """The jobs of the base networks, sorted: every target's, for comparison, and every source's but `random`.

    An entry of probes alone needs those of its sources only. One with `base_twice` has those of its targets twice, once
    of that treatment.
    """
    jobs = {
        replace(TrainingJob.base(partition, seed, half), treatment=length, rate=rate)
        for entry in config["matrix"]
        for partition in entry_partitions(entry)
        for seed in config["seeds"]
        for half in _entry_targets(entry)
        if not has_probes_alone(entry)
        for length in (BASE, *([BASE_TWICE] if entry.get("base_twice") else []))
        for rate in job_rates(config["training"], BASE)
    }
    sources = {job.source_job for job in (*curve_jobs(config), *probe_jobs(config))}
    return sorted(jobs | (sources - {None}))


def has_probes_alone(entry: Mapping) -> bool:
    """Whether an entry of the matrix asks for probes and no curves."""
    return {one for kind in SOURCES for one in entry.get(kind, ())} == {PROBE}


def study_jobs(config: Mapping) -> list[TrainingJob]:
    """All training jobs of a study but probes, base networks first; each comes after the job of its source."""
    return [*base_jobs(config), *curve_jobs(config)]


def entry_partitions(entry: Mapping) -> list[str]:
    """The partitions that an entry of the matrix asks for: one for each number of its targets' images."""
    name = entry["partition"]
    amounts = entry.get("target_images_per_class", [ALL_IMAGES])
    return [name if amount == ALL_IMAGES else drawn_partition(name, amount) for amount in amounts]


def _entry_targets(entry: Mapping) -> list[str]:
    return entry.get("targets", list(parse_partition(entry["partition"]).halves))


def _entry_curves(entry: Mapping, seed: int, training: Mapping) -> Iterator[TrainingJob]:
    """The curves and probes of an entry of the matrix, with depth 0 in place of their depths."""
    init, statistics = entry.get("init", training["init"]), entry.get("norm_statistics", "")
    variant = {"preserve": entry.get("preserve", 0), "init": "" if init == training["init"] else init}
    for partition, target in product(entry_partitions(entry), _entry_targets(entry)):
        sources = {"selffer": target, "transfer": OTHER_HALF.get(target), RANDOM: RANDOM, PRETRAINED: PRETRAINED}
        for kind, source in sources.items():
            plain = plain_statistics(training["norm_statistics"], source)
            for treatment in entry.get(kind, []):
                own = statistics if treatment == "frozen" and statistics != plain else ""
                varied = {} if treatment == PROBE else variant | {"norm_statistics": own}
                for rate in job_rates(training, treatment):
                    yield TrainingJob(partition, seed, source, target, treatment, **varied, rate=rate)


def job_rates(training: Mapping, treatment: str) -> list[float]:
    """TrainingJob.rate of each learning rate that a treatment tries."""
    return [0.0, *rates_of(training.get("learning_rate", {}).get(_tries_as(treatment), []))[1:]]


def _tries_as(treatment: str) -> str:
    """The treatment whose rates are tried. A staged network's second stage tries them."""
    return "finetuned" if treatment == STAGED else treatment


def with_used_rates(config: Mapping) -> dict:
    """A configuration with the first rate alone of each treatment that no network of its matrix tries several of.

    Images that are held out to choose one would be lost to all of its networks.
    """
    matrix = config["matrix"]
    tried = {_tries_as(one) for entry in matrix for kind in SOURCES for one in entry.get(kind, ())}
    tried |= set() if all(map(has_probes_alone, matrix)) else {BASE}
    given = config["training"]["learning_rate"]
    rates = {one: rate if one in tried else rates_of(rate)[0] for one, rate in given.items()}
    return {**config, "training": {**config["training"], "learning_rate": rates}}
