# The configuration: where the workflow lies, which files are read, and the checks that come before any work. No rules.
#   needs  config.yaml beside the Snakefile, that of the working directory, the files of --configfile, a module's config:
#   makes  ROOT, MODULE, COMMAND_LINE, `config`, and where Snakemake places files (docs/module.md)
import importlib.util
import os
import sys
from pathlib import Path

# Code and defaults lie in ROOT, beside the Snakefile. Data and results lie below the working directory.
ROOT = os.path.abspath(f"{workflow.current_basedir.get_path_or_uri(secret_free=True)}/..")
MODULE = not workflow.modifier.is_main_snakefile()  # whether another workflow imports this one
sys.path.insert(0, ROOT)
found = importlib.util.find_spec("workflow_scripts")
if found is None or os.path.realpath(*found.submodule_search_locations) != os.path.realpath(f"{ROOT}/workflow_scripts"):
    sys.exit(f"error: {ROOT}: its workflow_scripts cannot be imported. Clone the repository, and import one copy only.")

from workflow_scripts.config.command_line import OF_A_JOB, read_command_line
from workflow_scripts.config.commands import step_environment
from workflow_scripts.config.given import config_files, study_config
from workflow_scripts.config.grouping import grouped
from workflow_scripts.config.study import check_study
from workflow_scripts.config.surroundings import needed_variables
from workflow_scripts.config.units import asks_for_all, deepest_unit, known_units, with_units
from workflow_scripts.plumbing.cli import exit_in_one_line
from workflow_scripts.plumbing.fingerprint import code_fingerprint
from workflow_scripts.study.matrix import curve_jobs, with_used_rates
from workflow_scripts.study.paths import description_file, results_folder

os.environ.update(step_environment(ROOT, MODULE))
PLACE = workflow.modifier.path_modifier
COMMAND_LINE = read_command_line(sys.argv[1:]) if workflow.is_main_process else OF_A_JOB


def placed(path):
    """A path below the working directory as Snakemake places it: below the prefix of a module."""
    return PLACE.replace_prefix(str(path))


with exit_in_one_line():  # a WorkflowError would add the place in this file
    os.environ.update(needed_variables(workflow.deployment_settings.deployment_method, ROOT))
    CONFIG_FILES = config_files(Path(ROOT), workflow.configfiles, MODULE)

for file in CONFIG_FILES:

    configfile: file


with exit_in_one_line():
    config = study_config(config, Path(ROOT), MODULE, workflow.config_settings.config_args)
    check_study(config, Path(ROOT, "schemas/config.schema.yaml"), COMMAND_LINE, placed)
    config = with_used_rates(config)

GIVEN, DESCRIPTION, DEEPEST = config, str(description_file(config)), deepest_unit(config)


def described():
    """The configuration with the jobs of each curve and, where the network's units are known, the numbers of depths."""
    with exit_in_one_line():
        units, results = known_units(GIVEN, Path(placed(DESCRIPTION))), Path(placed(results_folder(GIVEN)))
        return grouped(with_units(GIVEN, units), results, code_fingerprint("training.engine"))


UNDESCRIBED = asks_for_all(GIVEN) and known_units(GIVEN, Path(placed(DESCRIPTION))) is None
config = described()


def study_now():
    """The configuration once the network's units are known. Depths that are `all` wait for their description."""
    if UNDESCRIBED:
        checkpoints.describe_network.get()
        return described()
    return config


def curve_records(_=None):
    """The records of all curves."""
    return [f"{results_folder(GIVEN)}/{job.stem}.json" for job in curve_jobs(study_now())]
