"""Step: the paper's table 1, drops per depth, and the two troubles' costs with intervals."""

import argparse
from pathlib import Path

import pandas as pd

from workflow_scripts import cli
from workflow_scripts.effects import LAYER_RANGES, effect_table
from workflow_scripts.files import write_text
from workflow_scripts.provenance import provenance
from workflow_scripts.results import SCORE, equal_halves, load_results, main_variant, trained
from workflow_scripts.seals import verified, write_record


def boost_table(results: pd.DataFrame) -> pd.DataFrame:
    """Mean boost of AnB+ over base and over BnB+, in points of top-1 accuracy, for ranges of layers.

    As in the paper each group is averaged over all its networks before the difference is taken, whatever their targets;
    over_own_base_points compares each AnB+ with the base network of its own target and seed. NaN where a group has no
    network; `networks` counts the AnB+ networks. Networks that diverged are left out, and so are variants.
    """
    rows = equal_halves(trained(main_variant(results)))
    base = rows[rows["group"] == "base"][SCORE].mean()
    table = []
    for first, last in LAYER_RANGES:
        inside = rows[rows["depth"].between(first, last)]
        scores = {group: inside[inside["group"] == group][SCORE] for group in ("AnB+", "BnB+")}
        own_base = inside[inside["group"] == "AnB+"]["base"]
        table.append(
            {
                "layers": f"{first}-{last}",
                "over_base_points": 100 * (scores["AnB+"].mean() - base),
                "over_own_base_points": 100 * (scores["AnB+"] - own_base).mean(),
                "over_selffer_points": 100 * (scores["AnB+"].mean() - scores["BnB+"].mean()),
                "networks": len(scores["AnB+"]),
            }
        )
    return pd.DataFrame(table)


def drop_table(results: pd.DataFrame) -> pd.DataFrame:
    """Score and drop from the target's base network per partition, group, variant and depth, means over targets and
    seeds; `networks` are in the means, `diverged` are not.
    """
    rows = results[results["group"] != "base"]
    rows = rows.assign(drop_points=100 * (rows[SCORE] - rows["base"]))
    keys = ["partition", "group", "variant", "depth"]
    diverged = rows.groupby(keys)["diverged"].sum().astype(int)
    means = trained(rows).groupby(keys)
    table = means.agg(top1=(SCORE, "mean"), drop_points=("drop_points", "mean"), networks=(SCORE, "size"))
    table = table.reindex(diverged.index).assign(diverged=diverged)
    return table.fillna({"networks": 0}).astype({"networks": int}).reset_index()


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=verified, required=True)
    parser.add_argument("--boost", type=Path, required=True)
    parser.add_argument("--drops", type=Path, required=True)
    parser.add_argument("--effects", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True, help="JSON of what made the tables")
    args = parser.parse_args()
    results = load_results(args.results)
    write_text(args.boost, boost_table(results).round(3).to_csv(index=False))
    write_text(args.drops, drop_table(results).round(4).to_csv(index=False))
    write_text(args.effects, effect_table(results).round(4).to_csv(index=False))
    record = {"provenance": provenance("make_tables", {})}
    write_record(args.record, record, [args.boost, args.drops, args.effects], [args.results])


if __name__ == "__main__":
    cli.run(main)
