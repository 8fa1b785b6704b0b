"""Several networks in one ranking, from their tables of probes."""

import sys

import pandas as pd
import pytest
from PIL import Image

from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.report import rank_networks
from workflow_scripts.report.rank_networks import plot_ranking, ranking
from workflow_scripts.results.probes import read_probes
from workflow_scripts.study.columns import PROBE_COLUMNS


def probes(path, held_out, top1, source="pretrained"):
    """A table of probes at `path`, one a depth."""
    rows = [
        dict.fromkeys(PROBE_COLUMNS)
        | {"partition": "whole", "source": source, "target": "whole", "seed": 0, "depth": depth, "unit": f"u{depth}"}
        | {"held_out_top1": chosen, "top1": score, "top1_low": score - 0.05, "top1_high": score + 0.05}
        | {"features": 8, "diverged": False, "milliseconds": 2.0 * depth, "top1_per_class_mean": score}
        for depth, (chosen, score) in enumerate(zip(held_out, top1, strict=True), start=1)
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
    write_record(path.with_suffix(".json"), {}, [path])
    return path


def test_held_out_images_choose_and_rank_and_validation_images_are_shown(tmp_path):
    files = {"a": ([0.5, 0.8, 0.7], [0.9, 0.6, 0.65]), "b": ([0.5, 0.85], [0.4, 0.5])}
    tables = {name: read_probes(probes(tmp_path / f"{name}.csv", *columns)) for name, columns in files.items()}
    table = ranking(tables).set_index("network")
    assert list(table.index) == ["b", "a"]
    assert (table.loc["a", "cut"], table.loc["a", "unit"], table.loc["a", "last"]) == (2, "u2", 3)
    assert table.loc["a", ["points", "low", "high", "milliseconds"]].tolist() == pytest.approx([60, 55, 65, 4])
    assert table.loc["a", ["last_points", "last_milliseconds"]].tolist() == pytest.approx([65, 6])
    axes = plot_ranking(table.reset_index()).axes[0]
    shown = {
        (round(line.get_xdata()[0], 6), round(line.get_ydata()[0], 6)) for line in axes.lines if len(line.get_xdata())
    }
    assert {(4.0, 60.0), (6.0, 65.0), (4.0, 50.0)} <= shown


def test_the_step_writes_figure_table_and_record(tmp_path, monkeypatch):
    files = [probes(tmp_path / f"{name}.csv", [0.5, 0.6], [0.5, 0.6]) for name in "ab"]
    options = ["--probes", *map(str, files), "--names", "one", "two", "--output", str(tmp_path / "r.png")]
    options += ["--table", str(tmp_path / "r.csv"), "--record", str(tmp_path / "r.json")]
    monkeypatch.setattr(sys, "argv", ["rank_networks", *options])
    rank_networks.main()
    assert list(pd.read_csv(tmp_path / "r.csv")["network"]) == ["one", "two"]
    assert Image.open(tmp_path / "r.png").size[0] > 500
    monkeypatch.setattr(sys, "argv", ["rank_networks", *[option.replace("two", "one") for option in options]])
    with pytest.raises(InputError, match="--names: 2 tables need as many different names"):
        rank_networks.main()


def test_a_network_without_probes_cannot_be_ranked(tmp_path):
    table = read_probes(probes(tmp_path / "a.csv", [0.5], [0.5], "random"))
    with pytest.raises(InputError, match=r"^a: no depth of it has a linear classifier"):
        ranking({"a": table})
