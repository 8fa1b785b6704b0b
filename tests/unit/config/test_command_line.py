"""What a Snakemake command line asks for, however it is written."""

import pytest

from workflow_scripts.config.command_line import CommandLine, read_command_line

RUN = CommandLine()


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ("--cores all", RUN),
        ("-n", CommandLine(writes=False)),
        ("-np", CommandLine(writes=False)),
        ("--dry-run --quiet rules", CommandLine(writes=False)),
        ("--dryrun", CommandLine(writes=False)),
        ("--touch --forceall --cores 1", CommandLine(touches=True)),
        ("-t -c1", CommandLine(touches=True)),
        ("plan --cores all --quiet all", CommandLine(frozenset({"plan"}))),
        ("--cores 1 --configfile a.yaml b.yaml -- verify", CommandLine(frozenset({"verify"}))),
        ("verify -np", CommandLine(frozenset({"verify"}), writes=False)),
        ("results/a/plan.csv --cores 1", CommandLine(frozenset({"results/a/plan.csv"}))),
        ("--config study=plan --cores 1", RUN),
        ("--forcerun plan --cores 1", RUN),
        ("--no-such-option", RUN),  # Snakemake itself refuses it
        ("", RUN),
    ],
)
def test_command_lines(arguments, asked):
    assert read_command_line(arguments.split()) == asked


def test_nothing_is_printed(capsys):
    read_command_line(["--cores"])
    assert capsys.readouterr() == ("", "")
