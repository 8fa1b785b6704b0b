"""What the benchmarks share."""

import json
import os
import platform
import statistics
import sys
from pathlib import Path

import torch
from helpers import ROOT, default_config
from PIL import Image

from workflow_scripts.partition.task import Task
from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.leaves import job_leaves

# The default study, packed and divided by `make bench-train`.
CONFIG = default_config()
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


def leaves(treatment, **changes):
    """The configuration leaves of a base network of the default study, or of a curve whose source is the other half."""
    job = TrainingJob("random0", 0, "B" if treatment == "base" else "A", "B", treatment)
    return job_leaves(CONFIG["training"] | changes, job)


def cpu_seconds(jobs, together=1):
    """Run (command, output file) pairs, `together` at a time; the CPU seconds of each with its children, in order."""
    waiting, running, spent = list(enumerate(jobs)), {}, {}
    while waiting or running:
        while waiting and len(running) < together:
            number, (command, output) = waiting.pop(0)
            running[start(command, output)] = number
        process, status, usage = os.wait4(-1, 0)
        number = running.pop(process)
        spent[number] = usage.ru_utime + usage.ru_stime
        if status:
            raise SystemExit(f"failed: {' '.join(map(str, jobs[number][0]))}")
    return [spent[number] for number in range(len(jobs))]


def start(command, output):
    """Start a process that prints into `output` with suffix .out; returns its number."""
    create = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 1, str(output.with_suffix(".out")), create, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, str(output.with_suffix(".log")), create, 0o644),
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return os.posix_spawn(sys.executable, list(map(str, command)), environment, file_actions=actions)


def our_job(folder, source, target, treatment, depths, seed=0, **changes):
    """The command of one of our training jobs, and where its record will be. `changes` are leaves of training."""
    name = f"{source}-{target}-{treatment}-{'-'.join(map(str, depths))}-seed{seed}"
    record = folder / f"{name}.json"
    settings = json.dumps(leaves(treatment, **changes))
    command = [sys.executable, "-m", "workflow_scripts.training.train", "--manifest", MANIFEST, "--task", TASKS[target]]
    command += ["--partition", "random0", "--source", source, "--target", target, "--treatment", treatment]
    command += ["--seed", seed, "--depths", *depths, "--settings", settings]
    if treatment != "base":
        weights = folder / f"{source}-{source}-base-0-seed{seed}.safetensors"
        command += ["--source-task", TASKS[source], "--source-weights", weights]
    return [*command, "--record", record, "--weights", record.with_suffix(".safetensors")], record


def write_tree(folder, half):
    """A task's packed images as PNG files in ImageFolder's layout, and its mean image."""
    task = Task.load(TASKS[half])
    for split in ("train", "val"):
        packed = PackedSplit(MANIFEST, split)
        positions, labels = getattr(task, f"{split}_positions"), getattr(task, f"{split}_labels")
        for position, label, image in zip(positions, labels, packed.images(positions), strict=True):
            place = folder / f"tree{half}" / split / f"{label:03d}" / f"{position:06d}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place)
    torch.save(torch.from_numpy(task.mean_image).permute(2, 0, 1).float(), folder / f"mean{half}.pt")
