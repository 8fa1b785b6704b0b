"""Which leaves of the configuration decide what. The rules' `params` hold these leaves and no others.

Each function returns the leaves that one kind of target uses. A change of any other leaf therefore keeps the target.
Light on purpose: the Snakefile calls this at parse time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from workflow_scripts.plumbing.files import sha256_file
from workflow_scripts.study.datasets import pair_halves
from workflow_scripts.study.jobs import BASE_TWICE, RANDOM, STAGED, TrainingJob
from workflow_scripts.study.mini_resnets import variant_name
from workflow_scripts.study.partition_names import parse_partition, plain_partition

SCHEDULE_LEAVES = {"step": ("kind", "step", "gamma"), "cosine": ("kind", "warmup")}
GROUPING = ("depths_per_job", "made")  # which depths of a curve one job trains
# Leaves of `training` in which a curve may differ from the base network of its source.
CURVES_OWN = {"learning_rate", "staged_learning_rate", "mean_image", "init", "norm_statistics", "frozen_dropout"}
NOT_LEAVES = {"pretrained", "mini_resnet"}  # the weights' file and the architecture's full name take their place
# Leaves of `dataset` that some kinds use.
DATASET_LEAVES = {"folder": ("split", "exclude", "follow_links"), "table": ("split", "exclude")}
DATASET_LEAVES |= {"torchvision": ("options", "split", "exclude")}
# Leaves that decide what a network makes of an image.
VIEW_LEAVES = ("architecture", "crop", "init", "input", "input_scale", "mean_image", "channels")
VIEW_KEYS = {"mean_image": ("input_scale", "mean_image"), "channels": ("channels",)}  # of training.input


def training_leaves(training: Mapping) -> dict:
    """What decides a study's networks: the section `training` without the leaves that its kinds of schedule and of
    input ignore.
    """
    schedule = training["schedule"]
    unused = NOT_LEAVES | {key for kind, keys in VIEW_KEYS.items() if kind != training["input"] for key in keys}
    leaves = {key: value for key, value in training.items() if key not in unused}
    leaves["architecture"] = architecture_name(training)
    if not tries_rates(training):
        leaves.pop("held_out_share", None)
    return leaves | {"schedule": {key: schedule[key] for key in SCHEDULE_LEAVES[schedule["kind"]]}}


def rates_of(rates: float | Sequence[float]) -> list[float]:
    """The learning rates of a treatment, of which a configuration gives one or a list."""
    return list(rates) if isinstance(rates, Sequence) else [rates]


def tries_rates(training: Mapping) -> bool:
    """Whether a study tries several learning rates for a treatment, and so holds out training images to choose one."""
    return any(len(rates_of(rates)) > 1 for rates in training.get("learning_rate", {}).values())


def architecture_name(training: Mapping) -> str:
    """The architecture's name in full: that of mini_resnet says its variant (mini_resnets.variant_name).

    `training` may be training_leaves, which have that name already.
    """
    name = training["architecture"]
    if name != "mini_resnet" or "mini_resnet" not in training:
        return name
    return variant_name(training["mini_resnet"])


def job_leaves(training: Mapping, job: TrainingJob) -> dict:
    """What decides one training job's networks: training_leaves with its treatment's learning rate, its own initial
    weights and what its frozen units do.

    mean_image counts only where the source is another task. Elsewhere both choices are the same.
    """
    leaves = training_leaves(training) | frozen_leaves(training, job)
    rates = training["learning_rate"]
    leaves |= {"init": job.init or training["init"], "learning_rate": rates_of(rates[job.learns_as])[0]}
    if job.treatment == STAGED:
        leaves["staged_learning_rate"] = job.rate or rates_of(rates["finetuned"])[0]
    elif job.rate:
        leaves["learning_rate"] = job.rate
    if job.treatment == BASE_TWICE:
        leaves["stretched"] = job.durations
    if "mean_image" in leaves and job.kind != "transfer":
        leaves["mean_image"] = "target"
    return leaves


def frozen_leaves(training: Mapping, job: TrainingJob) -> dict:
    """What norms and dropout in a job's frozen units do; the same for all jobs that have none."""
    if job.learns_as != "frozen":
        return {"norm_statistics": "source", "frozen_dropout": True}
    statistics = job.norm_statistics or plain_statistics(training["norm_statistics"], job.source)
    return {"norm_statistics": statistics, "frozen_dropout": training["frozen_dropout"]}


def plain_statistics(study: str, source: str) -> str:
    """The norm statistics of a frozen curve whose entry of the matrix gives none. An untrained source has no own."""
    return "target" if source == RANDOM and study == "source" else study


def base_leaves(leaves: Mapping) -> dict:
    """Those of a curve's `leaves` that its source's base network has too."""
    return {key: value for key, value in leaves.items() if key not in CURVES_OWN}


def feature_leaves(training: Mapping, job: TrainingJob) -> dict:
    """What decides the features of a probe `job`. They are those of a frozen curve, but that norms use the source's
    statistics in place of `batch`, which would make an image's features depend on others.
    """
    leaves = job_leaves(training, replace(job, treatment="frozen"))
    keys = (*VIEW_LEAVES, "batch_size", "device", "precision", "norm_statistics")
    kept = {key: leaves[key] for key in keys if key in leaves}
    return kept | ({"norm_statistics": "source"} if kept["norm_statistics"] == "batch" else {})


def matrix_leaves(config: Mapping) -> dict:
    """What decides which networks a study has, of which datasets, and in which jobs they are trained."""
    leaves = {"seeds": config["seeds"], "depths": config["depths"], "matrix": _matrix(config)}
    leaves["dataset"] = {"name": config["dataset"]["name"]}
    keys = ("init", "norm_statistics", *(["learning_rate"] if tries_rates(config["training"]) else []))
    leaves["training"] = {key: config["training"][key] for key in keys}
    leaves["running"] = {key: config["running"][key] for key in GROUPING if key in config["running"]}
    return leaves


def partition_leaves(config: Mapping, partition: str, half: str = "") -> dict:
    """What decides a partition's halves, None where unused. A list file counts by the SHA-256 of its content.

    Of a pair it is what decides its `half`, with the dataset, partition and half that it is `of`.
    A partition of drawn images has the leaves of the partition that they are drawn from.
    """
    files = {key: sha256_file(file) for key, file in partition_files(config, partition, half).items()}
    natman = "csv" not in files and _family(config, partition, half) == "natman"
    leaves = {"csv": None, "artifact": config["natman"]["artifact"] if natman else None, "extra_artifacts": None}
    pair = pair_halves(config, partition)
    return leaves | files | ({"of": asdict(pair[half])} if pair else {})


def partition_files(config: Mapping, partition: str, half: str = "") -> dict[str, str]:
    """The list files that a partition, or the `half` of a pair, is read from: `csv`, `extra_artifacts` or none."""
    csvs = {entry["partition"]: entry.get("csv") for entry in config["matrix"]}
    files = {"csv": csvs[plain_partition(partition)]}
    if not files["csv"] and _family(config, partition, half) == "natman":
        files = {"extra_artifacts": config["natman"]["extra_artifacts"]}
    return {key: file for key, file in files.items() if file}


def _family(config: Mapping, partition: str, half: str) -> str:
    """The family of a partition, or of the partition that the `half` of a pair is of."""
    pair = pair_halves(config, partition)
    return parse_partition(pair[half].partition if pair else partition).family


def shown_leaves(config: Mapping) -> dict:
    """The configuration as the report shows it, but for where files lie."""
    leaves = {key: value for key, value in config.items() if key not in ("results_table", "reference", "units")}
    leaves["matrix"] = _matrix(config)
    leaves["natman"] = _without(config["natman"], "extra_artifacts")
    leaves["dataset"] = _without(config["dataset"], "path", "root")
    leaves["datasets"] = {name: _without(section, "path", "root") for name, section in config["datasets"].items()}
    if (weights := config["training"]["pretrained"]) is not None:
        leaves["training"] = config["training"] | {"pretrained": Path(weights).name}
    return leaves


def dataset_leaves(dataset: Mapping) -> dict:
    """What decides how a dataset is read, but for where it lies. Only what differs from the defaults is in it."""
    leaves = {key: dataset[key] for key in DATASET_LEAVES.get(dataset["kind"], ()) if dataset.get(key)}
    if "split" in leaves:
        leaves["split"] = {"seed": 0} | {key: value for key, value in leaves["split"].items() if value is not None}
    if "exclude" in leaves:
        leaves["exclude"] = sorted(leaves["exclude"])
    named = {"name": dataset["name"]} if dataset["kind"] == "torchvision" else {}  # torchvision's own name
    return {"kind": dataset["kind"], **named, **leaves}


def shard_leaves(store: Mapping, split: str) -> dict:
    """What decides a shard's content."""
    return {"image_size": store["image_size"], "resize": store["resize"], "shards": store[f"{split}_shards"]}


def network_leaves(training: Mapping) -> dict:
    """What decides a network's units and what they cost."""
    return {"architecture": architecture_name(training), "crop": training["crop"]}


def view_leaves(training: Mapping) -> dict:
    """What decides what a base network makes of an image."""
    leaves = training_leaves(training)
    return {key: leaves[key] for key in VIEW_LEAVES if key in leaves}


def input_leaves(config: Mapping) -> dict:
    """What decides which numbers a network gets for an image, but for the mean image."""
    leaves = {key: config["store"][key] for key in ("image_size", "resize")}
    return leaves | {key: config["training"][key] for key in ("crop", "input", "channels")}


def speed_leaves(training: Mapping) -> dict:
    """What decides how long an iteration takes."""
    leaves = training_leaves(training)
    return {key: leaves[key] for key in ("architecture", "crop", "batch_size", "device", "precision", "compile")}


def cost_leaves(config: Mapping) -> dict:
    """What decides what a study costs, but for the numbers of its classes and images."""
    rates = ["learning_rate", "held_out_share"] if tries_rates(config["training"]) else []
    training = (*rates, "crop", "init", "norm_statistics", "batch_size", "duration", "validate_every", "device")
    running = ("threads", "gpus_per_job", "devices", "keep_curve_weights")
    leaves = {key: config[key] for key in ("study", "seeds", "depths")} | config["plan"]
    leaves |= {"matrix": _matrix(config), "dataset": {"name": config["dataset"]["name"]}}
    leaves["training"] = {key: config["training"][key] for key in training}
    leaves["training"]["architecture"] = architecture_name(config["training"])
    leaves["running"] = {key: config["running"][key] for key in (*running, *GROUPING) if key in config["running"]}
    units = {"units": config["units"]} if "units" in config else {}
    steps = config["figures"]["interpolation_steps"]
    lines = {"figures": {"interpolation_steps": steps}} if steps else {}
    return leaves | {"image_size": config["store"]["image_size"]} | units | lines


def _matrix(config: Mapping) -> list[dict]:
    """The entries of the matrix without the places of their lists, which count by their content (partition_leaves)."""
    return [_without(entry, "csv") for entry in config["matrix"]]


def _without(section: Mapping, *left_out: str) -> dict:
    return {key: value for key, value in section.items() if key not in left_out}
