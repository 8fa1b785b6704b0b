"""What a Snakemake command line asks for, however it is written."""

import pytest

from workflow_scripts.config.command_line import CommandLine, read_command_line

RUN, READ, RULES = CommandLine(), CommandLine(writes=False), CommandLine(writes=False, keeps_notes=False)


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ("--cores all", RUN),
        ("--touch --forceall --cores 1", RUN),
        ("-t -c1", RUN),
        ("--delete-all-output -c1", RUN),
        ("--report r.html --report-after-run -c1", RUN),
        ("plan --cores all --quiet all", CommandLine(frozenset({"plan"}))),
        ("--cores 1 --configfile a.yaml b.yaml -- verify", CommandLine(frozenset({"verify"}))),
        ("verify -np", CommandLine(frozenset({"verify"}), writes=False)),
        ("results/a/plan.csv --cores 1", CommandLine(frozenset({"results/a/plan.csv"}))),
        ("--config study=plan --cores 1", RUN),
        ("--forcerun plan --cores 1", RUN),
        ("--batch all=1/2 --cores 1", RUN),
        ("--batch all=1/2 -n", READ),
        ("--no-such-option", RUN),  # Snakemake itself refuses it
        ("", RUN),
        *((line, READ) for line in ("-n", "-np", "--dry-run --quiet rules", "--dryrun", "-n --touch")),
        *((f"{line} -c1", READ) for line in ("--dag", "--rulegraph", "--filegraph", "--d3dag", "--dag mermaid-js")),
        *((line, READ) for line in ("--summary", "-S", "--detailed-summary", "-D", "--list-conda-envs")),
        *((line, READ) for line in ("--list-changes code", "--list-params-changes", "--list-input-changes", "--lu")),
        *((line, READ) for line in ("--report", "--report r.zip", "--containerize", "--archive a.tar.gz")),
        *((line, READ) for line in ("--unlock", "--cleanup-metadata a", "--cleanup-shadow", "--delete-all-output -n")),
        *((line, RULES) for line in ("--list-rules", "--list", "-l", "--list-target-rules", "--lt", "--lint")),
        *((line, RULES) for line in ("--lint json", "--print-compilation")),
    ],
)
def test_command_lines(arguments, asked):
    assert read_command_line(arguments.split()) == asked


def test_nothing_is_printed(capsys):
    read_command_line(["--cores"])
    assert capsys.readouterr() == ("", "")
