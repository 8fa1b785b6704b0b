"""Step: gather the records of all probes into probes.csv, with intervals over validation images."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import safetensors.numpy
from scipy.stats import binomtest

from workflow_scripts.plumbing import cli
from workflow_scripts.plumbing.cli import InputError
from workflow_scripts.plumbing.files import write_text
from workflow_scripts.plumbing.provenance import provenance
from workflow_scripts.plumbing.records import Verified, Verifier, check_agreement, expect, remedy, write_record
from workflow_scripts.results.intervals import CONFIDENCE, RESAMPLES
from workflow_scripts.results.units import read_units
from workflow_scripts.study.columns import PROBE_COLUMNS
from workflow_scripts.study.datasets import pair_label
from workflow_scripts.study.matrix import probe_jobs

KEYS = ("partition", "source", "target", "seed")


def probe_table(
    records: Sequence[dict], rights: Sequence[Mapping[str, np.ndarray]], units: pd.DataFrame
) -> pd.DataFrame:
    """A row for each probe of the `records`, columns PROBE_COLUMNS but `pair`, sorted as the records are.

    `rights` are the tensors `<depth>.right` of each record: whether a validation image is classified right. `units` is
    the table of units (results.units.read_units), which has the shares up to each depth.
    """
    rows, shares = [], units[["parameters_share", "multiplications_share"]].to_dict("index")
    for record, right in zip(records, rights, strict=True):
        deepest = max((one["depth"] for one in record["probes"] if one["depth"]), default=None)
        for probe in record["probes"]:
            of_task = {
                name: record[name] for name in (*KEYS, "classes", "train_images", "val_images", "majority_share")
            }
            said = {name: value for name, value in probe.items() if name in PROBE_COLUMNS}
            rows.append(of_task | said | _intervals(probe["depth"], deepest, right) | shares.get(probe["depth"], {}))
    return pd.DataFrame(rows, columns=[name for name in PROBE_COLUMNS if name != "pair"]).astype({"depth": "Int64"})


def _intervals(depth: int | None, deepest: int | None, right: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The intervals of a probe's accuracy; its gap to the `deepest` depth, and that of all depths together to it."""
    own, last, together = (right.get(f"{name or 'all'}.right") for name in (depth, deepest, None))
    if own is None:
        return {}
    found = accuracy_interval(own)
    if depth != deepest and last is not None:
        found |= gap_interval(own, last, "last_gap")
    if depth is not None and together is not None:
        found |= gap_interval(together, own, "together_gap")
    return found


def accuracy_interval(right: np.ndarray) -> dict[str, float]:
    """Wilson's 95 % interval of an accuracy, over validation images like these; `right` are 0 or 1 (n,)."""
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(CONFIDENCE, method="wilson")
    return {"top1_low": interval.low, "top1_high": interval.high}


def gap_interval(right: np.ndarray, other: np.ndarray, name: str) -> dict[str, float]:
    """By how much the accuracy of `right` is above that of `other` on the same images, and the bootstrap's interval.

    The keys are `name`, `name`_low and `name`_high. Both ends are NaN where no image is classified differently: nothing
    then tells how far others would differ.
    """
    images = len(right)
    better, worse = ((right > other).sum() / images, (right < other).sum() / images)
    found = {name: better - worse, f"{name}_low": np.nan, f"{name}_high": np.nan}
    if better or worse:
        # Drawing images anew draws how many of them are better, worse and equal.
        drawn = np.random.default_rng(0).multinomial(images, [better, worse, 1 - better - worse], RESAMPLES)
        tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
        low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / images, tails)
        found |= {f"{name}_low": low, f"{name}_high": high}
    return found


def check_probes(study: Mapping, files: Sequence[Verified]) -> None:
    """Raise InputError unless the records of `files` are those of the study's probes, in their order."""
    for job, file in zip(probe_jobs(study), files, strict=True):
        expect(file, **{name: getattr(job, name) for name in KEYS})
        depths = tuple(one["depth"] for one in file.record["probes"] if one["depth"])
        if depths != job.depths:
            raise InputError(f"{file}: it has other depths than the study. {remedy(file)}")


def main() -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    verified = Verifier().verified
    parser.add_argument("--study", type=cli.json_argument, required=True, help="the study's matrix leaves as JSON")
    parser.add_argument("--probes", type=verified, nargs="+", required=True, help="safetensors of all probes")
    parser.add_argument("--units", type=verified, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True)
    args = parser.parse_args()
    check_agreement([*args.probes, args.units])
    check_probes(args.study, args.probes)
    records = [file.record for file in args.probes]
    rights = [safetensors.numpy.load_file(file) for file in args.probes]
    table = probe_table(records, rights, read_units(args.units))
    labels = [pair_label(args.study, row.partition, row.target) for row in table.itertuples()]
    table.insert(PROBE_COLUMNS.index("pair"), "pair", labels)
    write_text(args.output, table.round(6).to_csv(index=False))
    record = {"provenance": provenance("results.gather_probes", {})}
    write_record(args.record, record, [args.output], [*args.probes, args.units])


if __name__ == "__main__":
    cli.run(main)
