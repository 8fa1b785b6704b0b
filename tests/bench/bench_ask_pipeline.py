"""make bench-ask, second part: from image files to the accuracy at every depth, against the usual script.

Ours decodes each image once, computes the features of all depths in one pass and fits all probes. The usual script has
for each depth a feature extractor, a DataLoader over the files, global averages and scikit-learn. Both read
the same files of Caltech-101, `--per-class` of them for training and 2 for validation, and the same weights. It prints
CPU seconds, their ratio and both accuracies. Timing decides no test.
"""

import argparse
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import torch
from bench_ask import ARCHITECTURE, SHARED, WEIGHTS, features, network
from bench_tools import machine
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from timm import create_model
from timm.models import create_feature_extractor
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from workflow_scripts.features.logistic import fit_probe

NODES = {"conv_stem": "bn1", "conv_head": "bn2"}  # where the norm and activation of a layer have names of their own
BATCH, VAL_PER_CLASS = 32, 2


def unpacked(folder: Path, per_class: int) -> None:
    """Write the first images of each class of Caltech-101 into `folder`/train and `folder`/val."""
    with tarfile.open(SHARED / "data/caltech101_small.tar") as tar:
        by_class: dict[str, list[tarfile.TarInfo]] = {}
        for member in tar:
            if member.name.endswith(".jpg") and "BACKGROUND" not in member.name:
                by_class.setdefault(Path(member.name).parent.name, []).append(member)
        for name, members in by_class.items():
            chosen = sorted(members, key=lambda member: member.name)[: per_class + VAL_PER_CLASS]
            for number, member in enumerate(chosen):
                place = folder / ("val" if number < VAL_PER_CLASS else "train") / name
                place.mkdir(parents=True, exist_ok=True)
                (place / Path(member.name).name).write_bytes(tar.extractfile(member).read())


def ours(folder: Path) -> list[float]:
    """The accuracy at each depth, as the workflow's modules compute it."""
    source, dataset = network(), {"kind": "folder"}
    (train, labels), (val, val_labels) = (features(split, source, folder, dataset) for split in ("train", "val"))
    classes = int(labels.max()) + 1
    probes = [fit_probe(seen, labels, classes, seed=0) for seen in train]
    scores = [probe.scores(unseen) for probe, unseen in zip(probes, val, strict=True)]
    return [(one.argmax(1) == val_labels).float().mean().item() for one in scores]


def usual(folder: Path, units: list[str]) -> list[float]:
    """The accuracy at each depth, one depth after the other."""
    look = v2.Compose(
        [
            v2.Resize(256, v2.InterpolationMode.BICUBIC),
            *(v2.CenterCrop(224), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)),
            v2.Normalize([0.5] * 3, [0.5] * 3),
        ]
    )
    found = []
    for unit in units:
        model = create_model(ARCHITECTURE.removeprefix("timm:")).eval()
        model.load_state_dict(load_file(SHARED / WEIGHTS), strict=False)
        extractor = create_feature_extractor(model, {NODES.get(unit, unit): "features"})
        (seen, labels), (unseen, wanted) = (
            _averages(extractor, ImageFolder(folder / name, look)) for name in ("train", "val")
        )
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(seen, labels)
        found.append(classifier.score(unseen, wanted))
        print(f"  {unit}: {100 * found[-1]:.1f} %", flush=True)
    return found


@torch.no_grad()
def _averages(extractor: torch.nn.Module, images: ImageFolder) -> tuple[Tensor, Tensor]:
    batches = [(extractor(batch)["features"].mean((2, 3)), labels) for batch, labels in DataLoader(images, BATCH)]
    return tuple(map(torch.cat, zip(*batches, strict=True)))


def timed(function, *arguments) -> tuple[list[float], float]:
    """What a function returns, and the CPU seconds that it took."""
    started = time.process_time()
    return function(*arguments), time.process_time() - started


def main() -> None:
    """The machine first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-class", type=int, default=8, help="training images of each class")
    args = parser.parse_args()
    if not SHARED.is_dir():
        sys.exit(f"{SHARED} is missing: it holds the images and the weights.")
    print(f"{machine()}; torch {torch.__version__}\n", flush=True)
    units = network().names[:-1]
    with tempfile.TemporaryDirectory() as folder:
        unpacked(Path(folder), args.per_class)
        mine, seconds = timed(ours, Path(folder))
        print(f"Ours: {seconds:.0f} CPU seconds. The usual script:", flush=True)
        theirs, others = timed(usual, Path(folder), units)
    print("unit             ours   usual   top-1 in percent")
    for unit, one, other in zip(units, mine, theirs, strict=True):
        print(f"{unit:14s}{100 * one:7.1f}{100 * other:8.1f}")
    print(f"CPU seconds: ours {seconds:.0f}, the usual script {others:.0f}, {others / seconds:.1f} times (wanted 8)")


if __name__ == "__main__":
    main()
