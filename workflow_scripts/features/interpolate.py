"""Step: the accuracy on the straight lines between the networks of two seeds, all units together and one by one."""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import safetensors
import torch

from workflow_scripts.features.interpolation import Accuracy, line_rows
from workflow_scripts.network.build import build_network
from workflow_scripts.network.networks import Network
from workflow_scripts.partition.task import Task
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.progress import progress
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verified, Verifier, expect, remedy, write_record
from workflow_scripts.study.columns import RATE
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.lines import LINE_KEYS, share_column
from workflow_scripts.study.settings import rate_label
from workflow_scripts.training.batches import subtracted_mean
from workflow_scripts.training.devices import device_name, keep_freed_memory, set_deterministic
from workflow_scripts.training.gpus import take_gpus
from workflow_scripts.training.inputs import add_device_options, add_job_options, job_of
from workflow_scripts.training.workers import Workers

End = dict[int, tuple[Verified, dict]]  # by depth: the file of weights that a network is in, and its record


def networks_of(job: TrainingJob, files: Iterable[Verified], args: argparse.Namespace) -> End:
    """The networks of all depths of `job` in `files`. Raises InputError unless these are made from the inputs."""
    tasks, found = [one for one in (args.task, args.source_task) if one], {}
    for file in files:
        depths = [network["depth"] for network in file.record["networks"]]
        expect(file, *tasks, leaves=args.settings, networks=[*map(job.network, depths)])
        found |= {network["depth"]: (file, network) for network in file.record["networks"]}
    if set(found) != set(job.depths):
        raise InputError(f"{file}: it has other depths than the study. {remedy(file)}")
    return found


def weights_of(end: End, depth: int) -> dict[str, torch.Tensor]:
    """The state dict of the network of `depth` (training.outcome.saved_weights)."""
    lead = f"depth{depth}." if depth else ""
    with safetensors.safe_open(end[depth][0], "pt") as file:
        return {name.removeprefix(lead): file.get_tensor(name) for name in file.keys() if name.startswith(lead)}  # noqa: SIM118


def empty_network(args: argparse.Namespace, task: Task) -> Network:
    """The network that is given the weights of each point. None of its units learns."""
    network = build_network(args.settings["architecture"], args.settings["crop"], task.classes)
    network.freeze(len(network.names))
    return network.to(torch.device(args.settings["device"]), memory_format=torch.channels_last)


def main() -> None:
    """Command line: see the module's docstring."""
    args = _arguments()
    first = job_of(args)
    second = replace(first, seed=args.other_seed)
    ends = networks_of(first, args.weights, args), networks_of(second, args.other_weights, args)
    lease = take_gpus(args.settings["device"], Workers(), args.jobs_per_gpu)
    set_deterministic(args.threads)
    keep_freed_memory()
    task = Task.load(args.task)
    mean = subtracted_mean(task, args.source_task, args.settings.get("mean_image"))
    accuracy = partial(Accuracy(args.manifest, task, mean, args.settings, args.threads), seed=first.order_seed())
    network, rows = empty_network(args, task), []
    rate = rate_label(args.settings["learning_rate"], args.settings.get("staged_learning_rate"))
    trained = [depth for depth in first.depths if not any(end[depth][1]["diverged"] for end in ends)]
    for depth in progress(trained, "lines between networks of two seeds", len(trained), "depths"):
        names = first.network(depth) | {"init": args.settings["init"], RATE: rate, "other_seed": args.other_seed}
        lines = line_rows(network, *(weights_of(end, depth) for end in ends), args.steps, accuracy)
        rows += [names | line | {"val_images": len(task.val_labels)} for line in lines]
    lease.release()
    columns = [*LINE_KEYS, *(share_column(step, args.steps) for step in range(args.steps + 1)), "val_images"]
    write_text(args.output, pd.DataFrame(rows, columns=columns).to_csv(index=False))
    made_by = provenance("features.interpolate", args.settings | {"steps": args.steps})
    record = {"line": names_of(first, args), "provenance": made_by | {"device": device_name(args.settings["device"])}}
    sources = [args.manifest, args.task, *([args.source_task] if args.source_task else [])]
    write_record(args.record, record, [args.output], [*sources, *args.weights, *args.other_weights])


def names_of(job: TrainingJob, args: argparse.Namespace) -> dict:
    """What the record says of the lines' ends."""
    names = ("partition", "source", "target", "treatment", "seed")
    return {name: getattr(job, name) for name in names} | {"other_seed": args.other_seed, "steps": args.steps}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    verified = Verifier().verified
    parser.add_argument("--manifest", type=verified, required=True, help="the packed store's manifest.json")
    parser.add_argument("--task", type=verified, required=True, help="the target task (.npz)")
    parser.add_argument("--source-task", type=verified, help="the source task, for its mean image")
    for name in ("weights", "other-weights"):
        parser.add_argument(f"--{name}", type=verified, nargs="+", required=True, help="networks of one seed")
    add_job_options(parser)
    for name in ("other-seed", "steps"):
        parser.add_argument(f"--{name}", type=int, required=True)
    add_device_options(parser, "job_leaves")
    for name in ("output", "record"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    cli.run(main)
