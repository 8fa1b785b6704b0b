"""Step: measure how fast this machine trains a study's networks, on random images for a few seconds."""

import argparse
import json
import os
from pathlib import Path

# Deterministic cuBLAS needs this before CUDA starts (PyTorch notes, "Reproducibility").
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

from workflow_scripts.cost.operations import operations_per_image
from workflow_scripts.cost.speed import CLASSES, base_rate, speed_settings
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.training.devices import device_name, keep_freed_memory, set_deterministic
from workflow_scripts.training.gpus import take_gpus
from workflow_scripts.training.workers import Workers


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="leaves of training as JSON")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--jobs-per-gpu", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    lease = take_gpus(args.settings["device"], Workers(), args.jobs_per_gpu)
    set_deterministic(args.threads)
    keep_freed_memory()
    settings = speed_settings(args.settings)
    rate = base_rate(settings, args.seconds)
    lease.release()
    found = {
        "images_per_second": round(rate, 1),
        "operations_per_second": round(rate * operations_per_image(args.settings, CLASSES), -6),
        **{"device": device_name(settings.device), "threads": args.threads},
    }
    print(json.dumps(found))
    write_record(args.output, found | {"provenance": provenance("cost.speed", args.settings)})


if __name__ == "__main__":
    cli.run(main)
