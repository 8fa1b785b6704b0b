"""The study that `make ask` writes for a network and a dataset, and the depths that it fine-tunes."""

import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from workflow_scripts.config.ask_data import AskedData
from workflow_scripts.config.ask_networks import AskedNetwork
from workflow_scripts.study.jobs import PRETRAINED

PROBES = {"partition": "whole", "pretrained": ["probe"], "random": ["probe"]}
TUNED = {"partition": "whole", "pretrained": ["frozen", "finetuned"]}
CUTS = 3  # depths that are fine-tuned
BATCH = 32
MAX_BAD = 0.01  # a folder that grew may hold a damaged file
# Of fine-tuning. All units of a pretrained network take a fifth of the rate of a network from scratch.
SCHEDULE = {
    **{"duration": "10 epochs", "validate_every": "1 epochs", "stuck_after": "10 epochs"},
    **{"schedule": {"kind": "cosine", "warmup": "1 epochs"}, "optimizer": "sgd", "momentum": 0.9},
    "learning_rate": {"base": 0.05, "frozen": 0.02, "finetuned": 0.01},
}


def study_of(
    data: AskedData,
    network: AskedNetwork,
    seeds: int,
    threads: int,
    device: str,
    stated: Mapping,
    cuts: Sequence[int] = (),
) -> dict:
    """What differs from the default study: probes at all depths and, at the depths `cuts`, frozen and fine-tuned
    curves. `stated` is the NetworkInput of the weights as a mapping, or empty where `auto` stands for it.
    """
    own = {"crop": stated["crop"], "channels": {key: list(stated[key]) for key in ("mean", "std")}} if stated else {}
    packed = {key: stated[key] for key in ("image_size", "resize")} if stated else {}
    tuned = [TUNED | {"depths": list(cuts)}] if cuts else []
    training = {"architecture": network.architecture, "pretrained": network.weights, "batch_size": BATCH}
    return {
        "study": "_".join(filter(None, ["ask", data.name, network.label])),
        "seeds": list(range(seeds)),
        "depths": "all",
        "matrix": [dict(PROBES), *tuned],
        **({"dataset": dict(data.section)} if data.section else {}),
        "store": packed | {"max_bad_fraction": MAX_BAD},
        "training": training | own | (SCHEDULE if cuts else {}) | {"device": device},
        "running": {"threads": threads, "depths_per_job": CUTS},
        "reference": None,
    }


def study_text(study: Mapping, file: Path) -> str:
    """The configuration as YAML, with a heading that says what it asks and how to run it again."""
    training, tunes = study["training"], len(study["matrix"]) > 1
    where = study.get("dataset", {}).get("path", "the drawn sample")
    beside = ", and frozen and fine-tuned networks at the best cuts" if tunes else ""
    lines = [
        f"# Where to cut {training['architecture']} for the images of {where}?",
        f"# It has linear classifiers on every depth, pretrained and untrained{beside}.",
        "# make ask wrote this file, and writes it anew. Copy it before you edit it. This runs it again:",
        f"#   .venv/bin/snakemake --cores all --configfile {file}",
    ]
    return "\n".join(lines) + "\n" + yaml.safe_dump(dict(study), sort_keys=False, allow_unicode=True, width=120)


def best_cuts(probes: Path) -> list[int]:
    """The depths of the pretrained network with the best accuracy on held-out training images, at most CUTS, sorted.

    `probes` is the table of probes. Validation images have no say.
    """
    held_out: dict[int, list[float]] = defaultdict(list)
    with open(probes, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["source"] == PRETRAINED and row["depth"] and row["held_out_top1"]:
                held_out[int(row["depth"])].append(float(row["held_out_top1"]))
    means = {depth: math.fsum(values) / len(values) for depth, values in held_out.items()}
    return sorted(sorted(means, key=lambda depth: (-round(means[depth], 9), depth))[:CUTS])


def written_cuts(file: Path) -> list[int]:
    """The depths that the study in `file` fine-tunes; none where it is not there or has none."""
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8"))["matrix"]
        return [depth for entry in entries[1:] for depth in entry["depths"]]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return []
