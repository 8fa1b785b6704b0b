"""Step: gather the accuracies on lines between networks of two seeds into interpolation.csv, a row a line."""

import argparse
from pathlib import Path

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verifier, check_agreement, write_record
from workflow_scripts.results.interpolation import line_table
from workflow_scripts.results.table import read_readings


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=cli.json_argument, required=True, help="the study's matrix leaves as JSON")
    parser.add_argument("--lines", type=Verifier().verified, nargs="+", required=True, help="tables of interpolate")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True)
    args = parser.parse_args()
    check_agreement(args.lines)
    table = line_table([read_readings(file) for file in args.lines], args.study)
    write_text(args.output, table.round(6).to_csv(index=False))
    record = {"provenance": provenance("results.gather_interpolation", {})}
    write_record(args.record, record, [args.output], args.lines)


if __name__ == "__main__":
    cli.run(main)
