# Helpers for the rules: paths, parameters and resources as functions of the configuration. No rules here.
import json
import math
import os
import shlex
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)

from workflow_scripts import matrix
from workflow_scripts.architectures import ARCHITECTURES, layer_costs
from workflow_scripts.cli import InputError
from workflow_scripts.config import SAMPLE_CLASS_COUNT, check_config, check_dataset, check_store
from workflow_scripts.config_file import check_config_file
from workflow_scripts.dataset import ILSVRC_ARCHIVES, ilsvrc_files
from workflow_scripts.files import check_writable
from workflow_scripts.fingerprint import code_fingerprint
from workflow_scripts.partition_names import parse_partition
from workflow_scripts.refusal import refusal
from workflow_scripts.schedules import iterations_of
from workflow_scripts.seals import record_of
from workflow_scripts.settings import deciding_leaves, training_leaves
from workflow_scripts.snakemake_notes import check_notes
from workflow_scripts.store_layout import packed_bytes
from workflow_scripts.study_figures import study_figures

# Steps run as `python -m workflow_scripts.<step>` with the interpreter that runs Snakemake, unless a conda
# environment, which comes first on the PATH, replaces it.
os.environ.update(
    PATH=os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()]),
    PYTHONPATH=workflow.basedir,
)

try:
    # Snakemake has read the files of its command line before this one, but not yet config.yaml.
    for path in map(Path, ["config.yaml", *workflow.configfiles]):
        if path.is_file():
            check_config_file(path)
except InputError as error:
    sys.exit(f"error: {refusal(error)}")  # a WorkflowError would add the place in this file


configfile: "config.yaml"


try:
    check_config(config, Path(workflow.basedir) / "schemas/config.schema.yaml")
    TRAINED = config["results_table"] is None  # else a results table takes the place of training
    # `make plan` tells the price without the data; Snakemake knows its targets only after this.
    if TRAINED and "plan" not in sys.argv:
        check_dataset(config["dataset"])
    DATASET = f"data/{config['dataset']['name']}"
    STORE = f"{DATASET}/packed_{config['store']['image_size']}_{config['store']['resize']}"
    check_store(Path(STORE), config["store"]["max_bad_fraction"])
    check_writable(".snakemake")  # Snakemake's own words are a traceback
    if not {"-n", "--dry-run", "--dryrun"} & set(sys.argv):
        finished = Path(STORE, "manifest.json").exists() or not TRAINED
        check_writable(f"results/{config['study']}", *([] if finished else [STORE]))
    if not {"-t", "--touch", "verify"} & set(sys.argv):
        check_notes(f"results/{config['study']}")
    FIGURE_NAMES = study_figures(config)
except InputError as error:
    sys.exit(f"error: {refusal(error)}")

RESULTS = f"results/{config['study']}"
SAMPLE_RECORD = f"{config['dataset']['path']}/sample.json"
BASES = matrix.base_jobs(config)
CURVES = matrix.curve_jobs(config)
PARTITION_CSV = {entry["partition"]: entry.get("csv") for entry in config["matrix"]}
TORCH_ENVIRONMENT = f"../envs/torch_{config['training']['device']}.yaml"
PAIRS = sorted({(job.partition, job.seed) for job in CURVES if job.source not in {job.target, "random"}})
TRAIN_IMAGES_GUESS = 1_281_167  # ILSVRC-2012's, where the configuration does not tell the number


wildcard_constraints:
    split="train|val",
    shard=r"\d{3}",
    partition="[A-Za-z][A-Za-z0-9_]*",
    half="A|B|whole",
    seed=r"\d+",
    source="A|B|whole|random",
    target="A|B|whole",
    treatment="frozen|finetuned",
    variant=matrix.VARIANT,
    depths=r"\d+(-\d+)*",


def dataset_files():
    """The files of the dataset, the user's own or, for kind `sample`, drawn by the workflow."""
    kind, path = config["dataset"]["kind"], config["dataset"]["path"]
    if kind == "sample":
        return [f"{path}/{name}" for name in ILSVRC_ARCHIVES]
    return [path] if kind == "folder" else [str(file) for file in ilsvrc_files(path)]


def dataset_inputs():
    """The dataset as rules' input: a touch makes nothing stale; the sample's record stands for its content."""
    record = [SAMPLE_RECORD] if config["dataset"]["kind"] == "sample" else []
    return [*(ancient(file) for file in dataset_files()), *record]


def dataset_bytes(_):
    """Sizes of archives that the workflow does not make: others of the same name are noticed, a touch is not."""
    kind = config["dataset"]["kind"]
    files = [Path(name) for name in dataset_files()]
    return [file.stat().st_size for file in files if kind != "sample" and file.is_file()]


def shard_files(*suffixes):
    """The files with `suffixes` of all shards: pixels (u8), index (csv), checksums (crc), record (json)."""
    counts = {split: config["store"][f"{split}_shards"] for split in ("train", "val")}
    shards = [f"{STORE}/{split}-{shard:03d}" for split, count in counts.items() for shard in range(count)]
    return [f"{shard}.{suffix}" for shard in shards for suffix in suffixes]


def pack_settings(wildcards):
    """The leaves that decide a shard's content, as JSON."""
    store = config["store"]
    settings = {key: store[key] for key in ("image_size", "resize")}
    return json.dumps(settings | {"shards": store[f"{wildcards.split}_shards"]}, sort_keys=True)


def packed_images(split):
    """How many images a split has, as far as the configuration tells."""
    if config["dataset"]["kind"] == "sample":
        return SAMPLE_CLASS_COUNT * config["dataset"]["sample"][f"{split}_per_class"]
    return TRAIN_IMAGES_GUESS if split == "train" else 50_000


def sample_images():
    """How many images the sample has."""
    return packed_images("train") + packed_images("val")


def sample_minutes(_, threads):
    """2.5 ms an image and thread (measured; the slower half of the classes), and a minute to start."""
    return 1 + math.ceil(sample_images() * 0.0025 / threads / 60)


def sample_memory(_):
    """Megabytes: 500 for two processes, and 3 kB an image three times over, since archives are built in memory."""
    return 500 + math.ceil(3 * 3e-3 * sample_images())


def task_minutes(_):
    """Reading all training images once at 100 MB/s (a network file system), and a minute to start."""
    return 1 + math.ceil(packed_bytes(packed_images("train"), config["store"]["image_size"]) / 100e6 / 60)


def pack_memory(_, threads, attempt):
    """Megabytes, more at every attempt: 100 for Python with numpy and pandas, and per thread an image of as many pixels as Pillow takes for a
    decompression bomb (90 million) at 9 bytes, as transparent ones need; photographs take a tenth."""
    return attempt * (100 + 850 * threads)


def pack_minutes(wildcards, threads, attempt):
    """More at every attempt: decoding 100 full-size JPEGs a second per thread (an AMD EPYC core reached 320), and a minute to start."""
    shards = config["store"][f"{wildcards.split}_shards"]
    return attempt * (1 + math.ceil(packed_images(wildcards.split) / shards / threads / 100 / 60))


def partition_leaves(partition):
    """The leaves that decide a partition's halves, None where unused; the content of list files counts as input."""
    csv = PARTITION_CSV[partition]
    natman = config["natman"] if parse_partition(partition).family == "natman" and csv is None else {}
    return {"csv": csv, "artifact": natman.get("artifact"), "extra_artifacts": natman.get("extra_artifacts")}


def partition_settings(wildcards):
    """partition_leaves as JSON."""
    return json.dumps(partition_leaves(wildcards.partition), sort_keys=True)


def partition_files(wildcards):
    """The list files that a partition is read from."""
    leaves = partition_leaves(wildcards.partition)
    return [leaves[key] for key in ("csv", "extra_artifacts") if leaves[key]]


def task_files(partition, half):
    """A task's arrays, whose content its small record stands for, so that a touch does not retrain."""
    task = f"{RESULTS}/tasks/{partition}-{half}"
    return {"task": ancient(f"{task}.npz"), "task_record": f"{task}.json"}


def store_files(_=None):
    """The packed store for reading: the manifest stands for the content of the shards."""
    return {
        "manifest": f"{STORE}/manifest.json",
        "shards": [ancient(file) for file in shard_files("u8", "csv", "crc")],
        "classes": f"{STORE}/classes.csv",
        "survey": ancient(f"{STORE}/survey.json"),
    }


def source_files(wildcards):
    """What a curve takes from its source: the task (for its mean image) and the base network; random has neither."""
    if wildcards.source == "random":
        return {}
    task = task_files(wildcards.partition, wildcards.source)
    base = f"{RESULTS}/{matrix.BaseJob(wildcards.partition, wildcards.seed, wildcards.source).stem}"
    return {
        "source_task": task["task"],
        "source_task_record": task["task_record"],
        "source_weights": ancient(f"{base}.safetensors"),
        "source_record": f"{base}.json",
    }


def curve_inputs(wildcards):
    """All inputs of a curve job."""
    return {**store_files(), **task_files(wildcards.partition, wildcards.target), **source_files(wildcards)}


def source_options(wildcards, input):
    """The command-line options for what source_files names."""
    if wildcards.source == "random":
        return ""
    return shlex.join(["--source-task", input.source_task, "--source-weights", input.source_weights])


def curve_outputs():
    """A curve job's record and, where the configuration keeps them, its networks' weights."""
    stem = (
        f"{RESULTS}/curves/{{partition}}/seed{{seed}}/{{source}}-{{target}}-{{treatment}}{{variant}}/depths-{{depths}}"
    )
    weights = {"weights": f"{stem}.safetensors"} if config["training"]["keep_curve_weights"] else {}
    return {"record": f"{stem}.json", **weights}


def study_matrix():
    """The leaves that decide which networks a study has, as JSON."""
    leaves = {key: config[key] for key in ("seeds", "depths", "matrix")}
    leaves["training"] = {key: config["training"][key] for key in ("depths_per_job", "init")}
    return json.dumps(leaves, sort_keys=True)


def base_settings():
    """The leaves that decide a base network, as JSON."""
    return json.dumps(training_leaves(config["training"], "base"), sort_keys=True)


def curve_settings(wildcards):
    """The leaves that decide a curve, as JSON."""
    _, init = matrix.parse_variant(wildcards.variant)
    other_source = wildcards.source not in {wildcards.target, "random"}
    leaves = training_leaves(config["training"], wildcards.treatment, init, other_source)
    return json.dumps(leaves, sort_keys=True)


def all_settings():
    """The leaves that decide any training, as JSON."""
    return json.dumps(deciding_leaves(config["training"]), sort_keys=True)


def tensorboard_folder(stem):
    """Where a training job writes its event files, "''" if it does not; a resource of its rule, since it decides no
    result."""
    return f"{RESULTS}/tensorboard/{stem}" if config["training"]["tensorboard"] else "''"


def cpu_threads():
    """The threads of a training job where they decide its bits (the order of sums), that is, on the CPU."""
    return config["training"]["threads"] if config["training"]["device"] == "cpu" else None


def training_gpus(_=None):
    """Devices of a training job (with training.jobs_per_gpu above 1, places on devices)."""
    return config["training"]["gpus_per_job"] if config["training"]["device"] == "cuda" else 0


def training_launcher():
    """How Python starts a training: by torchrun where it has several GPUs, which is part of what decides its bits."""
    several = training_gpus() > 1
    return f"-m torch.distributed.run --standalone --nproc-per-node {training_gpus()} -m" if several else "-m"


def training_memory(networks):
    """Megabytes: 800 for Python with torch (740 measured on the CPU), four copies of each network's weights
    (weights, gradient, momentum, checkpoint), and the activations and gradients of a batch for one network at a time.
    """
    training = config["training"]
    costs = layer_costs(ARCHITECTURES[training["architecture"]](), training["crop"], classes=1000)
    weights = 4 * sum(cost.parameters for cost in costs)
    activations = 4 * 3 * sum(cost.output_shape[0] * cost.output_shape[1] ** 2 for cost in costs)
    batch = training["batch_size"] * (4 * 3 * training["crop"] ** 2 + 8 * activations)
    return 800 + math.ceil((4 * weights * (networks + 1) + batch) / 1e6)


def training_minutes(networks):
    """Minutes: 6 operations per multiplication, image and iteration for each network, at a rate of 20 GFLOP/s per CPU
    thread (half of what the sample study reached on an AMD EPYC core) or 5 TFLOP/s on a GPU (not measured), and a third
    more for validation; a frozen prefix makes it less. A minute to start."""
    training = config["training"]
    costs = layer_costs(ARCHITECTURES[training["architecture"]](), training["crop"], classes=1000)
    iterations = iterations_of(training["duration"], packed_images("train"), training["batch_size"])
    operations = 6 * sum(cost.multiplications for cost in costs) * training["batch_size"] * iterations
    rate = 5e12 if training["device"] == "cuda" else 20e9 * training["threads"]
    return 1 + math.ceil(4 / 3 * networks * operations / rate / 60)


def records_of(named):
    """The records that vouch for a rule's intermediate input files, given by name; what the files hold decides when the
    rule runs again."""
    files = [file for files in named.values() for file in ([files] if isinstance(files, str) else files)]
    records = {str(record_of(file)) for file in files if file.startswith((f"{RESULTS}/", f"{STORE}/"))}
    return [ancient(record) for record in sorted(records - set(files))]


def input_options(wildcards, input):
    """A step's input files as options of their names."""
    return named_options(input)


def output_options(wildcards, output):
    """A step's output files as options of their names."""
    return named_options(output)


def named_options(named):
    """`--name file...` for each name of a rule's files."""
    words = []
    for name, files in named.items():
        words += [f"--{name.replace('_', '-')}", *([files] if isinstance(files, str) else files)]
    return shlex.join(words)


def base_weights():
    """The weights of all base networks, whose content their small records stand for, so that a touch redraws nothing."""
    return [ancient(f"{RESULTS}/{job.stem}.safetensors") for job in BASES]


def half_files(wildcards):
    """Tasks and base networks of both halves, which their small records stand for."""
    files = {}
    for half in "AB":
        task = task_files(wildcards.partition, half)
        base = f"{RESULTS}/{matrix.BaseJob(wildcards.partition, wildcards.seed, half).stem}"
        files |= {f"task_{half.lower()}": task["task"], f"task_{half.lower()}_record": task["task_record"]}
        files |= {f"weights_{half.lower()}": ancient(f"{base}.safetensors"), f"{half.lower()}_record": f"{base}.json"}
    return files


def similarity_settings():
    """The leaves that decide what a base network makes of an image, as JSON."""
    leaves = ("architecture", "crop", "input_scale", "init", "mean_image")
    return json.dumps({key: config["training"][key] for key in leaves}, sort_keys=True)


def similarity_memory():
    """Megabytes: 800 for Python with torch, and of all images the largest layer's outputs before its pool, three times
    over, and the images for both networks."""
    training, images = config["training"], config["figures"]["similarity_images"]
    costs = layer_costs(ARCHITECTURES[training["architecture"]](), training["crop"], classes=1000)
    largest = max(cost.output_shape[0] * cost.output_shape[1] ** 2 for cost in costs)
    return 1000 + math.ceil(4 * images * (3 * largest + 6 * training["crop"] ** 2) / 1e6)


def figure_inputs():
    """The step of each figure of the study, and what it is made from, in the order of the report."""
    results = {"results": f"{RESULTS}/results.csv"}
    partitions = sorted({job.partition for job in CURVES})
    similarity = [f"{RESULTS}/similarity/{partition}-seed{seed}.csv" for partition, seed in PAIRS]
    reference = (config["reference"] or {}).get("results")
    every = {
        "figure2": ("plot_transfer", results),
        "effects": ("plot_effects", {"effects": f"{RESULTS}/tables/effects.csv"}),
        "boost": ("plot_boost", {"table": f"{RESULTS}/tables/boost.csv"}),
        "figure3": ("plot_distance", results),
        "hierarchy": (
            "plot_hierarchy",
            results | {"partitions": [f"{RESULTS}/partitions/{name}.json" for name in partitions]},
        ),
        "reduced": ("plot_reduced", results),
        "preserved": ("plot_preserved", results),
        "comparison": ("plot_comparison", results | {"reference": reference}),
        "similarity": ("plot_similarity", results | {"similarity": similarity}),
        "filters": (
            "plot_filters",
            {
                "filters": f"{RESULTS}/tables/filters.csv",
                "shares": f"{RESULTS}/tables/shares.csv",
                "weights": base_weights(),
            },
        ),
        "learning": ("plot_learning", {"readings": f"{RESULTS}/learning_curves.csv"}),
    }
    return {name: every[name] for name in FIGURE_NAMES}


FIGURES = figure_inputs()
REFERENCE = dict(config["reference"] or {})
TABLES = ["effects", "boost", "drops", *(["comparison"] if REFERENCE else []), *(["shares"] if TRAINED else [])]


def speed_settings():
    """The leaves of training that decide how long an iteration takes, as JSON."""
    leaves = ("architecture", "crop", "batch_size", "device", "precision", "compile")
    return json.dumps({key: config["training"][key] for key in leaves}, sort_keys=True)


def calibration():
    """The record of this machine's speed, where the configuration gives none."""
    return [f"{RESULTS}/calibration.json"] if config["plan"]["images_per_second"] is None else []


def calibration_option(wildcards, input):
    """`--calibration` and the record's path, if there is one."""
    return shlex.join(["--calibration", *calibration()]) if calibration() else ""


def cost_settings():
    """The leaves that decide what a study costs, and the numbers of classes and images as far as they are known before
    the dataset is surveyed, as JSON."""
    used = ("architecture", "crop", "init", "batch_size", "duration", "validate_every", "device", "threads")
    used += ("gpus_per_job", "depths_per_job", "keep_curve_weights")
    leaves = {key: config[key] for key in ("study", "seeds", "depths", "matrix")} | config["plan"]
    leaves["training"] = {key: config["training"][key] for key in used}
    leaves["image_size"] = config["store"]["image_size"]
    leaves["classes"] = SAMPLE_CLASS_COUNT if config["dataset"]["kind"] == "sample" else 1000
    leaves |= {f"{split}_images": packed_images(split) for split in ("train", "val")}
    leaves["memory_mb"] = training_memory(max((len(job.depths) for job in CURVES), default=1))
    return json.dumps(leaves, sort_keys=True)
