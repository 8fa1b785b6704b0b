"""What follows a failed job: whether Snakemake starts it again, and the lines that say why it failed.

Snakemake 9 has a number of retries for each rule. It has no exit status that ends them, and it does not ask whether it
is being stopped itself. Light on purpose: the Snakefile calls this at parse time.
"""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from workflow_scripts.plumbing.cli import error_line, is_final, last_lines, one_line

SHOWN = 10  # failed jobs that are named
STOP_SECONDS = 2.0  # a stop may reach a job before Snakemake
PRINTS = "verify"  # the rule whose errors are its output, on the terminal
STARTED = time.time()
SILENT = "no error line. `Killed` means too little memory: use fewer --cores, or ask for more."
NEXT = "Fix the cause and run snakemake again. What is finished is kept."
STOPPED = "Snakemake was stopped. What is finished is kept, and a training goes on from its checkpoint in the next run."


def govern_restarts(is_main_process: bool) -> None:
    """Make Snakemake start a failed job again only where that can help.

    A refusal is final, since the same job would be refused again. A process that runs a submitted job leaves it to the
    process that submitted it. A Snakemake that is being stopped starts nothing.
    """
    from snakemake.jobs import Job
    from snakemake.scheduling.job_scheduler import JobScheduler

    allowed = Job.restart_times.fget

    def restart_times(job: Job) -> int:
        retries = allowed(job)
        if not retries or not is_main_process or refused(job.log, STARTED):
            return 0
        return 0 if _stops(job.dag.workflow.scheduler, STOP_SECONDS) else retries

    Job.restart_times = property(restart_times)
    JobScheduler.exit_gracefully = _stop


def _stop(scheduler: object, *_: object) -> None:
    """Snakemake's handler of SIGTERM, without its lock: the thread that is interrupted may hold it, and would hang."""
    scheduler._user_kill = "graceful"
    scheduler._open_jobs.release()


def _stops(scheduler: object, seconds: float) -> bool:
    """Whether Snakemake is stopping, or is asked to within `seconds`."""
    if scheduler._errors and not scheduler.keepgoing:
        return True  # it waits for the jobs that run, and starts none
    end = time.monotonic() + seconds
    while not scheduler._user_kill and time.monotonic() < end:
        time.sleep(0.05)
    return bool(scheduler._user_kill)


def refused(logs: Iterable[str], since: float) -> bool:
    """Whether a step's log that is not older than `since` ends in an error that no other attempt can cure."""
    return any(is_final(line) for line in _error_lines(logs, since))


def failure_lines(scheduler: object, since: float = STARTED) -> Iterator[str]:
    """What a user reads at the end of a run that failed: of each failed job its rule, its log, and why it failed.

    A Snakemake that was stopped has ended its jobs: those without a reason of their own are not named.
    """
    stopped = bool(scheduler._user_kill) or not scheduler.failed
    told = {job for job in scheduler.failed if job.rule.name.endswith(PRINTS)}
    reasons = {job: " ".join(_error_lines(job.log, since)) for job in scheduler.failed - told}
    named = sorted((job for job in reasons if reasons[job] or not stopped), key=lambda job: [job.rule.name, *job.log])
    for job in named[:SHOWN]:
        logs = [log for log in job.log if Path(log).exists()]
        said = [one_line(lines[-1]) for log in logs if (lines := last_lines(Path(log)))]
        why = reasons[job] or " ".join([SILENT, *(f"The last line is: {line}" for line in said)])
        yield f"{job.rule.name} failed{''.join(f', see {log}' for log in logs)}: {why}"
    if len(named) > SHOWN:
        yield f"{len(named) - SHOWN} more jobs failed."
    if stopped or named:
        yield STOPPED if stopped else NEXT


def _error_lines(logs: Iterable[str], since: float) -> Iterator[str]:
    for log in map(Path, logs):
        if log.is_file() and log.stat().st_mtime >= since and (line := error_line(log)):
            yield line
