"""A tiny study through a real Slurm with profiles/slurm: what the profile promises of each kind of end."""

import re
import signal
import subprocess
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import yaml
from helpers import CLUSTER_PYTHON, ROOT

HERE = Path(__file__).parent
BASE = "results/small/networks/random0/seed0/base-A.json"
LOG = "results/small/logs/train_base/random0-seed0-base-A.log"
TRAINING = "rule_train_base_wildcards_random0_0_base__A"
SHORT, LONG = 2000, 14000  # iterations: 10 s or more, and more than the shortest time limit
OPTIONS = [
    *("--profile", "profiles/slurm", "--latency-wait", "5", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "1", "--slurm-keep-successful-logs"),
    *("--set-resources", "train_base:gpu=1", "train_curve:gpu=1"),  # though they train on the CPU
    *("train_base:slurm_partition=gpu", "train_curve:slurm_partition=gpu"),
]


class Run:
    """A Snakemake that submits to the cluster; what it prints goes to a file."""

    def __init__(self, cluster, folder, *options):
        self.log = folder / "snakemake.out"
        command = [CLUSTER_PYTHON, "-m", "snakemake", *options]
        with self.log.open("w") as file:
            self.process = subprocess.Popen(
                command, cwd=folder, env=cluster.environment, stdout=file, stderr=subprocess.STDOUT
            )

    def end(self, seconds=900):
        """Its exit status and what it printed. One that takes longer is stopped, and leaves no lock to the next."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(120)
            raise
        return status, self.log.read_text()


@pytest.fixture(scope="module")
def study(cluster, checkout):
    """A copy of the repository whose tasks are made, here without Slurm. The speed of this machine is not measured."""
    study = checkout("small.yaml")
    config = yaml.safe_load((HERE / "small.yaml").read_text()) | {"plan": {"images_per_second": 100}}
    for name in ("small", "local"):
        (study.folder / f"{name}.yaml").write_text(yaml.safe_dump(config | {"study": name}))
    study.snakemake("tasks")
    return study


@pytest.fixture
def long_study(study):
    """A function that gives the study trainings of so many iterations, and forgets the base network."""

    def change(iterations, retries=3):
        config = yaml.safe_load((HERE / "small.yaml").read_text())
        config["training"] |= {"duration": iterations, "validate_every": iterations // 6}
        config["running"] = {"retries": retries}
        (study.folder / "long.yaml").write_text(yaml.safe_dump(config))
        for name in (BASE, LOG):
            (study.folder / name).unlink(missing_ok=True)
        return study.folder

    return change


def submit(cluster, folder, *resources):
    return Run(cluster, folder, BASE, "--configfile", "long.yaml", *OPTIONS, *resources)


def running(cluster, comment, log, run, iterations="iterations 0 to"):
    """The number of the job with this comment once its training has begun."""

    def begun():
        assert run.process.poll() is None, run.log.read_text()
        numbers = [number for number, said in cluster.jobs().items() if said == comment]
        return numbers[0] if numbers and log.exists() and iterations in log.read_text() else None

    return cluster.wait_for(begun, 300)


def trainings_since(cluster, first):
    """The numbers of all submissions of the training, from number `first` on."""
    return [number for number, said in cluster.jobs("all").items() if said == TRAINING and int(number) >= int(first)]


def resumed_from(log):
    """The iteration at which the training that wrote the log began."""
    return int(re.search(r"iterations (\d+) to", log.read_text())[1])


def without_times(path):
    return pd.read_csv(path).drop(columns=["job_seconds", "images_per_second"])


def test_the_study_finishes_with_the_bits_of_a_local_run(cluster, study):
    status, printed = Run(cluster, study.folder, "--configfile", "small.yaml", *OPTIONS).end()
    assert status == 0, printed
    study.snakemake("results", study="local.yaml")
    small, local = (without_times(study.folder / f"results/{name}/results.csv") for name in ("small", "local"))
    assert len(small) == 2 + 2 * 2
    assert small.equals(local)
    assert (study.folder / "results/small/report.html").exists()
    logs = {path.relative_to(study.folder / "logs/slurm").parts[0] for path in study.folder.glob("logs/slurm/**/*.log")}
    assert {"rule_train_base", "rule_train_curve"} <= logs
    assert not {"rule_plot_figure2", "rule_make_partition", "rule_aggregate"} & logs  # these ran here
    names = cluster.run("squeue", "-h", "-t", "all", "-o", "%j").split()
    assert all(name.startswith("transferability_") for name in names)
    assert TRAINING in cluster.jobs("all").values()


def test_two_gpu_jobs_run_at_once_and_never_on_one_device(cluster, tmp_path):
    """Five jobs of a GPU each on two GPUs, through the same profile."""
    (tmp_path / "Snakefile").write_text((HERE / "devices.smk").read_text())
    (tmp_path / "profiles").symlink_to(ROOT / "profiles")
    status, printed = Run(cluster, tmp_path, *OPTIONS[:6], "--default-resources", "slurm_partition=gpu").end()
    assert status == 0, printed
    used = [path.read_text().split() for path in tmp_path.glob("used-*")]
    spans = [(device, float(start), float(end)) for device, start, end in used]
    assert len(spans) == 5
    assert {device for device, _, _ in spans} == {"0", "1"}
    starts = [sum(one[1] <= start < one[2] for one in spans) for _, start, _ in spans]
    assert max(starts) == 2
    for device in "01":
        mine = sorted((start, end) for own, start, end in spans if own == device)
        assert all(end <= start for (_, end), (start, _) in pairwise(mine))


def test_a_job_at_its_time_limit_goes_on_in_another_with_more_time(cluster, long_study):
    folder = long_study(LONG, retries=5)
    run = submit(cluster, folder, "train_base:runtime=attempt")  # minutes
    first = running(cluster, TRAINING, folder / LOG, run)
    status, printed = run.end()
    assert status == 0, printed
    assert f"SLURM-job '{first}' failed, SLURM status is: 'TIMEOUT'" in printed
    assert resumed_from(folder / LOG) > 0
    limits = dict(line.split() for line in cluster.run("squeue", "-h", "-t", "all", "-o", "%i %l").splitlines())
    attempts = sorted(trainings_since(cluster, first), key=int)  # two, or more where other processes slow them
    minutes = [int(limits[number].removesuffix(":00")) for number in attempts]
    assert len(minutes) > 1
    assert minutes == list(range(minutes[0], minutes[0] + len(minutes)))


def test_a_preempted_job_goes_on_under_its_own_number(cluster, long_study):
    folder = long_study(SHORT)
    run = submit(cluster, folder)
    first = running(cluster, TRAINING, folder / LOG, run)
    cluster.run("sbatch", "-p", "urgent", "--gpus=2", "-n", "4", "--mem=100", "-o", "/dev/null", "--wrap", "sleep 5")
    cluster.wait_for(lambda: first in cluster.jobs("PD"), 120)
    status, printed = run.end()
    assert status == 0, printed
    assert resumed_from(folder / LOG) > 0
    assert trainings_since(cluster, first) == [first]


def test_a_job_of_a_lost_node_runs_again(cluster, long_study):
    folder = long_study(SHORT)
    run = submit(cluster, folder)
    first = running(cluster, TRAINING, folder / LOG, run)
    cluster.stop_node("gpu1")
    cluster.run("scontrol", "update", "NodeName=gpu1", "State=DOWN", "Reason=test")
    cluster.wait_for(lambda: first in cluster.jobs("PD"), 120)
    cluster.start_node("gpu1")
    cluster.run("scontrol", "update", "NodeName=gpu1", "State=RESUME")
    status, printed = run.end()
    assert status == 0, printed
    assert trainings_since(cluster, first) == [first]


def test_a_cancelled_job_fails_with_its_name_and_log(cluster, long_study):
    folder = long_study(SHORT, retries=0)
    run = submit(cluster, folder)
    number = running(cluster, TRAINING, folder / LOG, run)
    cluster.run("scancel", number)
    status, printed = run.end()
    assert status == 1
    assert f"SLURM-job '{number}' failed, SLURM status is: 'CANCELLED'" in printed
    assert "rule train_base" in printed
    assert LOG in printed
