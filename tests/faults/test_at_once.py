"""Two runs of one study, two studies with one packed store, and a study whose configuration is edited while it runs."""

import shutil
import subprocess
import time

import pandas as pd
import pytest
import yaml
from helpers import PYTHON, ROOT, results_of

TINY = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())


class Run:
    """Snakemake at work on a study, its output in a file beside the checkout."""

    def __init__(self, study, config, *targets):
        self.text = study.folder / f"{config}.{time.monotonic_ns()}.log"
        command = [PYTHON, "-m", "snakemake", *targets, "--cores", "1", "--configfile", config]
        with open(self.text, "w") as file:
            self.process = subprocess.Popen(command, cwd=study.folder, stdout=file, stderr=file)

    def printed(self):
        return self.text.read_text()

    def wait_for(self, text):
        while text not in self.printed():
            assert self.process.poll() is None, self.printed()
            time.sleep(0.1)


def configure(study, name, **changes):
    (study.folder / f"{name}.yaml").write_text(yaml.safe_dump(TINY | {"study": name} | changes))


@pytest.fixture(scope="module")
def alone(checkout):
    """A finished tiny study, that ran alone, and another of the same store with other training."""
    study = checkout("tiny.yaml")
    configure(study, "tiny")
    configure(study, "other", training=TINY["training"] | {"duration": 8})
    for name in ("tiny", "other"):
        study.snakemake(study=f"{name}.yaml")
    return study


def test_a_second_run_of_a_study_is_refused_and_the_first_ends_well(checkout, alone):
    study = checkout("tiny.yaml")
    configure(study, "tiny")
    first = Run(study, "tiny.yaml")
    first.wait_for("Finished jobid")
    second = Run(study, "tiny.yaml")
    assert second.process.wait(120) != 0
    assert "LockException" in second.printed()
    assert "--unlock" in second.printed()
    assert first.process.wait(600) == 0, first.printed()
    pd.testing.assert_frame_equal(results_of(study.folder, "tiny"), results_of(alone.folder, "tiny"))


def test_two_studies_share_a_packed_store_at_once(checkout, alone):
    study = checkout("tiny.yaml")
    configure(study, "tiny")
    configure(study, "other", training=TINY["training"] | {"duration": 8})
    study.snakemake("packed")
    runs = [Run(study, f"{name}.yaml", "results") for name in ("tiny", "other")]
    for run in runs:
        assert run.process.wait(900) == 0, run.printed()
    for name in ("tiny", "other"):
        pd.testing.assert_frame_equal(results_of(study.folder, name), results_of(alone.folder, name))


def test_two_studies_that_both_must_pack_the_store(checkout, alone):
    """The second waits for nobody: it is refused, and works when the first has packed the store."""
    study = checkout("tiny.yaml")
    configure(study, "tiny")
    configure(study, "other", training=TINY["training"] | {"duration": 8})
    first = Run(study, "tiny.yaml", "packed")
    first.wait_for("Select jobs")
    second = Run(study, "other.yaml", "results/other/results.csv")
    assert second.process.wait(900) != 0
    assert "LockException" in second.printed()
    assert first.process.wait(600) == 0, first.printed()
    study.snakemake("results/other/results.csv", study="other.yaml")
    pd.testing.assert_frame_equal(results_of(study.folder, "other"), results_of(alone.folder, "other"))


def test_a_configuration_edited_during_the_run_counts_from_the_next_run(checkout, alone):
    study = checkout("tiny.yaml")
    configure(study, "tiny")
    run = Run(study, "tiny.yaml")
    run.wait_for("train_base")
    configure(study, "tiny", training=TINY["training"] | {"duration": 8})
    assert run.process.wait(600) == 0, run.printed()
    pd.testing.assert_frame_equal(results_of(study.folder, "tiny"), results_of(alone.folder, "tiny"))
    planned = study.snakemake("--dry-run", "--quiet", "rules")
    assert "train_base" in planned
    study.snakemake()
    pd.testing.assert_frame_equal(results_of(study.folder, "tiny"), results_of(alone.folder, "other"))


def test_without_snakemakes_notes_nothing_stale_is_taken_for_new(checkout, alone):
    """.snakemake was deleted, then the configuration edited: refused; and the records tell what made a network."""
    study = checkout("tiny.yaml")
    for top in ("data", "results"):
        shutil.copytree(alone.folder / top, study.folder / top)
    configure(study, "tiny", training=TINY["training"] | {"duration": 10})
    (line,) = errors(study.snakemake(check=False))
    assert "Snakemake's notes of it in .snakemake are missing" in line
    study.snakemake("--touch", "--forceall")
    (line,) = errors(study.snakemake("--forcerun", "aggregate", check=False))
    assert "leaves.duration is 12, expected 10" in line


def errors(printed):
    return [line for line in printed.splitlines() if line.startswith("error: ")]
