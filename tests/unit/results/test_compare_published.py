"""The paper's printed numbers beside those of its logs."""

import pytest
from helpers import ROOT

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.results.compare_published import comparison_table, read_printed
from workflow_scripts.results.groups import load_results

PUBLISHED = ROOT / "configs" / "published_results.csv"
PRINTED = ROOT / "configs" / "published_printed.csv"


@pytest.fixture(scope="module")
def published():
    return load_results(PUBLISHED)


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
    with pytest.raises(
        InputError, match=r"it has no column .quantity.\. Its first line has 'a', 'b'\. Give it quantity, percent"
    ):
        read_printed(tmp_path / "printed.csv")
    (tmp_path / "printed.csv").write_text("quantity,percent,source\nx,many,y\n")
    with pytest.raises(InputError, match=r"line 2: percent is .many. but must be a number"):
        read_printed(tmp_path / "printed.csv")
    (tmp_path / "printed.csv").write_text("quantity,percent,source\nx,1,y\n\nx,2,y\n")
    with pytest.raises(InputError, match=r"line 4: .x. is on line 2 too"):
        read_printed(tmp_path / "printed.csv")
    (tmp_path / "printed.csv").write_text("note,source,percent,quantity\nn,y,62.5,x\n")  # columns in any order
    assert read_printed(tmp_path / "printed.csv").to_dict("records") == [
        {"quantity": "x", "percent": 62.5, "source": "y"}
    ]
