"""What `make ask` costs, in minutes, from the numbers of images and multiplications. Light on purpose."""

from collections.abc import Mapping, Sequence

from workflow_scripts.config.ask_data import AskedData
from workflow_scripts.config.resources import GPU_OPERATIONS, PROBE_PASSES
from workflow_scripts.network.catalogue import UnitCost
from workflow_scripts.study.matrix import base_jobs, curve_jobs
from workflow_scripts.study.schedules import iterations_of

# Operations a second and core. Small networks have depthwise convolutions, which wait for memory. Lite0 had
# 23e9 and MobileNetV3-small 27e9 on an Intel Xeon, ResNet-18 had 112e9 and ResNet-50 71e9.
SMALL, SMALL_OPERATIONS, OPERATIONS = 1e9, 20e9, 60e9
PROBE_FEATURES = 600  # of a unit, the mean of common networks: pooling leaves 256 to 2048
PACKED = 100  # images a second and core, of a megapixel each
START_SECONDS = 50  # of some twenty steps with Python, of the figures and of the report


def probe_minutes(config: Mapping, data: AskedData, units: Sequence[UnitCost], packed: bool) -> float:
    """Minutes from images to the report of probes. `config` is a whole study, `units` are its network's.

    `packed` says that the images have been packed.
    """
    images, seeds = sum(data.images.values()), len(config["seeds"])
    # All seeds share the pretrained network's features. An untrained one's norms see the training images before.
    passes = images + seeds * (images + data.images["train"])
    operations = 2 * passes * sum(unit.multiplications for unit in units[:-1])
    features = 2 * PROBE_FEATURES * (len(units) - 1)  # of each depth alone, and of all together
    operations += 2 * seeds * 4 * PROBE_PASSES * features * data.images["train"] * data.classes
    packing = 0 if packed else images / PACKED / config["running"]["threads"]
    return (START_SECONDS + packing + operations / rate(config, units)) / 60


def tuning_minutes(config: Mapping, data: AskedData, units: Sequence[UnitCost]) -> float:
    """Minutes of the base networks and curves of a whole study with cuts.

    A network takes 6 operations a multiplication and training image, its frozen units 2, and a validation image 2.
    """
    training = config["training"]
    iterations = iterations_of(training["duration"], data.images["train"], training["batch_size"])
    readings = iterations / iterations_of(training["validate_every"], data.images["train"], training["batch_size"])
    whole = sum(unit.multiplications for unit in units)
    multiplications, networks = 0, 0
    for job in (*base_jobs(config), *curve_jobs(config)):
        for depth in job.depths or (0,):
            frozen = sum(unit.multiplications for unit in units[:depth]) if job.treatment == "frozen" else 0
            multiplications += 6 * (whole - frozen) + 2 * frozen
            networks += 1
    operations = multiplications * iterations * training["batch_size"]
    operations += 2 * networks * whole * readings * data.images["val"]
    return (START_SECONDS + operations / rate(config, units)) / 60


def rate(config: Mapping, units: Sequence[UnitCost]) -> float:
    """Operations a second of a study's network on its device."""
    if config["training"]["device"] == "cuda":
        return GPU_OPERATIONS
    small = sum(unit.multiplications for unit in units) < SMALL
    return config["running"]["threads"] * (SMALL_OPERATIONS if small else OPERATIONS)
