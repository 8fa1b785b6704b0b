"""The report's interactive charts: every network with its learning curve under the pointer, drops and costs."""

import html
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from bokeh.embed import json_item
from bokeh.models import (
    ColumnDataSource,
    CustomJSTickFormatter,
    FixedTicker,
    GlyphRenderer,
    HoverTool,
    Legend,
    LegendItem,
    Span,
    Whisker,
)
from bokeh.plotting import figure

from workflow_scripts.report.depths import short_name, thinned
from workflow_scripts.report.plotting import (
    DIVERGED,
    EFFECT_PANELS,
    GROUPS,
    LEVELS,
    OF_HALVES,
    OF_PRETRAINED,
    SIDEWAYS,
    halves_styles,
    variant_styles,
)
from workflow_scripts.results.effects import kinds_of_halves, of_all_images, per_depth
from workflow_scripts.results.groups import (
    equal_halves,
    mean_by_depth,
    named_source,
    not_diverged,
    of_pretrained,
    undrawn,
)
from workflow_scripts.results.units import unit_names
from workflow_scripts.results.verdicts import decimal
from workflow_scripts.study.columns import KEY_COLUMNS, SCORE

MARKERS = {"o": "circle", "D": "diamond", "s": "square", "^": "triangle", "v": "inverted_triangle"}
MARKERS |= {"P": "plus", "X": "star"}
DASHES = {"-": "solid", "--": "dashed", ":": "dotted", "-.": "dashdot"}
SIZES = {"D": 13}  # Bokeh's diamonds are slim
SPARK = (150, 44)  # pixels of a learning curve under the pointer
NETWORK_TOOLTIP = """<div class="tip"><b>@name</b> @detail<br>top-1 @score{0.0} %,
@against<br>@state{safe}@spark{safe}</div>"""


def chart_items(
    results: pd.DataFrame, effects: pd.DataFrame, readings: pd.DataFrame | None, units: pd.DataFrame | None = None
) -> list[dict]:
    """The charts as JSON items of bokeh.embed, each with `name`, `target`, `title`, `note` and `item`.

    Charts without data are left out, and so are targets of drawn images. `results` are from groups.load_results and
    `effects` from effects.effect_table. `readings` are learning_curves.csv, None for an imported study. `units`
    (units.read_units) name the depths, if they are known.
    """
    names = unit_names(units)
    results, effects = undrawn(results), of_all_images(effects)
    changes = _changes(results)
    charts = []
    note = "Point at a network for its scores and learning curve; a click in the legend hides a group."
    if len(rows := of_pretrained(results)):
        chart = _networks(rows, readings, names, OF_PRETRAINED)
        charts.append(("pretrained", "Every network, transfer from the pretrained network", note, chart))
    if len(rows := equal_halves(results[results["group"].isin(OF_HALVES)])):
        chart = _networks(rows, readings, names, OF_HALVES)
        charts.append(("networks", "Every network, transfer between equal halves", note, chart))
    if len(changes):
        note = "Means over target tasks and seeds, in points from the target's own base network."
        charts.append(("drops", "Change from the base network by depth", note, _drops(changes, names)))
    for number, halves in enumerate(kinds_of_halves(effects)):
        if not per_depth(effects, "specialisation", halves)["points"].dropna().empty:
            note = "Points lost, paired by target task; bars are 95 % intervals, none where there are too few runs."
            charts.append((f"costs{number}", f"The two troubles: {halves}", note, _costs(effects, halves, names)))
    return [
        {
            "name": name,
            "target": f"chart-{name}",
            "title": title,
            "note": note,
            "item": json_item(chart, f"chart-{name}"),
        }
        for name, title, note, chart in charts
    ]


def network_name(row: pd.Series) -> str:
    """A network as the paper writes it, with its own depth: "A3B+", "base B", "random 3 whole"."""
    if row["depth"] == 0:
        return f"{row['group']} {row['target']}"
    if row["source"] == "random":
        return f"random {row['depth']} {row['target']}"
    return f"{row['source']}{row['depth']}{row['target']}{row['group'].partition('nB')[2]}"


def sparkline(iterations: Sequence[float], scores: Sequence[float]) -> str:
    """A learning curve as a small SVG: top-1 accuracy from 0 to its highest, over iterations."""
    width, height = SPARK
    across = np.asarray(iterations, float) / max(1, max(iterations)) * (width - 4) + 2
    up = height - 3 - np.asarray(scores, float) / (max(scores) or 1) * (height - 6)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, up, strict=True))
    line = f'<polyline points="{points}" fill="none" stroke="#222" stroke-width="1.5"/>'
    return f'<br><svg width="{width}" height="{height}" role="img" aria-label="learning curve">{line}</svg>'


def _sparklines(readings: pd.DataFrame | None) -> dict[tuple, str]:
    if readings is None:
        return {}
    return {key: sparkline(rows["iteration"], rows["top1"]) for key, rows in readings.groupby(KEY_COLUMNS)}


def _networks(
    rows: pd.DataFrame, readings: pd.DataFrame | None, names: Mapping[int, str], groups: Sequence[str]
) -> figure:
    chart, entries = empty_chart("top-1 accuracy on the target, percent"), []
    sparks, variants = _sparklines(readings), variant_styles(rows)
    crosses = []
    for group in groups:
        for variant, every in rows[rows["group"] == group].groupby("variant"):
            label, colour, marker = GROUPS[group]
            look = variants[variant]
            chosen, failed = not_diverged(every), every[every["diverged"].astype(bool)]
            if len(failed):
                style = {"marker": "x", "line_color": DIVERGED, "line_width": 2, "size": 9}
                crosses.append(_points(chart, _network_columns(failed, sparks, SIDEWAYS[group]), style))
            if chosen.empty:
                continue
            fill = "white" if variant or group in LEVELS else colour
            marker = look.marker or marker
            style = {"marker": MARKERS[marker], "line_color": colour, "fill_color": fill, "size": SIZES.get(marker, 9)}
            points = _points(chart, _network_columns(chosen, sparks, SIDEWAYS[group]), style)
            means = mean_by_depth(chosen, SCORE) * 100
            line = {"color": colour, "alpha": 0.5, "line_dash": DASHES[look.line]}
            drawn = chart.line(means.index.to_numpy() + SIDEWAYS[group], means.to_numpy(), **line)
            entries.append((label + look.suffix, [points, drawn]))
    return finished(chart, entries + ([("diverged, in no mean", crosses)] if crosses else []), rows["depth"], names)


def _points(chart: figure, columns: dict[str, list], style: dict) -> GlyphRenderer:
    """A point for each network, with its numbers under the pointer."""
    points = chart.scatter("x", "score", source=ColumnDataSource(columns), **style)
    chart.add_tools(HoverTool(renderers=[points], tooltips=NETWORK_TOOLTIP, mode="mouse"))
    return points


def _against_base(row: pd.Series) -> str:
    if pd.isna(row["base"]):
        return "without a trained base network"
    difference = decimal(100 * (row[SCORE] - row["base"]), "+.1f")
    return f"{difference} points from base {decimal(100 * row['base'])} %"


def _network_columns(rows: pd.DataFrame, sparks: dict[tuple, str], sideways: float) -> dict[str, list]:
    keys = rows[KEY_COLUMNS].itertuples(index=False, name=None)
    states = rows["diverged"].astype(bool)
    causes = rows["diverged_cause"].astype(str).map(html.escape)
    return {
        "x": list(rows["depth"] + sideways),
        "score": list(100 * rows[SCORE]),
        "against": [_against_base(row) for _, row in rows.iterrows()],
        "name": [network_name(row) for _, row in rows.iterrows()],
        "detail": [
            f"of {row.partition}, seed {row.seed}{row.variant and ', ' + row.variant}" for row in rows.itertuples()
        ],
        "state": [f"<b>diverged</b> {cause}" if bad else "" for bad, cause in zip(states, causes, strict=True)],
        "spark": [sparks.get(key, "") for key in keys],
    }


def _changes(results: pd.DataFrame) -> pd.DataFrame:
    """The networks of frozen transfer and of random features that have a trained base network, with `change` in
    points.
    """
    rows = results.assign(change=100 * (results[SCORE] - results["base"]))
    rows = not_diverged(rows).dropna(subset="change")
    return rows[(rows["group"] == "random") | (rows["group"].isin(["AnB", "PnB"]) & (rows["variant"] == ""))]


def _drops(rows: pd.DataFrame, names: Mapping[int, str]) -> figure:
    """A line per kind of halves of frozen transfer, and of random features."""
    chart, entries = empty_chart("points of top-1 accuracy from base"), []
    transfer = rows[rows["group"] != "random"]
    curves = transfer["group"] + ", " + transfer["halves"]
    styles = halves_styles([name.removeprefix("AnB, ") for name in curves.unique()])
    kinds = [(name, *styles[name.removeprefix("AnB, ")], chosen) for name, chosen in transfer.groupby(curves)]
    for variant, chosen in rows[rows["group"] == "random"].groupby("variant"):
        kinds.append((f"random features{variant and ', ' + variant}", *GROUPS["random"][1:], chosen))
    for name, colour, marker, chosen in kinds:
        means = mean_by_depth(chosen, "change")
        counts = chosen.groupby("depth").size().reindex(means.index, fill_value=0)
        source = ColumnDataSource({"x": means.index, "y": means, "networks": counts, "name": [name] * len(means)})
        line = chart.line("x", "y", source=source, color=colour, width=2)
        points = chart.scatter("x", "y", source=source, color=colour, marker=MARKERS[marker], size=SIZES.get(marker, 8))
        tip = [("", "@name"), ("n", "@x"), ("change", "@y{+0.0} points"), ("networks", "@networks")]
        chart.add_tools(HoverTool(renderers=[points], tooltips=tip))
        entries.append((name, [line, points]))
    return finished(chart, entries, rows["depth"], names, zero=True)


def _costs(effects: pd.DataFrame, halves: str, names: Mapping[int, str]) -> figure:
    """Lost co-adaptation and specialisation with their intervals."""
    chart, entries = empty_chart("points of top-1 accuracy lost"), []
    panel = next(iter(EFFECT_PANELS.values()))
    tips = [("paired", "@points{0.0} points"), ("interval", "@interval"), ("unpaired", "@unpaired_points{0.0} points")]
    for sideways, effect in ((-0.06, "coadaptation"), (0.06, "specialisation")):
        label, *look = panel[effect]
        rows = per_depth(effects, effect, halves).dropna(subset="points")
        entries.append(effect_line(chart, rows, (named_source(label, halves), *look), sideways, tips))
    return finished(chart, entries, per_depth(effects, "specialisation", halves).index, names, zero=True)


def effect_line(
    chart: figure,
    rows: pd.DataFrame,
    style: tuple[str, str, str],
    sideways: float,
    tips: Sequence[tuple[str, str]],
    dash: str = "solid",
) -> tuple[str, list]:
    """Draw the `rows` of an effect by depth with their intervals, and return the line's entry of the legend.

    `style` is its label, colour and marker. `tips` are shown under the pointer, below the label and n.
    """
    label, colour, marker = style
    said = {"interval": intervals_in_words(rows)} | {name: rows[name] for name in ("points", "unpaired_points")}
    source = ColumnDataSource({"x": rows.index + sideways, "n": rows.index} | said)
    line = chart.line("x", "points", source=source, color=colour, width=2, line_dash=dash)
    look = {"color": colour, "marker": MARKERS[marker], "size": SIZES.get(marker, 8)}
    points = chart.scatter("x", "points", source=source, **look)
    sure = rows.dropna(subset="low")
    known = ColumnDataSource({"x": sure.index + sideways, "low": sure["low"], "high": sure["high"]})
    chart.add_layout(Whisker(source=known, base="x", lower="low", upper="high", line_color=colour))
    chart.add_tools(HoverTool(renderers=[points], tooltips=[("", label), ("n", "@n"), *tips]))
    return label, [line, points]


def intervals_in_words(rows: pd.DataFrame) -> list[str]:
    """The interval of each of the `rows` of effects in words, or why it has none; "" where there is no effect."""
    return [
        f"{decimal(row.low)} to {decimal(row.high)}, {row.interval}" if pd.notna(row.low) else row.interval
        for row in rows.fillna({"interval": ""}).itertuples()
    ]


def empty_chart(label: str, height: int = 420) -> figure:
    """A chart without lines. Dragging does nothing until a tool is chosen, so that a phone can scroll past it."""
    chart = figure(sizing_mode="stretch_width", height=height, tools="pan,box_zoom,save,reset", active_drag=None)
    chart.xaxis.axis_label = "depth n: number of leading units copied"
    chart.yaxis.axis_label = label
    chart.toolbar.logo = None
    return chart


def finished(
    chart: figure,
    entries: list[tuple[str, list]],
    depths: Sequence[int],
    names: Mapping[int, str],
    zero: bool = False,
) -> figure:
    """The chart with its legend, ticks at depths, upright with the `names` of units, and, where `zero`, a line at no
    change.
    """
    items = [LegendItem(label=label, renderers=renderers) for label, renderers in entries]
    legend = Legend(items=items, click_policy="hide", ncols=2, label_text_font_size="11px", border_line_color=None)
    chart.add_layout(legend, "below")
    ticks = thinned(sorted({int(depth) for depth in depths}))
    chart.xaxis.ticker = FixedTicker(ticks=ticks)
    chart.xaxis.formatter = CustomJSTickFormatter(code="return String(tick)")
    chart.xaxis.major_label_overrides = {tick: f"{short_name(names[tick])}  {tick}" for tick in ticks if tick in names}
    if names:
        chart.xaxis.major_label_orientation = "vertical"
    if zero:
        chart.add_layout(Span(location=0, dimension="width", line_color="black", line_dash="dotted"))
    return chart
