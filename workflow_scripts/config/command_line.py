"""What the Snakemake command line asks for, where it matters while the Snakefile is read.

Snakemake itself knows its targets and mode only afterwards. Light on purpose: the Snakefile calls this at parse time.
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CommandLine:
    """`writes` is False for a dry run; `touches` is Snakemake's --touch; `targets` are rules and files by name."""

    targets: frozenset[str] = frozenset()
    writes: bool = True
    touches: bool = False


def read_command_line(arguments: Sequence[str]) -> CommandLine:
    """What `arguments`, Snakemake's without its own name, ask for, as Snakemake's own parser reads them.

    A command line that is not Snakemake's (of a program that uses its API) asks for a plain run.
    """
    from snakemake.cli import get_argument_parser

    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
        args, _ = get_argument_parser().parse_known_args(list(arguments))
        return CommandLine(frozenset(map(str, args.targets or ())), not args.dryrun, bool(args.touch))
    return CommandLine()
