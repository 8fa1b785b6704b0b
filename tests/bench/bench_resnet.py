"""make bench-train, third part: CIFAR ResNet-20 and ResNet-18, ours, a bare loop and the peer's script.

Frozen curves are of all 10 depths of CIFAR ResNet-20, between the halves of the default study's images, for a tenth of
its iterations. Timing decides no test: this prints.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
import torchvision
from bench_tools import MANIFEST, TASKS, cpu_seconds, leaves, machine, our_job, ratio, write_tree
from helpers import ROOT
from torch.nn import functional

from workflow_scripts.network.catalogue import unit_costs
from workflow_scripts.network.resnets import cifar_resnet20
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.training.devices import keep_freed_memory, set_deterministic
from workflow_scripts.training.engine import open_training

ROUNDS, ITERATIONS = 7, 10
LENGTHS = {"duration": 60, "validate_every": 20, "stuck_after": 1000}
RESNET20 = {"architecture": "cifar_resnet20", "crop": 32, "input": "mean_image", "frozen_dropout": False} | LENGTHS
DEPTHS = tuple(range(1, 11))
BARE = {
    "cifar_resnet20": cifar_resnet20,
    "torchvision:resnet18": lambda classes: torchvision.models.resnet18(num_classes=classes),
}


def engine_rate(training):
    """Images per second of the engine: reading, augmenting and training."""
    batch = training.settings.batch_size
    started = time.perf_counter()
    for images, labels in training.batches.training(0, batch, 0, ITERATIONS):
        training._step(images, labels)
    return ITERATIONS * batch / (time.perf_counter() - started)


def bare_loop(architecture, settings, classes):
    """A function that gives the images per second of a bare loop with the library's own module, on one batch."""
    network = BARE[architecture](classes).to(memory_format=torch.channels_last).train()
    options = {"momentum": settings.momentum, "weight_decay": settings.weight_decay, "fused": True}
    optimiser = torch.optim.SGD(network.parameters(), lr=settings.learning_rate, **options)
    batch = settings.batch_size
    images = torch.randn(batch, 3, settings.crop, settings.crop).to(memory_format=torch.channels_last)
    labels = torch.randint(classes, (batch,))

    def rate():
        started = time.perf_counter()
        for _ in range(ITERATIONS):
            optimiser.zero_grad()
            functional.cross_entropy(network(images), labels).backward()
            optimiser.step()
        return ITERATIONS * batch / (time.perf_counter() - started)

    return rate


def bench_engine(architecture):
    """The engine's images per second against the bare loop's."""
    settings = leaves("base", **RESNET20 | {"architecture": architecture})
    training = open_training(TrainingJob.base("random0", 0, "B"), settings, MANIFEST, TASKS["B"])
    bare = bare_loop(architecture, training.settings, training.batches.task.classes)
    rates = [(engine_rate(training), bare()) for _ in range(ROUNDS)]
    ours, theirs = zip(*rates, strict=True)
    print(f"{architecture}, 32 px, 1 thread: engine {statistics.median(ours):.0f} images/s from the store on,", end=" ")
    print(f"a bare loop on one batch {statistics.median(theirs):.0f}; ratio {ratio(ours, theirs):.3f} (wanted 0.95)")


def peer_job(folder, source, depth=0):
    """The command of the peer for one network, and where it prints its score."""
    name = f"peer-{source}-{depth}"
    command = [sys.executable, ROOT / "tests/bench/peer_train.py", folder / "treeB", "--mean", folder / "meanA.pt"]
    command += ["--network", "cifar_resnet20", "--iterations", LENGTHS["duration"]]
    command += ["--validate-every", LENGTHS["validate_every"], "--warmup", 30]
    if not depth:
        return [*command, "--save", folder / f"{name}.pt"], folder / f"{name}.out"
    return [*command, "--depth", depth, "--frozen", "--source", folder / f"peer-{source}-0.pt"], folder / f"{name}.out"


def bench_curve(folder):
    """A frozen curve of 10 depths: in one job, in ten, and as ten processes of the peer's."""
    write_tree(folder, "A")
    write_tree(folder, "B")
    base = sum(cpu_seconds([our_job(folder, "A", "A", "base", [0], **RESNET20)]))
    whole = sum(cpu_seconds([our_job(folder, "A", "B", "frozen", DEPTHS, **RESNET20)]))
    parts = sum(cpu_seconds([our_job(folder, "A", "B", "frozen", [depth], **RESNET20) for depth in DEPTHS]))
    cpu_seconds([peer_job(folder, "A")])
    peer = sum(cpu_seconds([peer_job(folder, "A", depth) for depth in DEPTHS]))
    print(
        f"A frozen curve of 10 depths of CIFAR ResNet-20, CPU seconds: {whole:.1f} in one job, {parts:.1f} in ten jobs"
    )
    print(f"  ratio {whole / parts:.2f} (wanted 0.4; the operations of training alone give {least_ratio():.2f})")
    print(f"  ten base networks of ours: {10 * base:.1f}, ratio {whole / (10 * base):.2f}")
    print(f"  ten processes of the peer: {peer:.1f}, {peer / whole:.1f} times as much (wanted 8)")


def least_ratio():
    """The multiplications of one job over those of ten: a unit that learns takes three times those of a frozen one."""
    costs = [cost.multiplications for cost in unit_costs("cifar_resnet20", 32, 20)]
    learning = sum(3 * sum(costs[depth:]) - costs[depth] for depth in DEPTHS)
    frozen = [sum(costs[:depth]) for depth in DEPTHS]
    return (learning + max(frozen)) / (learning + sum(frozen))


def main():
    """The engine on one thread, then the curve."""
    print(f"{machine()}; torch {torch.__version__}", flush=True)
    keep_freed_memory()
    set_deterministic(1)
    for architecture in BARE:
        bench_engine(architecture)
    with tempfile.TemporaryDirectory() as name:
        bench_curve(Path(name))


if __name__ == "__main__":
    main()
