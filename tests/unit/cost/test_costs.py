"""The price of a study: operations counted by hand, packings with known answers, what is done, estimate and actual."""

import json
import re
import subprocess

import pytest
from helpers import PYTHON, ROOT, default_config

from workflow_scripts.config.resources import cost_settings, line_minutes
from workflow_scripts.cost.compare_costs import cost_table
from workflow_scripts.cost.estimate import features_seconds, job_seconds, line_seconds, surveyed
from workflow_scripts.cost.operations import job_operations, operations_per_image, task_lengths
from workflow_scripts.cost.plan import report, stage_table, waiting_times
from workflow_scripts.cost.schedule import wall_seconds
from workflow_scripts.network.architectures import layer_costs, mini_caffenet
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.matrix import study_jobs

CONFIG = default_config()
SETTINGS = {
    **{key: CONFIG[key] for key in ("study", "seeds", "depths", "matrix", "dataset", "training", "running")},
    **{
        "counts": {"sample": {"classes": 40, "train_images": 3200, "val_images": 2000}},
        "image_size": 36,
        "memory_mb": 887,
    },
}


def settings(**training):
    return SETTINGS | {"training": SETTINGS["training"] | training}


def multiplications(classes):
    return [cost.multiplications for cost in layer_costs(mini_caffenet(), 32, classes)]


def test_a_base_networks_operations_by_hand():
    costs = multiplications(20)
    few = settings(duration=10, validate_every=5, batch_size=64)
    training = 10 * 64 * (3 * 2 * sum(costs) - 2 * costs[0])
    validation = 2 * 1000 * 2 * sum(costs)
    assert job_operations(TrainingJob.base("random0", 0, "A"), few) == training + validation


def test_a_frozen_prefix_counts_once_and_only_forward():
    costs = [2 * count for count in multiplications(20)]
    few = settings(duration=10, validate_every=20, batch_size=64)
    job = TrainingJob("random0", 0, "A", "B", "frozen", depths=(2, 5))
    prefix = sum(costs[:5])
    above = sum(costs[2:]) + sum(costs[5:])
    learning = 3 * above - costs[2] - costs[5]
    assert job_operations(job, few) == 10 * 64 * (prefix + learning) + 1000 * (prefix + above)


def test_readings_of_held_out_images_count_and_epochs_are_of_the_others():
    rates = {"base": 0.1, "frozen": 0.1, "finetuned": [0.1, 0.01]}
    lengths = {"duration": "10 epochs", "validate_every": "2 epochs", "batch_size": 15}
    held_out = settings(**lengths, learning_rate=rates, held_out_share=0.25)
    costs = multiplications(20)
    training = 10 * 20 * 60 * (3 * 2 * sum(costs) - 2 * costs[0])
    read = 5 * (1000 + 20 * 20) * 2 * sum(costs)
    assert job_operations(TrainingJob.base("random0", 0, "A"), held_out) == training + read
    one = held_out | {"training": held_out["training"] | {"learning_rate": rates | {"finetuned": [0.1]}}}
    assert task_lengths(TrainingJob.base("random0", 0, "A"), one).held_out_images == 0
    few = task_lengths(TrainingJob.base("random0_draw_5_per_class", 0, "A"), settings(learning_rate=rates))
    assert (few.train_images, few.held_out_images) == (80, 20)
    assert operations_per_image(held_out["training"], 40) == operations_per_image(SETTINGS["training"], 40)
    config = CONFIG | {"training": held_out["training"]}
    priced = cost_settings(config) | {"counts": SETTINGS["counts"]}
    assert job_seconds(priced, 1e9) == job_seconds(held_out, 1e9)


def test_fine_tuned_networks_cost_what_base_networks_do():
    base = job_operations(TrainingJob.base("random0", 0, "B"), SETTINGS)
    assert job_operations(TrainingJob("random0", 0, "A", "B", "finetuned", depths=(1, 2, 3)), SETTINGS) == 3 * base


def test_epochs_depend_on_the_images_of_the_task():
    epochs = settings(duration="10 epochs", validate_every="10 epochs", batch_size=10)
    whole, some = (
        job_operations(TrainingJob.base(name, 0, "whole"), epochs) for name in ("whole", "whole_first_8_per_class")
    )
    validation = 2000 * 2 * sum(multiplications(40))
    assert (whole - validation) == pytest.approx(10 * (some - validation))


def test_drawn_images_cost_what_as_many_first_images_do():
    epochs = settings(duration="10 epochs", validate_every="10 epochs", batch_size=10)
    first, drawn = (
        job_operations(TrainingJob("random0" + how, 0, "A", "B", "frozen", depths=(2,)), epochs)
        for how in ("_first_8_per_class", "_draw_8_per_class")
    )
    assert first == drawn
    entry = {"partition": "random0", "transfer": ["frozen"], "target_images_per_class": [8, "all"]}
    jobs = job_seconds(epochs | {"matrix": [entry]}, 1e9)
    by_partition = {job.partition: seconds for job, seconds in jobs.items() if job.kind == "base"}
    assert by_partition["random0"] > 5 * by_partition["random0_draw_8_per_class"]


def test_the_rate_of_a_base_network_is_its_own_price():
    costs = multiplications(40)
    assert operations_per_image(SETTINGS["training"], 40) == 6 * sum(costs) - 2 * costs[0]


def test_several_gpus_of_a_job_share_its_work():
    running = SETTINGS["running"]
    one, four = (job_seconds(SETTINGS | {"running": running | {"gpus_per_job": count}}, 1e9) for count in (1, 4))
    assert all(one[job] == pytest.approx(4 * four[job]) for job in one)


@pytest.mark.parametrize(
    ("seconds", "waits", "devices", "wall"),
    [
        ({"a": 3, "b": 2, "c": 1}, {}, 1, 6),
        ({"a": 3, "b": 2, "c": 1}, {}, 2, 3),
        ({"a": 3, "b": 2, "c": 1}, {}, 64, 3),
        ({"a": 1, "b": 5, "c": 5}, {"b": ["a"], "c": ["a"]}, 2, 6),
        ({"a": 1, "b": 1, "c": 5}, {"c": ["b"]}, 1, 7),
        ({"a": 4, "b": 1, "c": 5}, {"c": ["b"]}, 2, 6),  # b first, since c waits behind it
        ({}, {}, 3, 0),
    ],
)
def test_jobs_packed_on_devices(seconds, waits, devices, wall):
    assert wall_seconds(seconds, {name: waits.get(name, []) for name in seconds}, devices) == wall


def test_curves_wait_for_their_source_alone():
    jobs = {job.stem: job for job in study_jobs(SETTINGS)}
    assert len(jobs) == 16
    curve = jobs["curves/random0/seed0/A-B-frozen/depths-1-2-3-4-5-6-7"]
    assert curve.source_job == jobs["networks/random0/seed0/base-A"]
    assert jobs["curves/whole/seed0/random-whole-frozen/depths-1-2-3-4-5-6-7"].source_job is None


def test_done_jobs_are_marked_and_wait_for_nobody(tmp_path):
    jobs = study_jobs(SETTINGS)
    seconds = dict.fromkeys(jobs, 3600.0)
    done = {job for job in jobs if job.kind == "base"}
    table = stage_table(seconds, done, SETTINGS)
    assert table.loc["all", ["jobs", "networks", "done"]].to_list() == [16, 82, 5]
    assert table.loc["all", ["hours", "hours left"]].to_list() == [16, 11]
    assert table.loc["base networks", "hours left"] == 0
    assert waiting_times(seconds, done, [1, 4]) == {"1": 11, "4": 3, "unlimited": 1}
    assert waiting_times(seconds, set(), [1])["unlimited"] == 2
    for job in done:
        (tmp_path / job.stem).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{job.stem}.json").touch()
    text = report(SETTINGS, 1e9, "made up", tmp_path, [2])
    assert text.startswith("Study sample: 82 networks in 16 jobs, 5 of them done.")


def test_a_survey_replaces_what_was_assumed(tmp_path):
    assert surveyed(SETTINGS, [tmp_path / "survey.json"]) == SETTINGS
    write_record(tmp_path / "survey.json", {"classes": 7, "images": {"train": 70, "val": 14}})
    found = surveyed(SETTINGS, [tmp_path / "survey.json"])
    assert found["counts"] == {"sample": {"classes": 7, "train_images": 70, "val_images": 14}}


def test_estimate_and_actual_side_by_side(tmp_path):
    estimates = job_seconds(SETTINGS, 1e9)
    for job, seconds in estimates.items():
        path = tmp_path / f"{job.stem}.json"
        write_record(path, {"provenance": {"seconds": 2 * seconds, "device": "cpu"}})
    table = cost_table(SETTINGS, 1e9, tmp_path)
    assert len(table) == 17
    assert table["actual_by_estimated"].between(1.9, 2.1).all()
    last = table.iloc[-1]
    assert (last["stage"], last["networks"], last["device"]) == ("all", 82, "cpu")
    assert last["actual_seconds"] == pytest.approx(2 * sum(estimates.values()), rel=1e-3)
    assert last["job"] == ""


def test_a_job_that_is_estimated_to_take_no_time_has_no_ratio(tmp_path):
    for job in job_seconds(SETTINGS, 1e9):
        write_record(tmp_path / f"{job.stem}.json", {"provenance": {"seconds": 0.3, "device": "cpu"}})
    table = cost_table(SETTINGS, 1e30, tmp_path)
    assert table["actual_by_estimated"].isna().all()


def test_this_machine_is_measured(tmp_path):
    keys = ("architecture", "crop", "batch_size", "device", "precision", "compile")
    leaves = {key: SETTINGS["training"][key] for key in keys}
    command = [
        PYTHON,
        "-m",
        "workflow_scripts.cost.calibrate",
        "--settings",
        json.dumps(leaves),
        "--threads",
        "1",
    ]
    done = subprocess.run(
        [*command, "--seconds", "1", "--output", str(tmp_path / "found.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["images_per_second"] > 0
    per_image = operations_per_image(leaves, 100)
    assert found["operations_per_second"] == pytest.approx(found["images_per_second"] * per_image, rel=1e-3)
    assert found["device"] == "cpu"


def test_probes_cost_one_pass_for_each_source(tmp_path):
    entry = {"partition": "whole", "random": ["probe"], "target_images_per_class": [1, "all"]}
    probing = SETTINGS | {"matrix": [entry], "seeds": [0, 1]}
    seconds = features_seconds(probing, 1e9)
    assert seconds.keys() == {"features/whole/seed0/random-whole", "features/whole/seed1/random-whole"}
    assert set(seconds.values()) == {2 * sum(multiplications(40)[:-1]) * 5200 / 1e9}
    (tmp_path / "features/whole/seed0").mkdir(parents=True)
    (tmp_path / "features/whole/seed0/random-whole.json").touch()
    text = report(probing, 1e6, "made up", tmp_path, [2])
    assert text.startswith("Study sample: 0 networks in 0 jobs, 0 of them done.")
    (line,) = [one for one in text.split("\n") if one.startswith("Probes:")]
    assert "28 in 4 jobs, 0 of them done" in line
    hours, left = (float(number) for number in re.findall(r"([\d.]+) hours", line))
    assert left == pytest.approx(hours / 2, abs=0.1)


def test_lines_between_networks_of_two_seeds_have_their_price(tmp_path):
    entry = {"partition": "whole", "selffer": ["finetuned"], "depths": [1, 2, 3]}
    config = CONFIG | {"matrix": [entry], "seeds": [0, 1, 2]}
    config |= {"figures": CONFIG["figures"] | {"interpolation_steps": 4}}
    priced = cost_settings(config)
    seconds = {line.stem: one for line, one in line_seconds(priced, 1e9).items()}
    of_one = (4 * 9 + 1) * 2 * (2000 + 3200) * sum(multiplications(40)) / 1e9
    names = {"whole-whole-finetuned": 3, "base-whole": 1}
    pairs = ("0-1", "1-2")
    assert seconds == {
        f"interpolation/whole/seeds{pair}/{name}": names[name] * of_one for pair in pairs for name in names
    }
    done = tmp_path / "interpolation/whole/seeds0-1/base-whole.json"
    done.parent.mkdir(parents=True)
    done.touch()
    (line,) = [one for one in report(priced, 1e7, "made up", tmp_path, [2]).split("\n") if one.startswith("Lines")]
    assert line.startswith("Lines between networks of two seeds: 4 jobs, 1 of them done, that take ")
    assert re.search(r"take [\d.]+ (hours|days) of a device, [\d.]+ (hours|days) of it left\.$", line)
    assert line_minutes(config, 3) >= 1
    assert not line_seconds(cost_settings(CONFIG), 1e9)
    assert "Lines" not in report(cost_settings(CONFIG), 1e9, "made up", tmp_path, [2])
