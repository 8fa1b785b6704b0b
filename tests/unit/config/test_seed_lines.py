"""Which lines between networks of two seeds a study has, from which files, and what is refused before any work."""

import copy

import pytest
import yaml
from helpers import ROOT, default_config

from workflow_scripts.config.checks import check_config
from workflow_scripts.config.commands import line_options
from workflow_scripts.config.inputs import RuleInputs
from workflow_scripts.config.resources import features_memory, line_memory, line_minutes
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.study import lines
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.lines import line_jobs, line_of, seed_lines, share_column
from workflow_scripts.study.matrix import study_jobs, whole_curves
from workflow_scripts.study.partition_names import plain_partition

SCHEMA = ROOT / "schemas" / "config.schema.yaml"
MATRIX = [
    {"partition": "random0", "transfer": ["frozen", "finetuned"], "targets": ["B"]},
    {"partition": "random0", "transfer": ["finetuned"], "targets": ["B"], "target_images_per_class": [5]},
    {"partition": "natman", "selffer": ["frozen"]},
]


def study(matrix=MATRIX, steps=4, running=None, **changes):
    config = copy.deepcopy(default_config()) | {"seeds": [3, 1, 2], "depths": [2, 4], "matrix": matrix} | changes
    config["figures"]["interpolation_steps"] = steps
    config["running"] |= {"keep_curve_weights": True} | (running or {})
    return config


def test_lines_are_between_neighbouring_seeds_of_finetuned_curves_and_their_targets_bases():
    curve, base = "random0/seeds{}/A-B-finetuned", "random0/seeds{}/base-B"
    found = seed_lines(study())
    assert sorted(line.stem for line in found) == sorted(
        f"interpolation/{stem.format(pair)}" for stem in (curve, base) for pair in ("3-1", "1-2")
    )
    assert {line.first.depths for line in found} == {(2, 4), (0,)}
    assert seed_lines(study(steps=None)) == []
    assert seed_lines(study(results_table="other.csv")) == []


def test_a_lines_files_are_those_of_both_ends_however_the_depths_are_grouped():
    config = study(running={"depths_per_job": 1})
    wildcards = {"partition": "random0", "seed": "3", "other_seed": "1", "line": "A-B-finetuned"}
    line = line_of(config, wildcards)
    files = RuleInputs(config, [], "").of_line(line, config)
    folder = "results/sample/curves/random0/seed{}/A-B-finetuned/depths-{}"
    for name, seed in (("", 3), ("other_", 1)):
        stems = [folder.format(seed, depth) for depth in (2, 4)]
        assert files[f"{name}weights"] == [f"{stem}.safetensors" for stem in stems]
        assert files[f"{name}records"] == [f"{stem}.json" for stem in stems]
    assert files["source_task"] == "results/sample/tasks/random0-A.npz"
    assert line_options(line).endswith("--treatment finetuned --seed 3 --other-seed 1 --depths 2 4 --preserve 0")
    base = RuleInputs(config, [], "").of_line(line_of(config, wildcards | {"line": "base-B"}), config)
    assert base["weights"] == ["results/sample/networks/random0/seed3/base-B.safetensors"]
    assert "source_task" not in base


def test_every_line_is_found_and_its_files_are_the_jobs_of_its_curve():
    matrix = [*MATRIX, {"partition": "random0", "transfer": ["staged"], "depths": [1, 6], "targets": ["A"]}]
    config = study(matrix, running={"depths_per_job": 1, "made": {"random0/seed1/A-B-finetuned": [[2, 4]]}})
    for line in seed_lines(config):
        _, partition, seeds, name = line.stem.split("/")
        seed, other_seed = seeds.removeprefix("seeds").split("-")
        wildcards = {"partition": partition, "seed": seed, "other_seed": other_seed, "line": name}
        assert line_of(config, wildcards) == line
        jobs = [job for job in study_jobs(config) if job.curve == line.second.curve and job.seed == line.other_seed]
        assert line_jobs(config, line.second) == [job for job in jobs if job.partition == partition]
    assert len(line_jobs(config, TrainingJob("random0", 1, "A", "B", "finetuned", depths=(2, 4)))) == 1


def test_a_line_is_found_without_a_look_at_other_seeds_and_partitions(monkeypatch):
    config = study(seeds=[*range(100)])
    seen = []
    monkeypatch.setattr(lines, "whole_curves", lambda config: seen.extend(found := whole_curves(config)) or found)
    line_of(config, {"partition": "random0", "seed": "8", "other_seed": "9", "line": "A-B-finetuned"})
    assert {(job.seed, plain_partition(job.partition)) for job in seen} == {(8, "random0"), (9, "random0")}


def test_memory_and_time_grow_with_networks_and_steps():
    config = study()
    assert line_memory(config) > features_memory(config)
    assert line_memory(config, 2) >= 2 * line_memory(config) - 2
    paper = study(training=default_config("paper.yaml")["training"])
    paper["depths"] = [1]
    assert line_minutes(paper, 7) > line_minutes(paper, 1) > 1
    assert line_minutes(paper, 1, 2) == 2 * line_minutes(paper, 1)


def test_shares_have_short_names():
    assert [share_column(step, 3) for step in range(4)] == [
        f"top1_at_{share}" for share in ("0", "0.333", "0.667", "1")
    ]
    most = yaml.safe_load(SCHEMA.read_text())["properties"]["figures"]["properties"]["interpolation_steps"]["maximum"]
    for steps in range(2, most + 1):
        assert len({share_column(step, steps) for step in range(steps + 1)}) == steps + 1


def test_lines_that_can_be_measured_are_accepted():
    check_config(study(), SCHEMA)
    check_config(study(running={"depths_per_job": "auto", "devices": 2}), SCHEMA)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            study(running={"keep_curve_weights": False}),
            "it needs the networks of curves. Set running.keep_curve_weights",
        ),
        (study(seeds=[0]), "it needs pairs of seeds, and seeds has one. Add a seed"),
        (study(MATRIX[1:]), "it needs fine-tuned networks on all images, and the matrix asks for none."),
        (study([{"partition": "random0", "selffer": ["frozen", "probe"]}]), "the matrix asks for none."),
        (study(steps=1), "1 is less than the minimum"),
        (study(steps=21), "21 is greater than the maximum"),
        (study(steps=True), "figures.interpolation_steps"),
    ],
)
def test_lines_without_ends_are_refused_in_one_line(config, message):
    with pytest.raises(InputError) as raised:
        check_config(config, SCHEMA)
    assert str(raised.value).startswith("configuration: figures.interpolation_steps: ")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
