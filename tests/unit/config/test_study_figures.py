"""Which figures a study has."""

import pytest
from helpers import ROOT

from workflow_scripts.config.figures import FIGURES, figure_files, study_figures

PUBLISHED = ROOT / "configs" / "published_results.csv"
PRINTED = ROOT / "configs" / "published_printed.csv"
REFERENCE = {"results": str(PUBLISHED), "printed": str(PRINTED)}


def study(matrix, **changes):
    """What study_figures reads of a configuration."""
    settings = {"seeds": [0], "depths": [1, 2], "matrix": matrix, "results_table": None, "reference": REFERENCE}
    settings |= {"training": {"init": "he"}, "running": {"depths_per_job": 7}, "dataset": {"kind": "sample"}}
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
            ["figure2", "effects", "boost", "figure3", "preserved", "similarity", "filters", "learning"],
        ),
        (
            [{"partition": "near0", "transfer": ["frozen"]}, {"partition": "natman", "transfer": ["frozen"]}],
            {},
            ["effects", "figure3", "hierarchy", "comparison", "similarity", "filters", "learning"],
        ),
        ([], {"results_table": str(PUBLISHED)}, ["figure2", "effects", "boost", "figure3", "reduced"]),
    ],
)
def test_a_study_has_the_figures_that_its_networks_fill(matrix, changes, figures):
    assert list(study_figures(study(matrix, **changes))) == figures


def test_every_figure_is_made_from_files_of_the_study():
    matrix = [
        {"partition": "random0", "transfer": ["frozen"], "depths": [2]},
        {"partition": "whole", "random": ["frozen"], "depths": [2]},
    ]
    config = study(matrix) | {"study": "s"}
    for figure in FIGURES:
        for files in figure_files(config, figure).values():
            names = [files] if isinstance(files, str) else files
            assert names and all(name.startswith("results/s/") or name == REFERENCE["results"] for name in names)
    assert figure_files(config, "similarity")["similarity"] == ["results/s/similarity/random0-seed0.csv"]
    assert figure_files(config, "hierarchy")["partitions"] == [
        f"results/s/partitions/{partition}.json" for partition in ("random0", "whole")
    ]
    assert len(figure_files(config, "filters")["weights"]) == 3
