"""make bench-ask: features of every depth of a pretrained network, against its bare forward pass, and linear probes on
them, against scikit-learn on the same features.

The network is EfficientNet-Lite0 with ImageNet's weights, the task Caltech-101: 10 validation images of each class, the
others are for training. Ours chooses the penalty and fits; scikit-learn only fits once, at the penalty that ours chose.
Seconds are of wall-clock time on all cores. Needs the shared folder of real images (see tests/conftest.py). Timing
decides no test: this prints.
"""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import torch
from bench_tools import machine
from helpers import ROOT
from sklearn.linear_model import LogisticRegression
from timm import create_model
from torch import Tensor

from workflow_scripts.dataset.sources import open_dataset
from workflow_scripts.features.extraction import Pass
from workflow_scripts.features.logistic import fit_probe
from workflow_scripts.features.pooling import pool_features
from workflow_scripts.network.build import build_network
from workflow_scripts.network.inputs import NetworkInput, network_input
from workflow_scripts.network.networks import Network, load_weights
from workflow_scripts.network.pretrained import matched_weights
from workflow_scripts.store.decode import decode_all

SHARED = Path(os.environ.get("TRANSFERABILITY_SHARED", ROOT.parent / "shared"))
DATASET = {"kind": "folder", "split": {"val_per_class": 10, "seed": 0}, "exclude": ["BACKGROUND_Google"]}
CALTECH = SHARED / "data/caltech101_small.tar"
ARCHITECTURE, WEIGHTS = "timm:tf_efficientnet_lite0", "models/tf_efficientnet_lite0_imagenet.safetensors"
BATCH, ROUNDS = 64, 12


def network(architecture: str = ARCHITECTURE, weights: str = WEIGHTS) -> Network:
    """A pretrained network; its head is untrained."""
    made = build_network(architecture, network_input(architecture).crop, 2).eval()
    path = SHARED / weights
    made.copy_units(matched_weights(path, load_weights(path), made), len(made.names) - 1)
    return made


def images(split: str, wanted: NetworkInput, path: Path, kind: dict) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of centre crops of the dataset at `path` as the network wants them, and their labels."""
    dataset = open_dataset(kind, str(path))
    classes = len(dataset.names)
    mean, std = (torch.tensor(one).view(3, 1, 1) for one in (wanted.mean, wanted.std))
    start = (wanted.image_size - wanted.crop) // 2
    pixels, labels = [], []
    for label in range(classes):
        sources = list(dataset.images(split, label, classes))
        for _, image in decode_all(sources, wanted.image_size, wanted.resize, os.cpu_count()):
            crop = torch.tensor(image).permute(2, 0, 1)[:, start:, start:][:, : wanted.crop, : wanted.crop]
            pixels.append((crop / 255 - mean) / std)
            labels.append(label)
            if len(pixels) == BATCH:
                yield torch.stack(pixels), torch.tensor(labels)
                pixels, labels = [], []
    if pixels:
        yield torch.stack(pixels), torch.tensor(labels)


@torch.no_grad()
def features(split: str, source: Network, path: Path = CALTECH, kind: dict = DATASET) -> tuple[list[Tensor], Tensor]:
    """The features (images, numbers), float16, of each depth, and the labels."""
    found, labels = [[] for _ in source.names[:-1]], []
    for batch, of in images(split, network_input(ARCHITECTURE), path, kind):
        for number, unit in enumerate(found):
            batch = source.unit(number, batch)
            unit.append(pool_features(batch).half())
        labels.append(of)
    return [torch.cat(one) for one in found], torch.cat(labels)


def compared(name: str, train: Tensor, labels: Tensor, val: Tensor, val_labels: Tensor) -> tuple[float, float]:
    """Print a line about one depth; the seconds of ours and of scikit-learn."""
    classes = int(labels.max()) + 1
    started = time.perf_counter()
    probe = fit_probe(train, labels, classes, seed=0)
    ours = time.perf_counter() - started
    standard, unseen = (((one.float() - probe.mean) / probe.std).numpy() for one in (train, val))
    started = time.perf_counter()
    peer = LogisticRegression(C=1 / (probe.penalty * len(labels)), max_iter=1000).fit(standard, labels.numpy())
    theirs = time.perf_counter() - started
    top1 = (probe.scores(val).argmax(1) == val_labels).float().mean().item()
    apart = torch.linalg.norm(probe.weight - torch.from_numpy(peer.coef_)) / torch.linalg.norm(probe.weight)
    print(
        f"{name:14s}{train.shape[1]:6d}{probe.penalty:10.1e}{100 * probe.held_out_top1:8.1f}{100 * top1:8.1f}"
        f"{100 * peer.score(unseen, val_labels.numpy()):8.1f}{100 * apart:8.1f}{ours:8.2f}{theirs:8.2f}",
        flush=True,
    )
    return ours, theirs


def bench_features() -> None:
    """The pass that features are computed in, with their averages, beside the network's bare forward pass."""
    crop = network_input(ARCHITECTURE).crop
    source = network().to(memory_format=torch.channels_last)
    bare = create_model(ARCHITECTURE.removeprefix("timm:")).eval().to(memory_format=torch.channels_last)
    batch = torch.randn(BATCH, 3, crop, crop).contiguous(memory_format=torch.channels_last)
    run = Pass(source, "fp32", torch.device("cpu"))
    ways = {
        "ours": lambda: [pool_features(outputs).half() for outputs in run.outputs(batch)],
        "bare": lambda: bare(batch),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.perf_counter()
            with torch.no_grad():
                way()
            seconds[name].append(time.perf_counter() - started)
    ours, theirs = (BATCH / median(seconds[name][1:]) for name in ways)
    rates = f"{ours:.0f} images/s, a bare forward pass {theirs:.0f}: {ours / theirs:.2f} (wanted 0.9)"
    print(f"Features of all depths: {rates}")


def bench_probes() -> None:
    """All depths, and all together."""
    source = network()
    started = time.perf_counter()
    (train, labels), (val, val_labels) = (features(split, source) for split in ("train", "val"))
    print(f"Features of {len(labels)} + {len(val_labels)} images: {time.perf_counter() - started:.0f} s")
    print("Shares and the distance of the weights in percent.")
    print("unit          numbers  penalty held out  top-1  peer's weights seconds  peer's")
    groups = [*zip(source.names[:-1], train, val, strict=True), ("all units", torch.cat(train, 1), torch.cat(val, 1))]
    seconds = [compared(name, seen, labels, unseen, val_labels) for name, seen, unseen in groups]
    ours, theirs = (sum(column) for column in zip(*seconds, strict=True))
    print(f"All probes: ours {ours:.1f} s (wanted 60 at most), scikit-learn at one penalty each {theirs:.1f} s")


def main() -> None:
    """The machine first."""
    if not SHARED.is_dir():
        sys.exit(f"{SHARED} is missing: it holds the images and the weights.")
    print(f"{machine()}; torch {torch.__version__}\n", flush=True)
    bench_features()
    bench_probes()


if __name__ == "__main__":
    main()
