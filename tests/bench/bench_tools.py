"""What the benchmarks share."""

import os
import platform
import statistics
from pathlib import Path

import yaml
from helpers import ROOT

# The default study, packed and divided by `make bench-train`.
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
MANIFEST = ROOT / "data/sample/packed_36_warp/manifest.json"
TASKS = {half: ROOT / f"results/sample/tasks/random0-{half}.npz" for half in "AB"}
DEPTHS = (1, 2, 3, 4, 5, 6, 7)


def machine():
    """The processor and how many of its cores there are."""
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line)
    return f"{os.cpu_count()} cores, {model.split(': ')[1]}, {platform.system()}"


def ratio(ours, theirs):
    """The median of the ratios of each round."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def leaves(treatment):
    """The configuration leaves of a training of the default study, as rules/common.smk gives them to it."""
    elsewhere = {"threads", "depths_per_job", "keep_curve_weights", "tensorboard", "retries"}
    chosen = {key: value for key, value in CONFIG["training"].items() if key not in elsewhere}
    schedule = {key: chosen["schedule"][key] for key in ("kind", "warmup")}
    return chosen | {"learning_rate": chosen["learning_rate"][treatment], "schedule": schedule}
