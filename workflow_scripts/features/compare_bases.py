"""Step: how alike the base networks of a partition's halves are, unit by unit, on the target's validation images."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from workflow_scripts.features.similarity import linear_cka, unit_grams
from workflow_scripts.network.build import build_network, new_network
from workflow_scripts.network.networks import Network, load_weights
from workflow_scripts.partition.task import Task
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verifier, expect, record_of, remedy, write_record
from workflow_scripts.store.packed import PackedSplit
from workflow_scripts.study.jobs import OTHER_HALF, TrainingJob
from workflow_scripts.study.leaves import base_leaves
from workflow_scripts.study.seeds import derive_seed
from workflow_scripts.training.batches import Batches, input_view
from workflow_scripts.training.devices import set_deterministic


def compare_bases(
    manifests: dict[str, Path],
    tasks: dict[str, Task],
    networks: dict[str, Network],
    untrained: Network,
    settings: dict,
    count: int,
) -> pd.DataFrame:
    """Linear CKA of the source's and the target's base network, a row per `target` (A, B) and `depth`.

    The other columns are `unit`, `cka`, `cka_untrained` (of the untrained network and the target's) and the number of
    `images`. Both are NaN where linear_cka is: for few images, and for networks that diverged. Stores' `manifests`,
    `tasks` and `networks` are by half. `settings` are leaves.view_leaves.
    As in a transferred network, the source's network sees images minus the mean image that mean_image chooses. The
    target's network sees images minus its own.
    """
    rows = []
    for target, source in OTHER_HALF.items():
        own = tasks[target].mean_image
        others = tasks[source].mean_image if settings.get("mean_image") == "source" else own
        seen, seen_by_source = (
            _images(manifests[target], tasks[target], mean, settings, count) for mean in (own, others)
        )
        compared = [(networks[target], seen), (networks[source], seen_by_source), (untrained, seen)]
        grams = [list(unit_grams(*one)) for one in compared]  # one network after another: outputs are far larger
        for depth, ((unit, wanted), (_, transferred), (_, random)) in enumerate(zip(*grams, strict=True), start=1):
            alike, control = linear_cka(transferred, wanted), linear_cka(random, wanted)
            rows.append((target, depth, unit, alike, control, len(seen)))
    return pd.DataFrame(rows, columns=["target", "depth", "unit", "cka", "cka_untrained", "images"])


def _images(manifest: Path, task: Task, mean_image: np.ndarray, settings: dict, count: int) -> Tensor:
    """Up to `count` evenly spaced validation images of `task` as networks see them (n, 3, crop, crop)."""
    total = len(task.val_labels)
    chosen = np.linspace(0, total - 1, min(count, total)).round().astype(int)
    some = replace(task, val_positions=task.val_positions[chosen], val_labels=task.val_labels[chosen])
    train, val = PackedSplit(manifest, "train"), PackedSplit(manifest, "val")
    device = torch.device("cpu")
    crop, scale, channels = settings["crop"], settings.get("input_scale"), settings.get("channels")
    mean, scale = input_view(mean_image, val.image_size, crop, scale, channels)
    batches = Batches(train, val, some, mean, crop, scale, device)
    return torch.cat([images for images, _ in batches.validation(128)])


def load_network(weights: Path, settings: dict, classes: int) -> Network:
    """The network of a safetensors file. Raises InputError if it is not of the architecture in `settings`."""
    network = build_network(settings["architecture"], settings["crop"], classes)
    try:
        network.load_state_dict(load_weights(weights))
    except RuntimeError as error:
        raise InputError(
            f"{weights}: it is not a {settings['architecture']} of {classes} classes ({error}). {remedy(weights)}"
        ) from None
    return network


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    verified = Verifier().verified
    for name in ("manifest-a", "manifest-b", "task-a", "task-b", "weights-a", "weights-b"):
        parser.add_argument(f"--{name}", type=verified, required=True)
    for name in ("output", "record"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--partition", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--settings", type=cli.json_argument, required=True)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    set_deterministic(args.threads)
    manifests = {"A": args.manifest_a, "B": args.manifest_b}
    paths, weights = {"A": args.task_a, "B": args.task_b}, {"A": args.weights_a, "B": args.weights_b}
    for half, task in paths.items():
        expect(task, manifests[half], partition=args.partition, half=half)
        networks = TrainingJob.base(args.partition, args.seed, half).networks
        expect(weights[half], task, networks=networks, leaves=base_leaves(args.settings))
    tasks = {half: Task.load(path) for half, path in paths.items()}
    networks = {half: load_network(path, args.settings, tasks[half].classes) for half, path in weights.items()}
    seed = derive_seed("untrained", args.partition, args.seed)
    made = [args.settings[key] for key in ("architecture", "crop")]
    untrained = new_network(*made, tasks["A"].classes, args.settings["init"], seed)
    table = compare_bases(manifests, tasks, networks, untrained, args.settings, args.images)
    table.insert(0, "seed", args.seed)
    table.insert(0, "partition", args.partition)
    write_text(args.output, table.round(6).to_csv(index=False))
    record = {"provenance": provenance("features.compare_bases", args.settings | {"images": args.images})}
    sources = [
        *manifests.values(),
        *paths.values(),
        *weights.values(),
        *(record_of(file.path) for file in weights.values()),
    ]
    write_record(args.record, record, [args.output], sources)


if __name__ == "__main__":
    cli.run(main)
