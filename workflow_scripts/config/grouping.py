"""The jobs of each curve: running.depths_per_job as a number, and what is finished in other groups of depths.

Light on purpose: the Snakefile calls this at parse time.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from workflow_scripts.config.resources import known_costs
from workflow_scripts.cost.group_size import best_size
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import read_record
from workflow_scripts.study.groups import AUTO, made_groups, with_groups
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.leaves import job_leaves
from workflow_scripts.study.matrix import curve_jobs


def grouped(config: Mapping, results: Path, code: str) -> dict:
    """A checked configuration whose `running` says which depths each job trains.

    `auto` becomes a number, from the configuration alone. Finished jobs in the directory `results` that have other
    depths than that number gives are kept, if their records say that they were made with these settings and this
    `code` (the fingerprint of training).
    """
    size = config["running"]["depths_per_job"]
    if size == AUTO:
        size = best_size(known_costs(config), config["running"]["devices"])
    plain = with_groups(config, size, {})
    planned: dict[str, list[TrainingJob]] = {}
    for job in curve_jobs(plain):
        planned.setdefault(job.folder, []).append(job)
    found = made_groups(results) if planned else {}
    kept = {}
    for folder, jobs in planned.items():
        others = set(found.get(folder, ())) - {job.depths for job in jobs}
        groups = found[folder] if others else ()
        current = [group for group in groups if _current(config, results, replace(jobs[0], depths=group), code)]
        if others & set(current):
            kept[folder] = current
    return with_groups(config, size, kept)


def _current(config: Mapping, results: Path, job: TrainingJob, code: str) -> bool:
    """Whether the record of a finished job says that it would be made in the same way now."""
    if config["running"]["keep_curve_weights"] and not (results / f"{job.stem}.safetensors").exists():
        return False
    try:
        record = read_record(results / f"{job.stem}.json")
        return record["leaves"] == job_leaves(config["training"], job) and record["provenance"]["code"] == code
    except (InputError, KeyError, TypeError):  # damaged: its own job will say so, or it counts for nothing
        return False
