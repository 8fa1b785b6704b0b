import pytest
from helpers import ROOT

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import sha256_file
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.report.figures.boost import plot_boost
from workflow_scripts.report.figures.figure2 import plot_transfer
from workflow_scripts.report.figures.figure3 import plot_distance
from workflow_scripts.report.figures.learning import plot_learning
from workflow_scripts.report.plotting import save_figure
from workflow_scripts.report.write_report import key_numbers
from workflow_scripts.results.aggregate import (
    RESULT_COLUMNS,
    load_records,
    reading_table,
    result_table,
    training_summary,
)
from workflow_scripts.results.groups import load_results
from workflow_scripts.results.tables import boost_table, drop_table
from workflow_scripts.study.matrix import curve_jobs, study_jobs

PUBLISHED = ROOT / "configs" / "published_results.csv"
STUDY = {
    "seeds": [0],
    "depths": [1, 3, 5, 7],
    "matrix": [
        {"partition": "random0", "selffer": ["frozen", "finetuned"], "transfer": ["frozen", "finetuned"]},
        {"partition": "natman", "transfer": ["frozen"]},
        {"partition": "whole", "random": ["frozen"]},
    ],
    "training": {"init": "he"},
    "running": {"depths_per_job": 2},
}


def score(partition, source, target, treatment, depth):
    """Made-up scores with known differences."""
    base = {"A": 0.6, "B": 0.7, "whole": 0.5}[target]
    if treatment == "finetuned":
        return base + (0.01 + 0.002 * depth if source != target else 0.01)
    slope = 0.05 if source == "random" else (0.0 if source == target else 0.01)
    return base - slope * depth * (2 if partition == "natman" else 1)


@pytest.fixture
def study_folder(tmp_path):
    for job in study_jobs(STUDY):
        source, target, treatment = job.source, job.target, job.treatment
        networks = []
        for depth in job.depths:
            top1 = score(job.partition, source, target, treatment, depth)
            reading = {"top1": top1, "top5": 1.0, "loss": 1.0, "train_loss": 1.0}
            network = dict.fromkeys(RESULT_COLUMNS, 1) | {
                **{"partition": job.partition, "source": source, "target": target, "seed": job.seed},
                **{"treatment": treatment, "depth": depth, "top1_best10_mean": top1, "diverged": False},
                **{"preserve": 0, "init": "he"},
                "readings": [reading | {"iteration": iteration} for iteration in (10, 20)],
            }
            networks.append(network)
        versions = {"torch": "2"}
        made_by = {
            "seconds": 2.0,
            "images_per_second": 5.0,
            "device": "cpu",
            "code": "c",
            "versions": versions,
            "threads": 2,
            "workers": 1,
        }
        write_record(tmp_path / f"{job.stem}.json", {"networks": networks, "provenance": made_by})
    return tmp_path


def records_in(folder):
    return [file.record for file in load_records(STUDY, folder).values()]


@pytest.fixture
def results(study_folder):
    table = result_table(records_in(study_folder))
    table.to_csv(study_folder / "results.csv", index=False)
    return load_results(study_folder / "results.csv")


def test_every_network_is_one_row_in_a_fixed_order(results):
    assert len(results) == 5 + 8 * 4 + 2 * 4 + 4
    assert list(results.columns[: len(RESULT_COLUMNS)]) == RESULT_COLUMNS
    keys = results[["partition", "source", "target", "depth", "treatment", "seed"]].apply(tuple, axis=1)
    assert list(keys) == sorted(set(keys))


def test_missing_and_damaged_records_are_named(study_folder):
    path = study_folder / f"{curve_jobs(STUDY)[0].stem}.json"
    path.write_text(path.read_text().replace('"cpu"', '"gpu"'))
    with pytest.raises(InputError, match=r"depths-1-3\.json: it is damaged"):
        load_records(STUDY, study_folder)
    path.unlink()
    with pytest.raises(InputError, match=r"depths-1-3\.json: the file is missing"):
        load_records(STUDY, study_folder)


def test_hours_are_seconds_times_what_a_job_was_given(study_folder):
    records = records_in(study_folder)
    assert training_summary(records)["hours"] == {"cpu": round(len(records) * 2 * 2 / 3600, 4), "gpu": 0}
    for record in records:
        record["provenance"] |= {"device": "NVIDIA something", "workers": 4}
    assert training_summary(records)["hours"]["gpu"] == round(len(records) * 2 * 4 / 3600, 4)


def test_groups_and_bases(results):
    rows = results.set_index(["partition", "source", "target", "treatment", "depth"])
    assert rows.loc[("random0", "B", "A", "frozen", 3), "group"] == "AnB"
    assert rows.loc[("random0", "A", "A", "finetuned", 3), "group"] == "BnB+"
    assert rows.loc[("whole", "random", "whole", "frozen", 1), "group"] == "random"
    assert rows.loc[("random0", "A", "B", "frozen", 3), "base"] == pytest.approx(0.7)


def test_boost_table_is_the_papers_arithmetic(results):
    table = boost_table(results).set_index("layers")
    assert list(table.index) == ["1-7", "3-7", "5-7"]
    assert table["over_base_points"].to_list() == pytest.approx([1.8, 2.0, 2.2])
    assert table["over_own_base_points"].to_list() == pytest.approx([1.8, 2.0, 2.2])
    assert table["over_selffer_points"].to_list() == pytest.approx([0.8, 1.0, 1.2])
    assert table["networks"].to_list() == [8, 6, 4]


def test_boost_of_the_published_networks():
    """The paper's table 1 from its own logs: 1.6 / 1.8 / 2.1 over base, 1.4 / 1.4 / 1.7 over BnB+."""
    table = boost_table(load_results(PUBLISHED))
    assert table["over_base_points"].to_list() == pytest.approx([1.6, 1.8, 2.1], abs=0.06)
    assert table["over_selffer_points"].to_list() == pytest.approx([1.4, 1.4, 1.7], abs=0.06)


def test_the_boost_over_a_targets_own_base_is_not_mixed_with_other_targets(results):
    rows = results[(results["target"] == "B") | (results["group"] == "base")]
    table = boost_table(rows)
    assert table["over_own_base_points"].to_list() == pytest.approx([1.8, 2.0, 2.2])
    assert table["over_base_points"].to_list() == pytest.approx([6.8, 7.0, 7.2])


def test_halves_read_from_a_csv_are_drawn_like_random_ones(results):
    renamed = results.assign(partition=results["partition"].replace("random0", "mine"))
    points, _ = plot_transfer(renamed).axes
    assert points.get_title().startswith("each network (mine, 2 target tasks")
    assert "mine, AnB" in lines_of(plot_distance(renamed).axes[2])
    assert boost_table(renamed)["networks"].to_list() == [8, 6, 4]


def test_boost_figure_shows_the_table(results):
    table = boost_table(results)
    bars = [container.datavalues for container in plot_boost(table).axes[0].containers]
    assert [list(values) for values in bars] == [list(table[column]) for column in table.columns[1:4]]


def test_drop_table(results):
    table = drop_table(results).set_index(["partition", "group", "depth"])
    assert table.loc[("random0", "AnB", 5), "drop_points"] == pytest.approx(-5)
    assert table.loc[("natman", "AnB", 5), "drop_points"] == pytest.approx(-10)
    assert table.loc[("whole", "random", 7), "drop_points"] == pytest.approx(-35)
    assert table.loc[("random0", "BnB", 1), "networks"] == 2


def test_key_numbers(results):
    table = key_numbers(results).set_index(["partition", "group"])
    assert table.loc[("random0", "AnB"), 0] == pytest.approx(65)
    assert table.loc[("random0", "AnB"), 7] == pytest.approx(58)


def lines_of(axes):
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()}


def test_figure_2_shows_every_network_and_the_means(results):
    figure = plot_transfer(results)
    points, lines = figure.axes
    drawn = sum(len(collection.get_offsets()) for collection in points.collections)
    assert drawn == (results["partition"] == "random0").sum()
    means = [list(line.get_ydata()) for line in lines.get_lines()]
    assert pytest.approx([0.64, 0.62, 0.60, 0.58]) in means
    assert pytest.approx([0.662, 0.666, 0.67, 0.674]) in means


def test_figure_3_shows_drops_from_base(results):
    drops = lines_of(plot_distance(results).axes[2])
    assert drops["random halves, AnB"][1] == pytest.approx([-0.01, -0.03, -0.05, -0.07])
    assert drops["natural / man-made, AnB"][1] == pytest.approx([-0.02, -0.06, -0.10, -0.14])
    assert drops["random features"][1] == pytest.approx([-0.05, -0.15, -0.25, -0.35])


def test_figures_of_the_published_results():
    results = load_results(PUBLISHED)
    points, _ = plot_transfer(results).axes
    shown = results["partition"].str.startswith("random")
    assert sum(len(collection.get_offsets()) for collection in points.collections) == shown.sum()
    drops = lines_of(plot_distance(results).axes[2])
    assert drops["natural / man-made, AnB"][1][6] < drops["random halves, AnB"][1][6] < 0


def test_learning_curves_have_a_panel_per_curve(study_folder):
    figure = plot_learning(reading_table(records_in(study_folder)))
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert len(titles) == 8 + 2 + 1
    assert "natman: A to B, frozen" in titles
    assert all(len(axes.get_lines()) == 5 for axes in figure.axes if axes.get_title())


def test_a_study_of_base_networks_alone_can_be_drawn(study_folder):
    bases = {**STUDY, "matrix": [{"partition": "random0"}]}
    records = [file.record for file in load_records(bases, study_folder).values()]
    assert len(plot_learning(reading_table(records)).axes) > 2
    results = result_table(records)
    results.to_csv(study_folder / "bases.csv", index=False)
    results = load_results(study_folder / "bases.csv")
    plot_transfer(results)
    plot_distance(results)
    assert boost_table(results)["networks"].to_list() == [0, 0, 0]
    assert len(drop_table(results)) == 0


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_figure_is_the_same_bytes(results, tmp_path, kind):
    for name in ("one", "two"):
        save_figure(plot_transfer(results), [tmp_path / f"{name}.{kind}"], 50, "made by a test")
    assert sha256_file(tmp_path / f"one.{kind}") == sha256_file(tmp_path / f"two.{kind}")
    assert b"made by a test" in (tmp_path / f"one.{kind}").read_bytes()


def test_a_table_without_scores_is_refused(tmp_path):
    (tmp_path / "results.csv").write_text("partition,source,target,depth,treatment\n")
    with pytest.raises(InputError, match="no column top1_best10_mean"):
        load_results(tmp_path / "results.csv")


def test_a_diverged_network_is_counted_and_in_no_mean(results):
    chosen = (results["partition"] == "random0") & (results["group"] == "AnB") & (results["depth"] == 3)
    changed = results.assign(diverged=chosen & (results["target"] == "A"))
    changed.loc[changed["diverged"], "top1_best10_mean"] = 0.0
    row = drop_table(changed).set_index(["partition", "group", "depth"]).loc[("random0", "AnB", 3)]
    assert (row["networks"], row["diverged"]) == (1, 1)
    assert row["top1"] == pytest.approx(results[chosen & (results["target"] == "B")]["top1_best10_mean"].item())
    labels = {text.get_text() for text in plot_transfer(changed).legends[0].get_texts()}
    assert "diverged, in no mean" in labels
    assert "diverged, in no mean" not in {text.get_text() for text in plot_transfer(results).legends[0].get_texts()}
