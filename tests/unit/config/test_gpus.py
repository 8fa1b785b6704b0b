"""GPUs that are missing are seen before any work, where that can be told without torch."""

from types import SimpleNamespace

import pytest

from workflow_scripts.config import gpus
from workflow_scripts.plumbing.cli import InputError

NOWHERE = {"PATH": "/nonexistent"}


def job(name="train_base", **resources):
    return SimpleNamespace(rule=SimpleNamespace(name=name, resources=resources))


@pytest.mark.parametrize(
    ("files", "environment", "seen"),
    [
        ([], {}, 0),
        (["nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1"], {}, 2),
        (["nvidia0", "nvidia1"], {"CUDA_VISIBLE_DEVICES": "1"}, 1),
        (["nvidia0"], {"CUDA_VISIBLE_DEVICES": ""}, 0),
        (["nvidia0"], {"CUDA_VISIBLE_DEVICES": "-1"}, 0),
        ([], {"CUDA_VISIBLE_DEVICES": "GPU-8f1c, GPU-77aa"}, 2),
        (["dxg"], {}, None),
        (["kfd"], {}, None),
    ],
)
def test_gpus_are_counted_from_files(tmp_path, files, environment, seen):
    for name in files:
        (tmp_path / name).touch()
    assert gpus.most_gpus(NOWHERE | environment, tmp_path) == seen


def test_a_driver_without_device_files_decides_nothing(tmp_path):
    tool = tmp_path / "nvidia-smi"
    tool.touch(mode=0o755)
    assert gpus.most_gpus({"PATH": str(tmp_path)}, tmp_path / "dev") is None


@pytest.mark.parametrize(
    ("jobs", "local", "visible", "wanted", "said"),
    [
        ([job(gpu=1)], True, "", 1, "training.device: it is cuda, but this machine shows no NVIDIA GPU. Set it to cpu"),
        ([job(gpu=4)], True, "0,1", 4, "running.gpus_per_job: it is 4, but this machine shows 2 GPUs"),
        ([job("calibrate", gpu=1)], True, "", 1, "no NVIDIA GPU. Give plan.images_per_second"),
        ([job(gpu=1)], True, "0", 1, None),
        ([job(gpu=0)], True, "", 0, None),  # on a CPU
        ([], True, "", 1, None),  # all networks are trained
        ([job(gpu=1)], False, "", 1, None),  # submitted to where GPUs are
        ([job("aggregate", mem_mb=1)], True, "", 1, None),
    ],
)
def test_jobs_on_this_machine_need_its_gpus(monkeypatch, jobs, local, visible, wanted, said):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    if said is None:
        gpus.check_gpus(jobs, local, wanted)
    else:
        with pytest.raises(InputError, match=said):
            gpus.check_gpus(jobs, local, wanted)
