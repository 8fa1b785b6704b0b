"""Step: measure how fast this machine trains a study's networks, on random images for a few seconds."""

import argparse
import json
from pathlib import Path

from workflow_scripts.cost.speed import measured
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.training.devices import keep_freed_memory
from workflow_scripts.training.gpus import take_gpus
from workflow_scripts.training.workers import Workers


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=cli.json_argument, required=True, help="leaves of training as JSON")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--jobs-per-gpu", type=int, default=1)
    parser.add_argument("--cuda-graphs", type=int, choices=(0, 1), default=0, help="whether a GPU replays CUDA graphs")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    lease = take_gpus(args.settings["device"], Workers(), args.jobs_per_gpu)
    keep_freed_memory()
    found = measured(args.settings, args.threads, args.seconds, bool(args.cuda_graphs))
    lease.release()
    print(json.dumps(found))
    write_record(args.output, found | {"provenance": provenance("cost.speed", args.settings)})


if __name__ == "__main__":
    cli.run(main)
