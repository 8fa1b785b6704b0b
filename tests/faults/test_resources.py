"""A full disk, a folder that may not be written to, and too little memory: a line that says so, what was finished is
whole, and a rerun goes on to the same bits.
"""

import os
import resource
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from helpers import PYTHON, ROOT, results_of

TORCH_BYTES = 3_330_000 * 1024  # of addresses, in which torch starts but cannot train (measured)
CGROUP = Path("/sys/fs/cgroup/memory")
KILLED_BYTES = 420 * 2**20  # of memory: Snakemake runs in it, torch does not

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="only root can make a small disk or limit memory"
)


@pytest.fixture(scope="module")
def undisturbed(checkout):
    study = tiny(checkout)
    study.snakemake()
    return study.folder


def tiny(checkout):
    study = checkout("tiny.yaml")
    shutil.copy(ROOT / "tests/workflow/tiny.yaml", study.folder / "tiny.yaml")
    return study


@pytest.fixture
def disk():
    """A function that puts a disk of some megabytes at a folder, or changes what it is; it is taken away afterwards."""
    mounted = []

    def mount(folder, options):
        folder.mkdir(parents=True, exist_ok=True)
        kind = f"remount,{options}" if folder in mounted else options
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", kind, "tmpfs", str(folder)], check=False)
        if done.returncode != 0:
            pytest.skip("this machine lets nobody mount a disk in memory")
        mounted.append(folder)

    yield mount
    for folder in set(mounted):
        subprocess.run(["umount", str(folder)], check=True)


def errors(printed):
    return [line for line in printed.splitlines() if line.startswith("error: ")]


def whole(study):
    """Whether every file matches its record: nothing half-written was accepted."""
    assert not [path for path in study.folder.rglob("*.tmp*") if path.is_file() and ".snakemake" not in path.parts]
    printed = study.snakemake("verify", "--quiet", "all", check=False)
    return "match their records" in printed or "there is nothing to verify" in printed


def goes_on(study, undisturbed):
    """Run to the end; the results are those of a study that nothing befell."""
    study.snakemake()
    pd.testing.assert_frame_equal(results_of(study.folder), results_of(undisturbed))
    assert whole(study)


@pytest.mark.parametrize(
    ("place", "size"), [("data", "1m"), ("data", "3m"), ("results", "200k"), ("results", "2m"), ("results", "6m")]
)
def test_a_full_disk(checkout, disk, undisturbed, place, size):
    study = tiny(checkout)
    disk(study.folder / place, f"size={size}")
    printed = study.snakemake(check=False)
    assert any("No space left on device" in line or "of disk are free" in line for line in errors(printed)), printed
    assert "Traceback" not in printed
    assert "What is finished is kept" in printed
    disk(study.folder / place, "size=200m")
    assert whole(study)
    goes_on(study, undisturbed)


def test_a_read_only_folder(checkout, disk, undisturbed):
    study = tiny(checkout)
    study.snakemake("bases")
    shutil.move(study.folder / "results", study.folder / "kept")
    disk(study.folder / "results", "size=200m")
    shutil.copytree(study.folder / "kept", study.folder / "results", dirs_exist_ok=True)
    disk(study.folder / "results", "ro")
    printed = study.snakemake(check=False)
    assert len(errors(printed)) == 1
    assert "results/tiny: the folder cannot be written to" in printed
    assert "Traceback" not in printed
    disk(study.folder / "results", "rw")
    goes_on(study, undisturbed)


def run_with(study, prepare):
    """Train the base networks anew in a process that `prepare` limits; its status and what it printed."""
    command = [
        PYTHON,
        "-m",
        "snakemake",
        "--cores",
        "1",
        "--configfile",
        "tiny.yaml",
        "--retries",
        "0",
        "bases",
    ]
    done = subprocess.run(
        command, cwd=study.folder, capture_output=True, text=True, check=False, preexec_fn=prepare, timeout=600
    )
    return done.returncode, done.stdout + done.stderr


def test_too_few_addresses(checkout, undisturbed):
    study = tiny(checkout)
    study.snakemake("tasks")
    status, printed = run_with(study, lambda: resource.setrlimit(resource.RLIMIT_AS, (TORCH_BYTES, TORCH_BYTES)))
    assert status != 0
    assert any(line.startswith("error: memory: none is left") for line in errors(printed)), printed
    goes_on(study, undisturbed)


def test_killed_for_memory(checkout, undisturbed):
    """The system kills the job, which cannot say anything; Snakemake does."""
    if not (CGROUP / "memory.limit_in_bytes").exists():
        pytest.skip(f"{CGROUP} is missing: this machine has no control group (v1) for memory")
    study = tiny(checkout)
    study.snakemake("tasks")
    group = CGROUP / f"transferability-{os.getpid()}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(KILLED_BYTES))
        status, printed = run_with(study, lambda: (group / "cgroup.procs").write_text(str(os.getpid())))
    finally:
        group.rmdir()
    assert status != 0
    assert "Killed" in printed
    assert "one that was Killed had too little memory" in printed
    goes_on(study, undisturbed)
