"""Step: what the study found in words, what is missing from it, and the paper's numbers beside its own."""

import argparse
from pathlib import Path

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verifier, check_agreement, write_record
from workflow_scripts.results.advice import advice
from workflow_scripts.results.compare_published import comparison_table, read_printed
from workflow_scripts.results.effects import read_effects
from workflow_scripts.results.findings import findings
from workflow_scripts.results.groups import load_results
from workflow_scripts.results.interpolation import read_lines
from workflow_scripts.results.norm_statistics import read_statistics
from workflow_scripts.results.probes import read_probes
from workflow_scripts.results.rates import rate_table
from workflow_scripts.results.table import missing_networks, read_results
from workflow_scripts.results.units import read_units, unit_names


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    verified = Verifier().verified
    parser.add_argument("--results", type=verified, required=True)
    parser.add_argument("--effects", type=verified, required=True)
    parser.add_argument("--norm-statistics", type=verified, help="what they change, where the study varies them")
    parser.add_argument("--probes", type=verified, help="the table of probes, where the study has some")
    parser.add_argument("--interpolation", type=verified, help="lines between networks of two seeds, if there are any")
    parser.add_argument("--units", type=verified, help="the units of the network, if they are known")
    parser.add_argument("--pairs", type=verified, nargs="*", default=[], help="the halves of pairs")
    parser.add_argument("--reference", help="the published results table")
    parser.add_argument("--printed", type=Path, help="the numbers printed in the paper")
    parser.add_argument("--findings", type=Path, required=True, help="JSON to write")
    parser.add_argument("--comparison", type=Path, help="CSV to write, with --reference and --printed")
    args = parser.parse_args()
    tables = [file for file in (args.results, args.effects, args.norm_statistics, args.probes, args.units) if file]
    tables += [args.interpolation] if args.interpolation else []
    tables += args.pairs
    check_agreement(tables)
    networks = read_results(args.results)
    results, effects = load_results(args.results), read_effects(args.effects)
    statistics = args.norm_statistics and read_statistics(args.norm_statistics)
    probes = read_probes(args.probes) if args.probes else None
    lines = read_lines(args.interpolation, results) if args.interpolation else None
    names = unit_names(args.units and read_units(args.units))
    if args.comparison:
        table = comparison_table(results, load_results(args.reference), read_printed(args.printed))
        write_text(args.comparison, table.round(2).to_csv(index=False))
    found = {
        "findings": findings(
            *(results, effects, statistics, names, [file.record for file in args.pairs], probes),
            *(rate_table(networks), lines),
        ),
        "advice": advice(effects, names),
        "missing": missing_networks(networks),
        "provenance": provenance("results.write_findings", {}),
    }
    sources = [*tables, *(path for path in (args.reference, args.printed) if path)]
    write_record(args.findings, found, [args.comparison] if args.comparison else [], sources)


if __name__ == "__main__":
    cli.run(main)
