"""Step: report.html, one self-contained page that opens without internet."""

import argparse
import base64
import json
from pathlib import Path

import jinja2
import pandas as pd
import yaml
from markupsafe import Markup

from workflow_scripts import cli
from workflow_scripts.files import read_json, write_text
from workflow_scripts.provenance import provenance
from workflow_scripts.results import SCORE, load_results

SHOWN = ["partition", "source", "target", "depth", "treatment", "seed"]
SHOWN += [SCORE, "top1_last", "top5_last", "loss_last", "diverged", "diverged_cause", "variant"]


def key_numbers(results: pd.DataFrame) -> pd.DataFrame:
    """Mean score in percent of the networks that did not diverge: a row per partition, group and variant, a column per
    depth; depth 0 is the targets' base.
    """
    rows = results[results["group"] != "base"].assign(percent=100 * results[SCORE], of_base=100 * results["base"])
    rows["percent"] = rows["percent"].where(~rows["diverged"].astype(bool))
    keys = ["partition", "group", "variant"]
    table = rows.groupby([*keys, "depth"])["percent"].mean().unstack()
    table.insert(0, 0, rows.groupby(keys)["of_base"].mean())
    if not rows["variant"].any():
        table = table.droplevel("variant")
    return table.rename_axis(columns=None).reset_index()


def figure_entry(svg: Path, caption: Path) -> dict[str, str]:
    """A figure's title, caption and base64 data; the caption file's first line is the title."""
    title, _, text = caption.read_text(encoding="utf-8").partition("\n")
    return {"title": title, "caption": text.strip(), "data": base64.b64encode(svg.read_bytes()).decode()}


def render(
    template: Path, results: pd.DataFrame, summary: dict, boost: pd.DataFrame, figures: list[dict], config: dict
) -> str:
    """The page's HTML. `summary` is results.json, `figures` are figure_entry's, `config` the whole configuration."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    training = summary["training"]
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        study=config["study"],
        counts={
            "networks": len(results),
            "bases": int((results["treatment"] == "base").sum()),
            "diverged": int(results["diverged"].sum()),
            "jobs": training["jobs"],
            "minutes": training["seconds"] / 60,
            "devices": training["devices"],
        },
        key_numbers=_html(key_numbers(results), "{:.1f}"),
        figures=figures,
        boost=_html(boost, "{:+.2f}"),
        networks=_html(results[SHOWN], "{:.4f}"),
        configuration=yaml.safe_dump(config, sort_keys=False),
        provenance=json.dumps({"training": training, "report": provenance("write_report", {})}, indent=1),
    )


def _html(table: pd.DataFrame, number_format: str) -> Markup:
    html = table.to_html(index=False, float_format=number_format.format, na_rep="", border=0)
    return Markup(html)  # pandas has escaped the cells


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--summary", type=Path, required=True)
    parser.add_argument("--boost", type=Path, required=True)
    parser.add_argument("--figures", type=Path, nargs="+", required=True, help="SVG files")
    parser.add_argument("--captions", type=Path, nargs="+", required=True, help="their captions, in the same order")
    parser.add_argument("--config", type=cli.json_argument, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    figures = [figure_entry(*pair) for pair in zip(args.figures, args.captions, strict=True)]
    results, summary, boost = load_results(args.results), read_json(args.summary), pd.read_csv(args.boost)
    page = render(args.template, results, summary, boost, figures, args.config)
    write_text(args.output, page)


if __name__ == "__main__":
    cli.run(main)
