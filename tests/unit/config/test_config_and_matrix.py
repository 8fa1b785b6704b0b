import copy
import datetime
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import ROOT, default_config
from safetensors.numpy import save_file
from snakemake.utils import update_config

from workflow_scripts.config.checks import check_config
from workflow_scripts.config.file import check_config_file
from workflow_scripts.config.resources import SAMPLE_CLASS_COUNT
from workflow_scripts.dataset.sample.classes import SAMPLE_CLASSES
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.leaves import tries_rates
from workflow_scripts.study.matrix import base_jobs, curve_jobs, study_jobs, with_used_rates

SCHEMA = ROOT / "schemas" / "config.schema.yaml"
DEFAULT = default_config()


def with_change(path, value):
    config = copy.deepcopy(DEFAULT)
    *sections, key = path.split("/")
    place = config
    for section in sections:
        place = place[int(section) if section.isdigit() else section]
    if value is None:
        del place[key]
    else:
        place[key] = value
    return config


def test_the_default_is_valid():
    check_config_file(ROOT / "config.yaml")
    check_config(DEFAULT, SCHEMA)
    assert len(SAMPLE_CLASSES) == SAMPLE_CLASS_COUNT


@pytest.mark.parametrize("study", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_study_is_valid(study, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    check_config_file(study)
    below = ["paper.yaml"] if study.stem == "paper_reduced" else []  # as its first lines say
    config = default_config(*below, study.name)
    if config["training"]["pretrained"]:  # the user's own, as the images are
        config["training"]["pretrained"] = str(tmp_path / "weights.safetensors")
        save_file({"a": np.zeros(1)}, config["training"]["pretrained"])
    check_config(config, SCHEMA)
    assert config["study"] == study.stem


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "training/learning_rates",
            {"base": 1},
            r"training\.learning_rates: the key is unknown. Did you mean learning_rate\?",
        ),
        ("sede", [0], r"sede: the key is unknown. Did you mean seeds\?"),
        ("training/momentum", 1.5, "training.momentum: 1.5"),
        ("training/batch_size", "many", "training.batch_size: 'many' is not of type 'integer'"),
        ("study", 2026, "study: 2026 is not of type 'string'. Put it in quotes"),
        ("study", datetime.date(2026, 11, 26), "study: 2026-11-26 is not of type 'string'. Put it in quotes"),
        ("training/device", "tpu", "training.device: 'tpu'"),
        ("training", None, "'training' is a required property"),
        ("depths", [1, 8], "depths: 8 is too deep. mini_caffenet has 8 units"),
        ("depths", [0], r"depths\[0\]: 0"),
        ("depths", [1, 1], "depths: "),
        ("matrix/0/depths", [9], r"matrix\[0\].depths: 9 is too deep"),
        ("matrix/0/partition", "halves", r"matrix\[0\].partition: halves is not random<seed>"),
        ("matrix/0/targets", ["whole"], r"matrix\[0\].targets: whole is not a half"),
        ("matrix/2/transfer", ["frozen"], r"matrix\[2\].transfer: partition whole has one half only"),
        ("matrix/1/csv", "nowhere.csv", r"matrix\[1\].csv: nowhere.csv: the file does not exist"),
        ("natman/extra_artifacts", "nowhere.txt", "natman.extra_artifacts: nowhere.txt: the file does not exist"),
        (
            "dataset/kind",
            "folder",
            "partition natman needs a hierarchy of classes, which a folder dataset does not have",
        ),
        ("matrix/0/partition", "farther", r"farther is not random<seed>, near<seed>, middle<seed>, far<seed>"),
        (
            "matrix/2/partition",
            "whole_first_0_per_class",
            "whole_first_0_per_class: <k> in _first_<k>_per_class must be 1 to",
        ),
        ("training/crop", 40, "training.crop: 40 is larger than store.image_size"),
        ("running/gpus_per_job", 2, r"running.gpus_per_job: must be 1 while training.device is cpu \(it is 2\)"),
        ("running/jobs_per_gpu", 0, "running.jobs_per_gpu: 0"),
        (
            "training/threads",
            2,
            r"training.threads: the key is unknown. Did you mean running.threads or store.threads\?",
        ),
        ("training/architecture", "caffenet", "training.crop: crop 32 is too small"),
        ("study", "a b; rm -rf", "study: "),
        ("study", "ab\n", "study: "),
        ("dataset/path", "-rf", "dataset.path: '-rf' does not match"),
        ("dataset/path", "{shard}", r"dataset.path: '\{shard\}' does not match"),
        ("training/duration", "22 epoch s", "training.duration: '22 epoch s' is not valid .*as in `22 epochs`"),
        ("training/duration", 0, "training.duration: 0 is not valid under any of the given schemas"),
        ("training/schedule/warmup", -1, "training.schedule.warmup: -1 is not valid"),
        ("training/precision", "fp16", "training.precision: 'fp16' is not one of"),
        ("matrix/0/preserve", 3, r"matrix\[0\].preserve: 3 is not one of \[0, 1, 2\]"),
        (
            "matrix/1/preserve",
            1,
            "depths: 7 is too deep with 1 preserved units above. .* Give matrix entries depths that fit",
        ),
        ("dataset/path", "/data/ilsvrc2012", "dataset.path: the sample is drawn into data/sample/archives"),
        ("matrix/0/partition", "random4294967296", r"matrix\[0\].partition: random4294967296 is not random<seed>"),
    ],
)
def test_mistakes_are_named_in_one_line(path, value, message):
    with pytest.raises(InputError, match=message) as caught:
        check_config(with_change(path, value), SCHEMA)
    assert "\n" not in str(caught.value)


def test_single_images_cannot_be_held_out():
    rates = {"base": 0.1, "frozen": 0.1, "finetuned": [0.1, 0.01]}
    entry = {"partition": "random0", "transfer": ["finetuned"], "target_images_per_class": [1, 5]}
    config = with_change("training/learning_rate", rates) | {"matrix": [entry]}
    with pytest.raises(InputError, match=r"matrix\[0\]: of 1 image of each class none can be held out"):
        check_config(config, SCHEMA)
    check_config(config | {"matrix": [entry | {"target_images_per_class": [5]}]}, SCHEMA)


@pytest.mark.parametrize(
    ("entry", "several"),
    [
        ({"transfer": ["finetuned"]}, {"base", "finetuned"}),
        ({"selffer": ["staged"]}, {"base", "finetuned"}),  # its second stage tries them
        ({"random": ["frozen"], "pretrained": ["probe"]}, {"base", "frozen"}),
        ({"transfer": ["probe"]}, set()),  # base networks of sources have the first
        ({}, {"base"}),
    ],
)
def test_rates_that_no_network_tries_hold_out_no_images(entry, several):
    rates = {"base": [0.1, 0.2], "frozen": [0.3, 0.4], "finetuned": [0.5, 0.6]}
    config = with_change("training/learning_rate", rates) | {"matrix": [{"partition": "random0"} | entry]}
    used = with_used_rates(config)["training"]
    assert used["learning_rate"] == {key: rate if key in several else rate[0] for key, rate in rates.items()}
    jobs = study_jobs(config)
    assert study_jobs(with_used_rates(config)) == jobs
    assert tries_rates(used) == bool(several) == any(job.rate for job in jobs)


def test_one_image_of_each_class_is_enough_where_none_is_held_out():
    rates = {"base": 0.1, "frozen": 0.1, "finetuned": [0.1, 0.01]}
    entry = {"partition": "random0", "transfer": ["frozen"], "target_images_per_class": [1]}
    check_config(with_change("training/learning_rate", rates) | {"matrix": [entry]}, SCHEMA)


def test_preserved_layers_go_with_frozen_curves():
    entry = {"partition": "random0", "transfer": ["frozen", "finetuned"], "depths": [1], "preserve": 1}
    with pytest.raises(InputError, match=r"matrix\[0\].preserve: it is for frozen selffer, transfer and pretrained"):
        check_config(with_change("matrix", [entry]), SCHEMA)


@pytest.mark.parametrize("value", [1, "1 epoch", "22 epochs", "0.5 epochs"])
def test_lengths_are_iterations_or_epochs(value):
    for key in ("duration", "validate_every", "stuck_after", "schedule/step", "schedule/warmup"):
        check_config(with_change(f"training/{key}", value), SCHEMA)


def test_every_key_is_documented():
    def check(schema, path):
        for key, value in schema.get("properties", {}).items():
            assert value.get("description"), f"{path}{key} has no description"
            assert schema["additionalProperties"] is False
            check(value, f"{path}{key}.")
        check(schema["items"], path) if "items" in schema else None

    check(yaml.safe_load(SCHEMA.read_text()), "")


def count_networks(config):
    return len(base_jobs(config)) + sum(len(job.depths) for job in curve_jobs(config))


def test_the_default_matrix_is_the_papers_small():
    assert count_networks(DEFAULT) == 82
    assert len(base_jobs(DEFAULT)) == 5
    jobs = curve_jobs(DEFAULT)
    assert len(jobs) == 11
    assert all(job.depths == (1, 2, 3, 4, 5, 6, 7) for job in jobs)
    assert TrainingJob("natman", 0, "A", "B", "frozen", depths=(1, 2, 3, 4, 5, 6, 7)) in jobs
    assert TrainingJob("whole", 0, "random", "whole", "frozen", depths=(1, 2, 3, 4, 5, 6, 7)) in jobs


def test_variants_are_curves_of_their_own_beside_the_others():
    depths = [1, 2]
    config = with_change(
        "matrix",
        [
            {"partition": "random0", "transfer": ["frozen"], "targets": ["B"], "depths": depths},
            {"partition": "random0", "transfer": ["frozen"], "targets": ["B"], "depths": depths, "preserve": 2},
            {"partition": "whole", "random": ["frozen"], "depths": depths, "init": "he"},  # the study's own
            {"partition": "whole", "random": ["frozen"], "depths": depths, "init": "caffe"},
        ],
    )
    check_config(config, SCHEMA)
    stems = [job.stem.split("/", 3)[-1] for job in curve_jobs(config)]
    assert stems == [
        "A-B-frozen/depths-1-2",
        "A-B-frozen-preserve2/depths-1-2",
        "random-whole-frozen/depths-1-2",
        "random-whole-frozen-caffe/depths-1-2",
    ]
    assert [(job.preserve, job.init) for job in curve_jobs(config)] == [(0, ""), (2, ""), (0, ""), (0, "caffe")]
    assert len(base_jobs(config)) == 3


def test_depths_per_job_divides_a_curve_and_nothing_else():
    config = with_change("running/depths_per_job", 3)
    curve = [job.depths for job in curve_jobs(config) if (job.partition, job.target) == ("natman", "B")]
    assert curve == [(1, 2, 3), (4, 5, 6), (7,)]
    assert count_networks(config) == 82


def test_entries_of_a_partition_add_up_and_sources_bring_their_base():
    config = with_change(
        "matrix",
        [
            {"partition": "random1", "transfer": ["frozen"], "targets": ["B"]},
            {"partition": "random1", "transfer": ["frozen"], "targets": ["B"], "depths": [2]},
        ],
    )
    config["depths"] = [1, 3]
    assert curve_jobs(config) == [TrainingJob("random1", 0, "A", "B", "frozen", depths=(1, 2, 3))]
    assert base_jobs(config) == [TrainingJob.base("random1", 0, half) for half in "AB"]


@pytest.mark.parametrize(("studies", "reduced"), [(["paper"], False), (["paper", "paper_reduced"], True)])
def test_the_papers_studies_train_the_published_networks(shared, studies, reduced):
    """The reduced data sets in one, all the others in the other."""
    config = copy.deepcopy(DEFAULT)
    for study in studies:
        update_config(config, yaml.safe_load((ROOT / f"configs/{study}.yaml").read_text()))
    ours = {(job.partition, job.source, job.target, 0, "base") for job in base_jobs(config)}
    for job in curve_jobs(config):
        ours |= {(job.partition, job.source, job.target, depth, job.treatment) for depth in job.depths}
    published = pd.read_csv(shared / "reference" / "published_results.csv")
    published = published[published["partition"].str.startswith("whole_first") == reduced]
    columns = ["partition", "source", "target", "depth", "treatment"]
    assert ours == set(published[columns].itertuples(index=False, name=None))
    assert set(published["iterations"]) == {config["training"]["duration"]}
    assert len(ours) == (12 if reduced else 136)


def test_names_of_jobs_are_distinct_paths():
    config = with_change("seeds", [0, 1])
    stems = [job.stem for job in [*base_jobs(config), *curve_jobs(config)]]
    assert len(set(stems)) == len(stems) == 32
    assert all(re.fullmatch(r"[\w/-]+", stem) for stem in stems)


FEW = {"partition": "random0", "transfer": ["frozen"], "selffer": ["frozen"], "depths": [1]}


def test_numbers_of_target_images_are_curves_and_bases_of_their_own():
    config = with_change("matrix", [FEW | {"targets": ["B"], "target_images_per_class": [5, 80, "all"]}])
    config["seeds"] = [0, 1]
    check_config(config, SCHEMA)
    names = ["random0", "random0_draw_5_per_class", "random0_draw_80_per_class"]
    assert sorted({job.partition for job in curve_jobs(config)}) == names
    assert len(curve_jobs(config)) == 3 * 2 * 2
    bases = {(job.partition, job.target) for job in base_jobs(config)}
    assert bases == {("random0", "A"), *((name, "B") for name in names)}
    assert all(job.source_job is None or job.source_job in base_jobs(config) for job in curve_jobs(config))
    plain = with_change("matrix", [FEW | {"targets": ["B"]}])
    assert {*curve_jobs(plain), *base_jobs(plain)} < {*curve_jobs(config), *base_jobs(config)}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"partition": "random0_draw_5_per_class"}, r"partition: random0_draw_5_per_class: drawn .*target_images_per_"),
        ({"partition": "random0_draw_0_per_class"}, r"partition: random0_draw_0_per_class: drawn .*target_images_per_"),
        (
            {"partition": "whole_first_5_per_class", "target_images_per_class": [2]},
            r"target_images_per_class: partition whole_first_5_per_class has the first images of each class only\.",
        ),
        (FEW | {"target_images_per_class": [5, 81]}, r"target_images_per_class: the sample has 80 training images"),
        (FEW | {"target_images_per_class": [0]}, r"target_images_per_class\[0\]: 0 is less than the minimum of 1"),
        (FEW | {"target_images_per_class": [5, 5]}, r"target_images_per_class: \[5, 5\] has non-unique"),
        (FEW | {"target_images_per_class": []}, r"target_images_per_class: \[\] "),
        (FEW | {"target_images_per_class": ["most"]}, r"target_images_per_class\[0\]: 'most' is not of type 'integer'"),
        (FEW | {"target_images_per_class": [2.5]}, r"target_images_per_class\[0\]: 2.5 is not of type 'integer'"),
        (FEW | {"target_images_per_class": 5}, r"target_images_per_class: 5 is not of type 'array'"),
        (FEW | {"target_images_per_class": [*range(1, 22)]}, r"target_images_per_class: \[1, 2.* is too long"),
    ],
)
def test_wrong_numbers_of_target_images_are_one_line(entry, message):
    with pytest.raises(InputError, match=rf"^configuration: matrix\[0\]\.{message}") as caught:
        check_config(with_change("matrix", [entry]), SCHEMA)
    assert "\n" not in str(caught.value)


def test_numbers_of_target_images_count_as_networks():
    amounts = [*range(1, 20), "all"]
    config = with_change("matrix", [FEW | {"depths": "all", "target_images_per_class": amounts}]) | {
        "seeds": [*range(170)]
    }
    with pytest.raises(InputError, match="matrix: it asks for up to 102,000 networks"):
        check_config(config, SCHEMA)
