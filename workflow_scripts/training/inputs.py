"""The files of a step that reads a target's task and the network of a source: its options, and whether they agree."""

import argparse

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
