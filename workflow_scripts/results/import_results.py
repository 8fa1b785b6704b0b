"""Step: take a results table in place of training: check it and write it as the study's results.csv."""

import argparse
from pathlib import Path

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import sha256_file, write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import write_record
from workflow_scripts.results.table import read_results
from workflow_scripts.study.columns import SCORE


def import_results(table: Path, results: Path, summary: Path) -> None:
    """Write the networks of `table` to `results`, as read_results sorts them, and where they came from to `summary`.

    Raises InputError for a table that read_results refuses or that has no score in it. Then neither file is written.
    """
    networks = read_results(table)
    if networks[SCORE].isna().all():
        raise InputError(f"{table}: no network has a {SCORE}. Add scores.")
    imported = {"path": str(table), "sha256": sha256_file(table), "bytes": table.stat().st_size}
    write_text(results, networks.to_csv(index=False))
    record = {"imported": imported, "provenance": provenance("results.import_results", {"table": str(table)})}
    write_record(summary, record, [results], [table])


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--summary", type=Path, required=True)
    args = parser.parse_args()
    import_results(args.table, args.results, args.summary)


if __name__ == "__main__":
    cli.run(main)
