"""make bench-ask, third part: what the choices in linear probes cost, on training images of five tasks only.

Of each task's training images three tenths are held back, three times. On the others, penalties are chosen as in
fit_probe, by cross entropy or by accuracy, and judged on those held back, beside the best penalty there. So are grids
of averages of fewer and of more numbers than features/pooling.py makes. scikit-learn fits once more at the penalty of
fit_probe. No validation image is read. Needs the shared folder of real images (see tests/conftest.py).
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import torch
from bench_ask import ARCHITECTURE as EFFICIENTNET
from bench_ask import SHARED, WEIGHTS, network
from bench_tools import machine
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from workflow_scripts.dataset.sources import open_dataset
from workflow_scripts.features import logistic, pooling
from workflow_scripts.network.inputs import network_input
from workflow_scripts.store.decode import decode_all

HELD_BACK, SPLITS = 0.3, 3
CONVERGED = {"tol": 1e-6, "max_iter": 10_000}  # of scikit-learn, whose usual tolerance stops early at weak penalties
OURS = "up to 1,024"
GRIDS = {"one number a channel": 0, OURS: pooling.GRID_FEATURES, "up to 4,096": pooling.MOST_FEATURES}
TREE = {"kind": "folder"}
SPLIT_TREE = TREE | {"split": {"val_per_class": 10, "seed": 0}, "exclude": ["BACKGROUND_Google"]}
BATCH = 64


@dataclass(frozen=True)
class RealTask:
    """A pretrained network and the training images of a dataset, at most `per_class` of each class."""

    name: str
    architecture: str
    weights: str
    archive: str
    dataset: Mapping
    per_class: int
    depths: tuple[int, ...]


OF_EFFICIENTNET = EFFICIENTNET, WEIGHTS
OF_RESNET20 = "cifar_resnet20", "models/cifar_resnet20_cifar10.safetensors"
SOME = (1, 3, 6, 12, 16, 18)  # of EfficientNet-Lite0's 18 depths
TASKS = [
    RealTask("Caltech-101", *OF_EFFICIENTNET, "caltech101_small.tar", SPLIT_TREE, 30, SOME),
    RealTask("CIFAR-100", *OF_EFFICIENTNET, "cifar100_small.tar", TREE, 20, SOME),
    RealTask("Tiny ImageNet", *OF_EFFICIENTNET, "tiny_imagenet_small.tar", TREE, 60, SOME),
    RealTask("Caltech-101, ResNet-20", *OF_RESNET20, "caltech101_small.tar", SPLIT_TREE, 30, (1, 4, 7, 9)),
    RealTask("CIFAR-100, ResNet-20", *OF_RESNET20, "cifar100_small.tar", TREE, 30, (1, 4, 7, 9)),
]


def training_images(task: RealTask) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of centre crops of its training images as its network wants them, and their labels."""
    wanted, dataset = network_input(task.architecture), open_dataset(task.dataset, str(SHARED / "data" / task.archive))
    mean, std = (torch.tensor(one).view(3, 1, 1) for one in (wanted.mean, wanted.std))
    start, classes = (wanted.image_size - wanted.crop) // 2, len(dataset.names)
    sources = [
        (label, source)
        for label in range(classes)
        for source in list(dataset.images("train", label, classes))[: task.per_class]
    ]
    for first in range(0, len(sources), BATCH):
        labels, some = zip(*sources[first : first + BATCH], strict=True)
        images = [image for _, image in decode_all(list(some), wanted.image_size, wanted.resize, os.cpu_count())]
        pixels = torch.stack([torch.tensor(image).permute(2, 0, 1) for image in images])
        crops = pixels[:, :, start:, start:][:, :, : wanted.crop, : wanted.crop]
        yield (crops / 255 - mean) / std, torch.tensor(labels)


@torch.no_grad()
def features(task: RealTask) -> tuple[dict[tuple[int, str], Tensor], Tensor]:
    """Features (images, numbers), float16, by depth and grid, and the labels."""
    source, found, labels = network(task.architecture, task.weights), {}, []
    for batch, of in training_images(task):
        for number in range(max(task.depths)):
            batch = source.unit(number, batch)
            if number + 1 in task.depths:
                for grid, most in GRIDS.items():
                    with patch.object(pooling, "GRID_FEATURES", most):
                        found.setdefault((number + 1, grid), []).append(pooling.pool_features(batch).half())
        labels.append(of)
    return {key: torch.cat(one) for key, one in found.items()}, torch.cat(labels)


def held_back(labels: Tensor, split: int) -> Tensor:
    """A mask (images,) of the images that judge."""
    random = torch.Generator().manual_seed(1000 + split)
    return torch.rand(len(labels), generator=random) < HELD_BACK


def chosen_by(worth: Callable[[Tensor, Tensor], float], paths: list[tuple[float, Tensor]], wanted: Tensor) -> float:
    """The penalty with the highest `worth` of its scores of held-out images; the strongest of equals."""
    return max(paths, key=lambda one: worth(one[1], wanted))[0]


def accuracy(scores: Tensor, labels: Tensor) -> float:
    """The share of images that are classified right."""
    return (scores.argmax(1) == labels).float().mean().item()


def penalties(components: Tensor, labels: Tensor, classes: int, seed: int) -> dict[str, float]:
    """The penalty that each criterion chooses, as fit_probe splits the images of these principal components."""
    mask = logistic._held_out(labels, classes, seed)
    start, paths = components.new_zeros(components.shape[1], classes), []
    for penalty in logistic.PENALTIES:
        start, _, _ = logistic._fit(components[~mask], labels[~mask], penalty, start, logistic.PATH_NEARNESS)
        paths.append((penalty, components[mask] @ start))
    loss = torch.nn.functional.cross_entropy
    criteria = {"cross entropy": lambda *one: -loss(*one).item(), "accuracy": accuracy}
    return {name: chosen_by(worth, paths, labels[mask]) for name, worth in criteria.items()}


def standard(features: Tensor, seen: Tensor) -> Tensor:
    """Features standardised as those `seen` want it."""
    std, mean = torch.std_mean(seen.float(), 0, correction=0)
    return (features.float() - mean) / torch.where(std == 0, 1, std)


def judged(found: Tensor, labels: Tensor, split: int) -> dict[str, float]:
    """The accuracy in percent on the images held back, by what chose the penalty; and scikit-learn's at ours."""
    back, classes = held_back(labels, split), int(labels.max()) + 1
    seen, of, unseen, wanted = found[~back], labels[~back], found[back], labels[back]
    components, basis = logistic._principal_components(standard(seen, seen))
    new = torch.cat([standard(unseen, seen) @ basis, torch.ones(len(unseen), 1)], 1)
    start, reached = components.new_zeros(components.shape[1], classes), {}
    for penalty in logistic.PENALTIES:
        start, _, _ = logistic._fit(components, of, penalty, start, logistic.NEARNESS)
        reached[penalty] = 100 * accuracy(new @ start, wanted)
    scores = {name: reached[penalty] for name, penalty in penalties(components, of, classes, split).items()}
    probe = logistic.fit_probe(seen, of, classes, split)
    ours = 100 * accuracy(probe.scores(unseen), wanted)
    peer = LogisticRegression(C=1 / (probe.penalty * len(of)), **CONVERGED).fit(standard(seen, seen).numpy(), of)
    theirs = 100 * peer.score(standard(unseen, seen).numpy(), wanted)
    return scores | {"best there": max(reached.values()), "fit_probe": ours, "scikit-learn": theirs}


def grid_scores(found: Tensor, labels: Tensor) -> float:
    """The accuracy in percent on the images held back, the mean of all splits."""
    scores = []
    for split in range(SPLITS):
        back, classes = held_back(labels, split), int(labels.max()) + 1
        probe = logistic.fit_probe(found[~back], labels[~back], classes, split)
        scores.append(100 * accuracy(probe.scores(found[back]), labels[back]))
    return sum(scores) / SPLITS


def bench(task: RealTask) -> list[dict]:
    """Print the lines of one task; a row for each depth."""
    found, labels = features(task)
    print(f"\n{task.name}: {len(labels)} training images, {int(labels.max()) + 1} classes", flush=True)
    rows = []
    for depth in task.depths:
        ours = [judged(found[depth, OURS], labels, split) for split in range(SPLITS)]
        row = {"task": task.name, "n": depth, **pd.DataFrame(ours).mean()}
        apart = max(abs(one["fit_probe"] - one["scikit-learn"]) for one in ours)
        row |= {"largest gap to scikit-learn": apart}
        row |= {grid: row["fit_probe"] if grid == OURS else grid_scores(found[depth, grid], labels) for grid in GRIDS}
        rows.append(row)
    print(pd.DataFrame(rows).drop(columns="task").set_index("n").round(2).T.to_string(), flush=True)
    return rows


def main() -> None:
    """The machine first."""
    if not SHARED.is_dir():
        sys.exit(f"{SHARED} is missing: it holds the images and the weights.")
    print(f"{machine()}; torch {torch.__version__}. Accuracies in percent on images held back from training images.")
    table = pd.DataFrame([row for task in TASKS for row in bench(task)])
    print("\nMeans over depths:")
    print(table.drop(columns="n").groupby("task", sort=False).mean().round(2).T.to_string())
    if folder := os.environ.get("OUT"):
        table.round(3).to_csv(Path(folder) / "probe_choices.csv", index=False)


if __name__ == "__main__":
    main()
