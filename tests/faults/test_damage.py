"""Every intermediate file of a finished study, damaged in every way, under every step that reads it: the step must end
with one line that names the file, and make nothing; a plausible wrong number is the defect this looks for.
"""

import functools
import os
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from helpers import PYTHON, ROOT, default_config

from workflow_scripts.dataset.dataset import ILSVRC_ARCHIVES
from workflow_scripts.plumbing.files import read_json
from workflow_scripts.plumbing.records import record_of

TINY = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
MATRIX = [*default_config()["matrix"], {"partition": "random0", "targets": ["A"], "selffer": ["probe"]}]
READERS = (
    *("survey_dataset", "pack_shard", "pack_manifest", "find_duplicates", "plot_store", "make_partition", "make_task"),
    *("list_tasks", "train_base", "train_curve", "compare_bases", "score_filters", "aggregate", "compare_costs"),
    *("make_tables", "write_findings", "plot_figure2", "plot_figure3", "plot_hierarchy", "plot_learning"),
    *("plot_similarity", "plot_boost", "plot_effects", "plot_filters", "plot_comparison", "write_report"),
    *("extract_features", "train_probes", "gather_probes", "plot_probes", "plot_distances"),
)


@dataclass(frozen=True)
class Job:
    """One job of a dry run."""

    rule: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    log: Path
    command: str


@pytest.fixture(scope="module")
def finished(checkout):
    """The folders of a finished tiny study, its pristine copy and another study in the same places; and its jobs."""
    folders = []
    for seed in (0, 1):
        one = checkout("tiny.yaml")
        sizes = TINY["dataset"]["sample"] | {"seed": seed}
        config = TINY | {"dataset": TINY["dataset"] | {"sample": sizes}, "matrix": MATRIX}
        (one.folder / "tiny.yaml").write_text(yaml.safe_dump(config))
        one.snakemake()
        folders.append(one)
    study, other = folders
    pristine = study.folder.with_name("pristine")
    for top in ("data", "results"):
        shutil.copytree(study.folder / top, pristine / top)
    printed = study.snakemake("--dry-run", "--forceall", "--printshellcmds")
    return study.folder, pristine, other.folder, jobs_of(printed)


def jobs_of(printed):
    """The jobs in a dry run's text, with those inputs that the study made."""
    found = []
    for block in re.split(r"\n\n+\[", printed):
        rule = re.search(r"^rule (\w+):$", block, re.MULTILINE)
        command = re.search(r"^Shell command: (.*)$", block, re.MULTILINE)
        if rule and command and rule[1] != "all":
            names = {key: paths_of(block, key) for key in ("input", "output", "log")}
            found.append(Job(rule[1], names["input"], names["output"], names["log"][0], command[1]))
    return found


def paths_of(block, key):
    line = re.search(rf"^    {key}: (.*)$", block, re.MULTILINE)
    paths = [] if line is None else [Path(name) for name in line[1].split(", ")]
    return tuple(path for path in paths if path.parts[0] in ("data", "results"))


def record_beside(path):
    """The record of a file; drawn archives have one together."""
    return path.with_name("sample.json") if path.name in ILSVRC_ARCHIVES else record_of(path)


def truncated(path, _):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path, _):
    path.write_bytes(b"")


def zeroed(path, _):
    path.write_bytes(bytes(path.stat().st_size))


def bit_flipped(path, _):
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 9, len(content), 1 + len(content) // 3):
        content[place] ^= 1
    path.write_bytes(content)


def anothers(path, theirs):
    shutil.copy(theirs(path), path)


def anothers_with_its_record(path, theirs):
    for one in {path, record_beside(path)}:
        shutil.copy(theirs(one), one)


# Another study's measurement of how fast the same machine trains the same network is as good as this one's.
AS_GOOD = {("results/tiny/calibration.json", anothers), ("results/tiny/calibration.json", anothers_with_its_record)}
DAMAGES = (truncated, emptied, zeroed, bit_flipped, anothers, anothers_with_its_record)


def execute(job, folder):
    """Run the job's command as Snakemake would; its status and its log."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    environment["PATH"] = os.pathsep.join([str(Path(PYTHON).parent), os.environ["PATH"]])
    done = subprocess.run(["bash", "-c", job.command], cwd=folder, env=environment, check=False, timeout=300)
    return done.returncode, (folder / job.log).read_text()


def outcome(job, path, damage, finished):
    """What became of a job whose input `path` was damaged; None where the damage changes no byte. All is put back."""
    folder, pristine, other, _ = finished
    damage(folder / path, lambda ours: other / ours.relative_to(folder))
    touched = {path, record_beside(path)} & {path, *job.inputs, record_beside(path)}
    if all((folder / one).read_bytes() == (pristine / one).read_bytes() for one in touched if (folder / one).exists()):
        return None
    status, log = execute(job, folder)
    same = all(content(folder / one, status) == content(pristine / one, status) for one in job.outputs)
    errors = [line for line in log.splitlines() if line.startswith("error: ")]
    for one in (*touched, *job.outputs):
        if (pristine / one).exists():
            shutil.copy(pristine / one, folder / one)
    if status == 0:
        return "harmless" if same else "UNNOTICED"
    if not same:
        return "OUTPUT TOUCHED"
    if len(errors) != 1 or "Traceback" in log:
        return f"UNCLEAR {log[-300:]}"
    # Of two files that are not of one study, either is named.
    suspects = job.inputs if damage in (anothers, anothers_with_its_record) else touched
    named = any(str(one) in errors[0] for one in suspects)
    return "noticed" if named else f"UNNAMED {errors[0]}"


def content(path, status):
    """What `path` holds, of a record that a step has written anew without what differs each time."""
    if status or path.suffix != ".json":
        return path.read_bytes()
    record = read_json(path)
    return {key: value for key, value in record.items() if key not in ("provenance", "seal")}


@functools.cache
def chosen(jobs, rule):
    """The jobs of `rule` whose inputs are tried: one for each set of file types."""
    kinds = {}
    for job in sorted(jobs, key=lambda job: "whole" not in job.command):  # of which every image is read
        if job.rule == rule:
            kinds.setdefault(tuple(sorted(generic(path) for path in job.inputs)), job)
    return list(kinds.values())


def generic(path):
    """The kind of file that `path` is: its name without what differs between files of a kind."""
    return re.sub(r"\d+|-(A|B|whole)\b|random\d|natman|whole", "#", str(path))


@pytest.mark.parametrize("rule", READERS)
def test_damage_is_noticed_and_named(finished, rule):
    counts, wrong, tried = Counter(), [], set()
    for job in chosen(tuple(finished[3]), rule):
        for path in job.inputs:
            if generic(path) in tried:
                continue
            tried.add(generic(path))
            for damage in DAMAGES:
                result = outcome(job, path, damage, finished)
                counts[result and result.split()[0]] += 1
                if result not in (None, "noticed") and (str(path), damage) not in AS_GOOD:
                    wrong.append(f"{path}: {damage.__name__}: {result}")
    print(f"\n{rule}: {len(tried)} kinds of files, {dict(counts)}")
    assert tried
    harmless = [one for one in wrong if one.endswith("harmless")]
    print(*harmless, sep="\n")
    assert not [one for one in wrong if one not in harmless], "\n".join(wrong)


def test_every_rule_that_reads_a_file_of_the_study_is_tried(finished):
    assert {job.rule for job in finished[3] if job.inputs} == set(READERS)
