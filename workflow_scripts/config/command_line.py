"""What the Snakemake command line asks for, where it matters while the Snakefile is read.

Snakemake itself knows its mode only afterwards. The command line holds for the first process only: the jobs that it
starts or submits have command lines of their own. Light on purpose: the Snakefile calls this at parse time.
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

# Options in Snakemake's order: with the first ones it reads the rules only.
RULES_ONLY = ("lint", "list_target_rules", "list_rules", "print_compilation")
NO_JOBS = (
    *("dryrun", "containerize", "reporter", "report", "generate_unit_tests", "dag", "rulegraph", "filegraph", "d3dag"),
    *("unlock", "cleanup_metadata", "conda_cleanup_envs", "conda_create_envs_only", "list_conda_envs"),
    *("cleanup_shadow", "container_cleanup_images", "list_changes", "list_input_changes", "list_params_changes"),
    *("list_untracked", "summary", "detailed_summary", "archive"),
)


@dataclass(frozen=True)
class CommandLine:
    """`writes` is False if no job will run and no result will be touched or deleted. `keeps_notes` is False if
    Snakemake does not even open its notes. `targets` are rules and files by name.
    """

    targets: frozenset[str] = frozenset()
    writes: bool = True
    keeps_notes: bool = True


OF_A_JOB = CommandLine(writes=False, keeps_notes=False)  # of the process of a job: the first one has done the checks


def read_command_line(arguments: Sequence[str]) -> CommandLine:
    """What `arguments`, Snakemake's without its own name, ask for, as Snakemake's own parser reads them.

    A command line that is not Snakemake's (of a program that uses its API) asks for a plain run.
    """
    from snakemake.cli import get_argument_parser

    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
        args, _ = get_argument_parser().parse_known_args(list(arguments))
        given = {name for name, value in vars(args).items() if value}  # the object of --batch cannot be compared
        if args.report_after_run:
            given -= {"report", "reporter"}
        if given & set(RULES_ONLY):
            return CommandLine(writes=False, keeps_notes=False)
        return CommandLine(frozenset(map(str, args.targets or ())), not given & set(NO_JOBS))
    return CommandLine()
