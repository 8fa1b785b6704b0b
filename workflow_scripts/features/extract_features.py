"""Step: the features of every unit of a source network for all images of a task, for probes."""

import argparse
from pathlib import Path

from workflow_scripts.features.extraction import Images, extract, source_network
from workflow_scripts.partition.task import Task
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import atomic_path
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.study.jobs import PROBE, TrainingJob
from workflow_scripts.training.batches import subtracted_mean
from workflow_scripts.training.devices import device_name, keep_freed_memory, set_deterministic
from workflow_scripts.training.gpus import take_gpus
from workflow_scripts.training.inputs import add_device_options, add_input_options, check_inputs, input_files
from workflow_scripts.training.workers import Workers


def main() -> None:
    """Command line: see the module's docstring."""
    args = _arguments()
    job = TrainingJob(args.partition, args.seed, args.source, args.target, PROBE)
    check_inputs(job, args)
    lease = take_gpus(args.settings["device"], Workers(), args.jobs_per_gpu)
    set_deterministic(args.threads)
    keep_freed_memory()
    task = Task.load(args.task)
    mean = subtracted_mean(task, args.source_task, args.settings.get("mean_image"))
    images = Images(args.manifest, task, mean, args.settings, args.threads)
    network = source_network(job, args.settings, images, args.source_weights)
    with atomic_path(args.features) as temporary:
        units = extract(network, images, temporary)
    lease.release()
    names = {name: getattr(job, name) for name in ("partition", "seed", "source", "target")}
    made_by = provenance("features.extract_features", args.settings) | {"device": device_name(args.settings["device"])}
    record = names | {"units": units, "images": images.numbers, "leaves": args.settings, "provenance": made_by}
    write_record(args.record, record, [args.features], input_files(args))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_input_options(parser)
    for name in ("partition", "source", "target"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seed", type=int, required=True)
    add_device_options(parser, "feature_leaves")
    for name in ("features", "record"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    cli.run(main)
