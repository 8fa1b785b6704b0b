"""make bench-gpu: the training engine on a GPU beside what the card can do and what one would write instead.

Writes its numbers into FOLDER/bench_gpu.json. `--parts study` runs the default study instead. `--tiny` runs the same on
little, on a CPU too, to test the script. Timing decides no test: this prints.
"""

import argparse
import functools
import json
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
import traceback
import warnings
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torchvision
import yaml
from bench_data import pack_one
from checkout import Checkout
from helpers import ROOT
from made_up_store import write_noise
from peer_train import mini_caffenet
from PIL import Image
from plain_caffenet import caffenet, steps

from workflow_scripts.config.resources import training_memory
from workflow_scripts.cost.operations import operations_per_image
from workflow_scripts.features.extraction import Pass
from workflow_scripts.features.logistic import fit_probe
from workflow_scripts.features.pooling import pool_features
from workflow_scripts.network.build import build_network
from workflow_scripts.partition.task import Task
from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.settings import TrainingSettings
from workflow_scripts.training import graphs
from workflow_scripts.training.batches import Batches
from workflow_scripts.training.devices import device_name, keep_freed_memory, set_deterministic
from workflow_scripts.training.engine import CurveTraining

ROUNDS = 3
DEPTHS = (1, 2, 3, 4, 5, 6, 7)
PAPER = {"val_images": 25_000, "validate_every": 1000}  # of a half of ILSVRC-2012
WARM = 2 * graphs.WARM + 2  # iterations, after which the graphs of a prefix and of what follows it are captured
VALIDATED = 16_384  # images, so that a reading's start does not count
SETTINGS = TrainingSettings(
    **{
        "architecture": "caffenet",
        "init": "caffe",
        "crop": 227,
        "input": "mean_image",
        "input_scale": 1.0,
        "mean_image": "source",
    },
    **{"batch_size": 256, "iterations": 10**9, "validate_every": 10**9, "stuck_after": 10**9, "learning_rate": 1e-6},
    **{"schedule": {"kind": "cosine", "warmup": 2}, "momentum": 0.9, "weight_decay": 5e-4},
    **{"device": "cuda", "precision": "bf16", "compile": False},
)
MINI = {"architecture": "mini_caffenet", "crop": 32, "batch_size": 64}


@dataclass
class Bench:
    """What is measured, how long, and what was found."""

    settings: TrainingSettings
    manifest: Path
    task: Task
    seconds: float  # of a round
    size: int  # of the card's matrices
    found: dict

    @property
    def device(self):
        return self.settings.device

    def batches(self, readers=0, settings=None):
        """The batches of the whole path, from the store."""
        settings = settings or self.settings
        splits = PackedSplit(self.manifest, "train"), PackedSplit(self.manifest, "val")
        options = (settings.crop, settings.input_scale, torch.device(self.device), readers)
        return Batches(*splits, self.task, self.task.mean_image, *options)

    def training_from_store(self, readers):
        return self.training(batches=self.batches(readers))

    def training(self, treatment="base", depths=(0,), batches=None, cuda_graphs=True, **changes):
        settings = replace(self.settings, **changes)
        job = TrainingJob("whole", 0, "whole", "whole", treatment, depths=tuple(depths))
        source = None if treatment == "base" else self.source
        return CurveTraining(job, settings, batches or self.batches(settings=settings), source, cuda_graphs)

    @functools.cached_property
    def source(self):
        """The weights of a base network that has learned nothing yet."""
        return {name: tensor.cpu() for name, tensor in self.training().learners[0].network.state_dict().items()}

    def fixed_batch(self, settings=None):
        """A batch of noise on the device, and labels."""
        settings = settings or self.settings
        shape = (settings.batch_size, 3, settings.crop, settings.crop)
        images = torch.randn(shape, device=self.device).to(memory_format=torch.channels_last)
        return images, torch.randint(self.task.classes, shape[:1], device=self.device)


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


def seconds_each(run, bench, warm=WARM):
    """Seconds of one of what `run(count)` does `count` times: the median of ROUNDS."""
    run(warm)
    wait(bench.device)
    count, found = 1, []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        run(count)
        wait(bench.device)
        found.append((time.perf_counter() - started) / count)
        count = max(1, round(bench.seconds / found[-1]))
    return statistics.median(found[1:])


def on_fixed_batch(training, batch):
    """A function that does `count` iterations on the same batch."""

    def run(count):
        for _ in range(count):
            training._step(*batch)

    return run


def bench_card(bench):
    """FLOP/s of products of two large matrices, and bytes/s of a copy, read and written."""
    size, device = bench.size, bench.device

    def product(dtype, tf32=False):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        one, other = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
        rate = 2 * size**3 / seconds_each(lambda count: [one @ other for _ in range(count)], bench)
        torch.backends.cuda.matmul.allow_tf32 = False
        return rate

    source = torch.randn(size * size * 4, device=device)
    target = torch.empty_like(source)
    copied = seconds_each(lambda count: [target.copy_(source) for _ in range(count)], bench)
    return {
        "bf16_flops": product(torch.bfloat16),
        "tf32_flops": product(torch.float32, tf32=True),
        "fp32_flops": product(torch.float32),
        "copy_bytes": 2 * source.nbytes / copied,
    }


@contextmanager
def as_users_run():
    """torch as it is by default: any kernels, the fastest found by trying."""
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = True
    yield
    set_deterministic(torch.get_num_threads())


def bench_rates(bench):
    """Training images a second on tensors in device memory: the engine's base network, beside plain torch."""
    operations = operations_per_image(vars(bench.settings), bench.task.classes)
    images, found = bench.settings.batch_size, {"operations_per_image": operations}
    for name in ("fp32", "bf16"):
        rate = base_rate(bench, precision=name)
        without = base_rate(bench, precision=name, cuda_graphs=False)
        found[name] = {
            "images_per_second": rate,
            "eager": without,
            "of_matrix_rate": rate * operations / bench.found["card"][f"{name}_flops"],
        }
    plain = caffenet if bench.settings.architecture == "caffenet" else mini_caffenet
    for name in ("fp32", "bf16"):
        batch = bench.fixed_batch()
        with as_users_run():
            by_default = seconds_each(steps(plain(bench.task.classes), *batch, name), bench)
        of_plain = found[name]["images_per_second"] * by_default / images
        found[name] |= {"plain_torch": images / by_default, "of_plain_torch": of_plain}
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    found["tf32_not_offered"] = {"images_per_second": base_rate(bench, precision="fp32")}
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return found


def base_rate(bench, **changes):
    """Images a second that a base network learns from, on a batch in device memory."""
    run = on_fixed_batch(bench.training(**changes), bench.fixed_batch())
    return bench.settings.batch_size / seconds_each(run, bench)


def bench_compiled(bench):
    """Images a second of compiled units, and the seconds until that is known."""
    if bench.device != "cuda":
        return {}  # it takes a minute
    started = time.perf_counter()
    rate = base_rate(bench, compile=True)
    return {"images_per_second": rate, "seconds_in_all": time.perf_counter() - started}


def bench_path(bench):
    """Training images a second from the packed store on, and reading alone, by the number of reading threads."""
    readers = (1, 2, 4, 8) if bench.device == "cuda" else (0, 1)
    found = {f"readers_{count}": path_rates(bench, count) for count in readers}
    best = max(row["images_per_second"] for row in found.values())
    return found | {"best": best, "of_fixed_batch": best / bench.found["rates"]["bf16"]["images_per_second"]}


def path_rates(bench, readers):
    """The numbers of bench_path with so many readers."""
    batch, batches = bench.settings.batch_size, bench.batches(readers)
    training, stream = bench.training(batches=batches), batches.training(0, batch, 0, 10**9)

    def train(count):
        for _ in range(count):
            training._step(*next(stream))

    def read(count):
        for _ in range(count):
            next(stream)

    started = time.perf_counter()
    train(epoch := -(-len(bench.task.train_labels) // batch))  # images are compared with their checksums
    wait(bench.device)
    first = epoch * batch / (time.perf_counter() - started)
    later, reading = (batch / seconds_each(run, bench) for run in (train, read))
    stream.close()
    return {"first_epoch": first, "images_per_second": later, "reading_alone": reading}


def bench_curve(bench):
    """Seconds of an iteration of a frozen and a fine-tuned curve of 7 depths, beside those of seven jobs."""
    batch, found = bench.fixed_batch(), {}
    for treatment in ("frozen", "finetuned"):
        depths = DEPTHS if treatment == "frozen" else DEPTHS[:2]  # as deep ones cost the same
        together = seconds_each(on_fixed_batch(bench.training(treatment, depths), batch), bench)
        alone = [seconds_each(on_fixed_batch(bench.training(treatment, [depth]), batch), bench) for depth in depths]
        eager = bench.training(treatment, depths, cuda_graphs=False)
        without = seconds_each(on_fixed_batch(eager, batch), bench)
        found[treatment] = {"depths": depths, "together": together, "alone": alone, "ratio": together / sum(alone)}
        found[treatment] |= {"eager": without}
    base = bench.settings.batch_size / bench.found["rates"]["bf16"]["images_per_second"]
    return found | {"frozen_of_seven_bases": found["frozen"]["together"] / (7 * base)}


def bench_memory(bench):
    """The peak of device memory, by network and job, beside the rule's megabytes (of the host's memory)."""
    found, config = {}, yaml.safe_load((ROOT / "config.yaml").read_text())
    keys = ("architecture", "crop", "batch_size", "device")
    config["training"] |= {key: getattr(bench.settings, key) for key in keys}
    config["running"] |= {"threads": 8}
    for treatment, depths in (("base", (0,)), ("frozen", DEPTHS), ("finetuned", DEPTHS)):
        training = bench.training(treatment, depths)
        if bench.device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        on_fixed_batch(training, bench.fixed_batch())(WARM)
        wait(bench.device)
        peaks = [torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()] if bench.device == "cuda" else []
        found[treatment] = {"peaks_mb": [peak / 1e6 for peak in peaks], "rule_mb": training_memory(config, len(depths))}
    return found | {"host_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def bench_validation(bench):
    """Validation images a second from the store on, and the share of the paper's training that they take."""
    readers, task = (4 if bench.device == "cuda" else 0), bench.task
    times = max(1, VALIDATED // len(task.val_labels)) if bench.device == "cuda" else 1
    many = {name: np.tile(getattr(task, name), times) for name in ("val_positions", "val_labels")}
    training = replace(bench, task=replace(task, **many)).training_from_store(readers)
    images = times * len(task.val_labels)

    def run(count):
        for _ in range(count):
            training.iteration += 1  # a reading is of the iterations since the last one
            training._validate(lambda: False)

    run(1)
    rate = images / seconds_each(run, bench, warm=1)
    learning = PAPER["validate_every"] * bench.settings.batch_size / bench.found["path"]["best"]
    validating = PAPER["val_images"] / rate
    return {"images_per_second": rate, "share_of_the_papers_time": validating / (validating + learning)}


def bench_host(bench):
    """What the host does in an iteration: waits for the device, launched kernels, milliseconds, by network."""
    found = {}
    for name, changes, treatment, depths in (
        ("caffenet_base", {}, "base", (0,)),
        ("caffenet_frozen_curve", {}, "frozen", DEPTHS),
        ("mini_base", MINI, "base", (0,)),
    ):
        training = bench.training(treatment, depths, **changes)
        batch = bench.fixed_batch(training.settings)
        run = on_fixed_batch(training, batch)
        run(WARM)
        wait(bench.device)
        found[name] = host_of(training, run, bench)
    return found


def host_of(training, run, bench):
    """The numbers of bench_host, of one training."""
    started = time.perf_counter()
    run(5)  # few enough that no queue is full
    launching = (time.perf_counter() - started) / 5
    wait(bench.device)
    if bench.device != "cuda":
        return {"launching_ms": 1e3 * launching}
    torch.cuda.set_sync_debug_mode("warn")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(5)
        in_steps = len(caught)
        training._validate(lambda: False)
    torch.cuda.set_sync_debug_mode("default")
    return {
        "waits_per_iteration": in_steps / 5,
        "waits_per_reading": len(caught) - in_steps,
        "launching_ms": 1e3 * launching,
        **kernels(run),
    }


def kernels(run, iterations=3):
    """Kernels of an iteration, their milliseconds, and the dearest ones."""
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        run(iterations)
        torch.cuda.synchronize()
    events = [event for event in profile.key_averages() if event.device_type == torch.autograd.DeviceType.CUDA]
    events.sort(key=lambda event: -event.self_device_time_total)
    return {
        "kernels": sum(event.count for event in events) / iterations,
        "kernels_ms": sum(event.self_device_time_total for event in events) / iterations / 1e3,
        "dearest": [
            [event.key[:90], event.count / iterations, event.self_device_time_total / iterations / 1e3]
            for event in events[:24]
        ],
    }


def bench_mini(bench):
    """Images a second of the default study's base network."""
    found = {}
    for precision in ("fp32", "bf16"):
        found[precision] = {}
        for name, cuda_graphs in (("images_per_second", True), ("eager", False)):
            training = bench.training(precision=precision, cuda_graphs=cuda_graphs, **MINI)
            run = on_fixed_batch(training, bench.fixed_batch(training.settings))
            found[precision][name] = MINI["batch_size"] / seconds_each(run, bench)
    return found


def bench_resnet(bench):
    """Training images a second of a ResNet-50 in device memory, beside torchvision's module in plain torch."""
    large = bench.device == "cuda"
    name = f"torchvision:resnet{50 if large else 18}"
    changes = {"architecture": name, "crop": 224 if large else 32, "init": "he"}
    settings, found = replace(bench.settings, **changes), {"network": name}
    for precision in ("fp32", "bf16"):
        training = bench.training(precision=precision, **changes)
        batch = bench.fixed_batch(settings)
        ours = settings.batch_size / seconds_each(on_fixed_batch(training, batch), bench)
        plain = torchvision.models.get_model(name.partition(":")[2], weights=None, num_classes=bench.task.classes)
        with as_users_run():
            theirs = settings.batch_size / seconds_each(steps(plain, *batch, precision), bench)
        found[precision] = {"images_per_second": ours, "plain_torch": theirs, "of_plain_torch": ours / theirs}
    return found


def bench_probes(bench):
    """Images a second of features of all depths, beside the bare forward pass, and the seconds of probes on features
    as of 3,000 images of 100 classes: 2,048 of a deep unit.
    """
    large = bench.device == "cuda"
    name, crop = ("torchvision:resnet50", 224) if large else ("torchvision:resnet18", 32)
    source = build_network(name, crop, bench.task.classes).to(bench.device, memory_format=torch.channels_last)
    batch, _ = bench.fixed_batch(replace(bench.settings, crop=crop))
    run = Pass(source.eval(), "bf16", torch.device(bench.device))

    def features(count):
        for _ in range(count):
            for outputs in run.outputs(batch):
                pool_features(outputs.float()).half()

    @torch.no_grad()
    def forward(count):
        for _ in range(count):
            with torch.autocast(bench.device, torch.bfloat16):
                source.model(batch)

    ours, bare = (bench.settings.batch_size / seconds_each(one, bench) for one in (features, forward))
    images, numbers, classes = (3000, 2048, 100) if large else (60, 20, 4)
    random = torch.Generator(bench.device).manual_seed(0)
    labels = torch.arange(images, device=bench.device) % classes
    centres = 0.3 * torch.randn(classes, numbers, generator=random, device=bench.device)
    made = centres[labels] + torch.randn(images, numbers, generator=random, device=bench.device)
    seconds = seconds_each(lambda count: [fit_probe(made, labels, classes, 0) for _ in range(count)], bench, warm=1)
    return {"network": name, "images_per_second": ours, "bare": bare, "of_bare": ours / bare, "probe_seconds": seconds}


def bench_packing(bench):
    """Images a second that processes pack to 256 x 256, one on a core, by their number. The JPEGs are drawn."""
    count, each = (os.cpu_count(), 400) if bench.device == "cuda" else (2, 3)
    spawned = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(count, spawned) as processes:
        small, large = (draw_jpegs(Path(name) / f"{images}", count, images) for images in (2, each))

        def pack(tree, shards):
            prefixes = [str(tree / f"shard-{shard}") for shard in shards]
            return list(processes.map(pack_one, [tree] * len(shards), shards, [count] * len(shards), prefixes))

        pack(small, range(count))  # starts all processes
        started = time.perf_counter()
        pack(large, [0])
        alone = each / (time.perf_counter() - started)
        started = time.perf_counter()
        pack(large, range(count))
        together = count * each / (time.perf_counter() - started)
    hours = 1.33e6 / together / 3600
    return {"processes": count, "one": alone, "all": together, "ratio": together / alone, "hours_of_imagenet": hours}


def draw_jpegs(tree, classes, each):
    """A folder tree of JPEGs of ImageNet's size (500 x 375 pixels, 95 kB), of 40 images at most by many links."""
    random, drawn = np.random.default_rng(0), []
    for number in range(classes * each):
        place = tree / f"train/class{number // each}/{number:06d}.JPEG"
        place.parent.mkdir(parents=True, exist_ok=True)
        if len(drawn) < 40:
            image = Image.fromarray(random.integers(0, 256, (94, 125, 3), dtype=np.uint8)).resize((500, 375))
            image.save(place, "JPEG", quality=90)
            drawn.append(place)
        else:
            place.hardlink_to(drawn[number % 40])
    for number in range(classes):
        place = tree / f"val/class{number}/0.JPEG"
        place.parent.mkdir(parents=True)
        place.hardlink_to(drawn[0])
    return tree


def bench_study(bench):
    """Wall seconds of the default study with 8 jobs a GPU, from nothing to the report."""
    if bench.device != "cuda":
        return {}
    with tempfile.TemporaryDirectory() as name:
        checkout = Checkout(Path(name), "gpu.yaml")
        changes = {
            "training": {"device": "cuda"},
            "running": {"jobs_per_gpu": 8, "cuda_graphs": True},
            "store": {"train_shards": 8},
        }
        (Path(name) / "gpu.yaml").write_text(yaml.safe_dump(changes))
        started = time.perf_counter()
        checkout.snakemake("--resources", "gpu=8", cores=os.cpu_count())
        seconds = time.perf_counter() - started
        results = pd.read_csv(Path(name) / "results/sample/results.csv")
    top1 = results.groupby("treatment")["top1_best10_mean"].mean().to_dict()
    return {"seconds": seconds, "networks": len(results), "top1": top1}


PARTS = {
    "card": bench_card,
    "rates": bench_rates,
    "host": bench_host,
    "path": bench_path,
    "curve": bench_curve,
    "memory": bench_memory,
    "validation": bench_validation,
    "mini": bench_mini,
    "resnet": bench_resnet,
    "probes": bench_probes,
    "compiled": bench_compiled,
    "packing": bench_packing,
    "study": bench_study,
}


def main():
    """All parts in turn; the numbers so far are written after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--parts", nargs="+", default=[part for part in PARTS if part != "study"])
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    keep_freed_memory()
    set_deterministic(1 if args.tiny else os.cpu_count())
    settings, seconds, size, images = SETTINGS, 0.4, 8192, 2048
    if args.tiny:
        settings, seconds, size, images = replace(settings, **MINI | {"batch_size": 2}), 0.001, 64, 8
    settings = replace(settings, device=args.device)
    made_on = {"device": device_name(args.device), "torch": torch.__version__, "date": date.today().isoformat()}
    found = {"made_on": made_on | {"cores": os.cpu_count(), "batch_size": settings.batch_size}}
    args.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        manifest, task = write_noise(Path(name), *((36, 8) if args.tiny else (256, 1000)), images)
        bench = Bench(settings, manifest, Task.load(task), seconds, size, found)
        for part in args.parts:
            started = time.perf_counter()
            try:
                found[part] = PARTS[part](bench)
            except Exception as error:  # the other parts' numbers are wanted all the same
                traceback.print_exc()
                found[part] = {"failed": repr(error)[:500]}
            found[part]["took_seconds"] = time.perf_counter() - started
            print(part, json.dumps(found[part], indent=1), flush=True)
            (args.folder / "bench_gpu.json").write_text(json.dumps(found, indent=1))
    return any("failed" in found[part] for part in args.parts)


if __name__ == "__main__":
    raise SystemExit(main())
