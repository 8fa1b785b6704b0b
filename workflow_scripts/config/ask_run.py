"""Runs Snakemake on a study of `make ask`, and shows how far it is in a line a step."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from workflow_scripts.config.commands import step_environment

STARTED = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$")
DONE = re.compile(r"^(\d+) of (\d+) steps \(\d+%\) done$")
FAILED = re.compile(r"^(?:\w+ failed, see \S+: error: |error: |(?=\w+ failed, see \S+: no error line))(.*)")
QUIET = ("host", "reason")
LOCKED = (
    f"{Path.cwd()}: another Snakemake works in this folder, or was killed in it. Wait for it; if there is none, run "
    ".venv/bin/snakemake --unlock, and this command again."
)
SHOWN = 15  # last lines of a run that says nothing itself


class Failed(Exception):
    """Snakemake failed. The text is what the user reads."""


def run_study(file: Path, root: Path, targets: Sequence[str]) -> None:
    """Make the `targets` of the study in `file` with the workflow in `root`; what is made already stays.

    Raises Failed, with the first reason, where Snakemake fails.
    """
    command = [sys.executable, "-m", "snakemake", *targets, "--snakefile", str(root / "Snakefile"), "--cores", "all"]
    command += ["--quiet", *QUIET, "--configfile", str(file)]
    environment = os.environ | step_environment(str(root), module=False)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, env=environment, start_new_session=True, **streams)
    try:
        lines = list(_watched(process.stdout))
        process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGINT)  # once, to Snakemake and its jobs
        process.wait()
        raise
    if process.returncode:
        raise Failed(_reason(lines))


def run_step(module: str, root: Path, options: Sequence[str]) -> str:
    """Run a step of the workflow in `root`, and give what it prints. Raises Failed with what it says where it fails."""
    command = [sys.executable, "-P", "-m", f"workflow_scripts.{module}", *options]
    environment = os.environ | step_environment(str(root), module=False)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise Failed(_reason(done.stderr.splitlines()))
    return done.stdout


def device() -> str:
    """The device of this machine for networks: cuda where there is a GPU that torch can use, else cpu.

    Only where the driver's program is there is torch asked, in a process of its own.
    """
    if shutil.which("nvidia-smi") is None:
        return "cpu"
    command = [sys.executable, "-c", "import torch; print(torch.cuda.is_available())"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "cuda" if done.stdout.strip() == "True" else "cpu"


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _reason(lines: Sequence[str]) -> str:
    """The first line that says why a run failed; the last lines where none does."""
    if any(line.startswith("LockException") for line in lines):
        return LOCKED
    said = [found[1] for line in lines if (found := FAILED.match(line))]
    return said[0] if said else "\n".join(lines[-SHOWN:])


def _watched(lines: Iterable[str]) -> Iterator[str]:
    """Snakemake's lines; for each rule that starts, a line with the time and how many jobs are done is printed."""
    progress = "0"
    for line in lines:
        if started := STARTED.match(line):
            print(f"  {time.strftime('%H:%M:%S')}  {progress} done, {started[1]}", flush=True)
        elif done := DONE.match(line):
            progress = f"{done[1]} of {done[2]}"
        yield line.rstrip("\n")
