"""The figures beyond figure 2 and 3: what they draw, and which studies have them."""

import pandas as pd
import pytest
from helpers import ROOT

from workflow_scripts.config.figures import study_figures
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.report.figures.comparison import plot_comparison
from workflow_scripts.report.figures.effects import plot_effects
from workflow_scripts.report.figures.figure2 import plot_transfer
from workflow_scripts.report.figures.hierarchy import distances, plot_hierarchy
from workflow_scripts.report.figures.preserved import plot_preserved
from workflow_scripts.report.figures.reduced import plot_reduced
from workflow_scripts.results.compare_published import comparison_table, read_printed
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.groups import load_results

PUBLISHED = ROOT / "configs" / "published_results.csv"
PRINTED = ROOT / "configs" / "published_printed.csv"
REFERENCE = {"results": str(PUBLISHED), "printed": str(PRINTED)}


@pytest.fixture(scope="module")
def published():
    return load_results(PUBLISHED)


def lines_of(axes):
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()}


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


def test_the_two_troubles_are_shaded_and_numbered_in_figure_2(published):
    _, lines = plot_transfer(published).axes
    assert {text.get_text() for text in lines.texts} >= {"1", "2", "3", "4", "5"}
    key = next(text.get_text() for text in lines.texts if len(text.get_text()) > 1)
    assert key.count("\n") == 4
    assert "AnB: where it is below BnB (shaded), specialisation" in key
    assert len(lines.collections) == 2


def test_intervals_are_drawn_where_there_are_any(published):
    effects = effect_table(published)
    random, _, natman, empty = plot_effects(effects).axes
    specialisation = next(line for name, line in lines_of(random).items() if name.startswith("specialisation"))
    assert specialisation[1][-1] == pytest.approx(8.24, abs=0.01)
    drawn = sum(len(bars.get_segments()) for bars in random.collections)
    assert drawn == 3 * 7
    assert not natman.collections
    assert "no intervals, too few runs" in natman.get_title()
    assert "95 % intervals over 4 target tasks" in random.get_title()
    assert not empty.axison


def test_reduced_data(published):
    figure = plot_reduced(published)
    images, scores = lines_of(figure.axes[0])["whole, whole"]
    assert images == [1, 2, 5, 10, 25, 50, 100, 250, 500, 750, 1000, 1300]
    assert scores[-1] == pytest.approx(0.5518, abs=1e-4)


def test_preserved_layers_stand_beside_none(published):
    preserved = published[published["group"].isin(["BnB", "AnB"]) & published["partition"].str.startswith("random")]
    more = preserved.assign(preserve=1, variant="1 preserved", top1_best10_mean=preserved["top1_best10_mean"] + 0.02)
    _, anb = plot_preserved(pd.concat([published, more])).axes
    lines = lines_of(anb)
    change = pd.Series(lines["1 preserved"][1]) - pd.Series(lines["none preserved"][1])
    assert list(change) == pytest.approx([2] * 7)


def test_the_published_curves_lie_under_the_studys(published):
    ours = published.assign(top1_best10_mean=published["top1_best10_mean"] / 2, base=published["base"] / 2)
    figure = plot_comparison(ours[ours["group"].isin(["base", "AnB"])], published)
    assert len([axes for axes in figure.axes if axes.axison]) == 2
    for axes in figure.axes:
        if axes.axison:
            ours_line, published_line = (
                next(values for label, values in lines_of(axes).items() if label.startswith(start))
                for start in ("this study", "published")
            )
            assert ours_line == published_line  # both relative to their own base networks


def test_the_drop_is_drawn_over_the_hierarchy_distance(published, tmp_path):
    for name, mean in (("random0", 4.0), ("natman", 6.0), ("random1", None)):
        write_record(tmp_path / f"{name}.json", {"distance": None if mean is None else {"mean": mean}})
    known = distances(list(tmp_path.glob("*.json")))
    assert known == {"random0": 4.0, "natman": 6.0}
    lines = lines_of(plot_hierarchy(published, known).axes[0])
    assert lines["n = 7"][0] == [4.0, 6.0]
    assert lines["n = 7"][1] == pytest.approx([8.36, 25.01], abs=0.2)


def test_printed_numbers_that_differ_are_said_to(published, tmp_path):
    printed = read_printed(PRINTED)
    table = comparison_table(published, published, printed).set_index("quantity")
    assert "2.06 in the logs" in table.loc["boost of AnB+ over base, n = 5-7, unpaired", "printed_against_logs"]
    changed = printed.assign(percent=printed["percent"] + 0.3)
    table = comparison_table(published, published, changed).set_index("quantity")
    assert table["printed_against_logs"].str.startswith("differ by +0.").sum() == 7
    with pytest.raises(InputError, match="the quantity colour is unknown"):
        comparison_table(published, published, printed.assign(quantity="colour"))
    (tmp_path / "printed.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="its columns are not quantity, percent, source"):
        read_printed(tmp_path / "printed.csv")
