"""The files of a step that reads a target's task and the network of a source: its options, and whether they agree."""

import argparse

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.records import Verified, Verifier, expect
from workflow_scripts.study.jobs import PRETRAINED, TrainingJob
from workflow_scripts.study.leaves import base_leaves


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of packed store, tasks and source network. Each file is compared with its record."""
    verified = Verifier().verified
    parser.add_argument("--manifest", type=verified, required=True, help="the packed store's manifest.json")
    parser.add_argument("--task", type=verified, required=True, help="the target task (.npz)")
    parser.add_argument("--source-task", type=verified, help="the source task, for its mean image")
    parser.add_argument("--source-weights", type=verified, help="the source's network (.safetensors)")


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """Add the names of a training job, which job_of reads back."""
    for name in ("partition", "source", "target", "treatment"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--depths", type=int, nargs="+", required=True)
    parser.add_argument("--preserve", type=int, default=0, help="units above the frozen ones that are copied too")
    parser.add_argument("--norm-statistics", default="", help="of frozen norms, where the curve is a variant in them")
    parser.add_argument("--rate", type=float, default=0, help="a learning rate after the first that the study tries")


def job_of(args: argparse.Namespace) -> TrainingJob:
    """The training job of add_job_options."""
    names = ("partition", "source", "target", "treatment", "seed", "preserve", "norm_statistics", "rate")
    return TrainingJob(**{name: getattr(args, name) for name in names}, depths=tuple(args.depths))


def add_device_options(parser: argparse.ArgumentParser, leaves: str) -> None:
    """Add the settings, whose `leaves` are as this function of study.leaves gives them, and what runs them."""
    parser.add_argument("--settings", type=cli.json_argument, required=True, help=f"study.leaves.{leaves} as JSON")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--jobs-per-gpu", type=int, default=1, help="jobs that may share a GPU")


def input_files(args: argparse.Namespace) -> list[Verified]:
    """The files of add_input_options that are given. They decide the bits of what is made."""
    return [file for file in (args.manifest, args.task, args.source_task, args.source_weights) if file]


def check_inputs(job: TrainingJob, args: argparse.Namespace) -> None:
    """Raise InputError unless tasks and source network are those of `job` with the leaves args.settings, and of one
    study.
    """
    expect(args.task, args.manifest, **job.task_names)
    if job.source == PRETRAINED:
        expect(args.source_weights, architecture=args.settings["architecture"])
    elif args.source_weights:
        expect(args.source_task, **job.source_job.task_names)  # perhaps of a different dataset's store
        networks = job.source_job.networks
        expect(args.source_weights, args.source_task, networks=networks, leaves=base_leaves(args.settings))
