# Paths, wildcards, parameters and resources of the rules, as functions of the configuration. No rules here.
#   needs  the configuration, read and checked; workflow_scripts/study/leaves.py says which leaves decide what
#   gives  names in capitals, and functions of wildcards for `input`, `params` and `resources`
import functools
import json
import os
from pathlib import Path

from workflow_scripts.config import commands, resources
from workflow_scripts.config.commands import (
    contents,
    deciding_threads,
    named_options,
    tensorboard_folder,
    training_gpus,
    training_launcher,
    uncompared,
)
from workflow_scripts.config.dataset_state import dataset_state
from workflow_scripts.config.failures import failure_lines, govern_restarts
from workflow_scripts.config.figures import caption_title, figure_files
from workflow_scripts.config.gpus import check_gpus
from workflow_scripts.config.study import check_made
from workflow_scripts.dataset.dataset import dataset_files
from workflow_scripts.plumbing.cli import exit_in_one_line
from workflow_scripts.plumbing.fingerprint import code_fingerprint
from workflow_scripts.plumbing.records import record_of
from workflow_scripts.study import leaves
from workflow_scripts.study.jobs import BASE_STEM, CURVE, CURVE_STEM, PRETRAINED, VARIANT, TrainingJob
from workflow_scripts.study.matrix import base_jobs
from workflow_scripts.study.paths import dataset_folder, results_folder, shard_files, store_folder

with exit_in_one_line():
    FIGURES = figure_files(config)

TRAINED = config["results_table"] is None  # else a results table takes the place of training
DATASET, STORE, RESULTS = (str(folder(config)) for folder in (dataset_folder, store_folder, results_folder))
TRAINING, RUNNING = config["training"], config["running"]
DATASET_LEAVES, DATASET_KIND = leaves.dataset_leaves(config["dataset"]), config["dataset"]["kind"]
DATASET_PATH = f"{DATASET}/archives" if DATASET_KIND == "sample" else config["dataset"]["path"]
DATASET_PLACE = placed(DATASET_PATH) if DATASET_KIND == "sample" else DATASET_PATH
SAMPLE_RECORD = f"{DATASET_PATH}/sample.json"
BASES = base_jobs(config)
PRETRAINED_STEM = f"{RESULTS}/networks/pretrained"
PRETRAINS = any(entry.get("pretrained") for entry in config["matrix"])
NETWORK_FILES = [DESCRIPTION, *([f"{PRETRAINED_STEM}.json"] if PRETRAINS else [])]  # checked before any training
TORCH_ENVIRONMENT = f"../envs/torch_{TRAINING['device']}.yaml"
REFERENCE = {"reference" if key == "results" else key: file for key, file in (config["reference"] or {}).items()}
TABLES = ["effects", *(table for table in ("boost", "norm_statistics", "target_images") if table in FIGURES), "drops"]
TABLES += [*(["comparison"] if REFERENCE else []), *(["units", "shares"] if TRAINED else [])]


wildcard_constraints:
    split="train|val",
    shard=r"\d{3}",
    partition="[A-Za-z][A-Za-z0-9_]*",
    half="A|B|whole",
    seed=r"\d+",
    source="A|B|whole|random|pretrained",
    target="A|B|whole",
    treatment="frozen|finetuned",
    variant=VARIANT,
    depths=r"\d+(-\d+)*",


def as_json(value):
    """A parameter of a rule as JSON, the same text for the same value."""
    return json.dumps(value, sort_keys=True)


def input_options(wildcards, input):
    """A step's input files as options of their names."""
    return named_options(input.items())


def output_options(wildcards, output):
    """A step's output files as options of their names."""
    return named_options(output.items())


@functools.cache
def dataset_now():
    """The dataset's state. Before a first job needs it, the first process checks what is there, also for its jobs."""
    with exit_in_one_line():
        if workflow.is_main_process:
            check_made(config, placed, touches=workflow.touch)
        return dataset_state(config["dataset"], Path(placed(STORE)))


def checked(_=None):
    """No file: an input function that checks what is there."""
    dataset_now()
    return []


def dataset_inputs(_=None):
    """The drawn sample as a rule's input, whose record tracks its content.

    A dataset of the user's is none, because a path would count: its edition is a parameter. But files that are gone are
    inputs, since Snakemake then takes what was made from them as it is.
    """
    if (missing := dataset_now().missing) or DATASET_KIND != "sample":
        return [local(file) if MODULE else file for file in missing]  # a module's prefix is not the user's
    return [*(ancient(str(file)) for file in dataset_files(DATASET_LEAVES, DATASET_PATH)), SAMPLE_RECORD]


def ancient_shards(*suffixes):
    """The shards' files of these suffixes; the manifest tracks their content."""
    return [ancient(file) for file in shard_files(config, *suffixes)]


def store_files(_=None):
    """The packed store for reading."""
    return {
        "manifest": f"{STORE}/manifest.json",
        "shards": ancient_shards("u8", "csv", "crc"),
        "classes": f"{STORE}/classes.csv",
        "survey": ancient(f"{STORE}/survey.json"),
    }


def partition_lists(wildcards, output):
    """The list files of a partition as options; partition_settings has their content."""
    return named_options(leaves.partition_files(config, wildcards.partition).items())


def partition_settings(wildcards):
    """The leaves that decide a partition's halves."""
    return as_json(leaves.partition_leaves(config, wildcards.partition))


def task_files(job, lead=""):
    """A job's task, `ancient`, and the JSON record that tracks its content: touching the file retrains nothing."""
    task = f"{RESULTS}/{job.task}"
    return {f"{lead}task": ancient(f"{task}.npz"), f"{lead}task_record": f"{task}.json"}


def weights_files(stem, lead=""):
    """The weights of a network, `ancient`, and the JSON record that tracks them."""
    return {f"{lead}weights": ancient(f"{stem}.safetensors"), f"{lead}record": f"{stem}.json"}


def job_of(wildcards):
    """The training job of a rule's wildcards."""
    return TrainingJob.from_wildcards(wildcards)


def training_inputs(wildcards):
    """All inputs of a training job: store, task and, for a curve, its source's task (for the mean image) and network."""
    job = job_of(wildcards)
    files = store_files() | task_files(job)
    if (source := job.source_job) is not None:
        files |= task_files(source, "source_")
        files |= weights_files(f"{RESULTS}/{source.stem}", "source_")
    if job.source == PRETRAINED:
        files |= weights_files(PRETRAINED_STEM, "source_")
    return files | {"network": [ancient(file) for file in NETWORK_FILES]}


def source_options(wildcards, input):
    """The command-line options of a curve's source files; none for source `random`."""
    return named_options((name, input[name]) for name in ("source_task", "source_weights") if name in input.keys())


def half_files(wildcards):
    """Tasks and base networks of both halves of a partition."""
    files = {}
    for half in "AB":
        job = TrainingJob.base(wildcards.partition, int(wildcards.seed), half)
        files |= task_files(job, f"{half.lower()}_")
        files |= weights_files(f"{RESULTS}/{job.stem}", f"{half.lower()}_")
    return files


def job_settings(wildcards):
    """The leaves that decide a training job."""
    return as_json(leaves.job_leaves(TRAINING, job_of(wildcards)))


def records_of(named):
    """The records of a rule's input files, given by name. The step needs them; the files themselves make it stale."""
    files = [file for files in named.values() for file in ([files] if isinstance(files, str) else files)]
    records = {str(record_of(file)) for file in files if file.startswith((f"{RESULTS}/", f"{STORE}/"))}
    return [ancient(record) for record in sorted(records - set(files))]


def figure_inputs(figure):
    """What steps made for a figure, by the options of its step; the records of networks' weights track them."""
    files = {name: file for name, file in FIGURES[figure].items() if name != "reference"}
    return files | {name: [ancient(file) for file in files[name]] for name in ("weights",) if name in files}


def figure_reference(figure):
    """The published results that a figure shows; their content counts, not where they lie."""
    return {"reference": REFERENCE["reference"]} if "reference" in FIGURES[figure] else {}


def calibration():
    """The record of this machine's speed, where the configuration gives none."""
    return [f"{RESULTS}/calibration.json"] if config["plan"]["images_per_second"] is None else []
