"""Leases of GPUs among many processes, with made-up devices: never two jobs on one, none lost when a job is killed."""

import os
import random
import signal
import subprocess
import time
from functools import partial

import pytest
from helpers import PYTHON, ROOT

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.training import gpus
from workflow_scripts.training.gpu_lease import ALLOCATIONS, lease_gpus, visible_devices
from workflow_scripts.training.workers import Workers

# Leases devices, marks each as used by a file that may not be there yet, works for a while, and takes the marks away.
JOB = """
import os, sys, time
from pathlib import Path
from workflow_scripts.training.gpu_lease import lease_gpus
folder, devices, count, jobs_per_gpu, seconds = Path(sys.argv[1]), sys.argv[2].split(","), *map(float, sys.argv[3:])
lease = lease_gpus(devices, int(count), int(jobs_per_gpu), {}, folder / "locks", lambda _: time.sleep(0.01))
for device in lease.devices:
    users = [name for name in os.listdir(folder / "used") if name.startswith(device + "-")]
    alive = [name for name in users if os.path.exists("/proc/" + name.split("-")[1])]
    if len(alive) >= jobs_per_gpu:
        (folder / "clash").touch()
    (folder / "used" / f"{device}-{os.getpid()}").touch()
print(",".join(lease.devices), flush=True)
time.sleep(seconds)
for device in lease.devices:
    (folder / "used" / f"{device}-{os.getpid()}").unlink()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "used").mkdir()
    return tmp_path


def start(folder, devices, count=1, jobs_per_gpu=1, seconds=0.05):
    command = [PYTHON, "-c", JOB, str(folder), ",".join(devices), *map(str, (count, jobs_per_gpu, seconds))]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def take(folder, devices, count=1, jobs_per_gpu=1, environment=(), wait=None):
    def refuse(_):
        raise TimeoutError("no device is free")

    return lease_gpus(devices, count, jobs_per_gpu, dict(environment), folder / "locks", wait or refuse)


@pytest.mark.parametrize(("jobs_per_gpu", "count"), [(1, 1), (1, 2), (3, 1)])
def test_many_jobs_never_share_and_all_end(folder, jobs_per_gpu, count):
    jobs = [start(folder, ["0", "1", "2"], count, jobs_per_gpu, 0.02) for _ in range(12)]
    printed = [job.communicate(timeout=120)[0].strip() for job in jobs]
    assert all(job.returncode == 0 for job in jobs)
    assert all(len(set(line.split(","))) == count for line in printed)
    assert not (folder / "clash").exists()


def test_killed_holders_free_their_devices(folder):
    holders = [start(folder, ["0", "1"], seconds=600) for _ in range(2)]
    held = [holder.stdout.readline().strip() for holder in holders]
    assert sorted(held) == ["0", "1"]
    with pytest.raises(TimeoutError):
        take(folder, ["0", "1"])
    victim = random.Random(0).randrange(2)
    holders[victim].send_signal(signal.SIGKILL)
    holders[victim].wait()
    assert take(folder, ["0", "1"]).devices == [held[victim]]
    holders[1 - victim].kill()
    holders[1 - victim].wait()


def test_a_waiting_job_starts_when_one_ends(folder, capfd):
    holder = start(folder, ["0"], seconds=1)
    holder.stdout.readline()
    lease = take(folder, ["0"], wait=lambda _: time.sleep(0.05))
    assert lease.devices == ["0"]
    assert "waiting for 1 free of the GPUs 0" in capfd.readouterr().err
    holder.wait()


def test_several_jobs_share_a_device_only_if_all_of_them_say_so(folder):
    first = take(folder, ["0", "1"], jobs_per_gpu=2)
    second = take(folder, ["0", "1"], jobs_per_gpu=2)
    assert {*first.devices, *second.devices} == {"0", "1"}  # the free one first
    third = take(folder, ["0", "1"], jobs_per_gpu=2)
    with pytest.raises(TimeoutError):
        take(folder, ["0", "1"])
    first.release()
    second.release()
    free = {"0", "1"} - {*third.devices}
    assert {*take(folder, ["0", "1"]).devices} == free


def test_several_devices_at_once_or_none(folder):
    one = take(folder, ["0", "1", "2"])
    pair = take(folder, ["0", "1", "2"], count=2)
    assert sorted(one.devices + pair.devices) == ["0", "1", "2"]
    one.release()
    with pytest.raises(TimeoutError):
        take(folder, ["0", "1", "2"], count=2)
    assert take(folder, ["0", "1", "2"]).devices == one.devices  # the attempt kept none
    with pytest.raises(InputError, match=r"running\.gpus_per_job: the job needs 2 GPUs but sees 1"):
        take(folder, ["0"], count=2)


def test_a_schedulers_own_device_is_taken_without_a_lock(folder):
    slurm = {"SLURM_JOB_ID": "17"}
    assert take(folder, ["0"], environment=slurm).devices == ["0"]
    assert take(folder, ["0"], environment={"SLURM_JOB_ID": "18"}).devices == ["0"]  # number 0 of another allocation
    assert not (folder / "locks").exists()


def test_jobs_inside_one_allocation_divide_its_devices(folder):
    inside = {"SLURM_JOB_ID": "17"}
    first, second = (take(folder, ["0", "1"], environment=inside) for _ in range(2))
    assert sorted(first.devices + second.devices) == ["0", "1"]
    other = take(folder, ["0", "1"], environment={"SLURM_JOB_ID": "18"})
    assert other.devices == ["0"]


def test_devices_are_chosen_inside_cuda_visible_devices():
    assert visible_devices({"CUDA_VISIBLE_DEVICES": "2, GPU-8a2f"}) == ["2", "GPU-8a2f"]
    assert visible_devices({"CUDA_VISIBLE_DEVICES": ""}) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="for the locks of GPUs cannot be made"):
        lease_gpus(["0"], 1, 1, {}, tmp_path / "file" / "locks")


def test_locks_are_open_to_other_users(folder):
    old = os.umask(0o077)
    try:
        lease = take(folder, ["0"])
    finally:
        os.umask(old)
    assert (folder / "locks").stat().st_mode & 0o7777 == 0o1777
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in (folder / "locks").iterdir())
    lease.release()


def test_a_training_sees_the_devices_it_leased_and_no_others(folder, monkeypatch):
    """As on a machine with GPUs, of which torch is only asked which is the current one."""
    monkeypatch.setattr(gpus, "lease_gpus", partial(lease_gpus, folder=folder / "locks"))
    monkeypatch.setattr(gpus, "check_device", lambda device: None)
    current = []
    monkeypatch.setattr(gpus.torch.cuda, "set_device", current.append)
    leases, seen = [], []
    for _ in range(2):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
        for name in ALLOCATIONS:
            monkeypatch.delenv(name, raising=False)
        leases.append(gpus.take_gpus("cuda", Workers(), 1))
        seen.append(os.environ["CUDA_VISIBLE_DEVICES"])
    assert seen == ["3", "5"]
    assert current == [0, 0]
    assert gpus.take_gpus("cpu", Workers(), 1).devices == []
    for lease in leases:
        lease.release()
