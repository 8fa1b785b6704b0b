"""Step: report.html, one self-contained page that opens without internet."""

import argparse
import base64
import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import jinja2
import pandas as pd
import yaml
from bokeh.resources import Resources
from markupsafe import Markup

from workflow_scripts.features.limits import FEWEST_IMAGES
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verified, Verifier, check_agreement, record_of, write_record
from workflow_scripts.report.glance import glance
from workflow_scripts.report.interactive import chart_items, network_name
from workflow_scripts.report.probe_table import unit_tables
from workflow_scripts.results.effects import read_effects
from workflow_scripts.results.findings import unanswered
from workflow_scripts.results.groups import curves_of, load_results, undrawn
from workflow_scripts.results.lacking import lacking
from workflow_scripts.results.probe_findings import WHERE_TO_CUT
from workflow_scripts.results.probes import diverged_probes, read_probes
from workflow_scripts.results.table import read_readings
from workflow_scripts.results.units import read_units
from workflow_scripts.results.verdicts import decimal
from workflow_scripts.study.columns import NETWORK_COLUMNS, PER_CLASS, RATE, SCORE
from workflow_scripts.study.jobs import PRETRAINED
from workflow_scripts.study.leaves import architecture_name
from workflow_scripts.study.lines import ON_LINE

SHOWN_COLUMNS = [
    *NETWORK_COLUMNS,
    SCORE,
    PER_CLASS,
    "top1_last",
    "top5_last",
    "loss_last",
    "diverged",
    "diverged_cause",
    "variant",
]
TEXT_COLUMNS = ("layers", RATE)  # of tables, which are shown as they are
FINE = re.compile(f"(distance|lowest_top1)$|{ON_LINE}")  # columns of tables that two decimals do not suffice for
LONG = 20  # rows; longer tables are folded
STILLS = {"networks": "figure2", "pretrained": "pretrained", "drops": "figure3", "costs0": "effects"}  # of charts


def key_numbers(results: pd.DataFrame) -> pd.DataFrame:
    """Mean score in percent of the networks that did not diverge: a row per partition, group and variant.

    There is a column per depth. Depth 0 is the targets' base.
    """
    percent = (100 * results[SCORE]).where(~results["diverged"].astype(bool))
    rows = curves_of(results.assign(percent=percent, of_base=100 * results["base"]))
    keys = ["partition", "group", "variant"]
    table = rows.groupby([*keys, "depth"])["percent"].mean().unstack()
    table.insert(0, 0, rows.groupby(keys)["of_base"].mean())
    if not rows["variant"].any():
        table = table.droplevel("variant")
    return table.rename_axis(columns=None).reset_index()


def diverged_networks(results: pd.DataFrame) -> list[str]:
    """The networks that diverged, with their causes, one phrase each."""
    rows = results[results["diverged"].astype(bool)]
    return [
        f"{network_name(row)} of {row['partition']}, seed {row['seed']}{row['variant'] and ', ' + row['variant']}: "
        f"{row['diverged_cause'] or 'no cause given'}"
        for _, row in rows.iterrows()
    ]


def left_out(results: pd.DataFrame, figures: Collection[str]) -> list[str]:
    """What could not be computed for the report's `figures`, one phrase each."""
    if "similarity" not in figures or "val_images" not in results:
        return []
    transfer = results[(results["group"] == "AnB") | (results["group"] == "AnB+")]
    few = transfer[transfer["val_images"] < FEWEST_IMAGES][["partition", "target", "val_images"]].drop_duplicates()
    return [
        f"the likeness of the base networks of {row.partition} on target {row.target}. Linear CKA needs"
        f" {FEWEST_IMAGES} validation images, and this task has {row.val_images:.0f}."
        for row in few.itertuples()
    ]


def captioned(file: Path, caption: Path) -> dict[str, str]:
    """What the page shows of a figure or table: its name, title, caption, and its bytes in base64.

    The title is the first line of the caption file.
    """
    title, _, text = caption.read_text(encoding="utf-8").partition("\n")
    data = base64.b64encode(file.read_bytes()).decode()
    return {"name": file.stem, "title": title, "caption": text.strip(), "data": data}


def table_entry(file: Path, caption: Path) -> dict:
    """The entry of captioned with the table's HTML, and whether the table is so long that the page folds it."""
    table = pd.read_csv(file, dtype=dict.fromkeys(TEXT_COLUMNS, str))
    fine = {name: table[name].map("{:.4f}".format, na_action="ignore") for name in table if FINE.match(name)}
    table = table.assign(**fine)
    return captioned(file, caption) | {"html": _html(table, ".2f"), "folded": len(table) > LONG}


def render(template: Path, content: dict) -> str:
    """The page's HTML from the template's variables `content`; text is escaped."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}  # NaN is not JSON: no browser would read it
    return environment.from_string(template.read_text(encoding="utf-8")).render(content)


def with_notes(found: Sequence[dict]) -> tuple[list[dict], list[str]]:
    """The findings, each with the number of its `note`, and the notes: what answers rest on, each said once."""
    notes = list(dict.fromkeys(one["basis"] for one in found if one["basis"]))
    return [one | {"note": notes.index(one["basis"]) + 1 if one["basis"] else None} for one in found], notes


def with_stills(charts: Sequence[dict], figures: Sequence[dict]) -> tuple[list[dict], list[dict]]:
    """The charts, each with its `still` figure or None, and the other figures."""
    stills = {figure["name"]: figure for figure in figures}
    charts = [chart | {"still": stills.pop(STILLS.get(chart["name"]), None)} for chart in charts]
    return charts, [*stills.values()]


def question(network: str, probes_alone: bool) -> str:
    """What a study asks; `network` is empty where it was trained elsewhere."""
    if probes_alone:
        return f"Where should {network or 'the network'} be cut?"
    return f"Which units{f' of {network}' if network else ''} can be reused?"


def page_content(
    results: pd.DataFrame,
    effects: pd.DataFrame,
    units: pd.DataFrame | None,
    summary: dict,
    found: dict,
    charts: list[dict],
    tables: list[dict],
    figures: list[dict],
    config: dict,
    duplicates: Sequence[str] = (),
    probes: pd.DataFrame | None = None,
) -> dict:
    """The template's variables.

    `results` are from load_results, `effects` from effects.effect_table, and `units` from read_units, if they are
    known. `summary` is results.json, `found` is findings.json. `charts` are from
    interactive.chart_items, `tables` from table_entry, and `figures` from captioned. `config` is the whole
    configuration, `duplicates` is from told, and `probes` from read_probes, if there are any.
    """
    cut = next((one for one in found["findings"] if one["question"] == WHERE_TO_CUT), None)
    networks = results[[name for name in SHOWN_COLUMNS if name in results]]
    others, notes = with_notes([one for one in found["findings"] if one is not cut])
    first = glance(effects, units)
    charts, figures = with_stills(charts, figures)
    items = [*([first["chart"]] if first["chart"] else []), *(chart["item"] for chart in charts)]
    trained = "training" in summary
    curves = len(curves_of(results))
    return {
        "study": config["study"],
        "question": question(architecture_name(config["training"]) if trained else "", cut is not None and not curves),
        "glance": first,
        "long": LONG,
        "lacking": lacking(results, effects) if trained else [],
        "counts": {
            "networks": len(results),
            "bases": len(results) - curves,
            "curves": curves,
            "diverged": int(results["diverged"].sum()),
            "probes": 0 if probes is None else len(probes),
        },
        "cut": cut,
        "unit_tables": [] if probes is None else unit_tables(probes),
        "unanswered": unanswered(results),
        "pretrained": bool((results["source"] == PRETRAINED).any()),
        "norm_statistics": bool(results["norm_statistics"].any()),
        "drawn": len(undrawn(results)) < len(results),
        "left_out": left_out(results, [figure["name"] for figure in figures]),
        "summary": summary,
        "duplicates": duplicates,
        "findings": others,
        "notes": notes,
        **{key: found[key] for key in ("advice", "missing")},
        "diverged": diverged_networks(results) + ([] if probes is None else diverged_probes(probes)),
        "key_numbers": _html(key_numbers(results), ".1f"),
        "charts": charts,
        "items": items,
        "bokeh": Markup(Resources(mode="inline", components=["bokeh"]).render_js() if items else ""),
        "figures": figures,
        "tables": tables,
        "networks": _html(networks, ".4f"),
        "networks_csv": base64.b64encode(networks.to_csv(index=False).encode()).decode(),
        "configuration": yaml.safe_dump(config, sort_keys=False),
        "provenance": json.dumps(summary | {"report": provenance("report.write_report", {})}, indent=1),
    }


def told(duplicates: Sequence[Verified]) -> list[str]:
    """A sentence or two on each packed store with duplicates (its duplicates.json), which begin with its dataset."""
    return [
        f"{file.path.parent.parent.name}: {said} {file.path.with_suffix('.csv')} names them."
        for file in duplicates
        if (said := file.record["sentence"])
    ]


def _html(table: pd.DataFrame, number_format: str) -> Markup:
    html = table.to_html(index=False, float_format=lambda value: decimal(value, number_format), na_rep="", border=0)
    return Markup(html)  # pandas has escaped the cells


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    verified = Verifier().verified
    for name in ("template", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("results", "summary", "findings"):
        parser.add_argument(f"--{name}", type=verified, required=True)
    parser.add_argument("--readings", type=verified, help="learning_curves.csv, if the networks were trained here")
    parser.add_argument("--duplicates", type=verified, nargs="*", default=[], help="duplicates.json of packed stores")
    parser.add_argument("--tables", type=verified, nargs="+", required=True, help="CSV files, effects.csv among them")
    parser.add_argument(
        "--table-captions", type=Path, nargs="+", required=True, help="their captions, in the same order"
    )
    parser.add_argument("--figures", type=verified, nargs="*", default=[], help="SVG files")
    parser.add_argument("--captions", type=Path, nargs="*", default=[], help="their captions, in the same order")
    parser.add_argument("--config", type=cli.json_argument, required=True)
    args = parser.parse_args()
    files = [args.results, args.findings, *args.tables, *args.figures]
    files += [*args.duplicates, *([args.readings] if args.readings else [])]
    check_agreement(files)
    results = load_results(args.results)
    table_files, figure_files = ([file.path for file in group] for group in (args.tables, args.figures))
    effects = read_effects(next(path for path in table_files if path.stem == "effects"))
    units = next((read_units(path) for path in table_files if path.stem == "units"), None)
    probes = next((read_probes(path) for path in table_files if path.stem == "probes"), None)
    charts = chart_items(results, effects, read_readings(args.readings) if args.readings else None, units)
    tables = [table_entry(*pair) for pair in zip(table_files, args.table_captions, strict=True)]
    figures = [captioned(*pair) for pair in zip(figure_files, args.captions, strict=True)]
    records = (args.summary.record, args.findings.record)
    of_study = results, effects, units, *records
    content = page_content(*of_study, charts, tables, figures, args.config, told(args.duplicates), probes)
    write_text(args.output, render(args.template, content))
    record = {"provenance": provenance("report.write_report", {"config": args.config})}
    write_record(record_of(args.output), record, [args.output], files)


if __name__ == "__main__":
    cli.run(main)
