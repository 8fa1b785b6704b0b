"""make bench-train, second half: the engine against a bare loop, a matrix product, and the paper's study.

Timing decides no test: this prints.
"""

import os
import statistics
import time
from dataclasses import replace

import torch
from bench_tools import DEPTHS, MANIFEST, TASKS, leaves, ratio
from torch.nn import functional

from workflow_scripts.network.architectures import ARCHITECTURES, layer_costs
from workflow_scripts.network.initialisation import initialise
from workflow_scripts.network.networks import CaffeNet, Noise, Share
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.settings import training_settings
from workflow_scripts.training.devices import keep_freed_memory, set_deterministic
from workflow_scripts.training.engine import CurveTraining, open_training
from workflow_scripts.training.graphs import Graphs
from workflow_scripts.training.learner import Learner
from workflow_scripts.training.workers import Workers

ROUNDS = 9
PAPER_NETWORKS, PAPER_ITERATIONS, PAPER_BATCH = 163, 450_000, 256
PUBLISHED_RATES = {
    "the paper's GPU: 9.5 days a network": PAPER_ITERATIONS * PAPER_BATCH / (9.5 * 86400),
    "K40, Caffe with cuDNN: 5120 images in 19.2 s (Caffe's docs/performance_hardware.md)": 5120 / 19.2,
    "Titan X, cuDNN 4, fp32: 128 images in 81 ms (convnet-benchmarks, an AlexNet)": 128 / 0.081,
}


def settings_of(treatment, **changes):
    """The default study's settings for 1600 training images."""
    return replace(training_settings(leaves(treatment), 1600), precision="fp32", **changes)


def engine_rate(training, iterations):
    """Images per second of the engine: reading, augmenting and training."""
    batch = training.settings.batch_size
    started = time.perf_counter()
    for images, labels in training.batches.training(0, batch, 0, iterations):
        training._step(images, labels)
    return iterations * batch / (time.perf_counter() - started)


def bare_rate(training, iterations):
    """Images per second of a bare loop with the same networks, optimisers and precision on tensors in memory."""
    batch, crop = training.settings.batch_size, training.settings.crop
    images = torch.randn(batch, 3, crop, crop).to(memory_format=torch.channels_last)
    labels = torch.randint(training.batches.task.classes, (batch,))
    noise = Noise(torch.Generator(), Share(0, batch, batch)).seed(0)
    optimisers = [bare_optimiser(learner) for learner in training.learners]
    started = time.perf_counter()
    for _ in range(iterations):
        for learner, optimiser in zip(training.learners, optimisers, strict=True):
            optimiser.zero_grad()
            functional.cross_entropy(learner.network(images, noise), labels).backward()
            optimiser.step()
    return iterations * batch / (time.perf_counter() - started)


def bare_optimiser(learner):
    """torch's SGD as in the engine."""
    settings = learner.settings
    groups = [
        {
            "params": group.parameters,
            "weight_decay": settings.weight_decay if group.decays else 0.0,
            "lr": group.rate * settings.learning_rate,
        }
        for group in learner.network.parameter_groups()
    ]
    return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum, fused=True)


def bench_engine():
    """The engine's images per second against the bare loop's, and its FLOP/s against a matrix product's."""
    settings = settings_of("base", iterations=10**9, validate_every=10**9)
    base = TrainingJob.base("random0", 0, "B")
    batches, weights = open_training(base, leaves("base"), MANIFEST, TASKS["B"]).batches, None
    for title, job in (
        ("a base network", base),
        ("a fine-tuned curve", TrainingJob("random0", 0, "B", "B", "finetuned", depths=DEPTHS)),
    ):
        training = CurveTraining(job, settings, batches, weights)
        weights = training.learners[0].network.state_dict()
        iterations = 140 // len(job.depths)
        engine, bare = [], []
        for _ in range(ROUNDS):
            engine.append(engine_rate(training, iterations))
            bare.append(bare_rate(training, iterations))
        print(f"Engine, {title}, 1 thread: {statistics.median(engine):.0f} images/s, reading and augmenting included;")
        print(f"  a bare loop on tensors in memory: {statistics.median(bare):.0f}")
        print(f"  ratio {ratio(engine, bare):.3f} (wanted 0.95)")
        operations = training_operations("mini_caffenet", 32, batches.task.classes) * len(job.depths)
        print_share(statistics.median(engine) * operations, threads=1)


def training_operations(architecture, crop, classes):
    """Floating-point operations of an image forward and backward: 2 a multiplication, three times (for outputs and
    the gradients of weights and of inputs), but twice in the first layer, whose inputs need no gradient.
    """
    costs = layer_costs(ARCHITECTURES[architecture](), crop, classes)
    return 6 * sum(cost.multiplications for cost in costs) - 2 * costs[0].multiplications


def print_share(rate, threads):
    """FLOP/s beside those of a matrix product."""
    peak = matmul_rate(threads)
    print(f"  {rate / 1e9:.0f} GFLOP/s: {rate / peak:.2f} of a matrix product's {peak / 1e9:.0f}\n")


def matmul_rate(threads, size=2048):
    """FLOP/s of torch's product of two square float32 matrices, the best of 5."""
    torch.set_num_threads(threads)
    one, other = torch.randn(size, size), torch.randn(size, size)
    best = 0.0
    for _ in range(5):
        started = time.perf_counter()
        torch.mm(one, other)
        best = max(best, 2 * size**3 / (time.perf_counter() - started))
    return best


def bench_caffenet(batch=64, iterations=5):
    """The paper's network on all cores: images per second, and what its study takes at that and at published rates."""
    threads = os.cpu_count()
    set_deterministic(threads)
    settings = settings_of("base", architecture="caffenet", init="caffe", crop=227, batch_size=batch)
    network = CaffeNet(ARCHITECTURES["caffenet"](), 227, 1000)
    initialise(network, "caffe", 0)
    network.to(memory_format=torch.channels_last)
    learner = Learner(TrainingJob.base("whole", 0, "whole"), 0, network, settings, Workers(), Graphs(used=False))
    images = torch.randn(batch, 3, 227, 227).to(memory_format=torch.channels_last)
    labels = torch.randint(1000, (batch,))
    rates = []
    for iteration in range(iterations):
        started = time.perf_counter()
        learner.step(iteration, images, labels, 0.01)
        rates.append(batch / (time.perf_counter() - started))
    rate, operations = statistics.median(rates), training_operations("caffenet", 227, 1000)
    print(f"caffenet, 227 x 227, batches of {batch}, {threads} threads: {rate:.1f} images/s forward and backward")
    print(f"  x {operations / 1e9:.2f} GFLOP an image =", end="")
    print_share(rate * operations, threads)
    print_projection(rate)


def print_projection(rate):
    """The hours of the paper's networks, one after another."""
    images = PAPER_NETWORKS * PAPER_ITERATIONS * PAPER_BATCH
    print(
        f"The paper: {PAPER_NETWORKS} networks x {PAPER_ITERATIONS:,} iterations x {PAPER_BATCH} = {images:.4g} images"
    )
    for name, speed in {"this machine": rate, **PUBLISHED_RATES}.items():
        print(f"  / {speed:.1f} images/s / 3600 = {images / speed / 3600:,.0f} hours   ({name})")


def main():
    """The default study's engine on one thread, then the paper's network on all cores."""
    keep_freed_memory()
    set_deterministic(1)
    bench_engine()
    bench_caffenet()


if __name__ == "__main__":
    main()
