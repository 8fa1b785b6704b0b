"""Step: the paper's table 1, drops per depth, the two troubles' costs, norm statistics, few images, rates."""

import argparse
from pathlib import Path

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import verified, write_record
from workflow_scripts.results.effects import effect_table
from workflow_scripts.results.groups import load_results
from workflow_scripts.results.norm_statistics import statistics_table
from workflow_scripts.results.rates import rate_table
from workflow_scripts.results.table import read_results
from workflow_scripts.results.tables import boost_table, drop_table
from workflow_scripts.results.target_images import target_images_table


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=verified, required=True)
    parser.add_argument("--boost", type=Path, required=True)
    parser.add_argument("--drops", type=Path, required=True)
    parser.add_argument("--effects", type=Path, required=True)
    parser.add_argument("--norm-statistics", type=Path, help="to write where the study varies them")
    parser.add_argument("--rates", type=Path, help="to write where the study tries several learning rates")
    parser.add_argument("--target-images", type=Path, help="to write where the study draws targets' images")
    parser.add_argument("--record", type=Path, required=True, help="JSON of what made the tables")
    args = parser.parse_args()
    results = load_results(args.results)
    write_text(args.boost, boost_table(results).round(3).to_csv(index=False))
    write_text(args.drops, drop_table(results).round(4).to_csv(index=False))
    write_text(args.effects, effect_table(results).round(4).to_csv(index=False))
    files = [args.boost, args.drops, args.effects]
    if args.norm_statistics:
        write_text(args.norm_statistics, statistics_table(results).round(4).to_csv(index=False))
        files.append(args.norm_statistics)
    if args.rates:
        write_text(args.rates, rate_table(read_results(args.results)).round(3).to_csv(index=False))
        files.append(args.rates)
    if args.target_images:
        write_text(args.target_images, target_images_table(results).round(4).to_csv(index=False))
        files.append(args.target_images)
    record = {"provenance": provenance("results.make_tables", {})}
    write_record(args.record, record, files, [args.results])


if __name__ == "__main__":
    cli.run(main)
