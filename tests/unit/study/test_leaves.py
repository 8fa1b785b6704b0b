"""Which leaves of the configuration decide what: a change of any other leaf changes nothing."""

import copy
from dataclasses import replace

import pytest
from helpers import default_config

from workflow_scripts.study import leaves
from workflow_scripts.study.jobs import TrainingJob
from workflow_scripts.study.matrix import curve_jobs
from workflow_scripts.study.mini_resnets import USUAL

CONFIG = default_config()
BASE = TrainingJob.base("random0", 0, "B")
SELFFER = TrainingJob("random0", 0, "B", "B", "frozen", depths=(1,))
TRANSFER = TrainingJob("random0", 0, "A", "B", "finetuned", depths=(1,))
RANDOM = TrainingJob("whole", 0, "random", "whole", "frozen", depths=(1,))
JOBS = {"base": BASE, "selffer": SELFFER, "transfer": TRANSFER, "random": RANDOM}


def changed(path, value):
    config = copy.deepcopy(CONFIG)
    *sections, key = path.split("/")
    place = config
    for section in sections:
        place = place[section]
    assert place[key] != value
    place[key] = value
    return config


def stale_jobs(path, value):
    """The jobs whose leaves are others after a change."""
    config = changed(path, value)
    return {
        name
        for name, job in JOBS.items()
        if leaves.job_leaves(config["training"], job) != leaves.job_leaves(CONFIG["training"], job)
    }


def test_images_are_held_out_only_where_a_treatment_tries_several_rates():
    one = {"base": 0.3, "frozen": [0.2], "finetuned": 0.1}
    several = one | {"finetuned": [0.1, 0.01]}
    for rates, held_out in ((one, None), (several, 0.1)):
        training = CONFIG["training"] | {"learning_rate": rates}
        for job in JOBS.values():
            assert leaves.job_leaves(training, job).get("held_out_share") == held_out
        assert leaves.job_leaves(training, SELFFER)["learning_rate"] == 0.2
    assert leaves.job_leaves(training, TRANSFER)["learning_rate"] == 0.1
    assert leaves.job_leaves(training, replace(TRANSFER, rate=0.01))["learning_rate"] == 0.01
    staged = leaves.job_leaves(training, replace(TRANSFER, treatment="staged", rate=0.01))
    assert (staged["learning_rate"], staged["staged_learning_rate"]) == (0.2, 0.01)


def test_a_base_network_of_twice_the_length_is_the_usual_one_stretched():
    usual = leaves.job_leaves(CONFIG["training"], BASE)
    assert leaves.job_leaves(CONFIG["training"], replace(BASE, treatment="base_twice")) == usual | {"stretched": 2}
    assert "stretched" not in leaves.job_leaves(CONFIG["training"], replace(TRANSFER, treatment="staged"))


def test_a_staged_curve_has_the_leaves_of_a_frozen_one_and_the_rate_of_fine_tuning():
    training = CONFIG["training"] | {"learning_rate": {"base": 0.3, "frozen": 0.2, "finetuned": 0.1}}
    frozen = replace(TRANSFER, treatment="frozen")
    staged = leaves.job_leaves(training, replace(TRANSFER, treatment="staged"))
    assert staged == leaves.job_leaves(training, frozen) | {"staged_learning_rate": 0.1}
    assert leaves.base_leaves(staged) == leaves.base_leaves(leaves.job_leaves(training, BASE))


@pytest.mark.parametrize(
    ("path", "value", "stale"),
    [
        ("training/momentum", 0.5, set(JOBS)),
        ("training/schedule/warmup", 7, set(JOBS)),
        ("training/schedule/step", 7, set()),  # the schedule is a cosine
        ("training/learning_rate/base", 0.5, {"base"}),
        ("training/learning_rate/frozen", 0.5, {"selffer", "random"}),
        ("training/learning_rate/finetuned", 0.5, {"transfer"}),
        ("training/mean_image", "target", {"transfer"}),
        ("training/init", "caffe", set(JOBS)),
        ("running/threads", 2, set()),  # the rules hold them, on a CPU
        ("running/depths_per_job", 1, set()),
    ],
)
def test_a_leaf_makes_the_jobs_stale_that_it_decides(path, value, stale):
    assert stale_jobs(path, value) == stale


def test_drawn_images_have_the_halves_that_they_are_drawn_from(tmp_path):
    (tmp_path / "mine.csv").write_text("class,half\n")
    config = CONFIG | {"matrix": [*CONFIG["matrix"], {"partition": "mine", "csv": str(tmp_path / "mine.csv")}]}
    for name in ("natman", "random0", "mine"):
        drawn = f"{name}_draw_5_per_class"
        assert leaves.partition_leaves(config, drawn) == leaves.partition_leaves(config, name)
        assert leaves.partition_files(config, drawn) == leaves.partition_files(config, name)


def test_a_jobs_own_initial_weights_take_the_place_of_the_studys():
    own = TrainingJob("whole", 0, "random", "whole", "frozen", init="caffe", depths=(1,))
    assert leaves.job_leaves(CONFIG["training"], own)["init"] == "caffe"
    assert leaves.job_leaves(CONFIG["training"], RANDOM)["init"] == CONFIG["training"]["init"]


def test_no_leaf_of_training_is_forgotten():
    unused = leaves.NOT_LEAVES | {"channels", "held_out_share"}  # the input is a mean image, and rates are single
    assert set(leaves.training_leaves(CONFIG["training"])) == set(CONFIG["training"]) - unused
    assert set(leaves.job_leaves(CONFIG["training"], BASE)) == set(CONFIG["training"]) - unused
    channels = leaves.training_leaves(CONFIG["training"] | {"input": "channels"})
    assert set(CONFIG["training"]) - set(channels) == leaves.NOT_LEAVES | {
        "input_scale",
        "mean_image",
        "held_out_share",
    }


def test_a_curve_and_its_source_agree_in_all_but_their_own_leaves():
    config = changed("training/mean_image", "target")["training"] | {"mean_image": "source"}
    base, transfer = (leaves.base_leaves(leaves.job_leaves(config, job)) for job in (BASE, TRANSFER))
    assert base == transfer
    assert "learning_rate" not in base


def test_the_matrix_leaves_are_enough_to_list_the_jobs():
    assert curve_jobs(leaves.matrix_leaves(CONFIG)) == curve_jobs(CONFIG)


def test_partitions_have_the_leaves_of_their_family():
    natman = leaves.partition_leaves(CONFIG, "natman")
    assert natman == {"csv": None, "artifact": "n00021939", "extra_artifacts": None}
    assert set(leaves.partition_leaves(CONFIG, "random0").values()) == {None}


def test_list_files_count_by_their_content_and_not_by_their_place(tmp_path):
    def settings(csv, more):
        matrix = [{"partition": "mine", "csv": str(csv)}, {"partition": "natman"}]
        config = CONFIG | {"matrix": matrix, "natman": {"artifact": "x", "extra_artifacts": str(more)}}
        assert leaves.partition_files(config, "mine") == {"csv": str(csv)}
        assert leaves.partition_files(config, "natman") == {"extra_artifacts": str(more)}
        return [leaves.partition_leaves(config, name) for name in ("mine", "natman")]

    for name in ("one", "copy", "other"):
        (tmp_path / name).write_text("other" if name == "other" else "one")
    one, copy, other = (tmp_path / name for name in ("one", "copy", "other"))
    assert settings(one, one) == settings(copy, copy)
    mine, natman = settings(one, other)
    assert mine == settings(one, one)[0] != settings(other, one)[0]
    assert natman != settings(one, one)[1]
    assert (mine["artifact"], mine["extra_artifacts"], natman["artifact"], natman["csv"]) == (None, None, "x", None)


def test_the_report_shows_a_configuration_that_counts_without_its_paths():
    config = CONFIG | {"matrix": [{"partition": "mine", "csv": "mine.csv"}]}
    elsewhere = copy.deepcopy(config) | {"results_table": "t.csv", "reference": None}
    elsewhere["matrix"][0]["csv"] = elsewhere["dataset"]["path"] = elsewhere["natman"]["extra_artifacts"] = "/else"
    for function in (leaves.shown_leaves, leaves.matrix_leaves, leaves.cost_leaves):
        assert function(elsewhere) == function(config)
    assert leaves.shown_leaves(config | {"seeds": [1]}) != leaves.shown_leaves(config)


def test_shards_do_not_depend_on_the_other_splits_number():
    store = CONFIG["store"]
    assert leaves.shard_leaves(store, "val") == leaves.shard_leaves(store | {"train_shards": 9}, "val")
    assert leaves.shard_leaves(store, "train") != leaves.shard_leaves(store | {"train_shards": 9}, "train")


@pytest.mark.parametrize("function", [leaves.view_leaves, leaves.speed_leaves])
def test_what_is_seen_and_how_fast_do_not_depend_on_the_rate(function):
    other = changed("training/learning_rate", {"base": 1, "frozen": 1, "finetuned": 1})["training"]
    assert function(other) == function(CONFIG["training"])
    assert function(CONFIG["training"] | {"crop": 24}) != function(CONFIG["training"])


def test_the_price_does_not_depend_on_retries_or_rates():
    for path, value in (("running/retries", 9), ("training/momentum", 0.1), ("figures/dpi", 90)):
        assert leaves.cost_leaves(changed(path, value)) == leaves.cost_leaves(CONFIG)
    assert leaves.cost_leaves(changed("running/depths_per_job", 1)) != leaves.cost_leaves(CONFIG)


def test_a_dataset_is_read_as_by_its_kind_alone_unless_keys_say_otherwise():
    plain = {"name": "d", "path": "p", "split": None, "exclude": [], "follow_links": False}
    for kind in ("sample", "ilsvrc", "folder", "table"):
        assert leaves.dataset_leaves(plain | {"kind": kind}) == {"kind": kind}
    given = plain | {"split": {"val_per_class": 3, "val_fraction": None}, "exclude": ["b", "a"], "follow_links": True}
    read = {"split": {"val_per_class": 3, "seed": 0}, "exclude": ["a", "b"]}
    assert leaves.dataset_leaves(given | {"kind": "table"}) == {"kind": "table"} | read
    assert leaves.dataset_leaves(given | {"kind": "folder"}) == {"kind": "folder", "follow_links": True} | read
    assert leaves.dataset_leaves(given | {"kind": "ilsvrc"}) == {"kind": "ilsvrc"}


@pytest.mark.parametrize(("norm", "skip"), [("batch", True), ("group", False)])
def test_the_leaves_of_leaves_are_the_same(norm, skip):
    """`aggregate` gets training_leaves, and asks for those of each job."""
    training = CONFIG["training"] | {"architecture": "mini_resnet", "mini_resnet": USUAL | {"norm": norm, "skip": skip}}
    assert leaves.job_leaves(leaves.training_leaves(training), BASE) == leaves.job_leaves(training, BASE)
