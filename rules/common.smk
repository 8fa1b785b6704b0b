# Paths, wildcards, parameters and resources of the rules, as functions of the configuration. No rules here.
#   needs  the configuration, read and checked; workflow_scripts/study/leaves.py says which leaves decide what
#   gives  names in capitals, and functions of wildcards for `input`, `params` and `resources`
import functools
import json
import os
import re
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
from workflow_scripts.config.figures import OWN_TABLES, caption_title, figure_files, filtered_jobs
from workflow_scripts.config.gpus import check_gpus
from workflow_scripts.config.inputs import RuleInputs
from workflow_scripts.config.study import check_made
from workflow_scripts.dataset.dataset import dataset_files
from workflow_scripts.plumbing.cli import exit_in_one_line
from workflow_scripts.plumbing.fingerprint import code_fingerprint
from workflow_scripts.plumbing.records import record_of
from workflow_scripts.study import leaves
from workflow_scripts.study.datasets import dataset_of, pair_partitions
from workflow_scripts.study.jobs import BASE_NAME, BASE_STEM, CURVE, CURVE_STEM, FEATURES_STEM
from workflow_scripts.study.jobs import PRETRAINED, PROBE_STEM, VARIANT, TrainingJob
from workflow_scripts.study.lines import LINE_STEM, line_of, seed_lines
from workflow_scripts.study.matrix import base_jobs, probe_jobs
from workflow_scripts.study.paths import dataset_folder, results_folder, shard_files, store_folder

with exit_in_one_line():
    FIGURES = figure_files(config)

TRAINED = config["results_table"] is None  # else a results table takes the place of training
RESULTS, TRAINING, RUNNING = str(results_folder(config)), config["training"], config["running"]
ANY = {**config, "dataset": {"name": "{dataset}"}}
DATASET, STORE = str(dataset_folder(ANY)), str(store_folder(ANY))  # with the wildcard `dataset`
BASES, PROBES = base_jobs(config), probe_jobs(config)
PRETRAINED_STEM = f"{RESULTS}/networks/pretrained"
PRETRAINS = any(entry.get("pretrained") for entry in config["matrix"])
NETWORK_FILES = [DESCRIPTION, *([f"{PRETRAINED_STEM}.json"] if PRETRAINS else [])]  # checked before any training
INPUTS = RuleInputs(config, NETWORK_FILES, PRETRAINED_STEM)
DATASETS, STORES = INPUTS.datasets, INPUTS.stores  # by name: the configuration with that dataset as its own; its store
SURVEYS = [f"{STORES[name]}/survey.json" for name in sorted(STORES)]
SAMPLES = [name for name, one in DATASETS.items() if one["dataset"]["kind"] == "sample"]
DOWNLOADS = [name for name, one in DATASETS.items() if one["dataset"]["download"]]
KINDS = {one["dataset"]["kind"] for one in DATASETS.values()}
DATASET_ENVIRONMENT = f"../envs/data{'_torchvision' if 'torchvision' in KINDS else ''}.yaml"
PAIRS = sorted(pair_partitions(config))
TORCH_ENVIRONMENT = f"../envs/torch_{TRAINING['device']}.yaml"
REFERENCE = {"reference" if key == "results" else key: file for key, file in (config["reference"] or {}).items()}
TABLES = ["effects", *(table for table in OWN_TABLES if table in FIGURES), "drops"]
TABLES = [*(["probes"] if "probes" in FIGURES else []), *TABLES, *(["comparison"] if REFERENCE else [])]
TABLES += [*(["tasks", "units"] if TRAINED else []), *(["shares"] if "filters" in FIGURES else [])]


def any_of(names):
    """A regular expression for one of `names`; for none of them, if there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    dataset=any_of(DATASETS),
    split="train|val",
    shard=r"\d{3}",
    partition="[A-Za-z][A-Za-z0-9_]*",
    half="A|B|whole",
    seed=r"\d+",
    of_seed=r"(seed\d+/)?",
    source="A|B|whole|random|pretrained",
    target="A|B|whole",
    base="base|base_twice",
    treatment="frozen|finetuned|staged",
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
def check_now():
    """Check what is there, in the first process, also for its jobs."""
    with exit_in_one_line():
        if workflow.is_main_process:
            check_made(config, placed, touches=workflow.touch)


def checked(_=None):
    """No file: an input function that checks what is there."""
    check_now()
    return []


@functools.cache
def dataset_now(name):
    """A dataset's state, checked before a first job needs it."""
    check_now()
    with exit_in_one_line():
        return dataset_state(DATASETS[name]["dataset"], Path(placed(STORES[name])))


def dataset_inputs(wildcards):
    """A drawn sample as a rule's input, whose record tracks its content.

    A dataset of the user's is none, because a path would count: its edition is a parameter. But files that are gone are
    inputs, since Snakemake then takes what was made from them as it is. A download leaves a record while it is needed.
    """
    name = wildcards.dataset
    if name in DOWNLOADS:
        return ancient(f"{dataset_folder(DATASETS[name])}/downloaded.json")
    if (missing := dataset_now(name).missing) or name not in SAMPLES:
        return [local(file) if MODULE else file for file in missing]  # a module's prefix is not the user's
    archives = dataset_folder(DATASETS[name]) / "archives"
    files = dataset_files({"kind": "sample"}, archives)
    return [*(ancient(str(file)) for file in files), f"{archives}/sample.json"]


def dataset_settings(wildcards):
    """The leaves that decide how a dataset is read."""
    return as_json(leaves.dataset_leaves(DATASETS[wildcards.dataset]["dataset"]))


def dataset_path(wildcards, output):
    """Where a dataset lies; `output` keeps Snakemake from comparing it (commands.uncompared)."""
    path = DATASETS[wildcards.dataset]["dataset"]["path"]
    return placed(path) if wildcards.dataset in SAMPLES else path


def partition_lists(wildcards, output):
    """The list files of a partition as options; partition_settings has their content."""
    return named_options(leaves.partition_files(config, wildcards.partition, wildcards.get("half")).items())


def partition_settings(wildcards):
    """The leaves that decide a partition's halves, or the half of a pair."""
    return as_json(leaves.partition_leaves(config, wildcards.partition, wildcards.get("half")))


def job_of(wildcards):
    """The training job of a rule's wildcards."""
    return TrainingJob.from_wildcards(wildcards)


def probe_depths(wildcards):
    """The depths of a job of probes."""
    return next(job.depths for job in probe_jobs(study_now()) if job.stem == job_of(wildcards).stem)


def source_options(wildcards, input):
    """The command-line options of a curve's source files; none for source `random`."""
    return named_options((name, input[name]) for name in ("source_task", "source_weights") if name in input.keys())


def job_settings(wildcards):
    """The leaves that decide a training job."""
    return as_json(leaves.job_leaves(TRAINING, job_of(wildcards)))


def records_of(named):
    """The records of a rule's input files, given by name. The step needs them; the files themselves make it stale."""
    files = [file for files in named.values() for file in ([files] if isinstance(files, str) else files)]
    records = {str(record_of(file)) for file in files if file.startswith((f"{RESULTS}/", *STORES.values()))}
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
