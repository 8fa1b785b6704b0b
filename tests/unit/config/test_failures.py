"""What follows a failed job: which failures are tried again, what a user reads, and that Snakemake still asks."""

import inspect
import os
import time
from types import SimpleNamespace

import pytest
from snakemake.jobs import Job
from snakemake.scheduling.job_scheduler import JobScheduler

from workflow_scripts.config import failures
from workflow_scripts.plumbing.cli import AGAIN

REFUSAL = "error: training.device: it is cuda, but torch finds no CUDA device here. Set it to cpu."
PASSING = f"error: memory: none is left (9 bytes). Run fewer jobs.{AGAIN}"


@pytest.fixture
def govern(monkeypatch):
    """A function that governs restarts until the end of the test."""
    monkeypatch.setattr(failures, "STOP_SECONDS", 0.0)
    monkeypatch.setattr(Job, "restart_times", property(lambda job: job.rule.restart_times))
    monkeypatch.setattr(JobScheduler, "exit_gracefully", JobScheduler.exit_gracefully)
    return failures.govern_restarts


def job(log, text=None, rule="train_base", retries=3, user_kill=None, errors=False, keepgoing=False):
    """A stand-in for Snakemake's job, whose log holds `text`."""
    if text is not None:
        log.write_text(text)
    scheduler = SimpleNamespace(_user_kill=user_kill, _errors=errors, keepgoing=keepgoing, failed=set())
    workflow = SimpleNamespace(scheduler=scheduler)
    rule = SimpleNamespace(name=rule, restart_times=retries)
    return SimpleNamespace(rule=rule, log=[str(log)], dag=SimpleNamespace(workflow=workflow))


def scheduler(*jobs, user_kill=None):
    class Hashable(SimpleNamespace):
        __hash__ = object.__hash__

    return SimpleNamespace(_user_kill=user_kill, failed={Hashable(**vars(one)) for one in jobs})


def restarts(one):
    return Job.restart_times.fget(one)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (f"iterations 0 to 9\n{REFUSAL}\n", 0),
        (f"{REFUSAL}\n  torchrun says more\n", 0),
        (f"iterations 0 to 9\n{PASSING}\n", 3),
        ("interrupted at iteration 7\n", 3),
        ("Killed\n", 3),
        ("", 3),
        (None, 3),
    ],
)
def test_a_refusal_is_final_and_nothing_else(govern, tmp_path, text, times):
    govern(is_main_process=True)
    assert restarts(job(tmp_path / "log", text)) == times


def test_a_refusal_of_an_earlier_run_blocks_nothing(govern, tmp_path):
    govern(is_main_process=True)
    old = job(tmp_path / "log", REFUSAL)
    os.utime(tmp_path / "log", (time.time(), failures.STARTED - 1))
    assert restarts(old) == 3


def test_only_the_first_process_starts_jobs_again(govern, tmp_path):
    govern(is_main_process=False)
    assert restarts(job(tmp_path / "log", "interrupted")) == 0


def test_a_stopping_snakemake_starts_nothing_again(govern, tmp_path):
    govern(is_main_process=True)
    assert restarts(job(tmp_path / "log", "interrupted", user_kill="graceful")) == 0


@pytest.mark.parametrize(("keepgoing", "times"), [(False, 0), (True, 3)])
def test_nothing_is_started_again_after_a_failure_that_ends_the_run(govern, tmp_path, keepgoing, times):
    govern(is_main_process=True)
    assert restarts(job(tmp_path / "log", "interrupted", errors=True, keepgoing=keepgoing)) == times


def test_a_stop_that_reaches_the_job_first_is_waited_for(govern, tmp_path):
    class Stopping:
        asked, _errors, keepgoing = 0, True, True

        @property
        def _user_kill(self):
            self.asked += 1
            return "graceful" if self.asked > 2 else None

    assert failures._stops(Stopping(), seconds=5)


def test_snakemake_asks_as_it_did():
    """The attributes of Snakemake's that failures.py uses."""
    assert "job.restart_times > job.attempt - 1" in inspect.getsource(JobScheduler._handle_error)
    assert "if user_kill or (not self.keepgoing and errors)" in inspect.getsource(JobScheduler.schedule)
    assert "_user_kill" in inspect.getsource(JobScheduler.schedule)
    assert "signal.signal(signal.SIGTERM, self.exit_gracefully)" in inspect.getsource(JobScheduler.__init__)
    assert "self._open_jobs.release()" in inspect.getsource(JobScheduler.exit_gracefully)


def test_a_failure_names_its_rule_its_log_and_its_reason(tmp_path):
    one, other = job(tmp_path / "one.log", f"...\n{REFUSAL}\n"), job(tmp_path / "other.log", "Killed\n", "train_curve")
    lines = list(failures.failure_lines(scheduler(one, other)))
    assert lines == [
        f"train_base failed, see {tmp_path}/one.log: {REFUSAL}",
        f"train_curve failed, see {tmp_path}/other.log: {failures.SILENT} The last line is: Killed",
        failures.NEXT,
    ]


def test_a_stop_is_no_failure(tmp_path):
    assert list(failures.failure_lines(scheduler())) == [failures.STOPPED]
    one, other = job(tmp_path / "one.log", "interrupted"), job(tmp_path / "other.log", REFUSAL)
    lines = list(failures.failure_lines(scheduler(one, other, user_kill="graceful")))
    assert lines == [f"train_base failed, see {tmp_path}/other.log: {REFUSAL}", failures.STOPPED]


def test_many_failures_are_counted_and_verify_speaks_for_itself(tmp_path):
    many = [job(tmp_path / f"{number:03d}.log", REFUSAL) for number in range(13)]
    lines = list(failures.failure_lines(scheduler(*many)))
    assert len(lines) == failures.SHOWN + 2
    assert lines[-2] == "3 more jobs failed."
    assert list(failures.failure_lines(scheduler(job(tmp_path / "v.log", "a fault\n", "verify")))) == []
