"""Leases of GPUs: Snakemake counts GPUs but does not say which one a job may use (snakemake#281).

Jobs on one machine therefore divide them by locks on files. The kernel releases the locks however a job ends.
"""

import fcntl
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from workflow_scripts.plumbing.cli import InputError

FOLDER = Path(tempfile.gettempdir()) / "transferability-gpus"  # on the node itself: other nodes have other GPUs
ALLOCATIONS = ("SLURM_JOB_ID", "PBS_JOBID", "JOB_ID", "LSB_JOBID", "KUBERNETES_SERVICE_HOST")
POLL_SECONDS, SAY_SECONDS = 0.5, 600


class Lease:
    """GPUs that this process may use, as long as it lives or until `release`."""

    def __init__(self, devices: list[str], locks: list[int]) -> None:
        self.devices, self.locks = devices, locks

    def release(self) -> None:
        """Give the devices back; the end of the process does so too."""
        for lock in self.locks:
            os.close(lock)
        self.locks = []


def visible_devices(environment: Mapping[str, str]) -> list[str]:
    """The GPUs that this process may choose from: those of CUDA_VISIBLE_DEVICES (numbers or UUIDs) or, unset, all."""
    if (listed := environment.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name.strip() for name in listed.split(",") if name.strip()]
    from torch import cuda  # imported late: it takes seconds

    return [str(number) for number in range(cuda.device_count())]


def lease_gpus(
    devices: Sequence[str],
    count: int,
    jobs_per_gpu: int,
    environment: Mapping[str, str],
    folder: Path = FOLDER,
    wait: Callable[[float], None] = time.sleep,
) -> Lease:
    """Wait until `count` of `devices` are free and lease them, all at once.

    `jobs_per_gpu` is how many jobs may share a device. A job that says 1 has its devices to itself. Where a scheduler's
    allocation (ALLOCATIONS in `environment`) holds no more devices than wanted, they are this job's own and need no
    lock. A larger allocation is divided among the jobs inside it. Raises InputError for too few devices.
    """
    allocation = next((f"{name}={environment[name]}" for name in ALLOCATIONS if name in environment), "")
    if len(devices) < count:
        raise InputError(f"running.gpus_per_job: the job needs {count} GPUs but sees {len(devices)}. Lower it.")
    if allocation and len(devices) == count:
        return Lease(list(devices), [])
    locks = folder / allocation.replace("/", "_")  # an allocation may number its devices by itself
    _make_folder(folder)
    _make_folder(locks)
    waited = 0.0
    while (lease := _try_lease(devices, count, jobs_per_gpu, locks)) is None:
        if waited % SAY_SECONDS == 0:
            print(f"waiting for {count} free of the GPUs {', '.join(devices)}", file=sys.stderr, flush=True)
        wait(POLL_SECONDS)
        waited += POLL_SECONDS
    return lease


def _make_folder(folder: Path) -> None:
    """A folder where all users of the machine may make locks."""
    try:
        folder.mkdir()
        folder.chmod(0o1777)
    except FileExistsError:
        pass
    except OSError as error:
        raise InputError(f"{folder}: the folder for the locks of GPUs cannot be made ({error}). Set TMPDIR.") from None


def _try_lease(devices: Sequence[str], count: int, jobs_per_gpu: int, folder: Path) -> Lease | None:
    """A lease of `count` free devices, the least shared first, or None.

    One process tries at a time. Otherwise two that need several devices could keep each other from them.
    """
    choosing = _open(folder / "choosing")
    fcntl.flock(choosing, fcntl.LOCK_EX)
    lease = Lease([], [])
    try:
        for slot in range(jobs_per_gpu):
            for device in devices:
                wanted = len(lease.devices) < count and device not in lease.devices
                if wanted and (locks := _lock_device(folder / device.replace("/", "_"), slot, jobs_per_gpu)):
                    lease.devices.append(device)
                    lease.locks += locks
    finally:
        os.close(choosing)
    if len(lease.devices) == count:
        return lease
    lease.release()
    return None


def _lock_device(path: Path, slot: int, jobs_per_gpu: int) -> list[int]:
    """The locks of one job on a device, none if it is taken.

    They are on the whole device or, where several jobs may share it, on the device and one of its slots.
    """
    if jobs_per_gpu == 1:
        return _lock(path, fcntl.LOCK_EX)
    shared = _lock(path, fcntl.LOCK_SH)
    own = _lock(path.with_name(f"{path.name}.slot{slot}"), fcntl.LOCK_EX) if shared else []
    if shared and not own:
        os.close(shared[0])
    return shared + own if own else []


def _lock(path: Path, kind: int) -> list[int]:
    """The descriptor of the locked file, or nothing where another process has it."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return []
    return [descriptor]


def _open(path: Path) -> int:
    """The file's descriptor; the file is made if need be. Linux may refuse O_CREAT on other users' files
    (fs.protected_regular).
    """
    reading = os.O_RDONLY | os.O_NOFOLLOW
    try:
        return os.open(path, reading)
    except FileNotFoundError:
        pass
    try:
        made = os.open(path, reading | os.O_CREAT)
    except PermissionError:  # a different user made it between the two
        return os.open(path, reading)
    if os.fstat(made).st_uid == os.geteuid():
        os.fchmod(made, 0o644)
    return made
