# Paths, wildcards, parameters and resources of the rules, as functions of the configuration. No rules here.
#   needs  config.yaml and the files of --configfile; workflow_scripts/study/leaves.py says which leaves decide what
#   gives  names in capitals, and functions of wildcards for `input`, `params` and `resources`
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)

from workflow_scripts.config import resources
from workflow_scripts.config.commands import (
    deciding_threads,
    named_options,
    tensorboard_folder,
    training_gpus,
    training_launcher,
)
from workflow_scripts.config.command_line import read_command_line
from workflow_scripts.config.failures import failure_lines, govern_restarts
from workflow_scripts.config.figures import figure_files
from workflow_scripts.config.file import check_config_file
from workflow_scripts.config.gpus import check_gpus
from workflow_scripts.config.grouping import grouped
from workflow_scripts.config.study import check_study
from workflow_scripts.dataset.dataset import dataset_bytes, dataset_files
from workflow_scripts.plumbing.cli import exit_in_one_line
from workflow_scripts.plumbing.fingerprint import code_fingerprint
from workflow_scripts.plumbing.records import record_of
from workflow_scripts.study import leaves
from workflow_scripts.study.jobs import BASE_STEM, CURVE, CURVE_STEM, VARIANT, TrainingJob
from workflow_scripts.study.matrix import base_jobs, curve_jobs
from workflow_scripts.study.paths import dataset_folder, results_folder, shard_files, store_folder

# Steps run as `python -m workflow_scripts.<room>.<step>` with the interpreter that runs Snakemake. A conda environment
# comes before it on the PATH and replaces it.
os.environ.update(
    PATH=os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()]),
    PYTHONPATH=workflow.basedir,
)

with exit_in_one_line():  # a WorkflowError would add the place in this file
    # Snakemake has read the files of its command line before this one, but not yet config.yaml.
    for path in map(Path, ["config.yaml", *workflow.configfiles]):
        if path.is_file():
            check_config_file(path)


configfile: "config.yaml"


COMMAND_LINE = read_command_line(sys.argv[1:])
with exit_in_one_line():
    check_study(config, Path(workflow.basedir) / "schemas/config.schema.yaml", COMMAND_LINE)
    config["running"] = grouped(config, results_folder(config), code_fingerprint("training.engine"))["running"]
    FIGURES = figure_files(config)

TRAINED = config["results_table"] is None  # else a results table takes the place of training
DATASET, STORE, RESULTS = (str(folder(config)) for folder in (dataset_folder, store_folder, results_folder))
TRAINING, RUNNING = config["training"], config["running"]
DATASET_KIND, DATASET_PATH = config["dataset"]["kind"], config["dataset"]["path"]
SAMPLE_RECORD = f"{DATASET_PATH}/sample.json"
BASES, CURVES = base_jobs(config), curve_jobs(config)
TORCH_ENVIRONMENT = f"../envs/torch_{TRAINING['device']}.yaml"
REFERENCE = dict(config["reference"] or {})
TABLES = ["effects", "boost", "drops", *(["comparison"] if REFERENCE else []), *(["shares"] if TRAINED else [])]


wildcard_constraints:
    split="train|val",
    shard=r"\d{3}",
    partition="[A-Za-z][A-Za-z0-9_]*",
    half="A|B|whole",
    seed=r"\d+",
    source="A|B|whole|random",
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


def dataset_inputs():
    """The dataset as a rule's input. Touching it makes nothing stale. The record of a sample tracks its content."""
    record = [SAMPLE_RECORD] if DATASET_KIND == "sample" else []
    return [*(ancient(str(file)) for file in dataset_files(DATASET_KIND, DATASET_PATH)), *record]


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


def partition_settings(wildcards):
    """The leaves that decide a partition's halves."""
    return as_json(leaves.partition_leaves(config, wildcards.partition))


def task_files(partition, half, lead=""):
    """A task file, `ancient`, and the JSON record that tracks its content: touching the file retrains nothing."""
    task = f"{RESULTS}/tasks/{partition}-{half}"
    return {f"{lead}task": ancient(f"{task}.npz"), f"{lead}task_record": f"{task}.json"}


def base_files(job, lead=""):
    """The weights of a base network, `ancient`, and the JSON record that tracks them."""
    stem = f"{RESULTS}/{job.stem}"
    return {f"{lead}weights": ancient(f"{stem}.safetensors"), f"{lead}record": f"{stem}.json"}


def job_of(wildcards):
    """The training job of a rule's wildcards."""
    return TrainingJob.from_wildcards(wildcards)


def training_inputs(wildcards):
    """All inputs of a training job: store, task and, for a curve, its source's task (for the mean image) and network."""
    job = job_of(wildcards)
    files = store_files() | task_files(job.partition, job.target)
    if (source := job.source_job) is not None:
        files |= task_files(source.partition, source.target, "source_") | base_files(source, "source_")
    return files


def source_options(wildcards, input):
    """The command-line options of a curve's source files; none for source `random`."""
    return named_options((name, input[name]) for name in ("source_task", "source_weights") if name in input.keys())


def half_files(wildcards):
    """Tasks and base networks of both halves of a partition."""
    files = {}
    for half in "AB":
        files |= task_files(wildcards.partition, half, f"{half.lower()}_")
        files |= base_files(TrainingJob.base(wildcards.partition, int(wildcards.seed), half), f"{half.lower()}_")
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
    """What a figure is made from, by the options of its step; the records of networks' weights track them."""
    files = FIGURES[figure]
    return files | {name: [ancient(file) for file in files[name]] for name in ("weights",) if name in files}


def calibration():
    """The record of this machine's speed, where the configuration gives none."""
    return [f"{RESULTS}/calibration.json"] if config["plan"]["images_per_second"] is None else []
