"""The records of a study that nobody trained, with scores of known differences."""

from workflow_scripts.plumbing.records import write_record
from workflow_scripts.results.aggregate import load_records
from workflow_scripts.study.columns import RESULT_COLUMNS
from workflow_scripts.study.matrix import study_jobs

STUDY = {
    "seeds": [0],
    "depths": [1, 3, 5, 7],
    "dataset": {"name": "made_up"},
    "matrix": [
        {"partition": "random0", "selffer": ["frozen", "finetuned"], "transfer": ["frozen", "finetuned"]},
        {"partition": "natman", "transfer": ["frozen"]},
        {"partition": "whole", "random": ["frozen"]},
    ],
    "training": {"init": "he", "norm_statistics": "source"},
    "running": {"depths_per_job": 2},
}


def score(partition, source, target, treatment, depth):
    """Made-up scores with known differences."""
    base = {"A": 0.6, "B": 0.7, "whole": 0.5}[target]
    if treatment == "finetuned":
        return base + (0.01 + 0.002 * depth if source != target else 0.01)
    slope = 0.05 if source == "random" else (0.0 if source == target else 0.01)
    return base - slope * depth * (2 if partition == "natman" else 1)


def write_study(folder):
    """The records of STUDY, with made-up scores, below `folder`."""
    for job in study_jobs(STUDY):
        source, target, treatment = job.source, job.target, job.treatment
        networks = []
        for depth in job.depths:
            top1 = score(job.partition, source, target, treatment, depth)
            reading = {"top1": top1, "top5": 1.0, "loss": 1.0, "train_loss": 1.0}
            network = dict.fromkeys(RESULT_COLUMNS, 1) | {
                **{"partition": job.partition, "source": source, "target": target, "seed": job.seed},
                **{"treatment": treatment, "depth": depth, "top1_best10_mean": top1, "diverged": False},
                **{"preserve": 0, "init": "he", "norm_statistics": ""},
                "readings": [reading | {"iteration": iteration} for iteration in (10, 20)],
            }
            networks.append(network)
        versions = {"torch": "2"}
        made_by = {
            "seconds": 2.0,
            "images_per_second": 5.0,
            "device": "cpu",
            "code": "c",
            "versions": versions,
            "threads": 2,
            "workers": 1,
        }
        write_record(folder / f"{job.stem}.json", {"networks": networks, "provenance": made_by})
    return folder


def records_in(folder):
    return [file.record for file in load_records(STUDY, folder).values()]
