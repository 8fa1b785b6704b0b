"""Step: count the first-layer filters of base networks that are Gabor-like or colour blobs, and compare the halves."""

import argparse
from pathlib import Path

from workflow_scripts.features.filters import diverged_bases, filter_table, load_first_layers, share_table
from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verifier, record_of, write_record


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    verified = Verifier().verified
    parser.add_argument("--weights", type=verified, nargs="+", required=True, help="base networks' safetensors files")
    for name in ("filters", "shares", "record"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args()
    layers = load_first_layers(args.weights)
    filters = filter_table(layers)
    write_text(args.filters, filters.round(4).to_csv(index=False))
    write_text(args.shares, share_table(layers, filters, diverged_bases(args.weights)).round(3).to_csv(index=False))
    record, sources = (
        {"provenance": provenance("features.score_filters", {})},
        [*args.weights, *(record_of(file.path) for file in args.weights)],
    )
    write_record(args.record, record, [args.filters, args.shares], sources)


if __name__ == "__main__":
    cli.run(main)
