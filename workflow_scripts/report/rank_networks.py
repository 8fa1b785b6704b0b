"""Step: rank several pretrained networks on one task, by linear classifiers at the cut that each of them chooses.

Writes a figure and a table, and a record of what they were made from.
"""

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verifier, write_record
from workflow_scripts.report.plotting import new_figure, save_figure
from workflow_scripts.results.probes import best_cut, deepest, depth_table, probe_sets, read_probes
from workflow_scripts.study.jobs import PRETRAINED

OF_CUT = ("unit", "points", "low", "high", "milliseconds")


def ranking(probes: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """A row for each network by name, the best first, from its table of probes (results.probes.read_probes).

    `cut` is the depth that held-out training images choose, and `held_out` their accuracy there, which ranks. `points`,
    `low` and `high` are the accuracy on validation images with its 95 % interval, `milliseconds` are of an image. The
    columns `last_...` are those of the deepest depth. Accuracies are in percent. Raises InputError for a table without
    a pretrained network or a cut.
    """
    rows = [{"network": name} | _row(name, table) for name, table in probes.items()]
    return pd.DataFrame(rows).sort_values("held_out", ascending=False, kind="stable", ignore_index=True)


def _row(name: str, probes: pd.DataFrame) -> dict:
    sets = list(probe_sets(probes[probes["source"] == PRETRAINED]))
    table = depth_table(sets[0].rows) if sets else pd.DataFrame()
    cut = best_cut(table) if sets else None
    if cut is None:
        raise InputError(f"{name}: no depth of it has a linear classifier, so it cannot be ranked. Leave it out.")
    last = deepest(table)
    found = {"cut": cut, **{column: table.loc[cut, column] for column in OF_CUT}}
    found |= {"held_out": table.loc[cut, "held_out"], "last": last}
    return found | {f"last_{column}": table.loc[last, column] for column in OF_CUT}


def plot_ranking(table: pd.DataFrame) -> Figure:
    """Accuracy against milliseconds an image, for each network at its cut (filled) and at its last unit (hollow)."""
    figure, axes = new_figure(1, 1, (8.5, 5.2))
    colours = colormaps["tab10"].colors
    for number, row in enumerate(table.itertuples()):
        colour = colours[number % len(colours)]
        ends = (row.last_milliseconds, row.milliseconds), (row.last_points, row.points)
        axes.plot(*ends, color=colour, linestyle=":", linewidth=1)
        _point(axes, (row.last_milliseconds, row.last_points), (row.last_low, row.last_high), colour, "white")
        _point(axes, (row.milliseconds, row.points), (row.low, row.high), colour, colour)
        axes.plot([], [], "o", color=colour, label=f"{number + 1}. {row.network}, cut after {row.unit} (n = {row.cut})")
    grey = {"linestyle": "none", "marker": "o", "color": "#555555"}
    axes.plot([], [], **grey, label="at the cut that held-out training images choose")
    axes.plot([], [], **grey, markerfacecolor="white", label="at the last unit")
    axes.set_xscale("log")
    axes.set_xlabel("milliseconds an image on the machine that ran it")
    axes.set_ylabel("top-1 accuracy of a linear classifier, percent")
    figure.legend(loc="outside lower center", ncols=1 + (len(table) > 4))
    return figure


def _point(axes: Axes, place: tuple[float, float], interval: tuple[float, float], colour: str, fill: str) -> None:
    style = {"color": colour, "markerfacecolor": fill, "marker": "o", "markersize": 8, "capsize": 3}
    ends = [[place[1] - interval[0]], [interval[1] - place[1]]]
    axes.errorbar(*([one] for one in place), yerr=None if math.isnan(interval[0]) else ends, **style)


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    verified = Verifier().verified
    parser.add_argument("--probes", type=verified, nargs="+", required=True, help="a table of probes for each network")
    parser.add_argument("--names", nargs="+", required=True, help="the networks, in the same order")
    parser.add_argument("--dpi", type=int, default=150)
    parser.add_argument("--output", type=Path, required=True, help="the figure (.png, .svg or .pdf)")
    parser.add_argument("--table", type=Path, required=True, help="the table (.csv)")
    parser.add_argument("--record", type=Path, required=True)
    args = parser.parse_args()
    if len(set(args.names)) != len(args.probes):
        raise InputError(f"--names: {len(args.probes)} tables need as many different names. Correct them.")
    table = ranking({name: read_probes(file) for name, file in zip(args.names, args.probes, strict=True)})
    made_by = provenance("report.rank_networks", {"dpi": args.dpi})
    save_figure(plot_ranking(table), [args.output], args.dpi, json.dumps(made_by))
    write_text(args.table, table.round(3).to_csv(index=False))
    write_record(args.record, {"provenance": made_by}, [args.output, args.table], args.probes)


if __name__ == "__main__":
    cli.run(main)
