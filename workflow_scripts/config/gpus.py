"""Whether this machine has the GPUs that a study's jobs need, without torch. Light: the Snakefile calls this."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError

DEVICES = Path("/dev")
# GPUs whose number these files do not tell: of WSL, of AMD.
UNCOUNTED = ("dxg", "kfd")


def check_gpus(jobs: Iterable, local: bool, gpus_per_job: int) -> None:
    """Raise InputError if some of Snakemake's `jobs`, which run on this machine (`local`), need GPUs that it lacks.

    `gpus_per_job` is 0 for a study on CPUs. Submitted jobs run elsewhere: their own step checks them.
    """
    users = {job.rule.name for job in jobs if "gpu" in job.rule.resources}
    if not local or not users or not gpus_per_job:
        return
    seen = most_gpus(os.environ)
    if seen == 0:
        remedy = "Set it to cpu, run where a GPU is, or submit the jobs with a profile of a cluster (docs/clusters.md)."
        if all(name.endswith("calibrate") for name in users):
            remedy = "Give plan.images_per_second, or run where a GPU is."
        raise InputError(f"configuration: training.device: it is cuda, but this machine shows no NVIDIA GPU. {remedy}")
    if seen is not None and seen < gpus_per_job:
        raise InputError(
            f"configuration: running.gpus_per_job: it is {gpus_per_job}, but this machine shows {seen} GPUs. Lower it."
        )


def most_gpus(environment: Mapping[str, str], devices: Path = DEVICES) -> int | None:
    """How many GPUs a process can use at most; None if that cannot be told from files and `environment`."""
    listed = environment.get("CUDA_VISIBLE_DEVICES")
    if listed is not None:
        names = [name.strip() for name in listed.split(",")]
        return 0 if names[0] in ("", "-1") else len(names)
    if any((devices / name).exists() for name in UNCOUNTED):
        return None
    if found := [path for path in devices.glob("nvidia[0-9]*") if path.name.removeprefix("nvidia").isdecimal()]:
        return len(found)
    return None if shutil.which("nvidia-smi", path=environment.get("PATH")) else 0
