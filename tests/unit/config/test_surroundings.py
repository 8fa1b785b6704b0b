"""What a user's machine gives that cannot be used, and what it lacks."""

import getpass

import pytest
from snakemake.settings.types import DeploymentMethod

from workflow_scripts.config.surroundings import needed_variables
from workflow_scripts.plumbing.cli import InputError


def test_a_folder_that_pythonpath_cannot_hold_is_refused():
    with pytest.raises(InputError, match=r"^/data/10:30: a path with a `:` cannot be in PYTHONPATH\. Rename"):
        needed_variables(set(), "/data/10:30")


def test_the_users_own_packages_stay_out_of_conda_environments():
    assert needed_variables(set(), "/home/me/my study") == {}
    assert needed_variables({DeploymentMethod.CONDA, DeploymentMethod.APPTAINER}, "/home/me") == {
        "PYTHONNOUSERSITE": "1"
    }


@pytest.mark.parametrize("error", [KeyError, OSError])  # before Python 3.13, and since
def test_a_user_without_a_name_gets_one(monkeypatch, error):
    def nameless():
        raise error("uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert needed_variables(set(), "/home/me/my study") == {"LOGNAME": "nobody"}
