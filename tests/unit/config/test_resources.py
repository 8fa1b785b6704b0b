"""Memory and time that rules ask for: numbers by hand, and what makes them larger."""

import copy
import math

import pytest
import yaml
from helpers import ROOT, default_config
from snakemake.utils import update_config

from workflow_scripts.config import resources
from workflow_scripts.network.architectures import caffenet, layer_costs

CONFIG = default_config()
PAPER = copy.deepcopy(CONFIG)
update_config(PAPER, yaml.safe_load((ROOT / "configs/paper.yaml").read_text()))


def with_training(config, **changes):
    return config | {"training": config["training"] | changes}


def test_images_are_the_samples_own_or_imagenets():
    assert [resources.images_of(CONFIG, split) for split in ("train", "val")] == [3200, 2000]
    assert [resources.images_of(PAPER, split) for split in ("train", "val")] == [1_281_167, 50_000]
    assert (resources.classes_of(CONFIG), resources.classes_of(PAPER)) == (40, 1000)


def test_a_training_job_on_a_cpu_asks_for_its_weights_and_a_batch():
    paper = with_training(PAPER, device="cpu")
    costs = layer_costs(caffenet(), 227, 1000)
    weights = 4 * 60_965_224
    values = sum(cost.output_shape[0] * cost.output_shape[1] ** 2 for cost in costs)
    batch = 256 * (4 * 3 * 227**2 + 8 * 4 * 3 * values)
    assert resources.training_memory(paper, 7) == 800 + math.ceil((4 * weights * 8 + batch) / 1e6)
    assert resources.training_memory(paper, 7, attempt=3) == 3 * resources.training_memory(paper, 7)
    assert resources.training_memory(CONFIG, 7) < 1000


def test_a_training_job_on_a_gpu_asks_for_what_its_host_needs():
    """Peaks beside an H200 were 1738 MB for the sample's networks and 3445 MB for CaffeNet's benchmark."""
    weights, threads = 4 * 60_965_224, PAPER["running"]["threads"]
    ahead = (threads + 2) * 256 * 3 * 227**2
    assert resources.training_memory(PAPER, 7) == 2000 + math.ceil((2 * weights * 8 + ahead) / 1e6)
    assert resources.training_memory(with_training(CONFIG, device="cuda"), 1) > 1738


def test_an_iteration_on_a_gpu_takes_the_time_of_its_launches():
    small = with_training(CONFIG, device="cuda", duration=600_000)
    assert resources.training_minutes(small, 1) == 1 + math.ceil(4 / 3 * 0.01 * 600_000 / 60)


def test_a_training_job_asks_for_the_time_of_its_operations():
    multiplications = sum(cost.multiplications for cost in layer_costs(caffenet(), 227, 1000))
    seconds = 4 / 3 * 6 * multiplications * 256 * 450_000 / 5e12
    assert resources.training_minutes(PAPER, 1) == 1 + math.ceil(seconds / 60)
    on_a_cpu = with_training(PAPER, device="cpu")
    assert resources.training_minutes(on_a_cpu, 1) == 1 + math.ceil(seconds * 5e12 / (20e9 * 4) / 60)
    assert resources.training_minutes(PAPER, 7) > 6 * resources.training_minutes(PAPER, 1)
    assert resources.training_minutes(CONFIG, 7, attempt=2) == 2 * resources.training_minutes(CONFIG, 7)


def test_lengths_in_epochs_count():
    few, many = (with_training(CONFIG, duration=f"{epochs} epochs") for epochs in (100, 4000))
    assert resources.training_minutes(few, 7) < resources.training_minutes(many, 7)


def test_packing_asks_by_its_share_and_its_threads():
    assert resources.pack_memory({"dataset": {"kind": "folder"}}, threads=2, attempt=1) == 100 + 2 * 850
    assert resources.pack_memory({"dataset": {"kind": "torchvision"}}, threads=1, attempt=2) == 2 * (4100 + 850)
    assert resources.survey_memory({"dataset": {"kind": "torchvision"}}) == 6000
    assert resources.pack_minutes(PAPER, "train", 2, 1) == 1 + math.ceil(1_281_167 / 64 / 2 / 100 / 60)
    assert resources.pack_minutes(PAPER, "val", 2, 3) == 3 * (1 + math.ceil(50_000 / 4 / 2 / 100 / 60))
    assert resources.task_minutes(PAPER) == 1 + math.ceil(1_281_167 * 256 * 256 * 3 / 100e6 / 60)


def test_the_sample_asks_by_its_images():
    assert resources.sample_minutes(CONFIG, threads=2) == 2
    assert (resources.probes_memory(84), resources.probes_memory(84, attempt=2)) == (1617, 3234)
    assert resources.probes_minutes(CONFIG, 84) == 1 + math.ceil(4 * 200 * 84 * 2**20 * 40 / 20e9 / 60)
    assert resources.sample_memory(CONFIG) == 500 + math.ceil(3 * 3e-3 * 5200)


def test_comparing_networks_asks_by_the_images_compared():
    more = CONFIG | {"figures": CONFIG["figures"] | {"similarity_images": 5000}}
    assert resources.similarity_memory(CONFIG) < resources.similarity_memory(more)


@pytest.mark.parametrize(("config", "classes"), [(CONFIG, 40), (PAPER, 1000)])
def test_the_price_is_worked_out_from_what_is_known(config, classes):
    settings = resources.cost_settings(config)
    (counts,) = settings["counts"].values()
    assert counts["classes"] == classes
    assert settings["memory_mb"] == resources.training_memory(config, 7)
    assert counts["train_images"] == resources.images_of(config, "train")
