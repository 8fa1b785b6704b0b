"""Which figures a study has."""

import re
import shutil

import pytest
from helpers import ROOT

from workflow_scripts.config.figures import FIGURES, OWN_TABLES, figure_files, study_figures

PUBLISHED = ROOT / "configs" / "published_results.csv"
PRINTED = ROOT / "configs" / "published_printed.csv"
REFERENCE = {"results": str(PUBLISHED), "printed": str(PRINTED)}


def study(matrix, **changes):
    """What study_figures reads of a configuration."""
    settings = {"seeds": [0], "depths": [1, 2], "matrix": matrix, "results_table": None, "reference": REFERENCE}
    settings |= {"running": {"depths_per_job": 7}, "dataset": {"name": "own", "kind": "sample"}, "datasets": {}}
    settings |= {"training": {"init": "he", "norm_statistics": "source"}, "figures": {"interpolation_steps": None}}
    return settings | changes


@pytest.mark.parametrize(
    ("matrix", "changes", "figures"),
    [
        ([{"partition": "whole_first_5_per_class"}], {}, ["reduced", "filters", "learning"]),
        (
            [{"partition": "whole", "random": ["frozen"]}],
            {},
            ["effects", "figure3", "comparison", "filters", "learning"],
        ),
        (
            [{"partition": "random0", "transfer": ["frozen"], "preserve": 1}],
            {"reference": None},
            ["figure2", "effects", "boost", "figure3", "preserved", "similarity", "distances", "filters", "learning"],
        ),
        (
            [{"partition": "near0", "transfer": ["frozen"]}, {"partition": "natman", "transfer": ["frozen"]}],
            {},
            ["effects", "figure3", "hierarchy", "comparison", "similarity", "filters", "learning"],
        ),
        (
            [{"partition": "whole", "selffer": ["frozen"], "pretrained": ["frozen", "finetuned"]}],
            {},
            ["pretrained", "effects", "distances", "filters", "learning"],
        ),
        (
            [{"partition": "random0", "selffer": ["frozen"], "norm_statistics": "batch"}],
            {"reference": None},
            ["figure2", "effects", "norm_statistics", "filters", "learning"],
        ),
        (
            [{"partition": "random0", "transfer": ["frozen"], "target_images_per_class": [1, 5]}],
            {},
            ["target_images", "filters", "learning"],
        ),
        (
            [{"partition": "random0", "transfer": ["frozen"], "target_images_per_class": [5, "all"]}],
            {"reference": None},
            ["figure2", "effects", "target_images", "boost", "figure3", "similarity", "filters", "learning"],
        ),
        ([{"partition": "whole", "target_images_per_class": [1, "all"]}], {}, ["filters", "learning"]),
        (
            [{"partition": "whole", "random": ["frozen"], "target_images_per_class": [1]}],
            {},
            ["target_images", "learning"],
        ),
        (
            [{"partition": "whole", "pretrained": ["finetuned"]}],
            {"figures": {"interpolation_steps": 2}, "seeds": [0, 1]},
            ["pretrained", "effects", "distances", "interpolation", "filters", "learning"],
        ),
        ([{"partition": "whole", "pretrained": ["probe"]}], {}, ["probes"]),
        ([{"partition": "random0", "transfer": ["probe"]}], {}, ["probes", "filters", "learning"]),
        ([], {"results_table": str(PUBLISHED)}, ["figure2", "effects", "boost", "figure3", "reduced"]),
    ],
)
def test_a_study_has_the_figures_that_its_networks_fill(matrix, changes, figures):
    assert list(study_figures(study(matrix, **changes))) == figures


def test_the_published_table_is_not_compared_with_itself_wherever_it_lies(tmp_path):
    shutil.copy(PUBLISHED, tmp_path / "copy.csv")
    for table in (f"{PUBLISHED.parent}/./{PUBLISHED.name}", str(tmp_path / "copy.csv")):
        assert "comparison" not in study_figures(study([], results_table=table))
    (tmp_path / "copy.csv").write_text("\n".join(PUBLISHED.read_text().splitlines()[:-1]))
    assert "comparison" in study_figures(study([], results_table=str(tmp_path / "copy.csv")))


def test_every_figure_is_made_from_files_of_the_study():
    matrix = [
        {"partition": "random0", "transfer": ["frozen"], "depths": [2], "preserve": 1},
        {"partition": "random1_first_9_per_class", "transfer": ["frozen"], "depths": [2]},
        {"partition": "whole", "random": ["frozen"], "pretrained": ["frozen"], "depths": [2]},
        {"partition": "whole", "pretrained": ["frozen"], "norm_statistics": "batch", "depths": [2]},
        {"partition": "random0", "transfer": ["frozen"], "target_images_per_class": [3], "depths": [2]},
        {"partition": "whole", "pretrained": ["probe"]},
        {"partition": "random0", "transfer": ["finetuned"], "targets": ["A"], "depths": [2]},
        {"partition": "two", "halves": {"A": "own", "B": "own/random0.A"}},
    ]
    rates = {"base": 0.1, "frozen": 0.1, "finetuned": [0.1, 0.01]}
    steps = {"figures": {"interpolation_steps": 2}, "seeds": [0, 1]}
    steps["training"] = {"init": "he", "norm_statistics": "source", "learning_rate": rates}
    assert set(figure_files(study(matrix) | {"study": "s"} | steps)) == set(FIGURES)
    made_from = figure_files(study(matrix) | {"study": "s"})
    assert set(made_from) == {*FIGURES} - {"interpolation", "rates"}
    for named in made_from.values():
        for files in named.values():
            names = [files] if isinstance(files, str) else files
            assert names and all(name.startswith("results/s/") or name == REFERENCE["results"] for name in names)
    partitions = ("random0", "random1_first_9_per_class")
    assert made_from["similarity"]["similarity"] == [f"results/s/similarity/{name}-seed0.csv" for name in partitions]
    assert made_from["hierarchy"]["partitions"] == [
        f"results/s/partitions/{name}.json" for name in (*partitions, "whole")
    ]
    weights = made_from["filters"]["weights"]
    assert len(weights) == 5 + 2  # none of drawn images
    assert not any("_draw_" in file for file in weights)


def test_the_page_shows_every_table_that_has_a_caption():
    rules = {path.name: path.read_text() for path in (ROOT / "rules").glob("*.smk")}
    captioned = re.findall(r'report\(\s*f"\{RESULTS\}/tables/(\w+)\.csv"', "\n".join(rules.values()))
    listed = re.findall(r"^TABLES .*", rules["common.smk"], re.MULTILINE)
    shown = {*OWN_TABLES, *re.findall(r'"(\w+)"', "\n".join(listed))}
    assert {"distances", "interpolation", "probes", "tasks"} <= set(captioned) <= shown
    assert set(OWN_TABLES) <= set(FIGURES)
