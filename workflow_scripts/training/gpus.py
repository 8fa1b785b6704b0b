"""Which GPUs a training process uses."""

import os

import torch

from workflow_scripts.training.devices import check_device
from workflow_scripts.training.gpu_lease import Lease, lease_gpus, visible_devices
from workflow_scripts.training.workers import Workers


def take_gpus(device: str, workers: Workers, jobs_per_gpu: int) -> Lease:
    """Lease a GPU for each of the workers and make this process's own the current one. On a CPU, lease nothing.

    The first worker leases for all, since workers that each waited for their own could wait for each other. Must come
    before the first use of CUDA. Raises InputError for too few GPUs, or none.
    """
    if device != "cuda":
        return Lease([], [])
    leased = Lease([], [])
    if not (visible := visible_devices(os.environ)):
        check_device(device)
    if workers.rank == 0:
        leased = lease_gpus(visible, workers.size, jobs_per_gpu, os.environ)
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(workers.broadcast(leased.devices))
    check_device(device)
    torch.cuda.set_device(workers.rank)
    return leased
