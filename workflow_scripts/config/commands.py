"""Parts of the rules' shell commands. Light on purpose: the Snakefile calls this at parse time."""

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from workflow_scripts.config.network_input import is_weights_file
from workflow_scripts.plumbing.files import sha256_file
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.lines import SeedLine
from workflow_scripts.study.settings import rate_label


def step_environment(root: str, module: bool) -> dict[str, str]:
    """The variables with which steps run as `python -m workflow_scripts.<room>.<step>`, the package being in `root`.

    Python is the interpreter that runs Snakemake; a conda environment comes before it on the PATH and replaces it. What
    the user set as PYTHONPATH does not count, but where this workflow is a module, the importing workflow needs it.
    """
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep) if module else []
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys([root, *filter(None, others)])),
        "PYTHONUTF8": "1",  # names are UTF-8 for all steps, whatever the locale says
    }


def named_options(files: Iterable[tuple[str, str | list[str]]]) -> str:
    """`--name file...` for each name and its file or files, quoted for a shell."""
    words = []
    for name, value in files:
        words += [f"--{name.replace('_', '-')}", *([value] if isinstance(value, str) else value)]
    return shlex.join(words)


def uncompared(value: object) -> Callable[[object, object], object]:
    """A parameter of a rule, such as where a file lies, that Snakemake does not compare with that of the last run.

    It leaves out the parameters that are functions of `output`.
    """
    return lambda wildcards, output: value


def contents(files: Mapping[str, str | list[str]]) -> str:
    """The SHA-256 of each file, as JSON: a parameter for the user's and the workflow's own files, wherever they lie."""
    lists = {name: [value] if isinstance(value, str) else value for name, value in files.items()}
    return json.dumps({name: list(map(sha256_file, paths)) for name, paths in lists.items()}, sort_keys=True)


def training_gpus(config: Mapping) -> int:
    """Devices of a training job (with running.jobs_per_gpu above 1, places on devices)."""
    return config["running"]["gpus_per_job"] if config["training"]["device"] == "cuda" else 0


def training_launcher(config: Mapping) -> str:
    """How Python starts a training: by torchrun for several GPUs. This is part of what decides its bits.

    With -P, no module of the working directory takes the place of one of Python's or of this workflow's.
    """
    gpus = training_gpus(config)
    several = f"-P -m torch.distributed.run --standalone --nproc-per-node {gpus} --no-python python -P -m"
    return several if gpus > 1 else "-P -m"


def deciding_threads(config: Mapping) -> int | None:
    """The threads of a training job where they decide its bits (the order of sums), that is, on a CPU."""
    return config["running"]["threads"] if config["training"]["device"] == "cpu" else None


def variant_options(job: TrainingJob) -> str:
    """The options of a curve's preserved units, norm statistics and further rate, quoted for a shell."""
    given = {"norm-statistics": job.norm_statistics, "rate": rate_label(job.rate) if job.rate else ""}
    return named_options([("preserve", str(job.preserve)), *(pair for pair in given.items() if pair[1])])


def line_options(line: SeedLine) -> str:
    """The options of the ends of lines between networks of two seeds, quoted for a shell."""
    names = ("partition", "source", "target", "treatment", "seed")
    options = [(name, str(getattr(line.first, name))) for name in names]
    options += [("other_seed", str(line.other_seed)), ("depths", [*map(str, line.first.depths)])]
    return f"{named_options(options)} {variant_options(line.first)}"


def tensorboard_folder(config: Mapping, job: TrainingJob, results: str) -> str:
    """Where a training job writes its event files, below `results`, quoted for a shell; empty if it does not."""
    folder = f"{results}/tensorboard/{job.partition}-seed{job.seed}/{job.curve}"
    return shlex.quote(folder if config["running"]["tensorboard"] else "")


def weights_option(training: Mapping) -> str:
    """The option of pretrained weights, as a file or a tag of the network's library, quoted for a shell."""
    given = training["pretrained"]
    return named_options([("file" if is_weights_file(given) else "tag", given)])


def weights_identity(training: Mapping) -> str:
    """What decides pretrained weights: the content of a file, or the tag."""
    given = training["pretrained"]
    return contents({"weights": given}) if is_weights_file(given) else given
