"""What the benchmarks share."""

import os
import platform
import statistics
from pathlib import Path

import yaml
from helpers import ROOT

from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.leaves import job_leaves

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
    """The configuration leaves of a base network of the default study, or of a curve whose source is the other half."""
    job = TrainingJob("random0", 0, "B" if treatment == "base" else "A", "B", treatment)
    return job_leaves(CONFIG["training"], job)
