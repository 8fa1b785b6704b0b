"""A tiny study, really run, in a copy of the repository: what it makes, and what each change makes stale."""

import json
import os
import re
import shutil

import pandas as pd
import pytest
import yaml
from helpers import ROOT, check_report, results_of

from workflow_scripts.config.figures import FIGURES as FIGURE_TABLE
from workflow_scripts.dataset.dataset import ILSVRC_ARCHIVES
from workflow_scripts.partition.task import Task
from workflow_scripts.plumbing.files import read_json
from workflow_scripts.plumbing.records import write_record

TINY = "tiny.yaml"
RESULTS = "results/tiny"
KEYS = ["partition", "source", "target", "depth", "treatment", "seed"]
FIGURES = ("figure2", "effects", "boost", "figure3", "hierarchy", "comparison", "similarity", "distances")
FIGURES += ("filters", "learning")
# What follows new curves, and what follows new base networks.
REPORTING = {"aggregate": 1, "compare_costs": 1, "make_tables": 1, "write_findings": 1, "write_report": 1}
REPORTING |= {f"plot_{figure}": 1 for figure in FIGURES if figure != "filters"}
FROM_BASES = REPORTING | {"compare_bases": 2, "score_filters": 1, "plot_filters": 1}


@pytest.fixture(scope="module")
def study(checkout):
    """A checkout in which the tiny study is finished."""
    tiny = checkout(TINY)
    shutil.copy(ROOT / "tests" / "workflow" / TINY, tiny.folder / TINY)
    tiny.snakemake()
    return tiny


def stale(study, config=None):
    """How many jobs of each rule a dry run plans."""
    printed = study.snakemake("--dry-run", study=config)
    table = re.search(r"^job +count\n[- ]+\n(.*?)^total", printed, re.DOTALL | re.MULTILINE)
    counts = {} if table is None else dict(line.split() for line in table[1].strip().split("\n"))
    return {rule: int(count) for rule, count in counts.items() if rule != "all"}


def beside(study, name, **changes):
    """Write the configuration of a study like the tiny one but for `changes`; its file.

    It does not measure how fast this machine is, which takes ten seconds.
    """
    config = yaml.safe_load((study.folder / TINY).read_text())
    config |= {"study": name, "plan": {"images_per_second": 100}} | changes
    (study.folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    return f"{name}.yaml"


@pytest.fixture
def change(study):
    """A function that changes one file of the finished study; it is put back afterwards."""
    changed = {}

    def replace(name, old, new):
        path = study.folder / name
        text = path.read_text()
        changed.setdefault(path, text)
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new, 1))

    yield replace
    for path, text in changed.items():
        path.write_text(text)


@pytest.fixture
def configure(study):
    """A function that changes one leaf of the study's configuration; it is put back afterwards."""
    path = study.folder / TINY
    before = path.read_text()

    def replace(section, value):
        config = yaml.safe_load(before)
        *sections, key = section.split("/")
        place = config
        for name in sections:
            place = place.setdefault(name, {})
        place[key] = value
        path.write_text(yaml.safe_dump(config))

    yield replace
    path.write_text(before)


def test_every_declared_result_is_there(study):
    results = pd.read_csv(study.folder / RESULTS / "results.csv")
    assert len(results) == 5 + 8 * 3 + 2 * 3 + 3
    assert results["top1_best10_mean"].between(0, 1).all()
    assert not results["diverged"].any()
    for name in FIGURES:
        assert (study.folder / RESULTS / f"figures/{name}.png").read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in (study.folder / RESULTS / f"figures/{name}.svg").read_bytes()
        assert (study.folder / RESULTS / f"figures/{name}.pdf").read_bytes().startswith(b"%PDF")
    page = (study.folder / RESULTS / "report.html").read_text()
    assert page.count('<img src="data:image/svg+xml;base64,') == len(FIGURES)
    assert not re.search(r'<(?:script|img|link)[^>]* (?:src|href)="http', page)
    similar = pd.concat(map(pd.read_csv, (study.folder / RESULTS / "similarity").glob("*.csv")))
    assert len(similar) == 2 * 2 * 7
    assert similar["cka"].between(-0.1, 1).all()
    shares = pd.read_csv(study.folder / RESULTS / "tables/shares.csv")
    assert len(shares) == 5 + 1
    distances = pd.read_csv(study.folder / RESULTS / "tables/distances.csv", dtype={"norm_statistics": str})
    assert distances.groupby("treatment").size().to_dict() == {"base": 5 * 7, "finetuned": 4 * (1 + 4 + 7)}
    assert (distances["distance"] > 0).all()


def test_every_job_left_a_log_and_a_benchmark(study):
    for kind, suffix in (("logs", ".log"), ("benchmarks", ".tsv")):
        assert len(list((study.folder / RESULTS / kind / "train_curve").glob(f"*{suffix}"))) == 11
        assert (study.folder / RESULTS / kind / f"aggregate{suffix}").exists()


def test_records_say_what_made_them(study):
    for path in (study.folder / RESULTS).glob("curves/**/*.json"):
        made_by = json.loads(path.read_text())["provenance"]
        wanted = {"settings", "code", "versions", "device", "seconds", "images_per_second"}
        assert wanted <= set(made_by)


def test_a_second_run_does_nothing_and_says_so(study):
    assert "Nothing to be done" in study.snakemake()


def test_touching_every_file_makes_nothing_stale(study):
    files = [
        path for top in ("data", "results", "workflow_scripts", "rules") for path in (study.folder / top).rglob("*")
    ]
    for path in [*files, study.folder / "config.yaml", study.folder / TINY]:
        if path.is_file():
            os.utime(path)
    assert stale(study) == {}


OF_NO_NUMBER = [
    ("workflow_scripts/training/engine.py", "import time\n", "# A comment.\nimport time\n\n"),
    ("workflow_scripts/training/engine.py", '"""The training engine:', '"""The engine of training:'),
    ("workflow_scripts/report/transfer.py", "linewidth=1)", "linewidth=1,)"),
    ("workflow_scripts/training/batches.py", "Lower training.crop.", "Make training.crop smaller."),
    ("workflow_scripts/training/progress.py", "images/s, ", "images a second, "),
    ("workflow_scripts/training/gpu_lease.py", "POLL_SECONDS, SAY_SECONDS = 0.5", "POLL_SECONDS, SAY_SECONDS = 2.5"),
    ("workflow_scripts/training/checkpoint.py", "Training starts from", "The training starts from"),
    ("workflow_scripts/plumbing/records.py", "the file is missing", "there is no such file"),
]


def test_what_decides_no_number_makes_nothing_stale(study, change):
    """Comments, docstrings, layout, messages, progress, leases: in one dry run, which any of them would fail."""
    for name, old, new in OF_NO_NUMBER:
        change(name, old, new)
    assert stale(study) == {}


def test_cuda_graphs_reach_every_training_and_retrain_nothing(study, configure):
    """They decide how fast the machine is, and the report shows the configuration."""
    configure("running/cuda_graphs", True)
    assert stale(study) == {"calibrate": 1, "compare_costs": 1, "write_report": 1}
    commands = study.snakemake("--dry-run", "--printshellcmds", "--forceall", "curves").splitlines()
    trainings = [line for line in commands if "workflow_scripts.training.train" in line]
    assert trainings and all(" --cuda-graphs 1 " in line for line in trainings)


def test_the_samples_path_may_be_written_in_any_way(study, configure):
    for path in ("data/tiny/archives/", "./data/tiny/archives", str(study.folder / "data/tiny/archives")):
        configure("dataset/path", path)
        assert stale(study) == {}, path


def test_a_plots_colour_redraws_that_plot_and_the_page_that_shows_it(study, change):
    change("workflow_scripts/report/figures/figure3.py", "#EE7733", "#EE7744")
    assert stale(study) == {"plot_figure3": 1, "write_report": 1}


def test_the_rate_of_fine_tuning_retrains_fine_tuned_curves_and_what_follows(study, configure):
    configure("training/learning_rate/finetuned", 0.005)
    assert stale(study) == {"train_curve": 4} | REPORTING


def test_a_new_partition_brings_its_own_tasks_and_networks(study, configure):
    matrix = yaml.safe_load((study.folder / "config.yaml").read_text())["matrix"]
    configure("matrix", [*matrix, {"partition": "random1", "transfer": ["frozen"]}])
    own = {"make_partition": 1, "make_task": 2, "list_tasks": 1, "train_base": 2, "train_curve": 2}
    assert stale(study) == own | FROM_BASES | {"compare_bases": 1}


def test_an_optimiser_line_retrains_everything(study, change):
    change("workflow_scripts/training/optimizer.py", "rate * group.rate", "2 * rate * group.rate")
    assert stale(study) == {"calibrate": 1, "train_base": 5, "train_curve": 11} | FROM_BASES


def test_the_pack_size_remakes_all_but_the_archives(study, configure):
    configure("store/image_size", 40)
    upstream = {
        "survey_dataset": 1,
        "pack_shard": 3,
        "pack_manifest": 1,
        "find_duplicates": 1,
        "plot_store": 1,
        "make_partition": 3,
        "make_task": 5,
        "list_tasks": 1,
    }
    assert stale(study) == upstream | {"train_base": 5, "train_curve": 11} | FROM_BASES


def test_another_sample_is_drawn_and_all_that_follows(study, configure):
    configure("dataset/sample/seed", 1)
    planned = stale(study)
    assert (planned["draw_sample"], planned["pack_shard"], planned["train_curve"]) == (1, 3, 11)


def test_the_mean_image_retrains_only_transferred_networks(study, configure):
    configure("training/mean_image", "target")
    assert stale(study) == {"train_curve": 6, "compare_bases": 2} | REPORTING


def test_finished_networks_stay_so_in_other_groups_of_depths(study, configure):
    configure("running", {"depths_per_job": "auto", "devices": 64})
    assert stale(study) == REPORTING
    configure("depths", [1, 4, 5, 7])
    planned = study.snakemake("--dry-run")
    assert stale(study) == {"train_curve": 11} | REPORTING
    assert set(re.findall(r"depths=([\d-]+)", planned)) == {"5"}


def test_threads_decide_the_bits_on_a_cpu(study, configure):
    configure("running/threads", 2)
    assert stale(study) == {"calibrate": 1, "train_base": 5, "train_curve": 11} | FROM_BASES


def test_the_papers_whole_matrix_is_planned(study, tmp_path):
    for name in ILSVRC_ARCHIVES:
        (tmp_path / name).touch()
    (study.folder / "there.yaml").write_text(yaml.safe_dump({"dataset": {"path": str(tmp_path)}}))
    printed = study.snakemake("--dry-run", "--quiet", "rules", study=["configs/paper.yaml", "there.yaml"])
    assert re.search(r"^train_base +11$", printed, re.MULTILINE)
    assert re.search(r"^train_curve +19$", printed, re.MULTILINE)
    assert re.search(r"^pack_shard +68$", printed, re.MULTILINE)


@pytest.mark.parametrize(
    ("leaf", "value"),
    [
        ("store/threads", 2),
        ("store/max_bad_fraction", 0.1),
        ("training/schedule/step", 7),
        ("running/retries", 1),
        ("running/tensorboard", True),
        ("running/jobs_per_gpu", 2),
    ],
)
def test_leaves_that_decide_no_result_redraw_only_the_page_that_shows_the_configuration(study, configure, leaf, value):
    configure(leaf, value)
    assert stale(study) == {"write_report": 1}


def test_a_store_with_more_bad_images_than_the_study_allows_is_refused(study, change):
    """Studies share a store, which another may have packed with a larger max_bad_fraction."""
    name = "data/tiny/packed_36_warp/manifest.json"
    change(name, '"quarantined": 0', '"quarantined": 1')
    printed = study.snakemake("--dry-run", check=False)
    assert f"error: {name}: it is damaged, since its seal does not match" in printed
    write_record(study.folder / name, read_json(study.folder / name))  # as another study would have
    printed = study.snakemake("--dry-run", check=False)
    assert "store.max_bad_fraction: more than 0.001 of data/tiny/packed_36_warp/train-000 cannot be" in printed
    assert "Traceback" not in printed


@pytest.mark.slow
def test_one_job_for_each_depth_gives_the_same_networks(study):
    """docs/design.md, rules 2 and 3: a curve split over jobs has the same bits; so has one run on one core.

    It has curves of each source and treatment, onto one half.
    """
    both = ["frozen", "finetuned"]
    matrix = [
        {"partition": "random0", "targets": ["B"], "selffer": both, "transfer": both},
        {"partition": "whole", "random": ["frozen"]},
    ]
    name = beside(study, "split", depths=[1, 7], matrix=matrix, running={"depths_per_job": 1})
    study.snakemake("results/split/results.csv", study=name, cores=1)
    split = results_of(study.folder, "split").set_index(KEYS)
    assert len(split) == 3 + 5 * 2
    pd.testing.assert_frame_equal(split, results_of(study.folder).set_index(KEYS).loc[split.index])


@pytest.mark.slow
def test_graded_halves_and_reduced_data_are_partitions_like_others(study):
    graded = ("middle0", "far1", "far1_first_5_per_class")
    matrix = [
        {"partition": "whole_first_5_per_class"},
        *({"partition": name, "targets": ["B"], "transfer": ["frozen"]} for name in graded),
    ]
    study.snakemake("results", "plot_hierarchy", study=beside(study, "other", depths=[4], matrix=matrix))
    results = pd.read_csv(study.folder / "results/other/results.csv").set_index(["partition", "treatment"])
    assert len(results) == 1 + 3 * 3
    assert set(results.loc["far1", "train_images"]) == {20 * 12}
    assert set(results.loc["far1_first_5_per_class", "train_images"]) == {20 * 5}
    assert set(results.loc["whole_first_5_per_class", "train_images"]) == {40 * 5}
    halves = {name: read_json(study.folder / f"results/other/partitions/{name}.json") for name in ("middle0", "far1")}
    assert halves["middle0"]["distance"]["mean"] < halves["far1"]["distance"]["mean"]
    assert "Rada" in halves["far1"]["distance"]["measure"]


DRAWN = {"partition": "random0", "transfer": ["frozen"], "selffer": ["frozen"], "targets": ["B"]}
MORE = [
    DRAWN | {"target_images_per_class": [2, 12, "all"]},
    {"partition": "random0", "transfer": ["frozen"], "targets": ["B"], "preserve": 1},
    {"partition": "whole_first_5_per_class"},
]


@pytest.fixture(scope="module")
def more(study):
    """The results and the folder of a finished study of what the tiny one lacks."""
    study.snakemake(study=beside(study, "more", depths=[4], matrix=MORE))
    folder = study.folder / "results/more"
    return pd.read_csv(folder / "results.csv").set_index(["partition", "treatment"]), folder


def test_reduced_data_and_preserved_layers_are_in_the_report(more):
    """With the tiny study's figures, and those of pretrained sources, pairs, probes and lines, these are all."""
    results, folder = more
    others = {"pretrained", "norm_statistics", "pairs", "probes", "interpolation", "rates"}
    assert {"preserved", "reduced", "target_images", *others, *FIGURES} == set(FIGURE_TABLE)
    page = (folder / "report.html").read_text()
    assert "Preserved units" in page
    assert "Base networks on reduced data" in page
    assert len(results) == 5 + 3 * 2 + 1
    assert set(results["preserve"]) == {0, 1}
    assert set(results.loc["whole_first_5_per_class", "train_images"]) == {40 * 5}


def test_few_target_images_are_drawn_and_reported(study, more):
    """All 12 images of each class, drawn, are the plain task: then the networks are the same to the last bit."""
    results, folder = more
    images = {"random0": 12, "random0_draw_12_per_class": 12, "random0_draw_2_per_class": 2}
    for partition, count in images.items():
        assert set(results.loc[partition, "train_images"]) == {20 * count}
        assert set(results.loc[partition, "val_images"]) == {20 * 4}
    plain, drawn, two = (
        results.loc[[name]].reset_index().query("target == 'B' and preserve == 0").set_index(KEYS[1:]).sort_index()
        for name in images
    )
    assert len(plain) == 3
    assert plain["weights_sha256"].equals(drawn["weights_sha256"])
    assert (plain["weights_sha256"] != two["weights_sha256"]).all()
    table = pd.read_csv(folder / "tables/target_images.csv")
    assert set(table["images_per_class"]) == {"2", "12", "all"}
    shares = pd.read_csv(folder / "tables/shares.csv")
    assert set(shares["partition"]) == {"random0", "whole_first_5_per_class", "untrained"}
    page = (folder / "report.html").read_text()
    assert "With few target images: train from scratch, freeze or fine-tune?" in page
    assert "How much target data" in page
    five = [DRAWN | {"target_images_per_class": [2, 5, 12, "all"]}, *MORE[1:]]
    planned = stale(study, beside(study, "more", depths=[4], matrix=five))
    assert {rule: planned.get(rule) for rule in ("draw_task", "train_base", "train_curve", "make_task")} == {
        **{"draw_task": 1, "train_base": 1, "train_curve": 2},
        "make_task": None,
    }


def test_each_seed_draws_images_of_its_own(study):
    entry = {"partition": "random0", "transfer": ["frozen"], "targets": ["B"], "target_images_per_class": [2, 12]}
    study.snakemake("tasks", study=beside(study, "seeds", seeds=[0, 1], matrix=[entry]))
    folder = study.folder / "results/seeds/tasks"
    tasks = {
        (count, seed): set(Task.load(folder / f"random0_draw_{count}_per_class/seed{seed}-B.npz").train_positions)
        for count in (2, 12)
        for seed in (0, 1)
    }
    assert tasks[2, 0] < tasks[12, 0] == tasks[12, 1]
    assert tasks[2, 0] != tasks[2, 1]


def test_named_targets(study):
    targets = ("packed", "tasks", "bases", "curves", "results", "figures")
    assert "Nothing to be done" in study.snakemake("--dry-run", *targets)


def test_snakemakes_own_report_needs_no_internet(study, tmp_path):
    study.snakemake("--report", str(tmp_path / "report.html"))
    page = (tmp_path / "report.html").read_text()
    assert "Transfer between random halves" in page
    assert "figures/figure2.png" in page
    check_report(page, study.folder, FIGURES, drawn=RESULTS, packed="data/tiny/packed_36_warp")


def test_a_misspelt_key_is_one_line_before_anything_is_written(study):
    before = sorted(study.folder.rglob("*"))
    printed = study.snakemake("--config", "sedes=3", check=False)
    errors = [line for line in printed.split("\n") if "rror" in line]
    assert errors == ["error: configuration: sedes: the key is unknown. Did you mean seeds?"]
    assert "Traceback" not in printed
    assert [path for path in sorted(study.folder.rglob("*")) if ".snakemake" not in path.parts] == [
        path for path in before if ".snakemake" not in path.parts
    ]


def test_verify_names_what_is_damaged_and_its_remedy_works(study):
    record = next((study.folder / RESULTS / "curves").rglob("depths-*.json"))
    whole = record.read_text()
    assert "match their records" in study.snakemake("verify")
    record.write_text(whole.replace('"depth"', '"death"', 1))
    printed = study.snakemake("verify", check=False)
    assert f"{record.relative_to(study.folder)}: it is damaged" in printed
    record.unlink()  # as it says
    assert stale(study) == {"train_curve": 1} | REPORTING
    study.snakemake()
    assert "match their records" in study.snakemake("verify")


def test_the_plan_is_printed_each_time_and_knows_what_is_done(study):
    for _ in range(2):
        printed = study.snakemake("plan")
        assert re.search(r"Study tiny: (\d+) networks in (\d+) jobs, \2 of them done\.", printed)
    costs = (study.folder / "results/tiny/cost.csv").read_text().splitlines()
    assert costs[0].startswith("stage,job,networks,estimated_seconds,actual_seconds")
    assert costs[-1].startswith("all,")


def test_the_plan_needs_no_data(study, tmp_path):
    rate = tmp_path / "rate.yaml"
    rate.write_text("plan: {images_per_second: 267}\n")
    printed = study.snakemake("plan", study=["configs/paper.yaml", str(rate)])
    assert "Study paper: 136 networks in 30 jobs, 0 of them done." in printed
    assert "267 images/s of a base network, as given" in printed
