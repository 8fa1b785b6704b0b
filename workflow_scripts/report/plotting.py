"""What all figures share: the paper's symbols in colour-blind safe colours, and deterministic files."""

import argparse
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
from matplotlib import colormaps, pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.plumbing.files import atomic_path
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verified, Verifier, check_agreement, write_record
from workflow_scripts.results.groups import TWICE, not_diverged
from workflow_scripts.study.columns import SCORE

# group -> (label, colour, marker); colours of Paul Tol's "bright" scheme, shapes as in the paper's figure 2.
GROUPS = {
    "base": ("base B", "#000000", "o"),
    "base twice": ("base B, trained twice as long", "#000000", "s"),
    "BnB": ("selffer BnB", "#4477AA", "o"),
    "BnB+": ("selffer BnB+, fine-tuned", "#66CCEE", "o"),
    "AnB": ("transfer AnB", "#AA3377", "D"),
    "AnB+": ("transfer AnB+, fine-tuned", "#EE6677", "D"),
    "BnB then +": ("selffer BnB, then fine-tuned", "#CCBB44", "o"),
    "AnB then +": ("transfer AnB, then fine-tuned", "#228833", "D"),
    "PnB then +": ("pretrained PnB, then fine-tuned", "#228833", "D"),
    "PnB": ("pretrained PnB", "#AA3377", "D"),
    "PnB+": ("pretrained PnB+, fine-tuned", "#EE6677", "D"),
    "random": ("random features", "#777777", "s"),
}
LEVELS = {"base": ":", TWICE: "-."}  # groups at n = 0, a level for all depths -> line style
# group -> how far its points stand beside their depth
SIDEWAYS = {"base": 0.0, "base twice": 0.0, "BnB": -0.18, "BnB+": -0.06, "AnB": 0.06, "AnB+": 0.18}
SIDEWAYS |= {"PnB": 0.06, "PnB+": 0.18, "BnB then +": -0.3, "AnB then +": 0.3, "PnB then +": 0.3, "random": 0.42}
# the groups of figure 2, and those that stand beside transfer from a pretrained network
OF_HALVES = ("base", "BnB", "BnB+", "AnB", "AnB+", "base twice", "BnB then +", "AnB then +")
OF_PRETRAINED = ("base", "BnB", "BnB+", "PnB", "PnB+", "random", "base twice", "BnB then +", "PnB then +")
# panel title -> effect -> (label, colour, marker)
EFFECT_PANELS = {
    "what frozen transfer loses": {
        "coadaptation": ("lost co-adaptation, base - BnB", GROUPS["BnB"][1], "o"),
        "specialisation": ("specialisation, BnB - AnB", GROUPS["AnB"][1], "D"),
        "total_drop": ("both, base - AnB", "#222222", "s"),
    },
    "what fine-tuning gives": {
        "recovery": ("recovery, AnB+ - AnB", "#CCBB44", "^"),
        "boost_over_base": ("boost over base, AnB+ - base", GROUPS["AnB+"][1], "D"),
        "boost_over_selffer": ("boost over selffer, AnB+ - BnB+", "#228833", "v"),
        "boost_at_equal_training": ("boost at equal training, AnB+ - base twice", "#EE7733", "s"),
        "staged_over_finetuned": ("staged, AnB then + - AnB+", "#66CCEE", "P"),
    },
}
# kind of halves (groups.halves_of) -> (colour, marker), wherever kinds are compared
STYLE_OF_HALVES = {
    "random halves": (GROUPS["AnB"][1], "o"),
    "natural / man-made halves": ("#EE7733", "D"),
    "near halves": ("#88CCEE", "v"),
    "middle halves": ("#4477AA", "s"),
    "far halves": ("#222255", "^"),
}
OTHER_HALVES = (("#CCBB44", "o"), ("#228833", "D"), ("#66CCEE", "v"), ("#BBBBBB", "^"))
# suffix -> metadata that would change the bytes (the version, the time), and where to say what made the file
METADATA = {
    ".png": ("Software", "Description"),
    ".svg": ("Date", "Description"),
    ".pdf": ("CreationDate", "Subject"),
}
UNSEALED = "reference"  # the only input of a figure that no step made: it has no record
DIVERGED = "#CC3311"
MOST_PANELS = 3  # side by side
LINE_STYLES = ("-", "--", ":", "-.")
VARIANT_MARKERS = ("^", "v", "P", "X")
STYLE = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "grid.alpha": 0.3,
    "pdf.fonttype": 42,  # text stays text
    "legend.frameon": False,
    "svg.hashsalt": "workflow",
}


def new_figure(rows: int, columns: int, size: tuple[float, float], **options: object) -> tuple[Figure, object]:
    """A figure of `size` inches in the shared style, and its axes."""
    pyplot.rcParams.update(STYLE)
    return pyplot.subplots(rows, columns, figsize=size, **options)


def panel_grid(count: int, panel: tuple[float, float], least: float, below: float = 0.0) -> tuple[Figure, np.ndarray]:
    """A figure of `count` panels, MOST_PANELS side by side, and their axes, of which those left over are empty.

    A `panel` has a width and a height in inches. The figure is at least `least` wide and has room `below` for a legend.
    """
    columns = max(1, min(MOST_PANELS, count))
    lines = max(1, -(-count // columns))
    size = (max(least, panel[0] * columns), panel[1] * lines + below)
    figure, grid = new_figure(lines, columns, size, sharey=True, squeeze=False)
    for axes in grid.flat[max(1, count) :]:
        axes.set_axis_off()
    return figure, grid


def save_figure(figure: Figure, paths: Sequence[str | Path], dpi: int, made_by: str) -> None:
    """Write the figure to each path (PNG, SVG or PDF by suffix), atomically, the same bytes for the same figure.

    All have the layout of the first. `made_by` goes into the files' metadata.
    """
    for path in map(Path, paths):
        unwanted, described = METADATA[path.suffix]
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=dpi, metadata={unwanted: None, described: made_by})
        figure.set_layout_engine("none")  # the first file's layout, most of the work, is that of all


def say(axes: Axes, sentence: str) -> None:
    """Write `sentence` in the middle of axes that have nothing to show."""
    box = {"facecolor": "white", "edgecolor": "none"}
    axes.text(0.5, 0.5, sentence, transform=axes.transAxes, ha="center", va="center", color="#555555", bbox=box)


def say_why_empty(axes: Axes, rows: pd.DataFrame, column: str = SCORE) -> None:
    """If no trained network of `rows` has a value in `column`, which its base network may decide, say why."""
    trained = not_diverged(rows)
    if rows.empty:
        say(axes, "This study has no such networks.")
    elif trained.empty:
        say(axes, f"No network trained: {'all ' * (len(rows) > 1)}{len(rows)} diverged.")
    elif trained[column].isna().all():
        say(axes, "No target has a trained base network.")


@dataclass(frozen=True)
class Style:
    """How a variant of a group is told apart: what its label ends in, its line, and its marker if not the group's."""

    suffix: str
    line: str
    marker: str | None

    @property
    def plain(self) -> bool:
        """Whether this is of no variant."""
        return not self.suffix


def variant_styles(rows: pd.DataFrame) -> dict[str, Style]:
    """The style of each variant among `rows` (results.groups), the same for all groups."""
    named = sorted(set(rows["variant"]) - {""})
    others = zip(named, cycle(LINE_STYLES[1:]), cycle(VARIANT_MARKERS), strict=False)
    return {"": Style("", LINE_STYLES[0], None)} | {one: Style(f", {one}", line, mark) for one, line, mark in others}


def variants(rows: pd.DataFrame) -> Iterator[tuple[Style, pd.DataFrame]]:
    """The variants among `rows`: their style and their rows."""
    styles = variant_styles(rows)
    for variant, chosen in rows.groupby("variant"):
        yield styles[variant], chosen


def halves_styles(kinds: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each kind of halves: those of STYLE_OF_HALVES, others in turn."""
    others = cycle(OTHER_HALVES)
    return {kind: STYLE_OF_HALVES[kind] if kind in STYLE_OF_HALVES else next(others) for kind in kinds}


def amount_colours(amounts: Collection) -> dict:
    """A colour for each number of images in `amounts`, the fewest first: from light for few to dark for many."""
    shades = colormaps["viridis_r"](np.linspace(0.2, 1, max(1, len(amounts))))
    return dict(zip(amounts, map(tuple, shades), strict=False))


def draw_line(
    axes: Axes, means: pd.Series, colour: str, marker: str, style: str = "-", label: str | None = None
) -> None:
    """Draw `means` over depths as a line, unless they are empty. Markers are hollow where `style` is not "-"."""
    if not means.empty:
        filled = colour if style == "-" else "white"
        axes.plot(means.index, means, style, color=colour, marker=marker, markerfacecolor=filled, label=label)


def mark_diverged(axes: Axes, rows: pd.DataFrame, sideways: float = 0.0) -> None:
    """A cross for each network of `rows` that diverged, at its depth and score; such networks are in no mean."""
    diverged = rows[rows["diverged"].astype(bool)]
    if not diverged.empty:
        style = {"marker": "x", "color": DIVERGED, "linewidths": 1.5, "zorder": 3}
        axes.scatter(diverged["depth"] + sideways, diverged[SCORE], label="diverged, in no mean", **style)


def each_label_once(*panels: Axes) -> tuple[list, list[str]]:
    """The handles and labels of a legend for all `panels` that has each label once."""
    labelled = {}
    for axes in panels:
        labelled |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    return list(labelled.values()), list(labelled)


def figure_command(step: str, description: str, options: Sequence[str], draw: Callable[..., Figure]) -> None:
    """The command line of a figure step: `options` name the files that `draw` makes the figure from, in its order.

    An option that ends in "*" takes any number of files and gives a list. One that ends in "?" may be left out and
    gives None. The record of the images is written beside them.
    """
    parser = argparse.ArgumentParser(description=description)
    verified = Verifier().verified
    kinds = {"*": {"nargs": "*", "default": []}, "?": {}}
    for option in options:
        kind = kinds.get(option[-1], {"required": True})
        parser.add_argument(f"--{option.rstrip('*?')}", type=Path if option == UNSEALED else verified, **kind)
    parser.add_argument("--dpi", type=int, required=True)
    parser.add_argument("--output", nargs="+", required=True, help="PNG, SVG and PDF paths, and the record's (.json)")
    args = parser.parse_args()
    inputs = {option: getattr(args, option.rstrip("*?")) for option in options}
    files = {option: one if isinstance(one, list) else [one] for option, one in inputs.items() if one is not None}
    check_agreement(file for group in files.values() for file in group if isinstance(file, Verified))
    made_by = provenance(step, {"dpi": args.dpi})
    *images, record = args.output
    save_figure(draw(*inputs.values()), images, args.dpi, json.dumps(made_by))
    write_record(record, {"provenance": made_by}, images, [file for group in files.values() for file in group])
