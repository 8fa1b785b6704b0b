"""A tiny study killed again and again at random moments and started again: its results are an undisturbed run's.

`make test-faults`; FAULTS=200 for more kills than 50, FAULTS_SEED for other moments.
"""

import os
import random
import signal
import subprocess
import time
from collections import Counter

import pandas as pd
import psutil
import pytest
import yaml
from helpers import PYTHON, ROOT, results_of

KILLS = int(os.environ.get("FAULTS", "50"))
SEED = int(os.environ.get("FAULTS_SEED", "0"))
LONGEST = 14  # seconds that a run is left alone
WAYS = (
    ("SIGKILL to all", signal.SIGKILL, "all"),
    ("SIGKILL to Snakemake alone", signal.SIGKILL, "snakemake"),
    ("SIGKILL to a job", signal.SIGKILL, "job"),
    ("SIGTERM to Snakemake", signal.SIGTERM, "snakemake"),
    ("SIGTERM to a job", signal.SIGTERM, "job"),
    ("SIGINT to all, as Ctrl-C", signal.SIGINT, "all"),
)


def study_file(folder):
    config = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    config["training"] |= {"duration": 120, "validate_every": 20}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config))


@pytest.fixture(scope="module")
def undisturbed(checkout):
    study = checkout("tiny.yaml")
    study_file(study.folder)
    study.snakemake()
    return study.folder


def start(folder):
    log = (folder / "run.log").open("w")
    command = [PYTHON, "-m", "snakemake", "--cores", "2", "--configfile", "tiny.yaml"]
    return subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)


def victims(process, whom):
    """The processes that a kill hits: Snakemake, one of the steps below it, or all of them."""
    snakemake = psutil.Process(process.pid)
    below = snakemake.children(recursive=True)
    steps = [child for child in below if any(word.startswith("workflow_scripts.") for word in child.cmdline())]
    return {"all": [snakemake, *below], "snakemake": [snakemake], "job": steps[:1]}[whom]


def kill(process, number, whom):
    """Send the signal, and wait until Snakemake has ended; False if there was nobody to hit."""
    try:
        hit = victims(process, whom)
        for one in hit:
            one.send_signal(number)
    except psutil.NoSuchProcess:
        return False
    if whom != "job":
        process.wait(120)
    return bool(hit)


def unlock(folder):
    """What Snakemake says to do after it was killed; the message must say it."""
    said = (folder / "run.log").read_text()
    assert "--unlock" in said
    command = [PYTHON, "-m", "snakemake", "--unlock", "--configfile", "tiny.yaml", "--cores", "1"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def locked(folder):
    return "LockException" in (folder / "run.log").read_text()


def settle(folder):
    """Run to the end."""
    for _ in range(6):
        process = start(folder)
        if process.wait(600) == 0:
            return
        if locked(folder):
            unlock(folder)
    pytest.fail((folder / "run.log").read_text()[-3000:])


def unfinished(folder):
    """Leftovers that a finished study must not have."""
    names = [path for kind in ("*.tmp*", "*.resume.pt") for path in (folder / "results").rglob(kind)]
    return [path for path in names if path.is_file()]


def test_killed_at_random_moments_the_study_ends_in_the_same_bits(checkout, undisturbed):
    chance, done, folder = random.Random(SEED), Counter(), checkout("tiny.yaml").folder
    study_file(folder)
    ended = 0
    while sum(done.values()) < KILLS:
        process = start(folder)
        try:
            process.wait(chance.uniform(0.5, LONGEST))
        except subprocess.TimeoutExpired:
            name, number, whom = chance.choice(WAYS)
            if kill(process, number, whom):
                done[name] += 1
                print(f"{sum(done.values())}: {name}", flush=True)
            if whom == "job" and process.poll() is None:
                time.sleep(chance.uniform(0, 2))
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            continue
        if locked(folder):
            unlock(folder)
        elif process.returncode == 0:  # finished between kills: take something away and go on
            ended += 1
            gone = chance.choice(sorted((folder / "results/tiny").rglob("depths-*.json")))
            gone.unlink()
    settle(folder)
    print(dict(done), f"finished {ended} times on the way")
    pd.testing.assert_frame_equal(results_of(folder), results_of(undisturbed))
    for weights in (undisturbed / "results/tiny").rglob("*.safetensors"):
        assert (folder / weights.relative_to(undisturbed)).read_bytes() == weights.read_bytes(), weights
    assert not unfinished(folder)


def test_a_stale_lock_is_explained_with_the_remedy(checkout):
    folder = checkout("tiny.yaml").folder
    study_file(folder)
    process = start(folder)
    while "Finished jobid" not in (folder / "run.log").read_text():
        assert process.poll() is None
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert start(folder).wait(60) != 0
    assert locked(folder)
    unlock(folder)
    settle(folder)
