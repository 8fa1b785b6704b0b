"""What a user's machine gives to Snakemake and to steps that they cannot use."""

import getpass
import os
import sys
from collections.abc import Iterable

from workflow_scripts.plumbing.cli import InputError


def needed_variables(deployment_methods: Iterable[object], checkout: str) -> dict[str, str]:
    """Variables that this machine lacks.

    Snakemake asks for a user's name. Conda's Python would put packages of ~/.local before those of its environment.
    Raises InputError if PATH and PYTHONPATH cannot hold the checkout or the folder of this Python.
    """
    for folder in (str(checkout), sys.prefix):
        if os.pathsep in folder:
            raise InputError(f"{folder}: a path with a `{os.pathsep}` cannot be in PYTHONPATH. Rename the folder.")
    variables = {}
    if "conda" in map(str, deployment_methods):
        variables["PYTHONNOUSERSITE"] = "1"
    try:
        getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in a container
        variables["LOGNAME"] = "nobody"
    return variables
