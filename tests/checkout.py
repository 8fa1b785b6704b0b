"""Running the workflow for real, in a copy of the repository."""

import os
import shutil
import subprocess

from helpers import PYTHON, ROOT

COPIED = ("Snakefile", "config.yaml", "configs", "envs", "profiles", "report", "rules", "schemas", "workflow_scripts")


class Checkout:
    """A copy of the repository, in which Snakemake runs one study by default."""

    def __init__(self, folder, study):
        self.folder, self.study, self.python = folder, study, PYTHON
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, folder / name)

    def snakemake(self, *options, study=None, cores=2, check=True):
        """Run Snakemake and return what it printed; `study` is one configuration file or several, merged in order."""
        study = study or self.study
        studies = [study] if isinstance(study, str) else study
        command = [self.python, "-m", "snakemake", *options, "--cores", str(cores), "--configfile", *studies]
        # Hundreds of processes would compile the same code again and again.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment = {name: value for name, value in environment.items() if not name.startswith("SNAKEMAKE")}
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, env=environment)
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr
