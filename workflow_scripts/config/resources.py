"""Memory and time of the rules' jobs, estimated from the configuration; each number with its source.

Minutes and megabytes are whole numbers, as Snakemake's `runtime` and `mem_mb` want them. Light on purpose: the
Snakefile calls this at parse time.
"""

import math
from collections.abc import Mapping

from workflow_scripts.cost.operations import line_operations
from workflow_scripts.dataset.dataset import SPLITS
from workflow_scripts.dataset.store_size import packed_bytes
from workflow_scripts.network.catalogue import UnitCost, study_costs
from workflow_scripts.study.datasets import study_datasets
from workflow_scripts.study.leaves import cost_leaves
from workflow_scripts.study.matrix import curve_jobs
from workflow_scripts.study.schedules import iterations_of

SAMPLE_CLASS_COUNT = 40
ILSVRC_CLASSES = 1000
READER_MEMORY = 4000  # megabytes: torch, and twice the largest dataset that torchvision holds in memory, EMNIST
ILSVRC_IMAGES = {"train": 1_281_167, "val": 50_000}
# Operations a second. GPU: a small one's; an H200 reached 32e12 in fp32 and 130e12 in bf16. Thread: half an AMD EPYC
# core's.
GPU_OPERATIONS, THREAD_OPERATIONS = 5e12, 20e9
PROBE_PASSES = 200  # of a probe's training over its features, for all penalties
LAUNCH_SECONDS = 0.01  # of an iteration and network at least, on a GPU: the CPU took up to 0.007 beside an H200


def classes_of(config: Mapping) -> int:
    """How many classes the dataset has, as far as the configuration tells; otherwise as many as ILSVRC-2012."""
    return SAMPLE_CLASS_COUNT if config["dataset"]["kind"] == "sample" else ILSVRC_CLASSES


def images_of(config: Mapping, split: str) -> int:
    """How many images a split has, as far as the configuration tells; otherwise as many as ILSVRC-2012."""
    dataset = config["dataset"]
    return (
        SAMPLE_CLASS_COUNT * dataset["sample"][f"{split}_per_class"]
        if dataset["kind"] == "sample"
        else ILSVRC_IMAGES[split]
    )


def sample_minutes(config: Mapping, threads: int) -> int:
    """Minutes of drawing the sample: 1, and 2.5 ms an image and thread (measured on the slower half of the classes)."""
    images = sum(images_of(config, split) for split in SPLITS)
    return 1 + math.ceil(images * 0.0025 / threads / 60)


def sample_memory(config: Mapping) -> int:
    """Megabytes of drawing the sample: 500 for two processes, and 3 kB an image three times, for archives in memory."""
    return 500 + math.ceil(3 * 3e-3 * sum(images_of(config, split) for split in SPLITS))


def pack_memory(config: Mapping, threads: int, attempt: int) -> int:
    """Megabytes of a packing job, more at every attempt: 100 for Python with numpy and pandas, and 850 a thread.

    A thread needs 9 bytes a pixel for a transparent image of the most pixels that Pillow takes (90 million).
    Photographs need a tenth of that. A torchvision dataset takes READER_MEMORY more.
    """
    return attempt * (100 + 850 * threads + _reader_memory(config))


def survey_memory(config: Mapping) -> int:
    """Megabytes of a survey: 2000 for the names of a tree of ImageNet's size, twice, or READER_MEMORY more."""
    return 2000 + _reader_memory(config)


def _reader_memory(config: Mapping) -> int:
    return READER_MEMORY if config["dataset"]["kind"] == "torchvision" else 0


def pack_minutes(config: Mapping, split: str, threads: int, attempt: int) -> int:
    """Minutes of a packing job, more at every attempt: 1 to start, and 100 full-size JPEGs a second and thread.

    An AMD EPYC core reached 320 a second.
    """
    shards = config["store"][f"{split}_shards"]
    return attempt * (1 + math.ceil(images_of(config, split) / shards / threads / 100 / 60))


def task_minutes(config: Mapping) -> int:
    """Minutes of making a task: 1 to start, and all training images once at 100 MB/s (a network file system)."""
    size = packed_bytes(images_of(config, "train"), config["store"]["image_size"])
    return 1 + math.ceil(size / 100e6 / 60)


def training_memory(config: Mapping, networks: int, attempt: int = 1) -> int:
    """Megabytes of a training job, more at every attempt.

    800 are for Python with torch (740 measured on the CPU). The rest is four copies of each network's weights (weights,
    gradient, momentum, checkpoint), and the activations and gradients of a batch for one network at a time.

    Of a job on a GPU, this is the memory of its host. 2000 are for Python with torch and CUDA (1740 measured beside an
    H200), and the rest is two copies of the weights and the batches that are read ahead.
    """
    training, costs = config["training"], _costs(config)
    weights = 4 * sum(cost.parameters for cost in costs)
    if training["device"] == "cuda":
        ahead = (config["running"]["threads"] + 2) * training["batch_size"] * 3 * training["crop"] ** 2
        return attempt * (2000 + math.ceil((2 * weights * (networks + 1) + ahead) / 1e6))
    activations = 4 * 3 * sum(cost.outputs for cost in costs)
    batch = training["batch_size"] * (4 * 3 * training["crop"] ** 2 + 8 * activations)
    return attempt * (800 + math.ceil((4 * weights * (networks + 1) + batch) / 1e6))


def training_minutes(config: Mapping, networks: int, attempt: int = 1) -> int:
    """Minutes of a training job, more at every attempt: 1 to start, and its operations.

    Each network takes 6 operations per multiplication, image and iteration, at THREAD_OPERATIONS or GPU_OPERATIONS, and
    a third more for validation. A frozen prefix makes it less. On a GPU an iteration takes LAUNCH_SECONDS at least.
    """
    training = config["training"]
    iterations = iterations_of(training["duration"], images_of(config, "train"), training["batch_size"])
    multiplications = sum(cost.multiplications for cost in _costs(config))
    operations = 6 * multiplications * training["batch_size"] * iterations
    seconds = max(operations / _rate(config), LAUNCH_SECONDS * iterations if training["device"] == "cuda" else 0)
    return attempt * (1 + math.ceil(4 / 3 * networks * seconds / 60))


def features_memory(config: Mapping, attempt: int = 1) -> int:
    """Megabytes of computing features, more at every attempt: 1000 for Python with torch, and twice the network and the
    largest unit's outputs for a batch.
    """
    training, costs = config["training"], _costs(config)
    batch = training["batch_size"] * (4 * 3 * training["crop"] ** 2 + 3 * 4 * max(cost.outputs for cost in costs))
    return attempt * (1000 + math.ceil(2 * (4 * sum(cost.parameters for cost in costs) + batch) / 1e6))


def features_minutes(config: Mapping, attempt: int = 1) -> int:
    """Minutes of computing features, more at every attempt: 1 to start, and 2 operations per multiplication and image
    at THREAD_OPERATIONS or GPU_OPERATIONS.
    """
    images = sum(images_of(config, split) for split in SPLITS)
    operations = 2 * images * sum(cost.multiplications for cost in _costs(config))
    return attempt * (1 + math.ceil(operations / _rate(config) / 60))


def probes_memory(size_mb: float, attempt: int = 1) -> int:
    """Megabytes of training probes, more at every attempt: 1000 for Python with torch, and the features of all depths
    together as float16 and three times as float32. `size_mb` are the mebibytes of their file.
    """
    return attempt * (1000 + math.ceil(7 * size_mb * 2**20 / 1e6))


def probes_minutes(config: Mapping, size_mb: float, attempt: int = 1) -> int:
    """Minutes of training probes, more at every attempt: 1 to start, and the passes over the features of all depths
    alone and together, PROBE_PASSES each, with 4 operations per number and class.

    `size_mb` are the mebibytes of their file (float16). It holds validation images too, and all training images where
    few are drawn, so this is too much.
    """
    numbers = 2 * size_mb * 2**20 / 2
    operations = 4 * PROBE_PASSES * numbers * classes_of(config)
    return attempt * (1 + math.ceil(operations / _rate(config) / 60))


def similarity_memory(config: Mapping) -> int:
    """Megabytes of comparing base networks: 1000 for Python with torch, and what all images need.

    That is the largest layer's outputs before its pool, three times over, and the images for both networks.
    """
    images, crop = config["figures"]["similarity_images"], config["training"]["crop"]
    largest = max(cost.outputs for cost in _costs(config))
    return 1000 + math.ceil(4 * images * (3 * largest + 6 * crop**2) / 1e6)


def line_memory(config: Mapping, attempt: int = 1) -> int:
    """Megabytes of measuring lines between networks, more at every attempt: features_memory, and both ends' weights."""
    weights = 4 * sum(cost.parameters for cost in _costs(config))
    return features_memory(config, attempt) + attempt * math.ceil(2 * weights / 1e6)


def line_minutes(config: Mapping, networks: int, attempt: int = 1) -> int:
    """Minutes of measuring the lines from each of `networks`, more at every attempt: 1 to start, and operations."""
    images = {f"{split}_images": images_of(config, split) for split in SPLITS}
    operations = line_operations(_costs(config), networks, config["figures"]["interpolation_steps"], **images)
    return attempt * (1 + math.ceil(operations / _rate(config) / 60))


def cost_settings(config: Mapping) -> dict:
    """known_costs, before the dataset is surveyed, and the megabytes of the largest job."""
    largest = max((len(job.depths) for job in curve_jobs(config)), default=1)
    return known_costs(config) | {"memory_mb": training_memory(config, largest)}


def known_costs(config: Mapping) -> dict:
    """The leaves that decide what a study costs, with the numbers of classes and images of each of its datasets as far
    as they are known.
    """
    return cost_leaves(config) | {"counts": {name: _counts(one) for name, one in study_datasets(config).items()}}


def _rate(config: Mapping) -> float:
    """Operations a second of a job."""
    gpu = config["training"]["device"] == "cuda"
    return GPU_OPERATIONS if gpu else THREAD_OPERATIONS * config["running"]["threads"]


def _counts(config: Mapping) -> dict[str, int]:
    return {"classes": classes_of(config)} | {f"{split}_images": images_of(config, split) for split in SPLITS}


def _costs(config: Mapping) -> list[UnitCost]:
    return study_costs(cost_leaves(config), ILSVRC_CLASSES)
